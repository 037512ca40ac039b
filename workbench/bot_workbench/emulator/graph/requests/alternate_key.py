"""Alternate keys: a URL may name an object by its app id, `(appId='...')`."""

import re
from collections.abc import Iterable
from typing import Any

from bot_workbench.emulator.graph.errors import not_found

ALTERNATE_KEY = re.compile(r"\(appId='([^']*)'\)")


def object_id_of(alternate_key: str, objects: Iterable[dict[str, Any]]) -> str:
    """The object id (GUID) of the object with an alternate key.

    Args:
        alternate_key: from the URL.
        objects: those that Graph shows.

    Raises:
        GraphError: none of them has that app id.
    """
    match = ALTERNATE_KEY.fullmatch(alternate_key)
    app_id = match.group(1) if match else alternate_key
    for each in objects:
        if each["appId"].lower() == app_id.lower():
            return str(each["id"])
    raise not_found(app_id)
