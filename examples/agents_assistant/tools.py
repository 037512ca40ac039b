"""The tools of the model: what it can look up while it answers."""

import datetime
import json
import re

from microsoft_agents.hosting.core.app.streaming.citation import Citation
from openai.types.chat import ChatCompletionToolParam

DOCUMENTS = {
    "Canteen": "It serves lunch from 11:30 to 14:00. Lunch costs 6.50, and guests pay 9.80.",
    "Leave": "You have 28 days a year. Up to five days can be moved to the next year.",
    "Travel": "Trains are second class. A hotel costs at most 120 a night, breakfast included.",
}

SPECIFICATIONS: list[ChatCompletionToolParam] = [
    {
        "type": "function",
        "function": {
            "name": "search_documents",
            "description": "Search the company's documents: its rules and services.",
            "parameters": {
                "type": "object",
                "properties": {"query": {"type": "string", "description": "A few words."}},
                "required": ["query"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "current_time",
            "description": "The current date and time (UTC).",
            "parameters": {"type": "object", "properties": {}},
        },
    },
]
"""The tools as the model gets them, in JSON Schema."""


def call(name: str, arguments: str, sources: list[Citation]) -> str:
    """Call a tool as the model says, which may be wrong: then the result tells it what is.

    Args:
        name: the tool's name.
        arguments: JSON.
        sources: what the answer cites, by its place; a search adds what it finds.
    """
    try:
        given = json.loads(arguments or "{}")
    except ValueError:
        return "The arguments are not JSON."
    match name, given:
        case "search_documents", {"query": str(query)}:
            return _search(query, sources)
        case "current_time", _:
            return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return "There is no such tool, or an argument is missing."


def _search(query: str, sources: list[Citation]) -> str:
    found = []
    for title, text in DOCUMENTS.items():
        if _words(query) & _words(f"{title} {text}"):
            source = Citation(text, title)
            if source not in sources:
                sources.append(source)
            found.append(f"[{sources.index(source) + 1}] {title}: {text}")
    return "\n\n".join(found) or "No document has these words."


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{4,}", text.lower()))
