"""Which side is out? Flipped faces, parts that are inside out, closed hollows, parts buried in others, loose parts."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from jewel_assets.shape.castability.closed import SHOWN
from jewel_assets.shape.castability.report import Finding, place_of
from jewel_assets.shape.castability.surface import Floats, Ints, Surface

THREE_WAYS = np.array([[0.5270, 0.6149, 0.5865], [-0.7213, 0.1531, 0.6755], [0.2331, -0.8391, 0.4915]])
"""Three directions that are parallel to nothing one would build; two of three decide."""
THREE_WAYS /= np.linalg.norm(THREE_WAYS, axis=1, keepdims=True)


def flipped_faces(surface: Surface) -> Iterator[Finding]:
    """Patches whose faces look the other way than those around them. The larger side of a shell is taken for right."""
    pairs, edges = surface.neighbours
    agree = surface.edge_balance[edges] == 0
    if agree.all():
        return
    size = len(surface.faces)
    linked = pairs[agree]
    graph = coo_array((np.ones(len(linked), np.int8), linked.T), shape=(size, size))
    patch = connected_components(graph, directed=False)[1]
    area = np.bincount(patch, surface.areas)
    _, shell = surface.shells
    patch_shell = np.zeros(len(area), np.int64)
    patch_shell[patch] = shell
    right = _largest_of_each(area.astype(np.float64), patch_shell)
    against = np.unique(patch[pairs[~agree]])  # patches on a seam where two sides disagree
    flipped = [int(number) for number in against if not right[number]]
    if not flipped:  # one patch that disagrees with itself: a Moebius strip
        yield Finding(
            rule="flipped faces",
            severity="error",
            message="The surface has no outside: it is one-sided like a Moebius strip; build it anew as a solid",
            measured=float((~agree).sum()),
            limit=0.0,
            unit="edges",
            place=place_of(surface.vertices[surface.edges[edges[~agree]]].mean(axis=1)[0]),
        )
    flipped.sort(key=lambda number: -area[number])
    for number in flipped[:SHOWN]:
        mine = np.flatnonzero(patch == number)
        yield Finding(
            rule="flipped faces",
            severity="error",
            message=f"{len(mine)} faces ({area[number]:.3f} mm2) look inward while those around them look outward: "
            "reverse them",
            measured=float(len(mine)),
            limit=0.0,
            unit="faces",
            place=place_of(surface.centres[mine].mean(axis=0)),
        )
    if len(flipped) > SHOWN:
        yield Finding(
            rule="flipped faces",
            severity="error",
            message=f"{len(flipped) - SHOWN} more patches look inward: let your program make the normals agree",
            measured=float(len(flipped) - SHOWN),
            limit=0.0,
            unit="patches",
        )


def shells(surface: Surface, one_piece: bool) -> Iterator[Finding]:
    """Inside-out parts, closed hollows, parts buried in others and loose parts.

    `one_piece`: the surface is meant to be one solid, so that a part that touches nothing is an error.
    """
    count, shell = surface.shells
    volumes = np.bincount(shell, surface.signed_volumes, minlength=count)
    within = _containers(surface, count, shell)
    # How often each shell lies inside of metal: shells that look outward hold it, hollows end it.
    depth = (within * np.sign(volumes)[None, :]).sum(axis=1)
    tiny = np.abs(volumes) < 1e-6
    ways = np.argsort(-np.bincount(shell, surface.areas, minlength=count), kind="stable")
    bodies = 0
    listed = {"hollow": 0, "inside out": 0, "buried part": 0, "loose part": 0}
    for number in ways:
        if volumes[number] < 0 and depth[number] > 0:
            rule = "hollow"
        elif volumes[number] < 0 and not tiny[number]:
            rule = "inside out"
        elif depth[number] > 0 and not tiny[number]:
            rule = "buried part"
        else:
            bodies += 1
            if bodies == 1:
                continue
            rule = "loose part"
        listed[rule] += 1
        if listed[rule] <= SHOWN:
            yield _said(rule, surface, shell == number, float(volumes[number]), one_piece)
    for rule, found in listed.items():
        if found > SHOWN:
            yield Finding(
                rule=rule,
                severity="warning" if rule == "loose part" and not one_piece else "error",
                message=f"The same is true of {found - SHOWN} more parts",
                measured=float(found - SHOWN),
                limit=0.0,
                unit="parts",
            )


def _said(
    rule: str, surface: Surface, mine: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], volume: float, one: bool
) -> Finding:
    box = surface.corners[mine].reshape(-1, 3)
    size = " x ".join(f"{side:.2f}" for side in box.max(axis=0) - box.min(axis=0))
    messages = {
        "hollow": f"A closed hollow of {-volume:.2f} mm3 ({size} mm) lies inside the metal, and neither wax nor "
        "resin nor investment gets out: fill it, or open it by two drain holes",
        "inside out": f"A part of {size} mm is inside out: reverse all of its faces",
        "buried part": f"A part of {size} mm lies wholly inside another: delete it, or cut it out if a hollow is meant",
        "loose part": f"A part of {size} mm touches no other: "
        + (
            "join it to the casting, or it comes out of the mould loose"
            if one
            else "it is cast apart; join it if one piece is meant"
        ),
    }
    return Finding(
        rule=rule,
        severity="warning" if rule == "loose part" and not one else "error",
        message=messages[rule],
        measured=abs(volume),
        limit=0.0,
        unit="mm3",
        place=place_of(box[np.argmax(box[:, 2])] if rule == "loose part" else surface.centres[mine][0]),
    )


def _containers(surface: Surface, count: int, shell: Ints) -> Floats:
    """(count, count): 1 where the first shell lies inside the second, by three rays from one of its corners.

    A shell that crosses another is inside or not by where that corner lies; crossings are told by a rule of their own.
    """
    inside = np.zeros((count, count))
    if count == 1:
        return inside
    first = np.unique(shell, return_index=True)[1]
    lower, upper = _boxes(surface, count, shell)
    maybe = (lower[:, None] >= lower[None]).all(-1) & (upper[:, None] <= upper[None]).all(-1)
    asked = np.flatnonzero((maybe & ~np.eye(count, dtype=bool)).any(axis=1))
    if not len(asked):
        return inside
    starts = surface.centres[first[asked]]
    origins = np.repeat(starts, 3, axis=0)
    directions = np.tile(THREE_WAYS, (len(asked), 1))
    reach = np.full(len(origins), float(np.linalg.norm(surface.bounds[1] - surface.bounds[0])) + 1.0)
    crossed = np.zeros((len(origins), count), np.int64)
    for rays, faces, _ in surface.all_hits(origins, directions, reach, most=512):
        np.add.at(crossed, (rays, shell[faces]), 1)
    votes = (crossed.reshape(len(asked), 3, count) % 2).sum(axis=1) >= 2
    inside[asked] = votes
    inside[~maybe] = 0
    np.fill_diagonal(inside, 0)
    return inside


def _boxes(surface: Surface, count: int, shell: Ints) -> tuple[Floats, Floats]:
    lower, upper = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(lower, shell, surface.corners.min(axis=1))
    np.maximum.at(upper, shell, surface.corners.max(axis=1))
    return lower, upper


def _largest_of_each(area: Floats, group: Ints) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which entry of `area` is the largest of its group."""
    order = np.lexsort((-area, group))
    first = np.ones(len(order), bool)
    first[1:] = group[order][1:] != group[order][:-1]
    largest = np.zeros(len(area), bool)
    largest[order[first]] = True
    return largest
