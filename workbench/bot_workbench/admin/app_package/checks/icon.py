"""Icon: what a PNG file says of itself. Source: W3C, Portable Network Graphics."""

import struct
from dataclasses import dataclass
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WITH_ALPHA = {4, 6}
"""The color types whose pixels have an alpha sample; others have a chunk tRNS if any is
transparent."""


@dataclass(frozen=True)
class Icon:
    """A picture.

    Attributes:
        width: in pixels.
        height: in pixels.
        can_be_transparent: the file has an alpha channel, or names transparent colors.
    """

    width: int
    height: int
    can_be_transparent: bool

    @classmethod
    def read(cls, path: Path) -> "Icon":
        """Read a file's header.

        Raises:
            OSError: it cannot be read.
            ValueError: it is not a PNG.
        """
        content = path.read_bytes()
        if not content.startswith(_SIGNATURE) or content[12:16] != b"IHDR" or len(content) < 29:
            raise ValueError("it is not a PNG file")
        width, height, _, color_type = struct.unpack(">IIBB", content[16:26])
        return cls(width, height, color_type in _WITH_ALPHA or b"tRNS" in content)
