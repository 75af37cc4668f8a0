"""From a photo of any kind to a `Piece`: decoded with distrust, its background removed unless it has none."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jewel_assets.clean import Remover, cut_out
from jewel_assets.clean.body_parts.glance import shows_person
from jewel_assets.clean.removal import LARGEST_FAINT_SHARE, REVIEW_BELOW, Matte, faint_share
from jewel_assets.collect import PhotoLimits, Refused, decode_photo
from jewel_assets.images import Pixels, decode
from jewel_assets.promote.piece import Piece, Unfit, piece_of
from jewel_assets.promote.scene import single

UNSEEN = "Nobody looked for people in this photo: the detectors are not here (`jewel models fetch` gets them)."


@dataclass(frozen=True)
class Cut:
    """A piece and how it was cut out: `engine` is "alpha of the file", "mask given" or a remover's name."""

    piece: Piece
    engine: str


def cut(
    data: bytes,
    remover: Remover | None,
    category: str | None = None,
    mask: Pixels | None = None,
    people: bool = True,
    doubtful: bool = False,
) -> Cut:
    """The piece in a photo (any format that `collect` reads). A file with transparency is used as it is.

    `mask` (h, w) uint8 of a user's own, white where the piece is, takes the remover's place. Raises Unfit with the
    reasons of `collect.decode_photo` and `piece_of`, "mask does not fit", without `people` "person" for a photo that
    shows one, and without `doubtful` "uncertain cut-out", with the mask, for one that its engine distrusts or whose
    outline no edge of the photo supports.
    """
    try:
        photo = decode_photo(data)
    except Refused as refused:
        raise Unfit(refused.reason, str(refused)) from refused
    pixels = decode(photo.data, alpha=True)
    if mask is not None:
        if mask.shape[:2] != pixels.shape[:2]:
            sizes = f"{mask.shape[1]} x {mask.shape[0]}, the photo {pixels.shape[1]} x {pixels.shape[0]}"
            raise Unfit("mask does not fit", f"The mask is {sizes}: give one of the photo's own size.")
        alpha = single(mask / np.float32(255))
        return Cut(piece_of(cut_out(_rgb(pixels), alpha), category), "mask given")
    if pixels[..., 3].min() < 128:
        # Designers trim such files to the piece: a round one then touches all sides, at its tangents.
        return Cut(piece_of(pixels, category, touching=0.25), "alpha of the file")
    why = "" if people else shows_person(_rgb(pixels))
    if why:
        raise Unfit(
            "person",
            f"The photo shows a person ({why}): take one of the piece alone, or say that people are welcome "
            "(--with-people).",
        )
    assert remover is not None
    matte = remover.mattes([_rgb(pixels)])[0]
    if not doubtful and (matte.alpha > 0.5).any():
        _refuse_doubtful(_rgb(pixels), matte)
    piece = piece_of(cut_out(_rgb(pixels), matte.alpha, matte.ground), category)
    if why is None:
        piece = replace(piece, warnings=(*piece.warnings, UNSEEN))
    return Cut(piece, matte.engine)


def _refuse_doubtful(image: Pixels, matte: Matte) -> None:
    faint = faint_share(image, matte.alpha)
    if matte.confidence < REVIEW_BELOW:
        why = f"its engine trusts it by {matte.confidence:.2f} alone"
    elif faint > LARGEST_FAINT_SHARE:
        why = f"{faint:.0%} of its outline runs where the photo shows no edge"
    else:
        return
    raise Unfit(
        "uncertain cut-out",
        f"The mask is not to be trusted ({why}): look at it, and give a better one (--mask) or take it (--doubtful).",
        np.rint(matte.alpha * 255).astype(np.uint8),
    )


def read_mask(path: Path) -> Pixels:
    """A mask file as (h, w) uint8: its alpha where it has one that says something, else its brightness.

    Raises Unfit for what is no picture.
    """
    try:
        pixels = decode(decode_photo(path.read_bytes(), PhotoLimits(min_side=1)).data, alpha=True)
    except (OSError, Refused) as error:
        raise Unfit("not an image", f"The mask {path} cannot be read: {error}") from error
    return np.ascontiguousarray(pixels[..., 3] if pixels[..., 3].min() < 255 else pixels[..., 1])


def _rgb(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[..., :3])
