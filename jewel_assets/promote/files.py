"""Which files `jewel promote` reads and writes: what is a photo, where images go, what is never overwritten."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jewel_assets.errors import Permanent

if TYPE_CHECKING:
    from jewel_assets.promote.batch import Asked
    from jewel_assets.promote.templates import Template

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".tif", ".tiff", ".bmp", ".gif"}
MASK = ".mask.png"
"""After a photo's name: its mask, written for somebody to look at."""
OURS = "pixels_sha256"
"""A key of our own records: a JSON that has it says nothing of a photo beside it."""


def photos_in(source: Path, made: Path) -> list[Path]:
    """The photos of a folder, or the one; without images and masks of ours: what lies in the folder `made`, and what
    has a record of ours beside it.
    """
    from jewel_assets.promote.batch import MODEL

    if source.is_dir():
        usable, made = PICTURES | {MODEL}, made.resolve()
        found = [path for path in source.rglob("*") if path.suffix.lower() in usable and path.is_file()]
        if source.resolve() in made.parents:
            found = [path for path in found if made not in path.resolve().parents]
        found = sorted(
            path for path in found if not path.name.endswith(MASK) and not is_ours(path.with_suffix(".json"))
        )
        if not found:
            raise Permanent(f"{source} holds no photo ({', '.join(sorted(usable))}).")
        return found
    if not source.exists():
        raise Permanent(f"{source} is not there: name a photo or a folder of them.")
    return [source]


def targets_of(
    photos: Sequence[Path], chosen: "Sequence[Template]", source: Path, out: Path | None
) -> dict[tuple[Path, str], Path]:
    """Where each image goes: one file if there is one image and `out` names one, else a folder."""
    if len(photos) * len(chosen) == 1 and out is not None and out.suffix.lower() in (".jpg", ".jpeg", ".png"):
        return {(photos[0], chosen[0].name): out}
    if out is not None and out.suffix.lower() in PICTURES:
        raise Permanent(f"--out {out}: one image is a .jpg or .png, several go into a folder: name one.")
    base = source if source.is_dir() else source.parent
    folder = out or Path("promos")
    targets, taken = {}, set()
    for photo in photos:
        for one in chosen:
            path = folder / photo.relative_to(base).with_suffix("") / f"{one.name}.jpg"
            number = 2
            while path in taken:  # a.jpg and a.png
                path = path.with_name(f"{one.name}-{number}.jpg")
                number += 1
            taken.add(path)
            targets[photo, one.name] = path
    return targets


def folder_of(out: Path | None) -> Path:
    """Where several images go: `out`, or beside it where it is an image."""
    if out is None:
        return Path("promos")
    return out.parent if out.suffix.lower() in PICTURES else out


def is_done(
    photo: Path, asked: "Asked", targets: Mapping[tuple[Path, str], Path], licence: Mapping[str, Any] | None
) -> bool:
    """Whether an earlier run made all that is asked of a photo, and nothing has changed since: neither its bytes, nor
    its licence, nor the images, nor the renderer.
    """
    from jewel_assets.promote.rendering import VERSION

    for template in asked.templates:
        path = targets[photo, template.name]
        try:
            told = json.loads(path.with_suffix(".json").read_text())
            wanted = {
                "version": VERSION,
                "photo_sha256": sha256_of(photo),
                "licence": licence,
                "template": template.model_dump(mode="json"),
                "seed": asked.seed,
                "size": list(asked.size),
                "finish": asked.finish.told(),
                "permission": asked.permission or None,
                "image_sha256": sha256_of(path),
            }
        except (OSError, ValueError):
            return False
        if {name: told.get(name) for name in wanted} != json.loads(json.dumps(wanted)):
            return False
        if asked.category not in (None, told.get("category")) or asked.beside:
            return False
    return True


def is_ours(path: Path) -> bool:
    """Whether a JSON file is the record of a promotional image."""
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and OURS in told


def guard(path: Path, inputs: Sequence[Path]) -> None:
    """Raises Permanent where an image written to this path, or its record, would take the place of another's file."""
    if path.resolve() in {one.resolve() for one in inputs}:
        raise Permanent(f"{path} is the photo itself, or another file that is read: write the image elsewhere (--out).")
    record = path.with_suffix(".json")
    if path.suffix.lower() in PICTURES and record.exists() and not is_ours(record):
        raise Permanent(f"{record} is no record of ours and would be overwritten: write the image elsewhere (--out).")


def check_unchanged(path: Path | None, sha256: str | None) -> None:
    """Raises Permanent where a file is another one than the record names."""
    if path is not None and sha256 is not None and path.exists() and sha256_of(path) != sha256:
        raise Permanent(f"The image would be another one: {path} has changed since, or is another file.")


def write_image(path: Path, image: Any, record: Mapping[str, Any]) -> None:
    """Write an image (h, w, 3), as its name says JPEG or PNG, and its record beside it. Raises Permanent."""
    from jewel_assets.images import encode_jpeg, encode_png

    data = encode_png(image) if path.suffix.lower() == ".png" else encode_jpeg(image, 94)
    write_file(path, data)
    told = {**record, "image_sha256": hashlib.sha256(data).hexdigest()}
    write_file(path.with_suffix(".json"), f"{json.dumps(told, indent=2)}\n".encode())


def write_file(path: Path, data: bytes) -> None:
    """Write a file, and the folders above it. Raises Permanent."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise Permanent(f"{path} cannot be written: {error.strerror}.") from error


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
