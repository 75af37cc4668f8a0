"""What is asked of every family: sound castings of one piece each, stones that touch nothing, names that are unique."""

import numpy as np
from manifold3d import Error, Manifold, OpType


def assert_sound(piece):
    names = [body.name for body in piece]
    assert len(set(names)) == len(names)
    assert {name for group in piece.moving for name in group} <= set(names)
    castings = piece.castings()
    for casting in castings:
        assert casting.status() == Error.NoError
        assert casting.volume() > 0
        assert len(casting.decompose()) == 1
    together = Manifold.batch_boolean(list(castings), OpType.Add)
    assert sum(casting.volume() for casting in castings) - together.volume() < 5e-3
    if piece.stones:
        stones = Manifold.batch_boolean([stone.solid for stone in piece.stones], OpType.Add)
        assert (together ^ stones).volume() < 2e-3 * stones.volume()
        assert sum(stone.volume for stone in piece.stones) == np.float64(stones.volume()).item() or (
            abs(sum(stone.volume for stone in piece.stones) - stones.volume()) < 1e-3 * stones.volume()
        )


def drawn(family, seed):
    return family.draw(np.random.default_rng(seed))
