"""GUIDs, as bodies and names have them."""

import uuid


def is_guid(text: str) -> bool:
    """Whether a text is a GUID."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
