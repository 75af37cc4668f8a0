"""Do the stones sit? Overlaps of stones with each other and with metal, stones that nothing holds, short prongs."""

from collections.abc import Iterator

import numpy as np
from manifold3d import CrossSection, JoinType, Manifold, OpType
from scipy.spatial import cKDTree

from jewel_assets.shape.castability.castings import Cast
from jewel_assets.shape.castability.closed import SHOWN
from jewel_assets.shape.castability.profiles import Profile
from jewel_assets.shape.castability.report import Finding, place_of
from jewel_assets.shape.castability.surface import Bools, Floats, Ints, Surface
from jewel_assets.shape.castability.thin import SETTING_MM
from jewel_assets.shape.piece import Piece, Stone

TOUCH_MM3 = 1e-4
"""Stones that share less than this only touch, as far as the rounding of booleans can tell."""
DEEP_MM = 0.05
"""Mean depth to which metal may reach into a stone: the setter cuts that much of a seat (a quarter of a 0.6 mm prong at
the deepest)."""
NEAR_MM = 0.15
"""A stone that is further than this from all metal rests on nothing: three times the clearance of a cut seat."""
LIFT_SHARE, LIFT_MM = 0.1, 0.2
"""How far a stone is lifted to see whether metal stops it: a tenth of its height, not through a bezel's lip."""
HELD_SHARE = 5e-5
"""Share of a stone that must run into metal when it is lifted, for the metal to hold it."""
TOWARD_MM = 0.3
"""How far a prong may stand from the stone it touches, and lean from one level to the next."""
PRONGED_MM = 1.8
"""Smaller stones are held by beads, which the setter raises after casting."""


def stones(piece: Piece, casts: list[Cast], profile: Profile) -> Iterator[Finding]:
    """All findings about the stones of a piece."""
    if not piece.stones:
        return
    yield from overlapping_stones(piece)
    metal = [part for casting in piece.castings() for part in casting.decompose()]
    yield from stones_in_metal(piece, metal)
    loose = set()
    threads = [body.solid for body in piece.bodies if body.kind == "other"]
    for finding in loose_stones(piece, metal + threads):
        loose.add(finding.part)
        yield finding
    yield from unheld_stones(piece, metal, loose)
    yield from short_prongs(piece, profile)
    if piece.category == "ring":
        yield from deep_stones(piece, casts, profile)


def near(piece: Piece, surface: Surface) -> list[Manifold]:
    """The stones whose setting may be part of `surface`: those that come within `SETTING_MM` of its box."""
    low, high = surface.bounds
    box = np.concatenate([low - SETTING_MM, high + SETTING_MM])
    boxes = np.array([stone.solid.bounding_box() for stone in piece.stones]).reshape(-1, 6)
    return [piece.stones[number].solid for number in np.flatnonzero(_meet(boxes, box))]


def overlapping_stones(piece: Piece) -> Iterator[Finding]:
    """Pairs of stones that share space."""
    held = piece.stones
    if len(held) < 2:
        return
    boxes = np.array([stone.solid.bounding_box() for stone in held])
    middles = (boxes[:, :3] + boxes[:, 3:]) / 2
    radii = np.linalg.norm(boxes[:, 3:] - boxes[:, :3], axis=1) / 2
    for i, j in cKDTree(middles).query_pairs(2 * float(radii.max()), output_type="ndarray"):
        if not ((boxes[i, :3] < boxes[j, 3:]) & (boxes[j, :3] < boxes[i, 3:])).all():
            continue
        shared = held[i].solid ^ held[j].solid
        volume = float(shared.volume())
        if volume > TOUCH_MM3:
            yield Finding(
                rule="stones overlap",
                severity="error",
                message=f"'{held[i].name}' and '{held[j].name}' share {volume:.3f} mm3: move them apart "
                "or choose smaller stones",
                measured=round(volume, 5),
                limit=0.0,
                unit="mm3",
                place=place_of(_middle(shared)),
                part=held[i].name,
            )


def stones_in_metal(piece: Piece, metal: list[Manifold]) -> Iterator[Finding]:
    """Stones that reach into the metal by more than their seat is cut later."""
    for stone, shared in _shared(piece.stones, [stone.solid for stone in piece.stones], metal):
        volume, area = sum(part.volume() for part in shared), sum(part.surface_area() for part in shared)
        deepest = max(shared, key=lambda part: part.volume())
        depth = 2 * volume / area if area else 0.0
        if depth > DEEP_MM and volume > 0.002 * stone.volume:
            yield Finding(
                rule="stone in metal",
                severity="error",
                message=f"'{stone.name}' shares {volume:.3f} mm3 with the metal, {depth:.2f} mm deep: cut "
                "its seat into the metal",
                measured=round(depth, 4),
                limit=DEEP_MM,
                unit="mm",
                place=place_of(_middle(deepest)),
                part=stone.name,
            )


def loose_stones(piece: Piece, held_by: list[Manifold]) -> Iterator[Finding]:
    """Stones that no metal and no thread is near: those that touch none when they are grown by `NEAR_MM` all round."""
    grown = [_grown(stone.solid, NEAR_MM) for stone in piece.stones]
    touched = {stone.name for stone, _ in _shared(piece.stones, grown, held_by)}
    loose = [stone for stone in piece.stones if stone.name not in touched]
    for stone in loose:
        yield Finding(
            rule="loose stone",
            severity="error",
            message=f"Nothing is within {NEAR_MM:g} mm of '{stone.name}': build a setting round it, or move it into "
            "its seat",
            limit=NEAR_MM,
            unit="mm",
            place=place_of(_middle(stone.solid)),
            part=stone.name,
        )


def unheld_stones(piece: Piece, metal: list[Manifold], loose: set[str]) -> Iterator[Finding]:
    """Stones that could be lifted out: nothing reaches over their girdle. Pearls are glued to a peg and left out."""
    asked = [stone for stone in piece.stones if stone.cut != "pearl" and stone.name not in loose]
    lifts = [min(LIFT_SHARE * _heights(stone)[1], LIFT_MM) for stone in asked]
    lifted = [stone.solid.translate(tuple(_axis(stone) * lift)) for stone, lift in zip(asked, lifts, strict=True)]
    stopped = {
        stone.name: sum(part.volume() for part in shared) for stone, shared in _shared(tuple(asked), lifted, metal)
    }
    free = [stone for stone in asked if stopped.get(stone.name, 0.0) < HELD_SHARE * stone.volume]
    for stone in free[:SHOWN]:
        more = f" (and {len(free) - SHOWN} more stones like it)" if len(free) > SHOWN and stone is free[0] else ""
        yield Finding(
            rule="unheld stone",
            severity="warning",
            message=f"Nothing keeps '{stone.name}'{more} from being lifted out: let prongs, beads or a bezel reach "
            "over its girdle",
            measured=0.0,
            place=place_of(stone.placement[:, 3]),
            part=stone.name,
        )


def short_prongs(piece: Piece, profile: Profile) -> Iterator[Finding]:
    """Prongs that end too low beside the stone they touch to be bent over it.

    Every part of a prong's section that touches the stone below its girdle must have a part above it at the height that
    the profile asks for.
    """
    parts = [
        (body.name, part, np.array(part.bounding_box()))
        for body in piece.metal
        if profile.role_of(body.name) == "prong"
        for part in body.solid.decompose()
    ]
    sizes = [_heights(stone) for stone in piece.stones]
    middles = np.array([stone.placement[:, 3] for stone in piece.stones])
    radii = np.array([np.linalg.norm(local[:, :2], axis=1).max() for local, _ in sizes])
    for stone, (local, height) in zip(piece.stones, sizes, strict=True):
        if stone.cut == "pearl" or min(stone.size) < PRONGED_MM:
            continue
        box = np.array(stone.solid.bounding_box())
        back = stone.placement[:, :3].T
        to_stone = np.column_stack([back, -back @ stone.placement[:, 3]])
        at_home = stone.solid.transform(to_stone)
        needed = profile.prong_rise.value * height
        for name, part, where in parts:
            if not ((where[:3] < box[3:] + 0.5) & (box[:3] < where[3:] + 0.5)).all():
                continue
            prong = part.transform(to_stone)
            above = prong.slice(0.98 * needed).offset(TOWARD_MM, JoinType.Round)
            for base in _short_bases(prong, at_home, above, height):
                low, high = np.array(base.bounds()).reshape(2, 2)
                foot = stone.placement[:, :3] @ np.array([*((low + high) / 2), 0.0]) + stone.placement[:, 3]
                gaps = np.linalg.norm(middles - foot, axis=1) - radii
                if gaps.min() < np.linalg.norm(stone.placement[:, 3] - foot) - np.abs(local[:, :2]).max() - 1e-6:
                    continue  # it stands nearer to another stone, and is that one's
                if any(
                    _rises_beside(part, foot, other, profile.prong_rise.value * tall)
                    for other, (_, tall), gap in zip(piece.stones, sizes, gaps, strict=True)
                    if other is not stone and min(other.size) >= PRONGED_MM and gap < SETTING_MM
                ):
                    continue  # it is long enough to hold that other stone, and is that one's
                corners = np.asarray(prong.to_mesh64().vert_properties)[:, :3]
                own = ((corners[:, :2] > low - TOWARD_MM) & (corners[:, :2] < high + TOWARD_MM)).all(axis=1)
                top = corners[own][np.argmax(corners[own, 2])]
                yield Finding(
                    rule="short prong",
                    severity="error",
                    message=f"A prong of '{name}' ends {top[2]:.2f} mm above the girdle of '{stone.name}': lengthen it "
                    f"by {needed - top[2]:.2f} mm so that it can be bent over the stone",
                    measured=round(float(top[2]), 4),
                    limit=round(needed, 4),
                    unit="mm",
                    place=place_of(stone.placement[:, :3] @ top + stone.placement[:, 3]),
                    part=name,
                )


def _rises_beside(part: Manifold, foot: Floats, stone: Stone, needed: float) -> bool:
    """Whether a prong that passes `foot` stands beside a stone and goes on to `needed` mm above its girdle."""
    back = stone.placement[:, :3].T
    to_stone = np.column_stack([back, -back @ stone.placement[:, 3]])
    x, y, _ = to_stone @ np.array([*foot, 1.0])
    reach = CrossSection.circle(2 * TOWARD_MM).translate((x, y))
    beside = stone.solid.transform(to_stone).slice(0.0).offset(TOWARD_MM, JoinType.Round)
    above = part.transform(to_stone).slice(0.98 * needed)
    return not (reach ^ beside ^ above).is_empty()


def _short_bases(prong: Manifold, stone: Manifold, above: CrossSection, height: float) -> list[CrossSection]:
    """Sections of prongs that touch the stone below its girdle and have nothing above them, each prong once."""
    short: list[CrossSection] = []
    for level in (-0.04 * height, -0.12 * height, -0.25 * height):
        near = stone.slice(level).offset(TOWARD_MM, JoinType.Round)
        for base in prong.slice(level).decompose():
            if base.area() < 0.02 or (base ^ near).is_empty() or not (base ^ above).is_empty():
                continue
            if all((base.offset(TOWARD_MM, JoinType.Round) ^ known).is_empty() for known in short):
                short.append(base)
    return short


def deep_stones(piece: Piece, casts: list[Cast], profile: Profile) -> Iterator[Finding]:
    """Stones of a ring that come too near to the finger."""
    bore = min(float(np.hypot(cast.surface.vertices[:, 0], cast.surface.vertices[:, 2]).min()) for cast in casts)
    bore = float(piece.design.get("inner_diameter_mm", 2 * bore)) / 2
    for stone in piece.stones:
        corners = np.asarray(stone.solid.to_mesh().vert_properties)[:, :3]
        depth = np.hypot(corners[:, 0], corners[:, 2])
        lowest = int(np.argmin(depth))
        room = float(depth[lowest]) - bore
        if room < profile.culet.value:
            yield Finding(
                rule="stone near finger",
                severity="error" if room < 0 else "warning",
                message=f"'{stone.name}' comes within {room:.2f} mm of the finger: raise it by "
                f"{profile.culet.value - room:.2f} mm",
                measured=round(room, 4),
                limit=profile.culet.value,
                unit="mm",
                place=place_of(corners[lowest]),
                part=stone.name,
            )


def _shared(
    held: tuple[Stone, ...], solids: list[Manifold], metal: list[Manifold]
) -> Iterator[tuple[Stone, list[Manifold]]]:
    """For each stone whose solid shares space with a part of the metal, what they share.

    One boolean serves all solids that are near a part and whose boxes are apart from each other; those that may overlap
    go into different ones, so that every piece of the outcome is of one stone.
    """
    boxes = np.array([solid.bounding_box() for solid in solids]).reshape(-1, 6)
    middles, halves = (boxes[:, :3] + boxes[:, 3:]) / 2, np.maximum((boxes[:, 3:] - boxes[:, :3]) / 2, 1e-6)
    found: dict[int, list[Manifold]] = {}
    for part in metal:
        for taken in _apart(boxes, np.flatnonzero(_meet(boxes, np.array(part.bounding_box())))):
            shared = Manifold.batch_boolean([solids[number] for number in taken], OpType.Add) ^ part
            for piece in shared.decompose() if shared.volume() > TOUCH_MM3 / 10 else []:
                if piece.volume() > 1e-7:
                    away = np.abs(_middle(piece) - middles[taken]) / halves[taken]
                    found.setdefault(taken[int(np.argmin(away.max(axis=1)))], []).append(piece)
    for number in sorted(found):
        yield held[number], found[number]


def _apart(boxes: Floats, which: Ints) -> list[list[int]]:
    """`which` of the boxes in as few groups as come by themselves, those of one group not touching each other."""
    groups: list[list[int]] = []
    for number in which.tolist():
        for taken in groups:
            if not _meet(boxes[taken], boxes[number]).any():
                taken.append(number)
                break
        else:
            groups.append([number])
    return groups


def _meet(boxes: Floats, box: Floats) -> Bools:
    """Which of the boxes (n, 6) have space in common with `box` (6,)."""
    return np.asarray(((boxes[:, :3] < box[3:]) & (box[:3] < boxes[:, 3:])).all(axis=1), np.bool_)


def _grown(solid: Manifold, by: float) -> Manifold:
    """A stone stretched about its middle so that its sides stand `by` mm further out."""
    box = np.array(solid.bounding_box())
    middle, sides = (box[:3] + box[3:]) / 2, box[3:] - box[:3]
    return solid.translate(tuple(-middle)).scale(tuple((sides + 2 * by) / sides)).translate(tuple(middle))


def _middle(solid: Manifold) -> Floats:
    box = np.array(solid.bounding_box())
    return np.asarray((box[:3] + box[3:]) / 2, np.float64)


def _axis(stone: Stone) -> Floats:
    return np.asarray(stone.placement[:, 2], np.float64)


def _heights(stone: Stone) -> tuple[Floats, float]:
    """(n, 3) corners in the cut's own place, and the stone's height."""
    corners = np.asarray(stone.solid.to_mesh64().vert_properties)[:, :3]
    local = (corners - stone.placement[:, 3]) @ stone.placement[:, :3]
    return local, float(np.ptp(local[:, 2]))
