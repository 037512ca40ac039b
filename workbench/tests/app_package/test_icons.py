"""The icons: their bytes are what the script draws, and they are what Teams expects.

With icons of your own, delete this file and app_package/icons.py; `make app-package` checks sizes.
"""

import struct
import zlib
from collections.abc import Iterator

import pytest

from app_package.icons import ACCENT, COLOR_SIZE, FOLDER, ICONS, OUTLINE_SIZE

COLOR = (FOLDER / "color.png").read_bytes()
OUTLINE = (FOLDER / "outline.png").read_bytes()


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG file, whose checksums are verified."""
    at = 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        data = png[at + 8 : at + 8 + length]
        [checksum] = struct.unpack(">I", png[at + 8 + length : at + 12 + length])
        assert checksum == zlib.crc32(kind + data)
        yield kind, data
        at += 12 + length


def rows(png: bytes, size: int, samples: int) -> list[bytes]:
    """The rows of a picture whose rows are not filtered."""
    data = zlib.decompress(b"".join(data for kind, data in chunks(png) if kind == b"IDAT"))
    width = size * samples + 1
    found = [data[start : start + width] for start in range(0, len(data), width)]
    assert len(found) == size
    assert {row[0] for row in found} == {0}
    return [row[1:] for row in found]


@pytest.mark.parametrize("name", ICONS)
def test_the_script_draws_the_same_bytes(name: str) -> None:
    """The file is what the script draws, on every machine."""
    assert (FOLDER / name).read_bytes() == ICONS[name]()


def test_the_color_icon() -> None:
    """color.png has 192 x 192 opaque pixels: the accent color around a white shape."""
    header = dict(chunks(COLOR))[b"IHDR"]
    assert struct.unpack(">II", header[:8]) == (COLOR_SIZE, COLOR_SIZE) == (192, 192)
    assert b"tRNS" not in dict(chunks(COLOR))
    palette = dict(chunks(COLOR))[b"PLTE"]
    assert tuple(palette[:3]) == ACCENT
    assert tuple(palette[-3:]) == (255, 255, 255)
    pixels = rows(COLOR, 192, 1)
    edge = {*pixels[0], *pixels[-1], *(row[0] for row in pixels), *(row[-1] for row in pixels)}
    assert edge == {0}
    # Teams may cut off what is outside of the middle 120 pixels.
    assert {index for row in pixels[:36] + pixels[156:] for index in row} == {0}
    assert max(index for row in pixels for index in row) == len(palette) // 3 - 1


def test_the_outline_icon() -> None:
    """outline.png has 32 x 32 pixels that are white or transparent."""
    header = dict(chunks(OUTLINE))[b"IHDR"]
    assert struct.unpack(">II", header[:8]) == (OUTLINE_SIZE, OUTLINE_SIZE) == (32, 32)
    data = b"".join(rows(OUTLINE, 32, 4))
    pixels = [tuple(data[at : at + 4]) for at in range(0, len(data), 4)]
    assert {pixel[:3] for pixel in pixels} == {(255, 255, 255)}
    alphas = [alpha for *_, alpha in pixels]
    assert alphas.count(0) > 300
    assert alphas.count(255) > 100
