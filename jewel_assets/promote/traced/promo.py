"""From a mesh, a template and a seed to the finished image, the piece and its light traced by Mitsuba.

The plate is the same as in `render`, with the same light, vignette and finish. What is traced is the piece, and by how
much it changes the light on the plate around it: the plate's picture is multiplied by the surface's light with the
piece over that without it, for the key lamp and for all other light. So the shadows, the colour that gold throws on
marble and the caustics of stones are true, and the plate has no grain.
"""

import hashlib
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import numpy as np

from jewel_assets.errors import Permanent
from jewel_assets.promote.fidelity import compare
from jewel_assets.promote.finish import Finish, graded
from jewel_assets.promote.layout import Laid
from jewel_assets.promote.piece import MARGIN
from jewel_assets.promote.rendering import SQUARE, VERSION, Promo, composed, made_set, signed, toned, vignetted
from jewel_assets.promote.scene import Array, Rig, single
from jewel_assets.promote.shading import gobo_mask, spot_mask
from jewel_assets.promote.sharpen import sharpened
from jewel_assets.promote.templates import Template
from jewel_assets.promote.traced.setting import Setting, set_up
from jewel_assets.promote.traced.tracing import Traced, trace
from jewel_assets.promote.words import texts_of
from jewel_assets.shape.catalogue.glb_surfaces import GlbPiece, read_glb
from jewel_assets.shape.render import variants
from jewel_assets.shape.render.denoise import engine, version
from jewel_assets.shape.render.develop import developed

SAMPLES = 64  # paths per pixel
BRIGHT = 0.74
"""Where the meter puts the brighter part of the piece (its 85th percentile), of display white."""
CONTRAST = 1.24  # of the piece: polished metal lives by its dark reflections
STOPS = 1.6
"""The most by which the piece is exposed otherwise than its plate, either way."""
DARK = 0.08
"""Of the mean light on the surface: places darker than that hold more grain than light, so their change is damped."""
MOST = 6.0  # by which the piece may brighten a place of the plate: a caustic
FIRM = 0.85
"""Coverage below which a pixel takes its colour from its neighbours, but in a wire that has no pixel more covered."""
LEAST_OPAQUE = 0.2  # coverage below which nothing can be told of a colour


@dataclass(frozen=True)
class Model:
    """A GLB of `jewel shape build`, and how it is traced."""

    glb: bytes = field(repr=False)
    samples: int = SAMPLES
    variant: str = variants.REPRODUCIBLE

    @classmethod
    def read(cls, path: Path, samples: int = SAMPLES, variant: str = variants.REPRODUCIBLE) -> "Model":
        """The model in a file. Raises Permanent where it cannot be read or another program made it."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Permanent(f"{path} cannot be read: {error.strerror}.") from error
        try:
            _opened(data)
        except Permanent as error:
            raise Permanent(f"{path}: {error} Make one with `jewel shape build DESIGN.json --out FILE.glb`.") from error
        return cls(data, samples, variant)


def render_mesh(
    model: Model,
    template: Template,
    seed: int = 0,
    size: tuple[int, int] = SQUARE,
    finish: Finish | None = None,
) -> Promo:
    """Put the model on the template's plate, under its light, in an image of this width and height.

    With the variant `scalar_rgb` the same model, template, seed and size give the same pixels. Raises Permanent for a
    model that is no GLB of ours, and where Mitsuba or the variant is missing.
    """
    said = _opened(model.glb)
    template, refused = _as_a_mesh(template)
    variant = variants.choose(model.variant)
    stage = made_set(template, size, seed)
    setting = set_up(said.surfaces, said.category, said.family, template, stage.plate, size)
    light = trace(setting, stage.plate, stage.rig, seed, model.samples, variant)
    alpha = light.truth.alpha
    through = _mask_of_key(stage.rig, size, seed)
    key_change = _change(light.key, light.key_alone, alpha)
    rest_change = _change(light.rest, light.rest_alone, alpha)
    ground = single(stage.without * rest_change + stage.key * key_change)
    if stage.plate.emission is not None:
        ground += stage.plate.emission * (1 - rest_change)  # what shines by itself has no shadow on it
    ground = toned(single(np.maximum(ground, 0)))
    finish = finish or Finish()
    texts = texts_of(template.variables, finish.texts)
    if finish.lut is not None:
        ground = graded(ground, finish.lut)
    ground = vignetted(ground, template.vignette)
    laid, exposure = _laid(light, _on_piece(through, setting, stage.rig, light), alpha, size)
    mask = np.rint(laid.alpha() * 255).astype(np.uint8)
    ground = sharpened(ground, laid.alpha(), template.sharpen)
    plain = composed(ground, laid.rgba[..., :3], laid, seed)
    image, words, warnings = signed(plain, mask, template, finish, texts)
    warnings = [*warnings, *refused]
    fidelity = compare(laid.rgba, image[laid.box], template.mode, min(size))
    record = {
        "version": VERSION,
        "engine": f"mitsuba {metadata.version('mitsuba')}",
        "variant": variant,
        "samples": model.samples,
        "denoiser": version(engine()),
        "template": template.model_dump(mode="json"),
        "plate": dict(stage.told),
        "seed": seed,
        "size": list(size),
        "category": said.category,
        "family": said.family,
        "model_sha256": hashlib.sha256(model.glb).hexdigest(),
        "piece_sha256": hashlib.sha256(np.ascontiguousarray(laid.rgba).tobytes()).hexdigest(),
        "pixels_sha256": hashlib.sha256(image.tobytes()).hexdigest(),
        "mm_per_pixel": round(setting.mm_per_pixel, 6),
        "tilt_degrees": setting.tilt,
        "exposure": round(exposure, 4),
        "fidelity": fidelity.told(),
        "finish": finish.told(),
        **words,
        "warnings": warnings,
    }
    seen = np.clip(key_change.mean(axis=2), 0, 1)
    return Promo(image, fidelity, template, seed, record, laid, ground, single(seen), tuple(warnings))


def _opened(glb: bytes) -> GlbPiece:
    """The piece in a GLB. Raises Permanent where another program made it, or where it is damaged."""
    try:
        found = read_glb(glb)
        if not found.surfaces:
            raise ValueError("no bodies")
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Permanent("These bytes are no GLB (binary glTF 2.0), or a damaged one: export it again.") from error
    return found


def _as_a_mesh(template: Template) -> tuple[Template, list[str]]:
    """The template as it holds for a mesh, whose mode is strict, and what it asks for that belongs to photos."""
    refused = []
    if template.arrangement == "pair":
        refused.append("A mesh is shown as it is: a pair is made of a photo (leave --pair out).")
    if template.mode == "relit":
        refused.append("A mesh is traced in the scene's light, so its mode is strict (leave --mode relit out).")
    if template.sparkle > 0:
        refused.append("A mesh has the highlights that were traced: stars are for a photo (leave --sparkle out).")
    return template.model_copy(update={"mode": "strict"}), refused


def _change(lit: Array, alone: Array, alpha: Array) -> Array:
    """(h, w, 3) by how much the piece changes the light on the surface; beneath the piece, as beside it."""
    import cv2
    from scipy.ndimage import distance_transform_edt

    least = DARK * float(alone.mean()) + 1e-6
    change = np.clip((lit + least) / (alone + least), 0, MOST)
    free = alpha == 0
    if free.any():
        change = change[tuple(distance_transform_edt(~free, return_distances=False, return_indices=True))]
    # A median leaves the borders of shadows where they are, and takes out what single paths did.
    return single(np.dstack([cv2.medianBlur(np.ascontiguousarray(change[..., n], np.float32), 5) for n in range(3)]))


def _mask_of_key(rig: Rig, size: tuple[int, int], seed: int) -> Array:
    """(h, w) 0..1 of the key lamp that its gobo and spot let through to the surface, as `shading.shade` has it."""
    through = np.ones((size[1], size[0]), np.float32)
    if rig.gobo is not None:
        through *= gobo_mask(rig.gobo, size, rig.key, seed)
    if rig.spot is not None:
        through *= spot_mask(rig.spot, size)
    return through


def _on_piece(through: Array, setting: Setting, rig: Rig, light: Traced) -> Array:
    """(h, w) 0..1 of the key lamp at the place of the piece that each pixel shows: as where its ray meets z = 0."""
    import cv2

    height, width = through.shape
    rows, columns = np.nonzero(np.isfinite(light.truth.depth))
    camera = setting.camera
    rays = camera.rays(np.asarray(columns + 0.5, np.float64), np.asarray(rows + 0.5, np.float64))
    places = camera.place + rays * (light.truth.depth[rows, columns] / (rays @ camera.axes[2]))[:, None]
    towards = setting.towards(rig.key)
    below = places - towards * (places[:, 2] / towards[2])[:, None]
    seen = camera.project(below)[:, :2] - 0.5
    x, y = (np.zeros((height, width), np.float32) for _ in range(2))
    x[rows, columns], y[rows, columns] = seen[:, 0], seen[:, 1]
    at = cv2.remap(through, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.where(np.isfinite(light.truth.depth), at, through).astype(np.float32)


def _laid(light: Traced, through: Array, alpha: Array, size: tuple[int, int]) -> tuple[Laid, float]:
    """The piece alone, developed, as a layer on the plate; and by how much it was exposed.

    A pixel on an outline shows both: what is behind is taken off by the exact coverage.
    """
    from scipy.ndimage import distance_transform_edt, maximum_filter

    free = alpha == 0
    shown = light.rest + light.key * through[..., None]
    behind = shown[tuple(distance_transform_edt(~free, return_distances=False, return_indices=True))]
    share = alpha[..., None]
    own = np.maximum((shown - (1 - share) * behind) / np.maximum(share, LEAST_OPAQUE), 0)
    firm = (alpha >= FIRM) | ((alpha >= LEAST_OPAQUE) & (alpha == maximum_filter(alpha, 5)))
    own = own[tuple(distance_transform_edt(~firm, return_distances=False, return_indices=True))]
    luminance = own[alpha > 0.9 * alpha.max()] @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    exposure = float(np.clip(BRIGHT / max(float(np.percentile(luminance, 85)), 1e-4), 2**-STOPS, 2**STOPS))
    colours = developed(single(own * exposure), CONTRAST)
    opacity = np.rint(alpha * 255).astype(np.uint8)
    rows, columns = np.flatnonzero(opacity.any(axis=1)), np.flatnonzero(opacity.any(axis=0))
    top, bottom = max(int(rows[0]) - MARGIN, 0), min(int(rows[-1]) + 1 + MARGIN, size[1])
    left, right = max(int(columns[0]) - MARGIN, 0), min(int(columns[-1]) + 1 + MARGIN, size[0])
    rgba = np.dstack([colours, opacity])
    rgba[opacity == 0] = 0
    longest = int(max(rows[-1] - rows[0], columns[-1] - columns[0])) + 1
    return Laid(np.ascontiguousarray(rgba[top:bottom, left:right]), left, top, 1.0, size, longest), exposure


__all__ = ["Model", "render_mesh"]
