"""Is the shank of a ring strong enough? Sections through the finger's axis, on the side opposite the head."""

from collections.abc import Iterator

import numpy as np

from jewel_assets.shape.castability.castings import Cast
from jewel_assets.shape.castability.profiles import Profile
from jewel_assets.shape.castability.report import Finding, place_of
from jewel_assets.shape.castability.surface import Floats

FROM_BELOW_DEGREES = (0.0, -25.0, 25.0, -50.0, 50.0)


def shank(cast: Cast, profile: Profile) -> Iterator[Finding]:
    """Thickness and width of a ring's shank, where it is least, within 50 degrees of its lowest point.

    The ring is round the y axis with its head at +z, as `piece` says. A section in several parts (a split shank, an
    openwork band) is measured over all.
    """
    sections = [found for angle in FROM_BELOW_DEGREES if (found := section(cast, angle)) is not None]
    if not sections:
        return
    thin = min(sections, key=lambda found: found[0])
    narrow = min(sections, key=lambda found: found[1])
    below, worn = profile.shank, profile.shank_worn
    if thin[0] < worn.value * 0.99:
        strong_enough = thin[0] >= below.value * 0.99
        limit = worn if strong_enough else below
        yield Finding(
            rule="thin shank",
            severity="warning" if strong_enough else "error",
            message=f"The shank is {thin[0]:.2f} mm thick: make it {worn.value:g} mm, or it bends and wears through",
            measured=round(thin[0], 4),
            limit=limit.value,
            unit="mm",
            place=place_of(thin[2]),
        )
    if narrow[1] < profile.shank_width.value * 0.99:
        yield Finding(
            rule="narrow shank",
            severity="warning",
            message=f"The shank is {narrow[1]:.2f} mm wide: make it {profile.shank_width.value:g} mm, or it bends",
            measured=round(narrow[1], 4),
            limit=profile.shank_width.value,
            unit="mm",
            place=place_of(narrow[2]),
        )


def section(cast: Cast, angle_degrees: float) -> tuple[float, float, Floats] | None:
    """Thickness, width (mm) and middle (3,) of the section at an angle from the lowest point; None if there is none."""
    if cast.solid is None:
        return None
    angle = np.radians(angle_degrees)
    outward = np.array([np.sin(angle), 0.0, -np.cos(angle)])
    onward = np.array([np.cos(angle), 0.0, np.sin(angle)])
    turned = cast.solid.transform(np.array([[0.0, 1.0, 0.0], outward, onward]) @ np.eye(3, 4))
    polygons = [part for part in turned.slice(0.0).to_polygons() if part[:, 1].min() > 0]
    if not polygons:
        return None
    corners = np.vstack(polygons)
    low, high = corners.min(axis=0), corners.max(axis=0)
    middle = (low + high) / 2
    return float(high[1] - low[1]), float(high[0] - low[0]), middle[0] * np.array([0.0, 1.0, 0.0]) + middle[1] * outward
