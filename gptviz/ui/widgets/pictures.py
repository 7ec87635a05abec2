"""Small maps as PNG data addresses: the stronger the colour, the larger the number."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageColor

from gptviz.figures.theme import NEGATIVE, POSITIVE


def map_address(values: Float[np.ndarray, "rows columns"], colour: str) -> str:
    """Numbers from 0 (clear) to 1 (the full colour) as the address of a small PNG."""
    return _address(np.array(ImageColor.getrgb(colour), np.uint8), values)


def signed_address(values: Float[np.ndarray, "rows columns"]) -> str:
    """Numbers of any size and sign: 0 is clear, the farthest from it has its sign's full colour."""
    colours = np.array([ImageColor.getrgb(NEGATIVE), ImageColor.getrgb(POSITIVE)], np.uint8)
    sizes = np.abs(values)
    return _address(colours[(values > 0).astype(int)], sizes / max(sizes.max(), 1e-12))


def _address(
    colours: UInt8[np.ndarray, "*places 3"], strength: Float[np.ndarray, "rows columns"]
) -> str:
    pixels = np.zeros((*strength.shape, 4), dtype=np.uint8)
    pixels[..., :3] = colours
    pixels[..., 3] = np.rint(255 * np.clip(strength, 0, 1))
    file = BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "PNG", optimize=False, compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
