"""Promotional images of photos as files: cut out, judged, rendered, over several processes where there are many."""

import itertools
import os
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.errors import Permanent
from jewel_assets.promote.files import sha256_of
from jewel_assets.promote.finish import Finish
from jewel_assets.promote.piece import Piece, Unfit
from jewel_assets.promote.rights import check_rights, told_of
from jewel_assets.promote.templates import Template
from jewel_assets.settings import settings

if TYPE_CHECKING:
    from jewel_assets.collect.sidecars import Credit
    from jewel_assets.images import Pixels
    from jewel_assets.promote.fidelity import Fidelity
    from jewel_assets.promote.rendering import Promo

TOGETHER = 64
"""Images of one lot, and at most LOT photos: they go template by template, so that each plate is made once for them."""
LOT = 16
MODEL = ".glb"
"""What is no photo but a mesh of `jewel shape build`: it is traced."""
FOLDER = "folder"
"""The source of a user's own files, as `collect/policy.toml` calls it."""


@dataclass(frozen=True)
class Asked:
    """What is made of every photo. `beside` are more photos of the piece, shown in the same picture."""

    templates: tuple[Template, ...]
    seed: int = 0
    size: tuple[int, int] = (1080, 1080)
    finish: Finish = field(default_factory=Finish)
    category: str | None = None
    mask: Path | None = None
    beside: tuple[Path, ...] = ()
    beside_categories: tuple[str | None, ...] = ()  # of each of them, else `category` or guessed
    permission: str = ""  # who permits to publish what a licence beside the photos leaves to be asked
    people: bool = False  # take photos that show a person, too
    doubtful: bool = False  # take cut-outs that are not to be trusted, too
    samples: int = 64  # paths per pixel, where a mesh is traced
    variant: str = "auto"  # of Mitsuba


@dataclass(frozen=True)
class Made:
    """An image (h, w, 3), the photo it is of, and its record."""

    photo: Path
    piece: Piece = field(repr=False)
    template: Template
    image: "Pixels" = field(repr=False)
    fidelity: "Fidelity"
    warnings: tuple[str, ...]
    record: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class NotMade:
    """A photo that gave no image, and why."""

    photo: Path
    reason: str
    sentence: str
    mask: NDArray[np.uint8] | None = field(default=None, repr=False)  # (h, w), for somebody to look at


def make_all(
    photos: Sequence[Path], asked: Asked, workers: int = 1, credits_: "Mapping[Path, Credit] | None" = None
) -> Iterator[Made | NotMade]:
    """The images, lot by lot, in the order of the photos and, within a lot, of the templates.

    `credits_` is what side-cars say of photos (`rights.credits_of`). With several workers at most one lot more than
    there are workers is held in memory. Raises Permanent where a worker dies.
    """
    at_once = max(1, TOGETHER * 1080 * 1080 // (asked.size[0] * asked.size[1]))
    few = [asked.templates[first : first + at_once] for first in range(0, len(asked.templates), at_once)]
    size = max(1, min(LOT, at_once // len(few[0])))
    lots = [(photos[first : first + size], some) for first in range(0, len(photos), size) for some in few]
    if workers == 1 or len(lots) <= 1:
        maker = Maker(asked, credits_)
        for lot in lots:
            yield from maker.make(*lot)
        return
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children, get_context

    running: deque[Future[list[Made | NotMade]]] = deque()
    others = set(active_children())
    with ProcessPoolExecutor(
        min(workers, len(lots)), get_context("spawn"), initializer=_set_up, initargs=(asked, credits_)
    ) as pool:
        try:
            for lot in lots:
                try:
                    running.append(pool.submit(_make, *lot))
                except OSError as error:  # a worker died while another was being started
                    raise BrokenProcessPool(str(error)) from error
                if len(running) > workers:
                    yield from running.popleft().result()
            while running:
                yield from running.popleft().result()
        except BrokenProcessPool as error:
            for worker in set(active_children()) - others:  # one that was being started when another died is left over
                worker.kill()
            raise Permanent(
                "A worker died before it was done, most likely for want of memory: run again with --workers 1, or with "
                "smaller images. What was written is whole."
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


class Maker:
    """Makes images in this process, with one remover, loaded when the first photo needs it."""

    def __init__(self, asked: Asked, credits_: "Mapping[Path, Credit] | None" = None) -> None:
        self.asked = asked
        self.credits = credits_ or {}
        self._remover: Any = None

    def make(self, photos: Sequence[Path], templates: Sequence[Template] = ()) -> Iterator[Made | NotMade]:
        """The images of a few photos, on these templates or all; before them the photos that give none."""
        templates = templates or self.asked.templates
        is_first = templates[0] == self.asked.templates[0]  # a photo that gives no image is told once
        cuts = []
        for photo in photos:
            try:
                for one in (photo, *self.asked.beside):
                    check_rights(self.credits.get(one), self.asked.permission)
                if photo.suffix.lower() == MODEL:
                    yield from self._traced(photo, templates)
                    continue
                sides = itertools.zip_longest(self.asked.beside, self.asked.beside_categories)
                cut = [self.cut(photo, self.asked.mask), *(self.cut(one, None, theirs) for one, theirs in sides)]
                pieces, engines = zip(*cut, strict=True)
                cuts.append((photo, pieces, engines))
            except Unfit as unfit:
                if is_first:
                    yield NotMade(photo, unfit.reason, str(unfit), unfit.mask)
        for template, (photo, pieces, engines) in itertools.product(templates, cuts):
            promo = self._rendered(pieces, template)
            record = self._record(promo, photo, engines, [piece.category for piece in pieces])
            yield Made(photo, pieces[0], template, promo.image, promo.fidelity, promo.warnings, record)

    def cut(self, photo: Path, mask: Path | None = None, category: str | None = None) -> tuple[Piece, str]:
        """The piece in a photo, and what cut it out: `mask`, where there is one. Raises Unfit where there is none."""
        from jewel_assets.promote import cutting

        try:
            data = photo.read_bytes()
        except OSError as error:
            raise Unfit("unreadable", f"{photo} cannot be read: {error.strerror}.") from error
        if self._remover is None:
            from jewel_assets.clean import choose_remover
            from jewel_assets.registry import Registry

            self._remover = choose_remover(Registry.from_settings(), lazily=True)
            self._remover.load(settings().threads)
        drawn = cutting.read_mask(mask) if mask else None
        asked = self.asked
        found = cutting.cut(data, self._remover, category or asked.category, drawn, asked.people, asked.doubtful)
        return found.piece, found.engine

    def _rendered(self, pieces: Sequence[Piece], template: Template) -> "Promo":
        from jewel_assets.promote.rendering import render

        return render(pieces, template, self.asked.seed, self.asked.size, self.asked.finish)

    def _traced(self, path: Path, templates: Sequence[Template]) -> Iterator[Made]:
        """The images of a mesh, by Mitsuba. Raises Unfit where it is none of ours."""
        from jewel_assets.promote.traced import Model, render_mesh

        if self.asked.beside or self.asked.mask:
            raise Permanent(f"{path} is a mesh: --beside and --mask belong to photos, leave them out.")
        try:
            model = Model.read(path, self.asked.samples, self.asked.variant)
        except Permanent as error:
            raise Unfit("no mesh of ours", str(error)) from error
        for template in templates:
            promo = render_mesh(model, template, self.asked.seed, self.asked.size, self.asked.finish)
            piece = Piece(promo.laid.rgba, str(promo.record["category"]))
            record = self._record(promo, path, ("mitsuba",), (piece.category,))
            yield Made(path, piece, promo.template, promo.image, promo.fidelity, promo.warnings, record)

    def _record(self, promo: "Promo", photo: Path, engines: Sequence[str], categories: Sequence[str]) -> dict[str, Any]:
        """What the image was made from and by: all that `again` needs."""
        mask = self.asked.mask
        return {
            "photo": _spelled(photo),
            "photo_sha256": sha256_of(photo),
            "engine": engines[0],
            "beside": [
                {
                    "photo": _spelled(one),
                    "photo_sha256": sha256_of(one),
                    "engine": engine,
                    "category": category,
                    "licence": self._licence(one),
                }
                for one, engine, category in zip(self.asked.beside, engines[1:], categories[1:], strict=True)
            ],
            "mask": None if mask is None else _spelled(mask),
            "mask_sha256": None if mask is None else sha256_of(mask),
            "licence": self._licence(photo),
            "permission": self.asked.permission or None,
            "versions": {name: version(name) for name in ("numpy", "opencv-contrib-python", "pillow")},
            **promo.record,
        }

    def _licence(self, photo: Path) -> dict[str, Any] | None:
        return told_of(self.credits.get(photo))


_maker: Maker


def _set_up(asked: Asked, credits_: "Mapping[Path, Credit] | None") -> None:
    global _maker
    _maker = Maker(asked, credits_)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for ever for somebody to take its images."""
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make(photos: Sequence[Path], templates: Sequence[Template]) -> list[Made | NotMade]:
    return list(_maker.make(photos, templates))


def _spelled(path: Path) -> str:
    return os.fsencode(path.resolve()).decode("utf-8", "replace")
