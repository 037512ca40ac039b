"""Tools: what the model can call while it answers."""

import datetime
import json

from openai.types.chat import ChatCompletionToolParam

from cloud_adapter.reply import Reply

from .documents import Documents

SPECIFICATIONS: list[ChatCompletionToolParam] = [
    {
        "type": "function",
        "function": {
            "name": "search_documents",
            "description": "Search the company's documents: its rules, offices and services.",
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


class Tools:
    """The tools, for one answer, which gets the sources that they find.

    Args:
        documents: what they search.
        reply: the answer.
    """

    def __init__(self, documents: Documents, reply: Reply) -> None:
        self._documents = documents
        self._reply = reply
        self._numbers: dict[str, int] = {}

    async def call(self, name: str, arguments: str) -> str:
        """Call a tool as the model says, which may be wrong: then the result tells it what is.

        Args:
            name: the tool's name.
            arguments: JSON.
        """
        try:
            given = json.loads(arguments or "{}")
        except ValueError:
            return "The arguments are not JSON."
        match name, given:
            case "search_documents", {"query": str(query)}:
                return self._search(query)
            case "search_documents", _:
                return "The argument query is missing."
            case "current_time", _:
                return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return "There is no such tool."

    def _search(self, query: str) -> str:
        self._reply.update("Searching the documents…")
        found = [
            f"[{self._number(each.title, each.text)}] {each.title}: {each.text}"
            for each in self._documents.search(query)
        ]
        return "\n\n".join(found) or "No document has these words."

    def _number(self, title: str, text: str) -> int:
        if title not in self._numbers:
            self._numbers[title] = self._reply.cite(title, text)
        return self._numbers[title]
