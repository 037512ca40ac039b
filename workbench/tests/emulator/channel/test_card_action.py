"""Card actions: the results of a bot's responses to invokes are shown."""

from typing import Any

import pytest

from bot_workbench.emulator.channel.conversations import Activity, Conversation
from tests.emulator.channel.direct_line_client import (
    BOT,
    DirectLineClient,
    RecordingBot,
    noticed,
    visible,
)

CARD = "application/vnd.microsoft.card.adaptive"


def execute(source: str) -> Activity:
    action = {"type": "Action.Execute", "verb": "approve", "data": {}}
    value = {"action": action, "trigger": "manual"}
    return {
        "type": "invoke",
        "name": "adaptiveCard/action",
        "replyToId": source,
        "value": value,
    }


def card(words: str) -> dict[str, Any]:
    body = [{"type": "TextBlock", "text": words}]
    return {"type": "AdaptiveCard", "version": "1.5", "body": body}


async def test_the_card_of_an_invokes_answer_replaces_its_source(
    client: DirectLineClient, conversation: Conversation, bot: RecordingBot
) -> None:
    """The client gets the response's JSON, and the message's card is replaced."""
    attachments = [{"contentType": CARD, "content": card("before")}]
    source = conversation.add({"type": "message", "from": BOT, "attachments": attachments})
    bot.body = {"statusCode": 200, "type": CARD, "value": card("after")}
    assert await client.post(execute(source["id"])) == bot.body
    (changed,) = [one for one in conversation.activities if one["type"] == "message"]
    assert changed["id"] == source["id"]
    assert changed["attachments"] == [{"contentType": CARD, "content": card("after")}]
    invoke = await bot.wait_for("invoke")
    assert (invoke["name"], invoke["from"]["id"]) == ("adaptiveCard/action", "user-1")


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("application/vnd.microsoft.activity.message", "Done.", "Done."),
        (
            "application/vnd.microsoft.error",
            {"code": "Locked", "message": "The order is locked."},
            "The action failed: The order is locked.",
        ),
    ],
)
@pytest.mark.usefixtures("conversation")
async def test_other_results_of_an_invoke_become_messages(
    client: DirectLineClient, bot: RecordingBot, kind: str, value: Any, text: str
) -> None:
    """The bot's text, or its error, appears as a message from the bot."""
    bot.body = {"statusCode": 200, "type": kind, "value": value}
    await client.post(execute("unknown"))
    (message,) = await visible(client)
    assert (message["text"], message["from"]) == (text, BOT)


@pytest.mark.usefixtures("conversation")
async def test_a_card_without_a_known_source_is_a_new_message(
    client: DirectLineClient, bot: RecordingBot
) -> None:
    """A result without a known source card is shown as a new message."""
    bot.body = {"statusCode": 200, "type": CARD, "value": card("after")}
    await client.post(execute("unknown"))
    (message,) = await visible(client)
    assert message["attachments"][0]["content"] == card("after")


@pytest.mark.usefixtures("conversation")
async def test_an_invoke_without_a_card_result_shows_nothing(
    client: DirectLineClient, bot: RecordingBot
) -> None:
    """The client gets the JSON; the conversation does not change."""
    bot.body = {"task": {"type": "continue"}}
    assert await client.post({"type": "invoke", "name": "task/fetch"}) == bot.body
    assert await visible(client) == []


async def test_a_refused_invoke_is_a_502_and_shown(
    client: DirectLineClient, conversation: Conversation, bot: RecordingBot
) -> None:
    """An invoke that the bot refuses is a 502 for the client, and shown in the conversation."""
    bot.status = 501
    await client.post(execute("unknown"), 502)
    assert await noticed(conversation) == "The bot answered 501."


@pytest.mark.usefixtures("conversation")
@pytest.mark.parametrize(
    ("name", "status"), [("signin/tokenExchange", 412), ("signin/verifyState", 404)]
)
async def test_a_declined_sign_in_is_a_502_and_not_shown(
    client: DirectLineClient, bot: RecordingBot, name: str, status: int
) -> None:
    """A declined sign-in is a 502 for the client, and not shown: the client has another way."""
    await bot.wait_for("conversationUpdate")
    bot.status = status
    await client.post({"type": "invoke", "name": name}, 502)
    assert await visible(client) == []


async def test_a_failed_sign_in_is_shown(
    client: DirectLineClient, conversation: Conversation, bot: RecordingBot
) -> None:
    """Any other error status of a sign-in invoke is shown."""
    await bot.wait_for("conversationUpdate")
    bot.status = 501
    await client.post({"type": "invoke", "name": "signin/verifyState"}, 502)
    assert await noticed(conversation) == "The bot answered 501."
