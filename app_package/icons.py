"""`python -m app_package.icons`: draws the app's icons, color.png and outline.png.

Sizes and colors as Teams requires them. Source: Microsoft Teams, "Design your app icon". To have
icons of your own, replace both files; the next run of this script would draw over them.

The files are the same bytes on every machine: they are stored, not compressed, because what a
compressor writes depends on its version.
"""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent

COLOR_SIZE, OUTLINE_SIZE = 192, 32
"""Width and height in pixels."""

ACCENT = (0x4F, 0x52, 0xB2)
"""The background of color.png: red, green, blue. It is the manifest's accentColor, too."""

SAMPLES = 4
"""A pixel is sampled this many times in each direction, so that edges are smooth."""

Shape = Callable[[float, float], bool]
"""Whether a point belongs to a shape; coordinates go from 0 to 1, right and down."""


def bubble(x: float, y: float) -> bool:
    """A speech bubble, in the middle of the icon."""
    return _rounded(x, y, inset=0.0) or _tail(x, y)


def face(x: float, y: float) -> bool:
    """Two eyes within the bubble."""
    return any((x - eye) ** 2 + (y - 0.45) ** 2 < 0.052**2 for eye in (0.385, 0.615))


def color_shape(x: float, y: float) -> bool:
    """The white parts of color.png: the bubble without the eyes."""
    return bubble(x, y) and not face(x, y)


def outline_shape(x: float, y: float) -> bool:
    """The white parts of outline.png: the bubble's outline and the eyes, larger than in color.png.

    Teams shows this icon small, so it fills the whole picture.
    """
    x, y = 0.5 + (x - 0.5) * 0.68, 0.48 + (y - 0.48) * 0.68
    return (bubble(x, y) and not _rounded(x, y, inset=0.045)) or face(x, y)


def color_png() -> bytes:
    """color.png: an opaque picture with a palette, from the background's color to white."""
    steps = SAMPLES**2
    palette = [
        tuple(round(part + (255 - part) * step / steps) for part in ACCENT)
        for step in range(steps + 1)
    ]
    rows = [bytes(row) for row in _coverage(color_shape, COLOR_SIZE)]
    chunks = _chunk(b"PLTE", b"".join(map(bytes, palette)))
    return _png(COLOR_SIZE, 3, chunks, rows)


def outline_png() -> bytes:
    """outline.png: white, and transparent wherever the shape is not."""
    rows = [
        b"".join(bytes((255, 255, 255, round(255 * part / SAMPLES**2))) for part in row)
        for row in _coverage(outline_shape, OUTLINE_SIZE)
    ]
    return _png(OUTLINE_SIZE, 6, b"", rows)


def _rounded(x: float, y: float, *, inset: float) -> bool:
    """A rectangle with rounded corners, smaller by `inset` on each side."""
    radius, half_width, half_height = 0.13, 0.3 - inset, 0.23 - inset
    right, down = abs(x - 0.5) - half_width, abs(y - 0.45) - half_height
    corner = max(radius - inset, 0.0)
    if right > -corner and down > -corner:
        return (right + corner) ** 2 + (down + corner) ** 2 < corner**2
    return right < 0 and down < 0


def _tail(x: float, y: float) -> bool:
    """A triangle below the rectangle, whose right side is steep."""
    depth = (y - 0.66) / 0.14
    return 0 <= depth < 1 and 0.32 < x < 0.5 - 0.17 * depth


def _coverage(shape: Shape, size: int) -> list[list[int]]:
    """The number of each pixel's samples that belong to the shape, by row."""
    step = 1 / (size * SAMPLES)
    at = [(number + 0.5) * step for number in range(size * SAMPLES)]
    return [
        [
            sum(
                shape(x, y)
                for x in at[column * SAMPLES : (column + 1) * SAMPLES]
                for y in at[row * SAMPLES : (row + 1) * SAMPLES]
            )
            for column in range(size)
        ]
        for row in range(size)
    ]


def _png(size: int, color_type: int, palette: bytes, rows: list[bytes]) -> bytes:
    """A square PNG with 8 bits a sample. Source: W3C, Portable Network Graphics."""
    header = struct.pack(">IIBBBBB", size, size, 8, color_type, 0, 0, 0)
    data = b"".join(b"\0" + row for row in rows)  # 0: the row is not filtered
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + palette
        + _chunk(b"IDAT", _stored(data))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _stored(data: bytes) -> bytes:
    """A zlib stream of blocks that are not compressed. Source: RFC 1950 and RFC 1951, 3.2.4."""
    longest = 0xFFFF
    blocks = [data[start : start + longest] for start in range(0, len(data), longest)]
    stream = b"\x78\x01"
    for number, block in enumerate(blocks, 1):
        length = len(block)
        stream += struct.pack("<BHH", number == len(blocks), length, length ^ 0xFFFF) + block
    return stream + struct.pack(">I", zlib.adler32(data))


ICONS = {"color.png": color_png, "outline.png": outline_png}
"""The function that draws each file."""

if __name__ == "__main__":
    for name, draw in ICONS.items():
        (FOLDER / name).write_bytes(draw())
