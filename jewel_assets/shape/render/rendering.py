"""From a piece and a shot to a photo with everything that is known about it."""

import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, uniform_filter

from jewel_assets.shape.piece import Piece
from jewel_assets.shape.render import variants
from jewel_assets.shape.render.auxiliary import Exact, exact, near
from jewel_assets.shape.render.denoise import denoised, engine, version
from jewel_assets.shape.render.develop import combined, developed, whitened
from jewel_assets.shape.render.inspection import look_at_light, look_at_mask
from jewel_assets.shape.render.scene import CHANNEL_NANOMETRES, Set, arranged, scene_dict, sensor_dict
from jewel_assets.shape.render.shots import Shot
from jewel_assets.shape.render.surfaces import Surface, surfaces_of

PASSES = 6
"""Independent pictures that a render is the mean of: enough to tell a spark from light, and two for each of R, G, B."""
_GUIDE_SAMPLES = 8  # of albedo and normals, which have no noise but at edges
_STAGE_SHARE = 0.25  # of a shot's samples that pixels get in which there is no piece
_ROULETTE_FROM = 4  # a path that has met this many surfaces may be ended early, the likelier the less light it carries


@dataclass(frozen=True)
class Render:
    """One photo. All images have the shot's height and width.

    `image` uint8 sRGB; `linear` float32, exposed, 1 is white paper; `alpha`, `normals`, `depth` and `parts` as in
    `auxiliary.Exact`; `names` of the bodies, by part id; `parameters` the scene in numbers, ready for JSON.
    """

    image: NDArray[np.uint8] = field(repr=False)
    linear: NDArray[np.float32] = field(repr=False)
    alpha: NDArray[np.float32] = field(repr=False)
    normals: NDArray[np.float32] = field(repr=False)
    depth: NDArray[np.float32] = field(repr=False)
    parts: NDArray[np.int32] = field(repr=False)
    names: tuple[str, ...]
    parameters: dict[str, Any] = field(repr=False)


def render(piece: Piece | Iterable[Surface], shot: Shot, category: str = "") -> Render:
    """Photograph a piece, or surfaces of a file together with the `category` that they belong to.

    The same piece and shot give the same picture bit for bit with the variant `scalar_rgb` on the same kind of machine.
    Raises Permanent when Mitsuba, the variant or a material is missing, its kind SpoiltPhoto when the piece is black or
    not wholly in view, ValueError when there is nothing to see.
    """
    variant = variants.choose(shot.variant)
    mi = variants.mitsuba(variant)
    started = time.perf_counter()
    if isinstance(piece, Piece):
        category = piece.category
    made = arranged(surfaces_of(piece), category, shot)
    truth = exact(made.surfaces, made.camera, [prop for prop in made.props if prop.name == "support"])
    look_at_mask(truth.alpha, shot)
    with tempfile.TemporaryDirectory(prefix="jewel-render-") as folder:
        linear, variance, guides, prepared = _light(mi, made, shot, Path(folder), truth, variant)
    cleaner = engine() if shot.denoise else None
    if cleaner is not None:
        linear = denoised(linear, guide_albedo(guides[..., :3], truth, made), guides[..., 3:], variance, cleaner)
    if shot.style == "studio":
        linear = whitened(linear, truth.alpha, 1.05 * 2.0 ** min(shot.exposure, 0.0))
    image = developed(linear, shot.contrast, shot.white_balance)
    look_at_light(image, truth.alpha)
    parameters = {
        "shot": shot.model_dump(mode="json") | {"shade": shot.ground},
        "category": category,
        "camera": {
            "place_mm": made.camera.place.round(6).tolist(),
            "axes": made.camera.axes.round(9).tolist(),
            "field_of_view_degrees": round(made.camera.field_of_view, 6),
        },
        "exposure": made.exposure,
        "overhead": made.rig.model_dump(include={"overhead", "overhead_size", "overhead_lean"}),
        "bodies": [{"name": s.name, "kind": s.kind, "material": s.material} for s in made.surfaces],
        "variant": variant,
        "engine": f"mitsuba {metadata.version('mitsuba')}",
        "denoiser": version(cleaner) if cleaner else "none",
        "seconds": {"scene": round(prepared - started, 3), "all": round(time.perf_counter() - started, 3)},
    }
    names = tuple(surface.name for surface in made.surfaces)
    return Render(image, linear, truth.alpha, truth.normals, truth.depth, truth.parts, names, parameters)


def _light(
    mi: Any, made: Set, shot: Shot, folder: Path, truth: Exact, variant: str
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], float]:
    """Radiance (h, w, 3), exposed; its variance (h, w); albedo and normals (h, w, 6) for the denoiser; when it began.

    Gems of unlike index per channel are rendered in turns, one channel's index a pass. Where no gem is seen, all passes
    are the same scene and all channels of all of them count; within gems each channel comes from its own passes.
    """
    gems = [n for n, look in enumerate(made.looks) if look.species is not None]
    # Absorption within gems, and lamps seen straight through a pane, need the slower integrator.
    absorbing = [s for s in (look.species for look in made.looks) if s is not None and max(s.absorption) > 0.02]
    panes = any(look.bsdf["type"] == "mask" for look in made.looks)
    integrator = {
        "type": "volpath" if absorbing or panes else "path",
        "max_depth": shot.depth,
        "rr_depth": _ROULETTE_FROM,
    }
    description = scene_dict(mi, made, shot, folder, integrator)
    if not absorbing:
        for n in gems:
            del description[f"group{n}"]["interior"]
    scene = mi.load_dict(description)
    prepared = time.perf_counter()

    split = shot.dispersion and any(_spread(made, n) > 0 for n in gems)
    count = min(PASSES, shot.samples)
    if split:
        count = max(3, count - count % 3)
    sensors = _sensors(mi, made, shot, truth, variant)
    # Looked at apart: an integrator that brings albedo and normals along with the light takes three times as long.
    looking = mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal"})
    everything = sensors[0][1]
    guides = np.array(mi.render(scene, sensor=everything, integrator=looking, spp=_GUIDE_SAMPLES, seed=shot.seed))
    guides = np.nan_to_num(guides[..., -6:]).astype(np.float32)
    passes = np.empty((count, *shot.size, 3), np.float32)
    for n in range(count):
        if split:
            _set_indices(mi, scene, made, gems, CHANNEL_NANOMETRES[n % 3])
        weights = np.zeros((*shot.size, 1), np.float32)
        light = np.zeros((*shot.size, 3), np.float32)
        for m, (place, sensor, samples) in enumerate(sensors):
            each = -(-samples // count)
            seed = int(np.random.default_rng([shot.seed, 4, n, m]).integers(2**31))
            seen = np.array(mi.render(scene, sensor=sensor, spp=each, seed=seed), np.float32)
            light[place] += each * seen[..., :3]
            weights[place] += each
        passes[n] = light / weights * made.exposure
    passes = np.nan_to_num(passes, nan=0.0, posinf=0.0, neginf=0.0)
    linear = combined(passes)
    variance = np.asarray(passes.mean(axis=-1).var(axis=0) / max(count - 1, 1), np.float32)
    if split:
        coloured = np.stack([combined(passes[c::3])[..., c] for c in range(3)], axis=-1)
        seen = _share_of_gems(truth, made)[..., None]
        # Each channel has a third of the samples, so its grain is coloured; fire is broader than a pixel, grain is not.
        linear = linear + gaussian_filter(coloured - linear, (0.8, 0.8, 0)) * seen
        linear = np.maximum(linear, 0)
    return linear, variance, guides, prepared


def _sensors(mi: Any, made: Set, shot: Shot, truth: Exact, variant: str) -> list[tuple[tuple[slice, slice], Any, int]]:
    """Where to look and with how many samples: everywhere a little, and the rest where the piece and its edges are.

    The stage is smooth, and the denoiser needs little of it; paths within gems and between polished metal need many.
    """
    mask = near(truth.alpha > 0, max(2, min(shot.size) // 64))
    base = max(1, round(shot.samples * _STAGE_SHARE))
    views = [((0, 0, *shot.size), base)]
    if shot.samples > base:
        # A picture of a part costs little to start in scalar mode; a compiling variant wants few and large ones.
        block = max(32, min(shot.size) // 16) if variant == variants.REPRODUCIBLE else 0
        views += [(box, shot.samples - base) for box in rectangles(mask, block)]
    out = []
    for (top, left, height, width), samples in views:
        film = {"crop_offset_x": left, "crop_offset_y": top, "crop_width": width, "crop_height": height}
        sensor = mi.load_dict(sensor_dict(mi, made, shot, film))
        out.append(((slice(top, top + height), slice(left, left + width)), sensor, samples))
    return out


def rectangles(mask: NDArray[np.bool_], block: int) -> list[tuple[int, int, int, int]]:
    """Rectangles (top, left, height, width) that together cover `mask`, without overlap: runs of `block`-sized squares.

    With `block` 0 it is the one rectangle round all of it. Empty where the mask is.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return []
    if block == 0:
        return [(int(rows[0]), int(columns[0]), int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1))]
    height, width = mask.shape
    found: list[tuple[int, int, int, int]] = []
    for top in range(0, height, block):
        tall = min(block, height - top)
        band = mask[top : top + tall]
        starts = np.arange(0, width, block)
        full = np.array([band[:, left : left + block].any() for left in starts])
        edges = np.flatnonzero(np.diff(np.concatenate([[0], full.astype(int), [0]])))
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            left, right = int(starts[first]), min(int(starts[last - 1]) + block, width)
            found.append((top, left, tall, right - left))
    return found


def _spread(made: Set, n: int) -> float:
    species = made.looks[n].species
    return 0.0 if species is None else species.dispersion


def _set_indices(mi: Any, scene: Any, made: Set, gems: list[int], nanometres: float) -> None:
    """Give every gem its index at one wavelength. The ratio is the index itself: what is outside is air."""
    parameters = mi.traverse(scene)
    for n in gems:
        species = made.looks[n].species
        if species is not None:
            parameters[f"group{n}.bsdf.eta"] = species.index_at(nanometres)
    parameters.update()


def _share_of_gems(truth: Exact, made: Set) -> NDArray[np.float32]:
    """(h, w) 0..1: where a gem is seen, softened by a pixel so that no seam shows."""
    clear = np.array([s.kind == "gem" for s in made.surfaces] + [False])
    return np.asarray(uniform_filter(clear[truth.parts].astype(np.float32), 3, mode="nearest"))


def guide_albedo(seen: NDArray[np.float32], truth: Exact, made: Set) -> NDArray[np.float32]:
    """(h, w, 3) 0..1: the albedo of the stage as Mitsuba saw it, with the piece's own laid over it by its coverage.

    What Mitsuba calls the albedo of polished metal depends on the direction it is seen from and is nearly black at an
    outline (measured: 0.38 where metal of 0.80 meets marble of 0.74): the denoiser would draw a dark stair there.
    """
    own = {(group.kind, group.material): look.albedo for group, look in zip(made.groups, made.looks, strict=True)}
    by_part = np.array([own.get((s.kind, s.material), (1.0, 1.0, 1.0)) for s in made.surfaces], np.float32)
    stage = np.clip(seen, 0, 1)
    if (free := truth.alpha == 0).any():
        stage = stage[tuple(distance_transform_edt(~free, return_distances=False, return_indices=True))]
    if not (hit := truth.parts >= 0).any():
        return stage
    nearest = distance_transform_edt(~hit, return_distances=False, return_indices=True)
    share = truth.alpha[..., None]
    return np.asarray(by_part[truth.parts[tuple(nearest)]] * share + stage * (1 - share), np.float32)
