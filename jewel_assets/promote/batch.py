"""Promotional images of photos as files: cut out, judged, rendered, over several processes where there are many."""

import hashlib
import itertools
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jewel_assets.errors import Permanent
from jewel_assets.promote.finish import Finish
from jewel_assets.promote.piece import Piece, Unfit
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


def make_all(photos: Sequence[Path], asked: Asked, base: Path, workers: int = 1) -> Iterator[Made | NotMade]:
    """The images, lot by lot, in the order of the photos and, within a lot, of the templates.

    `base` is the folder whose side-cars say what may be done with the photos. With several workers at most one lot more
    than there are workers is held in memory. Raises Permanent where a worker dies.
    """
    size = max(1, min(LOT, TOGETHER // len(asked.templates)))
    lots = [photos[first : first + size] for first in range(0, len(photos), size)]
    credits_ = credits_of(photos, base)
    if workers == 1 or len(lots) == 1:
        maker = Maker(asked, credits_)
        for lot in lots:
            yield from maker.make(lot)
        return
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    running: deque[Future[list[Made | NotMade]]] = deque()
    with ProcessPoolExecutor(
        min(workers, len(lots)), get_context("spawn"), initializer=_set_up, initargs=(asked, credits_)
    ) as pool:
        try:
            for lot in lots:
                running.append(pool.submit(_make, lot))
                if len(running) > workers:
                    yield from running.popleft().result()
            while running:
                yield from running.popleft().result()
        except BrokenProcessPool as error:
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

    def make(self, photos: Sequence[Path]) -> Iterator[Made | NotMade]:
        """The images of a few photos, template by template; before them those that give none."""
        cuts = []
        for photo in photos:
            try:
                self._check_rights(photo)
                if photo.suffix.lower() == MODEL:
                    yield from self._traced(photo)
                    continue
                cut = [self.cut(photo, self.asked.mask), *(self.cut(one) for one in self.asked.beside)]
                pieces, engines = zip(*cut, strict=True)
                cuts.append((photo, pieces, engines))
            except Unfit as unfit:
                yield NotMade(photo, unfit.reason, str(unfit), unfit.mask)
        for template, (photo, pieces, engines) in itertools.product(self.asked.templates, cuts):
            promo = self._rendered(pieces, template)
            record = self._record(promo, photo, engines)
            yield Made(photo, pieces[0], template, promo.image, promo.fidelity, promo.warnings, record)

    def cut(self, photo: Path, mask: Path | None = None) -> tuple[Piece, str]:
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
        found = cutting.cut(data, self._remover, asked.category, drawn, asked.people, asked.doubtful)
        return found.piece, found.engine

    def _check_rights(self, photo: Path) -> None:
        """Raises Unfit where a side-car names a licence that does not let this be published."""
        credit = self.credits.get(photo)
        if credit is None or not (credit.licence or credit.licence_url):
            return
        from jewel_assets.collect import refuses_publishing

        why = refuses_publishing(FOLDER, credit.licence, credit.licence_url, bool(self.asked.permission))
        if why is not None:
            raise Unfit("not for publishing", why.replace("`permission` in the configuration", "--permission"))

    def _rendered(self, pieces: Sequence[Piece], template: Template) -> "Promo":
        from jewel_assets.promote.rendering import render

        return render(pieces, template, self.asked.seed, self.asked.size, self.asked.finish)

    def _traced(self, path: Path) -> Iterator[Made]:
        """The images of a mesh, by Mitsuba. Raises Unfit where it is none of ours."""
        from jewel_assets.promote.traced import Model, render_mesh

        if self.asked.beside or self.asked.mask:
            raise Permanent(f"{path} is a mesh: --beside and --mask belong to photos, leave them out.")
        try:
            model = Model.read(path, self.asked.samples, self.asked.variant)
        except Permanent as error:
            raise Unfit("no mesh of ours", str(error)) from error
        for template in self.asked.templates:
            promo = render_mesh(model, template, self.asked.seed, self.asked.size, self.asked.finish)
            piece = Piece(promo.laid.rgba, str(promo.record["category"]))
            record = self._record(promo, path, ("mitsuba",))
            yield Made(path, piece, template, promo.image, promo.fidelity, promo.warnings, record)

    def _record(self, promo: "Promo", photo: Path, engines: Sequence[str]) -> dict[str, Any]:
        """What the image was made from and by: all that `again` needs."""
        mask, credit = self.asked.mask, self.credits.get(photo)
        told = {} if credit is None else {name: value for name, value in vars(credit).items() if value}
        return {
            "photo": _spelled(photo),
            "photo_sha256": _sha256(photo),
            "engine": engines[0],
            "beside": [
                {"photo": _spelled(one), "photo_sha256": _sha256(one), "engine": engine}
                for one, engine in zip(self.asked.beside, engines[1:], strict=True)
            ],
            "mask": None if mask is None else _spelled(mask),
            "mask_sha256": None if mask is None else _sha256(mask),
            "licence": told or None,
            "permission": self.asked.permission or None,
            **promo.record,
        }


def credits_of(photos: Sequence[Path], base: Path) -> "dict[Path, Credit]":
    """What side-cars (`licences.csv` in a folder, `photo.json` beside a photo) say of the photos that they speak of."""
    tables, beside = set(), {}
    names = {"licences.csv", "licences.json", "licenses.csv", "licenses.json"}
    for folder in {above for photo in photos for above in photo.parents if above == base or base in above.parents}:
        tables |= {folder / name for name in names if (folder / name).is_file()}
    for photo in photos:
        for path in (photo.with_name(f"{photo.name}.json"), photo.with_suffix(".json")):
            if path.is_file():
                beside[photo.relative_to(base).as_posix()] = path
                break
    if not tables and not beside:
        return {}
    from jewel_assets.collect.sidecars import Sidecars, spelled

    sidecars = Sidecars(base, sorted(tables), {spelled(name): path for name, path in beside.items()})
    return {photo: sidecars.credit(spelled(photo.relative_to(base).as_posix())) for photo in photos}


_maker: Maker


def _set_up(asked: Asked, credits_: "Mapping[Path, Credit]") -> None:
    global _maker
    _maker = Maker(asked, credits_)


def _make(photos: Sequence[Path]) -> list[Made | NotMade]:
    return list(_maker.make(photos))


def _spelled(path: Path) -> str:
    return os.fsencode(path.resolve()).decode("utf-8", "replace")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
