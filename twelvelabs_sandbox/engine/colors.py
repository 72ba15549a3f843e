"""Maps pixels to colour names: a table from RGB to shares of twelve colours, by distance in the OKLab space."""

import functools

import numpy as np
import numpy.typing as npt

from twelvelabs_sandbox.engine.types import FloatArray, Pixels
from twelvelabs_sandbox.engine.vector_space import COLORS

# Typical shades of each colour name, as hexadecimal RGB.
SHADES = {
    "red": "ff0000 d6201e b01818 8b0000 dc143c e04040",
    "orange": "ffa500 ff8c00 f07820 f88c16 e08030 ffb347",
    "yellow": "ffff00 f5e128 ffd700 f0e68c d8c820 fff080",
    "green": "00ff00 00c000 008000 28a032 228b22 7cb342 5a7828 90c860 145014 384820 8c9640 a4aa48 6e7834 b4b854",
    "cyan": "00ffff 28d7dc 30c8e0 20b2aa 008080 40e0d0 80f0f0",
    "blue": "0000ff 233cd7 0000a0 101850 4169e1 4682b4 6495ed 87ceeb 5090d0",
    "purple": "800080 781e96 4b0082 9450c8 9932cc 501060 b070d8",
    "pink": "ffc0cb ff69b4 ff1493 fa96be ff00ff e890b0 f8a8c0",
    "brown": "8b4513 76461c 65432b a0522d 8b5a2b a07850 4a3018 b08858",
    "black": "000000 101010 1c1c1c 0c1018",
    "white": "ffffff f4f4f4 e6e6e6 f8f4ec",
    "gray": "808080 606060 a0a0a0 404040 b8b8b8 707880 888078 8a7f80 7d8878",
}
# Standard deviation, in OKLab, of the similarity of a shade.
SOFTNESS = 0.045
LEVELS = 32
SRGB_KNEE = 0.04045


@functools.cache
def _table() -> FloatArray:
    """Return the shares of the twelve colours for 32x32x32 RGB values, shape (32768, 12)."""
    levels = (np.arange(LEVELS) * 255 / (LEVELS - 1)).round()
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    lab = _oklab(cube)
    likeness = np.zeros((len(cube), len(COLORS)))
    for number, name in enumerate(COLORS):
        shades = np.array([list(bytes.fromhex(shade)) for shade in SHADES[name].split()], float)
        distance = np.linalg.norm(lab[:, None] - _oklab(shades), axis=2).min(axis=1)
        likeness[:, number] = -(distance**2) / (2 * SOFTNESS**2)
    shares = np.exp(likeness - likeness.max(axis=1, keepdims=True))
    table: FloatArray = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    table.flags.writeable = False
    return table


def _oklab(rgb: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Convert sRGB (0 to 255) to OKLab (Ottosson, 2020), where distances are roughly perceptual."""
    share = rgb / 255
    linear = np.where(share <= SRGB_KNEE, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    lab: npt.NDArray[np.float64] = np.cbrt(cones) @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )
    return lab


def color_shares(pixels: Pixels) -> FloatArray:
    """Return the shares of the twelve colours for each pixel, shape (..., 3) to (..., 12)."""
    steps = (pixels.astype(np.int32) * (LEVELS - 1) + 127) // 255
    shares: FloatArray = _table()[(steps[..., 0] * LEVELS + steps[..., 1]) * LEVELS + steps[..., 2]]
    return shares
