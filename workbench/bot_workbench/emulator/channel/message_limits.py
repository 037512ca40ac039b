"""The limits that Teams has for a bot's messages, streamed or not.

Rules: Microsoft references "Format your bot messages" (size) and "Bot messages with AI-generated
content" (citations).
"""

import json
from typing import Any

from bot_workbench.emulator.channel.errors import ChannelError

MAX_MESSAGE_BYTES = 100 * 1024
"""A bot's message has at most about 100 KB."""

ROOT = "https://schema.org/Message"
"""The type of the entity with the citations and the labels."""

MAX_CITATIONS = 20
MAX_KEYWORDS = 3
MAX_LENGTHS = {"name": 80, "abstract": 160, "keywords": 28}
"""Characters, by the property of a citation; of keywords, those of each."""


def check_limits(activity: dict[str, Any]) -> None:
    """Pass when Teams would take a message.

    Raises:
        ChannelError: 413, it is too large; 400, it has more than one root entity, or citations
            that are too many or too long.
    """
    content = {name: activity.get(name) for name in ("text", "attachments", "entities")}
    if len(json.dumps(content, ensure_ascii=False).encode()) > MAX_MESSAGE_BYTES:
        raise ChannelError(413, "MessageSizeTooBig", "Message size too large.")
    entities = activity.get("entities") or []
    roots = [each for each in entities if isinstance(each, dict) and each.get("type") == ROOT]
    if len(roots) > 1:
        raise _bad(f"'entities' has {len(roots)} of {ROOT}; one is allowed.")
    for root in roots:
        _check_citations(root.get("citation") or [])


def _check_citations(citations: object) -> None:
    if not isinstance(citations, list):
        raise _bad("'citation' is not a list.")
    if len(citations) > MAX_CITATIONS:
        raise _bad(f"'citation' has {len(citations)} entries; {MAX_CITATIONS} are allowed.")
    for citation in citations:
        appearance = citation.get("appearance") if isinstance(citation, dict) else None
        if isinstance(appearance, dict):
            _check_appearance(appearance)


def _check_appearance(appearance: dict[str, Any]) -> None:
    keywords = appearance.get("keywords") or []
    if not isinstance(keywords, list) or len(keywords) > MAX_KEYWORDS:
        raise _bad(f"'keywords' is not a list of at most {MAX_KEYWORDS}.")
    for name, limit in MAX_LENGTHS.items():
        values = keywords if name == "keywords" else [appearance.get(name)]
        if any(len(str(each or "")) > limit for each in values):
            raise _bad(f"'{name}' of a citation has more than {limit} characters.")


def _bad(message: str) -> ChannelError:
    return ChannelError(400, "BadRequest", message)
