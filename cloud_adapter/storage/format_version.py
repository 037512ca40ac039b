"""The format version that stored data carries, so that no other code takes it for its own."""

import re

from cloud_adapter.errors import UnknownFormat

FORMAT_VERSION = 1
"""That of each format. One that changes gets a number of its own, and a reader of earlier ones."""

VERSION_KEY = "v"
"""The key of the version in JSON, and in the metadata of blobs."""

MAX_SHOWN_VERSION = 1_000_000


def check_version(what: str, found: object) -> None:
    """Check the format version of stored data.

    Args:
        what: the data, and where it is, for the error's text.
        found: the version, as it is stored: a number in JSON, digits in metadata.

    Raises:
        UnknownFormat: it is another version, or none.
    """
    if isinstance(found, str) and re.fullmatch("[0-9]{1,6}", found):
        found = int(found)
    if type(found) is int and found == FORMAT_VERSION:
        return
    is_version = type(found) is int and 0 < found < MAX_SHOWN_VERSION
    version = f"the format version {found}" if is_version else "no known format version"
    raise UnknownFormat(
        f"{what} has {version}, and this version of the base reads {FORMAT_VERSION}: deploy the"
        " version that wrote it, or a newer one"
    )
