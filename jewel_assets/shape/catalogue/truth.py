"""What is known of a render besides its pixels, as files that any program opens.

- `mask`: PNG, 8 bit grey: the share of each pixel that the piece covers, 0 to 255.
- `normals`: PNG, 16 bit RGB: x, y, z of the surface's direction in scene axes as (n + 1) / 2 * 65535; 0 0 0 where the
  piece is not.
- `depth`: PNG, 16 bit grey: distance along the view, in steps of the scene's `depth_step_mm`; 0 where the piece is not.
- `parts`: PNG, 16 bit grey: the number of the body in the scene's list `bodies`, from 1; 0 where there is none.
- `scene`: JSON: the shot, the camera, the bodies, the engines: every number of how the photo was taken.
"""

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from jewel_assets.shape.render import Render

FULL = 65535


def truth_files(photo: "Render") -> dict[str, bytes]:
    """The five files, by name, of a render. The scene leaves out how long it took, so that equal renders agree."""
    inside = photo.parts >= 0
    depth = np.where(inside, photo.depth, 0).astype(np.float64)
    step = max(float(depth.max()), 1e-9) / FULL
    scene = {name: value for name, value in photo.parameters.items() if name != "seconds"} | {"depth_step_mm": step}
    return {
        "mask": mask_png(photo.alpha),
        "normals": _png16(np.where(inside[..., None], (photo.normals.astype(np.float64) + 1) / 2 * FULL, 0)),
        "depth": _png16(depth / step),
        "parts": _png16(photo.parts + 1),
        "scene": (json.dumps(scene, indent=1) + "\n").encode(),
    }


def mask_png(alpha: NDArray[np.float32]) -> bytes:
    """PNG bytes of a mask (h, w) 0..1."""
    from jewel_assets.images import encode_png

    return encode_png(np.asarray(np.rint(alpha * 255), np.uint8), level=9)


def _png16(values: NDArray[Any]) -> bytes:
    import cv2

    array = np.ascontiguousarray(np.rint(values).astype(np.uint16))
    if array.ndim == 3:
        array = array[..., ::-1]  # OpenCV has blue first
    done, encoded = cv2.imencode(".png", array, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not done:
        raise ValueError(f"OpenCV could not write {array.shape} numbers of 16 bit as PNG.")
    return bytes(encoded)
