"""A small catalogue as a folder: photos by category, their masks, who made them, and how to make them again.

    DIR/ring/ring-0001.jpg       a photo
    DIR/masks/ring/ring-0001.png its mask: the share of each pixel that the piece covers, 8 bit
    DIR/licences.csv             author and licence, as the folder source reads them
    DIR/catalogue.json           per photo the design, the shot, the grams and carats
    DIR/README.md                the command and the seed that made it

The one that ships with the package is made by this. What is there already from the same numbers is not made again.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jewel_assets.categories import CATEGORIES
from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels, encode_jpeg
from jewel_assets.shape.castability import Report, check
from jewel_assets.shape.catalogue.listing import AUTHOR, LICENCE, LICENCE_URL, names, seed_of
from jewel_assets.shape.catalogue.presets import Preset
from jewel_assets.shape.catalogue.taking import taken
from jewel_assets.shape.catalogue.truth import mask_png
from jewel_assets.shape.designs import Design, samples
from jewel_assets.shape.piece import Piece

MASKS = "masks"
LIST = "catalogue.json"
DRAWN_PER_PICTURE = 4
"""At most so many designs are drawn for each that is photographed: those that cannot be cast are left out."""
QUALITIES = (92, 88, 84, 80, 76, 72, 66, 60)
COMMAND = "jewel shape sample-catalogue"


@dataclass(frozen=True)
class SampleNumbers:
    """What a sample is made from; the same numbers give the same sample."""

    per_category: int = 16
    seed: int = 1
    size: int = 512  # pixels, each side
    samples: int = 96  # paths per pixel
    preset: Preset = "randomised"
    max_mb: float = 6.0  # million bytes, of all files together
    variant: str = "scalar_rgb"

    @property
    def command(self) -> str:
        """What somebody types to make it again."""
        options = (f"--{name.replace('_', '-')} {value}" for name, value in asdict(self).items())
        return f"{COMMAND} --out DIR {' '.join(options)}"

    @property
    def most_bytes(self) -> int:
        """What one picture may weigh with its mask, so that all together fit; a tenth is for the lists."""
        return int(0.9 * self.max_mb * 1e6 / (self.per_category * len(CATEGORIES)))


def make_sample(folder: Path, numbers: SampleNumbers, say: Callable[[str], None]) -> int:
    """Make the sample in `folder` and return the bytes of its files.

    Raises Permanent where the folder cannot be written, a category has no designs, or the sample grows too large.
    """
    known = _known(folder)
    entries: dict[str, Any] = {}
    _save(folder / LIST, json.dumps(known))  # a run that is stopped leaves a folder that the next one knows as its own
    for category in CATEGORIES:
        pieces = castable(category, numbers.seed, numbers.per_category, say)
        for name, (design, piece, report) in zip(names(category, numbers.per_category), pieces, strict=False):
            key = f"{category}/{name}.jpg"
            made_from = {
                "design": design.model_dump(mode="json"),
                "preset": numbers.preset,
                "shot_seed": seed_of(name, numbers.seed),
                "size": numbers.size,
                "samples": numbers.samples,
                "variant": numbers.variant,
                "most_bytes": numbers.most_bytes,
            }
            old = known.get(key)
            if old is not None and old["made_from"] == made_from and _is_there(folder, key):
                entries[key] = old
                continue
            say(f"{key}: {design.family}")
            weighed = {"grams": report.designed_grams, "carats": report.carats}
            entries[key] = {"made_from": made_from, **weighed, **_picture(folder, key, piece, made_from, say)}
            _save(folder / LIST, json.dumps(known | entries))
    _remove_others(folder, known.keys() - entries.keys())
    _save(folder / LIST, json.dumps(entries, indent=1) + "\n")
    _save(
        folder / "licences.csv", f"file,author,licence,licence_url,may_train\n*,{AUTHOR},{LICENCE},{LICENCE_URL},yes\n"
    )
    _save(folder / "README.md", _readme(numbers, entries))
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if total > numbers.max_mb * 1e6:
        raise Permanent(
            f"The sample in {folder} has {total / 1e6:.1f} MB, more than {numbers.max_mb:g}: lower --size or "
            "--per-category, or raise --max-mb."
        )
    return total


def castable(
    category: str, seed: int, count: int, say: Callable[[str], None]
) -> Iterator[tuple[Design, Piece, Report]]:
    """The first `count` pieces that `seed` draws of `category` and that can be cast, families in turn.

    Raises Permanent where a category has no families, or too few of its designs can be cast.
    """
    found = 0
    drawn = samples(category, seed, DRAWN_PER_PICTURE * count)
    for design in drawn:
        try:
            piece = design.build()
            report = check(piece)
        except Exception as error:  # a fault of one family must not cost the others their pictures
            say(f"A {design.family} could not be built ({type(error).__name__}: {error}); another is taken.")
            continue
        if not report.castable:
            rules = ", ".join(dict.fromkeys(f.rule for f in report.findings if f.severity == "error"))
            say(f"A {design.family} cannot be cast ({rules}); another is taken.")
            continue
        yield design, piece, report
        found += 1
        if found == count:
            return
    raise Permanent(f"Only {found} of {len(drawn)} designs of {category} can be cast, and {count} are asked for.")


def _picture(
    folder: Path, key: str, piece: Piece, made_from: dict[str, Any], say: Callable[[str], None]
) -> dict[str, Any]:
    """Render one picture and write it with its mask; what the list says of it."""
    size = made_from["size"]
    shot, photo = taken(
        piece,
        piece.category,
        piece.family,
        made_from["preset"],
        made_from["shot_seed"],
        say,
        size=(size, size),
        samples=made_from["samples"],
        variant=made_from["variant"],
    )
    mask = mask_png(photo.alpha)
    quality, jpeg = within(photo.image, made_from["most_bytes"] - len(mask))
    _save(folder / key, jpeg)
    _save(_mask_of(folder, key), mask)
    engines = {name: photo.parameters[name] for name in ("engine", "variant", "denoiser")}
    return {
        "family": piece.family,
        "style": shot.style,
        "shade": shot.ground,
        "coverage": round(float(photo.alpha.mean()), 4),
        "jpeg_quality": quality,
        "shot": shot.model_dump(mode="json"),
        **engines,
    }


def within(image: Pixels, most_bytes: int) -> tuple[int, bytes]:
    """The best JPEG of `image` that has at most `most_bytes`, and its quality; the coarsest if none has."""
    for quality in QUALITIES:
        encoded = encode_jpeg(image, quality)
        if len(encoded) <= most_bytes:
            break
    return quality, encoded


def _mask_of(folder: Path, key: str) -> Path:
    return (folder / MASKS / key).with_suffix(".png")


def _is_there(folder: Path, key: str) -> bool:
    return (folder / key).is_file() and _mask_of(folder, key).is_file()


def _known(folder: Path) -> dict[str, Any]:
    """What an earlier run listed. Raises Permanent where `folder` holds something else."""
    if not folder.exists() or not any(folder.iterdir()):
        return {}
    try:
        known = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise Permanent(f"{folder} is no sample catalogue (it has no {LIST}): choose an empty folder.") from None
    return dict(known)


def _remove_others(folder: Path, keys: set[str]) -> None:
    for key in keys:
        (folder / key).unlink(missing_ok=True)
        _mask_of(folder, key).unlink(missing_ok=True)


def _save(path: Path, content: bytes | str) -> None:
    """Write whole or not at all. Raises Permanent where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.part")
        half.write_bytes(content.encode() if isinstance(content, str) else content)
        half.replace(path)
    except OSError as error:
        raise Permanent(f"{path} cannot be written ({error.strerror}): make room or choose another place.") from error


def _readme(numbers: SampleNumbers, entries: dict[str, Any]) -> str:
    def told(name: str) -> str:
        return ", ".join(sorted({str(entry[name]) for entry in entries.values()}))

    return f"""# Sample catalogue

{len(entries)} photos of jewellery that nobody owns: drawn, built, checked for casting and rendered by jewel-assets with

    {numbers.command}

Seed {numbers.seed}. Renderer: {told("engine")} ({told("variant")}), denoiser: {told("denoiser")}.
Backgrounds: {told("style")}.
Families: {told("family")}.

`ring/ring-0001.jpg` is a photo and `{MASKS}/ring/ring-0001.png` its mask: the share of each pixel that the piece
covers, 0 to 255. `{LIST}` has the design, the shot, the grams and carats behind each. Licence: {LICENCE}.
"""
