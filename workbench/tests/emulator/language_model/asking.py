"""What the tests of the language model ask it."""

from typing import Any

from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from bot_workbench.emulator.language_model.language_model import DEPLOYMENT

QUESTION = [{"role": "user", "content": "lunch?"}]


def function(name: str, **properties: Any) -> dict[str, Any]:
    """A tool with a schema for each of its arguments."""
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


SEARCH = function("search_documents", query={"type": "string"})
CLOCK = function("current_time")


async def complete(client: AsyncOpenAI, **request: Any) -> ChatCompletion:
    """The response to a request; what it leaves out are the model and a question."""
    asked: dict[str, Any] = {"model": DEPLOYMENT, "messages": QUESTION} | request
    completion: ChatCompletion = await client.chat.completions.create(**asked)
    return completion


async def stream(client: AsyncOpenAI, **request: Any) -> list[ChatCompletionChunk]:
    """The chunks of a streamed response."""
    found: list[ChatCompletionChunk] = []
    await read_into(found, client, **request)
    return found


async def read_into(found: list[ChatCompletionChunk], client: AsyncOpenAI, **request: Any) -> None:
    """Add the chunks of a streamed response to a list, until the stream ends."""
    asked: dict[str, Any] = {"model": DEPLOYMENT, "messages": QUESTION, "stream": True} | request
    async with await client.chat.completions.create(**asked) as chunks:
        async for chunk in chunks:
            found.append(chunk)  # noqa: PERF401  # what comes before a failure counts


def calls_of(completion: ChatCompletion) -> list[tuple[str, str]]:
    """The names and arguments of a response's calls."""
    calls = completion.choices[0].message.tool_calls or []
    return [
        (each.function.name, each.function.arguments) for each in calls if each.type == "function"
    ]


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    """The text of a stream."""
    return "".join(choice.delta.content or "" for each in chunks for choice in each.choices)
