"""What holds a watch to the wrist, closed as it is worn: a strap with its buckle, or a bracelet of rows with its clasp.

Everything lies along one closed way round the x axis, through both spring bars: an oval as a wrist is. Millimetres.
"""

from dataclasses import dataclass

import numpy as np
from manifold3d import Manifold, OpType

from jewel_assets.shape.parts.curves import Array, rounded_rectangle
from jewel_assets.shape.parts.sweep import copies, placed, skin, sweep, tube

PLAY = 0.12
"""mm between parts of a bracelet that move."""


ROW_GAP = 0.34
"""mm between the ends of two rows: they close up on the inside where the bracelet bends."""

END_MM = 1.5
"""How far a strap or a bracelet reaches past the spring bar, towards the case."""


@dataclass(frozen=True)
class Wrist:
    """The way of a band: from the spring bar at twelve (at `bar_y`, `bar_z`), round the wrist, to the one at six."""

    bar_y: float
    bar_z: float
    girth: float
    """mm round the wrist's oval"""

    @property
    def half_width(self) -> float:
        """Half the oval's width, along y."""
        return max(0.176 * self.girth, self.bar_y + 4.0)

    @property
    def half_height(self) -> float:
        """Half the oval's height, along z."""
        # Ramanujan's first formula, solved roughly: a flatter oval where the lugs ask for a wide one
        return max(0.76 * self.half_width, self.girth / np.pi - self.half_width)

    @property
    def middle_z(self) -> float:
        """z of the oval's middle."""
        return self.bar_z - self.half_height * float(np.sqrt(1 - (self.bar_y / self.half_width) ** 2))

    @property
    def start(self) -> float:
        """Angle of the bar at twelve, from the top of the oval, in radians."""
        return float(np.arcsin(self.bar_y / self.half_width))

    def at(self, angle: Array, out: Array | float = 0.0) -> Array:
        """(n, 3): points `angle` radians round the oval from its top, over y at twelve, and `out` mm outside of it."""
        a, b = self.half_width, self.half_height
        y, z = a * np.sin(angle), b * np.cos(angle)
        normal = np.column_stack([np.sin(angle) / a, np.cos(angle) / b])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        shift = np.broadcast_to(np.asarray(out, dtype=np.float64), np.shape(angle))[:, None] * normal
        return np.column_stack([np.zeros(len(y)), y + shift[:, 0], z + self.middle_z + shift[:, 1]])

    def outward(self, angle: Array) -> Array:
        """(n, 3): unit normals of the oval."""
        normal = np.column_stack(
            [np.zeros(len(angle)), np.sin(angle) / self.half_width, np.cos(angle) / self.half_height]
        )
        return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True))

    def even(self, start: float, end: float, points: int) -> Array:
        """(points,): angles from `start` to `end`, evenly spaced along the oval."""
        fine = np.linspace(start, end, 1200)
        way = self.at(fine)
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
        return np.interp(np.linspace(0, along[-1], points), along, fine)

    def way(self, start: float, end: float) -> float:
        """mm along the oval from one angle to the other."""
        return float(np.linalg.norm(np.diff(self.at(np.linspace(start, end, 800)), axis=0), axis=1).sum())


def strap(wrist: Wrist, lug_gap: float, thick: float, stitched: bool, detail: float = 1.0) -> dict[str, list[Manifold]]:
    """A strap by name: "strap" and "keeper" (leather), "stitching", "buckle" and "tongue" (metal).

    `lug_gap` mm between the lugs; it tapers to 0.82 of that. `thick` at the lugs; it thins to 0.62 of that.
    """
    wide = lug_gap - 2 * PLAY
    end = np.pi - 0.02
    points = max(40, round(56 * detail))
    # the short part, from twelve to the buckle's bar
    begin = wrist.start - END_MM / float(
        np.hypot(wrist.half_width * np.cos(wrist.start), wrist.half_height * np.sin(wrist.start))
    )
    angle_a = wrist.even(begin, end, points)
    share_a = np.linspace(0, 1, points)
    # the long part comes from six, passes under the frame and over the short one
    last = -(np.pi + 0.95)
    angle_b = wrist.even(-begin, last, round(1.5 * points))
    share_b = np.clip((angle_b + begin) / (-np.pi + begin), 0, 1)
    lift = np.clip((-angle_b - (np.pi - 0.30)) / 0.26, 0, 1)
    lift = lift * lift * (3 - 2 * lift) * (0.68 * thick + 0.45)
    line_a, line_b = wrist.at(angle_a), wrist.at(angle_b, lift)
    parts_a = _strap_part(line_a, wrist.outward(angle_a), wide, thick, share_a, detail, tip=False)
    parts_b = _strap_part(line_b, wrist.outward(angle_b), wide, thick, share_b, detail, tip=True)
    bars = [_bar_hole(wrist, side, wide) for side in (1, -1)]
    narrow, thin = 0.82 * wide, 0.62 * thick
    frame, tongue, tongue_hole = _buckle(wrist, end, narrow, thin)
    holes = []
    for k in range(1, 5):
        at = np.array([-(np.pi + 0.16 * k + 0.05)])
        place = placed(
            [[1.0, 0, 0]], np.cross(wrist.outward(at), [1.0, 0, 0]), wrist.outward(at), wrist.at(at, lift.max())
        )[0]
        holes.append(Manifold.cylinder(2 * thick, 0.75, circular_segments=20, center=True).transform(place))
    part_a = Manifold.batch_boolean([parts_a, bars[0], *frame[1]], OpType.Subtract)
    part_b = Manifold.batch_boolean([parts_b, bars[1], tongue_hole, *holes], OpType.Subtract)
    keepers = [_keeper(wrist, -(np.pi + at), narrow, thin, float(lift.max())) for at in (0.36, 0.66)]
    named = {"strap": [part_a, part_b], "keeper": keepers, "buckle": [frame[0]], "tongue": [tongue]}
    if stitched:
        # thread lies in grooves that it pulls into the leather
        first = _stitches(line_a, wrist.outward(angle_a), wide, thick, share_a, 0.93)
        second = _stitches(line_b, wrist.outward(angle_b), wide, thick, share_b, 0.52)
        named["strap"] = [part_a - _threads(first, 0.30), part_b - _threads(second, 0.30)]
        named["stitching"] = [_threads(np.concatenate([first, second]), 0.28)]
    return named


def rows(wrist: Wrist, lug_gap: float, thick: float, columns: int, detail: float = 1.0) -> dict[str, list[Manifold]]:
    """A bracelet by name: "link" (each row one casting), "clasp" (the cover that folds over the last rows).

    `columns` 3 makes the broad three-piece rows of sports watches, 5 the narrow middle ones of dress watches. Middle
    pieces stand half a row ahead of the outer ones and turn between those of the next row.
    """
    wide = lug_gap - 2 * PLAY
    pitch = float(np.clip(0.31 * lug_gap, 4.6, 6.6)) if columns == 3 else float(np.clip(0.25 * lug_gap, 3.9, 5.2))
    cover = np.radians(34.0)
    from_a, to_a = wrist.start, np.pi - cover
    made: dict[str, list[Manifold]] = {"link": [], "clasp": []}
    count = int(wrist.way(from_a, to_a) // pitch)
    joints = wrist.even(from_a, to_a, count + 1)
    points, normals = wrist.at(joints), wrist.outward(joints)
    size = float(np.linalg.norm(points[1] - points[0]))
    kinds = {end: _row(size, wide, thick, columns, detail, end) for end in ("first", "middle", "last")}
    for i in range(count):
        share = i / max(count - 1, 1)
        x = points[i + 1] - points[i]
        long = float(np.linalg.norm(x))
        x = x / long
        up = normals[i] + normals[i + 1]
        up = up - (up @ x) * x
        up /= np.linalg.norm(up)
        row = kinds["first" if i == 0 else "last" if i == count - 1 else "middle"]
        # every row is the same casting but narrower; it runs along its own x, and across is the watch's x
        place = placed([x], [np.cross(up, x)], [up], [points[i]])[0]
        made["link"].append(row.scale((long / size, 1 - 0.18 * share, 1.0)).transform(place))
    made["link"][0] = made["link"][0] - _bar_hole(wrist, 1, wide + 4)
    made["link"] += [row.mirror((0.0, 1.0, 0.0)) for row in made["link"]]
    narrow = 0.82 * wide + 0.6
    angle = wrist.even(np.pi - cover + 0.02, np.pi + cover - 0.02, max(16, round(20 * detail)))
    section = rounded_rectangle(narrow, 1.5, 0.5, 4)
    plate = sweep(section, wrist.at(angle, 0.25), up=wrist.outward(angle))
    lip_angle = angle[: max(3, len(angle) // 8)]
    lip = sweep(rounded_rectangle(0.5 * narrow, 1.2, 0.4, 4), wrist.at(lip_angle, 1.2), up=wrist.outward(lip_angle))
    made["clasp"].append(plate + lip)
    return made


def _row(size: float, wide: float, thick: float, columns: int, detail: float, end: str) -> Manifold:
    """One row along +x from its joint at the origin: outer pieces over one pitch, middle ones half a pitch ahead.

    The `first` one also fills the place between the lugs, behind its joint; the `last` one ends with its outer pieces.
    """
    outer = wide * (0.27 if columns == 3 else 0.29)
    inner = wide - 2 * outer
    corner_points = max(3, round(4 * detail))

    def bar(at: float, broad: float, start: float, stop: float) -> Manifold:
        length = stop - start
        outline = rounded_rectangle(length, thick, 0.4 * thick, corner_points)
        # soft edges across: the outermost sections are a little smaller
        edge, rings = min(0.25, broad / 6), []
        for y, shrink in ((-broad / 2, 0.18), (-broad / 2 + edge, 0.0), (broad / 2 - edge, 0.0), (broad / 2, 0.18)):
            flat = outline * np.array([1 - 2 * shrink / length, 1 - 2 * shrink / thick])
            rings.append(np.column_stack([flat[:, 0] + (start + stop) / 2, np.full(len(flat), at + y), flat[:, 1]]))
        return skin(np.stack(rings)[:, ::-1])

    half = ROW_GAP / 2
    behind = -END_MM if end == "first" else half
    pieces = [bar(side * (wide - outer) / 2, outer - PLAY, behind, size - half) for side in (-1, 1)]
    middles = 1 if columns == 3 else 3
    each = inner / middles
    start, stop = (-END_MM if end == "first" else 0.5 * size + half), (size if end == "last" else 1.5 * size) - half
    # the next row is narrower: its outer pieces come nearer to the middle ones of this
    air = 0.5 if columns == 3 else 0.34
    pieces += [bar(-inner / 2 + (k + 0.5) * each, each - air, start, stop) for k in range(middles)]
    # the pin that holds a row together, where its outer and middle pieces lie side by side
    pin = Manifold.cylinder(wide - outer, 0.28 * thick, circular_segments=16, center=True).rotate((90.0, 0.0, 0.0))
    pieces.append(pin.translate((0.75 * size, 0.0, 0.0)))
    return Manifold.batch_boolean(pieces, OpType.Add)


def _bar_hole(wrist: Wrist, side: int, wide: float) -> Manifold:
    bar = Manifold.cylinder(wide + 2, 0.75 + PLAY, circular_segments=20, center=True).rotate((0.0, 90.0, 0.0))
    return bar.translate((0.0, side * wrist.bar_y, wrist.bar_z))


def _strap_part(
    line: Array, normal: Array, wide: float, thick: float, share: Array, detail: float, tip: bool
) -> Manifold:
    """A tapering strip of padded leather; its end rounded or, with `tip`, pointed."""
    n = len(line)
    width = wide * (1 - 0.18 * np.clip(share * 1.1, 0, 1))
    deep = thick * (1 - 0.38 * np.clip(share * 1.15, 0, 1))
    if tip:
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        left = np.clip((along[-1] - along) / (0.55 * wide), 0.0, 1.0)
        width = width * np.clip(np.sqrt(1 - (1 - left) ** 2.2), 0.16, 1.0)
    section = rounded_rectangle(1.0, 1.0, 0.12, 4)
    top = np.column_stack([np.linspace(0.3, -0.3, 5), np.full(5, 0.5)])
    section = np.vstack([section[:4], top, section[4:]])
    # padded: the outside is arched towards the middle of the strap, more near the lugs
    sections = np.repeat(section[None], n, axis=0)
    arch = 0.30 * (1 - np.clip(share * 1.6, 0, 1))
    sections[..., 1] *= 1 + arch[:, None] * (1 - (2 * sections[..., 0]) ** 2) * (sections[..., 1] > 0)
    # the section's corners stay round: they are as wide as the strap is thick
    scale = np.column_stack([width, deep])
    return sweep(_squared(sections, width, deep), line, up=normal, scale=scale)


def _squared(sections: Array, width: Array, deep: Array) -> Array:
    """Sections of unit size whose corners are pulled out along x, so that they are round once scaled."""
    x = sections[..., 0]
    ratio = (deep / width)[:, None]
    pulled = np.sign(x) * (0.5 - (0.5 - np.abs(x)) * np.where(np.abs(x) > 0.38, ratio, 1.0))
    out = sections.copy()
    out[..., 0] = np.where(np.abs(x) > 0.38, pulled, x)
    return out


def _stitches(line: Array, normal: Array, wide: float, thick: float, share: Array, stop: float) -> Array:
    """(k, 3, 4): places of the threads along both edges of the strap's outside, half sunk into the leather."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.arange(5.0, along[-1] * stop, 3.0)

    def there(values: Array, shift: float = 0.0) -> Array:
        return np.column_stack([np.interp(at + shift, along, values[:, i]) for i in range(values.shape[1])])

    middle, up = there(line), there(normal)
    x = there(line, 0.5) - middle
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    up = up - np.sum(up * x, axis=1, keepdims=True) * x
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    across = np.cross(up, x)
    t = there(share[:, None])
    width = wide * (1 - 0.18 * np.minimum(t * 1.1, 1))
    deep = thick * (1 - 0.38 * np.minimum(t * 1.15, 1))
    off = width / 2 - 1.7
    arch = 0.30 * (1 - np.minimum(t * 1.6, 1))
    height = deep / 2 * (1 + arch * (1 - (2 * off / width) ** 2)) + 0.06
    return np.concatenate([placed(x, across, up, middle + side * off * across + height * up) for side in (-1, 1)])


def _threads(places: Array, radius: float) -> Manifold:
    """Short threads with round ends at all places."""
    return copies(tube(np.array([[-0.75, 0, 0], [0.75, 0, 0]]), radius, sides=8), places)


def _buckle(
    wrist: Wrist, end: float, wide: float, thin: float
) -> tuple[tuple[Manifold, list[Manifold]], Manifold, Manifold]:
    """Frame with what it takes out of the short strap's end, tongue, and the hole that the tongue needs."""
    wire = 1.0  # radius
    at = wrist.at(np.array([end]))[0]
    up = wrist.outward(np.array([end]))[0]
    back = np.cross([1.0, 0.0, 0.0], up)  # towards six along the way
    if back[1] > 0:
        back = -back
    across = np.array([1.0, 0.0, 0.0])
    half, reach = wide / 2 + wire + 0.5, 9.0
    lift = thin / 2 + wire + 0.35
    near, far = at + 0.2 * back, at + reach * back + (lift + 0.4) * up
    corner = 2.0
    side = (far - near) / np.linalg.norm(far - near)
    loop = []
    for sx, centre, from_deg in ((1, near, -90), (1, far, 0), (-1, far, 90), (-1, near, 180)):
        inner = centre + across * sx * (half - corner) + side * (corner if centre is near else -corner)
        for a in np.radians(np.linspace(from_deg, from_deg + 90, 6)):
            loop.append(inner + corner * (np.cos(a) * across + np.sin(a) * side))
    frame = tube(np.array(loop), wire, closed=True, sides=14)
    clear = tube(np.array([near - across * half, near + across * half]), wire + PLAY, sides=14)
    # the tongue holds the near bar, rises through the long strap, and rests on the far bar
    ring_points = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    collar = np.array([near + (wire + 0.65 + PLAY) * (np.cos(a) * up + np.sin(a) * back) for a in ring_points])
    ring = tube(collar, 0.55, closed=True, sides=10)
    top = near + (wire + 0.65 + PLAY) * up
    rest = far + (wire + 0.62) * up
    path = np.array([top, top + 0.45 * (rest - top) + 0.5 * up, rest - 0.3 * back, rest + 1.1 * back - 0.1 * up])
    needle = tube(path, np.array([0.6, 0.6, 0.55, 0.5]), sides=10)
    tongue = ring + needle
    swept = tube(np.vstack([top - 0.6 * up, path]), 0.6 + 2 * PLAY, sides=10) + tube(
        collar, 0.55 + PLAY, closed=True, sides=10
    )
    # the short strap's end is slotted for the tongue's collar
    return (frame, [clear, swept]), tongue, swept


def _keeper(wrist: Wrist, at: float, wide: float, thin: float, lift: float) -> Manifold:
    """A leather loop round both straps at an angle of the way."""
    angle = np.array([at])
    centre = wrist.at(angle, lift / 2)[0]
    up = wrist.outward(angle)[0]
    along = np.cross(up, [1.0, 0.0, 0.0])
    outline = rounded_rectangle(wide + 2.6, lift + 1.55 * thin + 1.9, 1.2, 5)
    line = np.array([centre + x * np.array([1.0, 0, 0]) + y * up for x, y in outline])
    return sweep(rounded_rectangle(3.6, 1.0, 0.3, 3), line, closed=True, up=np.cross(along, _tangent(line)))


def _tangent(line: Array) -> Array:
    ahead = np.roll(line, -1, axis=0) - np.roll(line, 1, axis=0)
    return np.asarray(ahead / np.linalg.norm(ahead, axis=1, keepdims=True))
