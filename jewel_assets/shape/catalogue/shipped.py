"""The sample catalogue that ships inside the package: a folder of photos as anyone's, with the masks beside."""

from pathlib import Path

SAMPLE = Path(__file__).resolve().parents[1] / "sample"
"""Made by `jewel shape sample-catalogue`; its README says with which seed."""


def shipped_sample(folder: Path = SAMPLE) -> Path | None:
    """The folder of the sample's photos, or None where the package came without them."""
    return folder if next(folder.glob("*/*.jpg"), None) else None
