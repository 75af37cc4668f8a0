"""How alike two pictures are, as `same_picture` measures it, and how alike they must be to count as one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How alike two pictures must be to count as one: the measures of a `Likeness`, least or most."""

    correlation: float
    worst_patch: float
    colour: float
    overlap: float
    mark: float


@dataclass(frozen=True)
class Likeness:
    """How well one picture, aligned and with its exposure matched, reproduces another."""

    correlation: float  # -1..1: locally normalised correlation, mean over all structure in the common area
    worst_patch: float  # -1..1: the same in the patch where it is lowest
    colour: float  # 0..255: largest mean difference of a patch in a channel, exposure matched
    overlap: float  # 0..1: the smaller share of a picture's structure that lies in the common area
    mark: float  # 0..255: grey levels of the strongest stroke that only one has: an engraved letter, a missing stone

    @property
    def same(self) -> bool:
        """Whether the two are one picture of a piece."""
        return self.within(PHOTO_LIMITS)

    def within(self, limits: Limits) -> bool:
        """Whether the two are one picture by these limits."""
        return (
            self.correlation >= limits.correlation
            and self.worst_patch >= limits.worst_patch
            and self.colour <= limits.colour
            and self.overlap >= limits.overlap
            and self.mark <= limits.mark
        )


PHOTO_LIMITS = Limits(correlation=0.85, worst_patch=0.84, colour=16.0, overlap=0.6, mark=7.0)
"""Chosen on transformed copies and on the closest pairs of different products, see `benchmarks/duplicates.py`. Two
designs that differ by an engraved letter of 15 pixels, and by nothing that the other limits see, have marks from 10;
most disguised copies less than 3. The limit gives up copies disguised heavily rather than merge two designs: logos over
the piece, highlights cut off by brightening, half of a picture of 150 pixels."""

TEXTURE_LIMITS = Limits(correlation=0.85, worst_patch=0.7, colour=float("inf"), overlap=0.5, mark=float("inf"))
"""Chosen on ten disguises each of 25 textures, 97 % of which are within, and on all pairs of different textures and of
their halves: within are only the halves of a paper that repeats itself. Colour is let go, because a designer has a
texture in one colour from another in a moment, and so are marks: a grain more is no other texture, and the stretch of
`texture_fingerprints` makes grains of noise."""
