"""Small maps as PNG data addresses: one colour, the stronger the larger the number."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageColor


def map_address(values: Float[np.ndarray, "rows columns"], colour: str) -> str:
    """Numbers from 0 (clear) to 1 (the full colour) as the address of a small PNG."""
    pixels = np.zeros((*values.shape, 4), dtype=np.uint8)
    pixels[..., :3] = ImageColor.getrgb(colour)
    pixels[..., 3] = np.rint(255 * np.clip(values, 0, 1))
    file = BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "PNG", optimize=False, compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
