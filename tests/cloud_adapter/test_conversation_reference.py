"""Conversation references are those of the SDKs for .NET and JavaScript, in botbuilder, too."""

from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount, ConversationReference

from cloud_adapter.bot.folder import import_bot_sdk

import_bot_sdk()

REPLIED_TO = [
    ("message", "webchat", True),
    ("message", "directline", True),
    ("event", "directline", True),
    ("message", "msteams", True),
    ("conversationUpdate", "msteams", True),
    ("conversationUpdate", "emulator", True),
    ("conversationUpdate", "webchat", False),
    ("conversationUpdate", "directline", False),
]
"""Type and channel of an activity, and whether replies carry its id."""


def activity(**values: Any) -> Activity:
    """An activity that a user sent."""
    return Activity(
        **{
            "type": "message",
            "id": "a1",
            "channel_id": "webchat",
            "service_url": "https://channel.example/",
            "locale": "fr-FR",
            "from_property": ChannelAccount(id="user", name="Ada"),
            "recipient": ChannelAccount(id="bot"),
            "conversation": ConversationAccount(id="c"),
            **values,
        }
    )


@pytest.mark.parametrize(("kind", "channel", "is_replied_to"), REPLIED_TO)
def test_the_activity_in_a_reference(kind: str, channel: str, is_replied_to: bool) -> None:
    """Only a conversationUpdate on Web Chat and Direct Line is left out."""
    received = activity(type=kind, channel_id=channel)
    expected = "a1" if is_replied_to else None
    for reference in (
        TurnContext.get_conversation_reference(received),
        received.get_conversation_reference(),
    ):
        assert reference == ConversationReference(
            activity_id=expected,
            user=received.from_property,
            bot=received.recipient,
            conversation=received.conversation,
            channel_id=channel,
            locale="fr-FR",
            service_url="https://channel.example/",
        )


def test_a_reference_stays_when_the_activity_changes() -> None:
    """The accounts are copied."""
    received = activity()
    reference = TurnContext.get_conversation_reference(received)
    received.conversation.id = received.from_property.name = "changed"
    assert (reference.conversation.id, reference.user.name) == ("c", "Ada")


@pytest.mark.parametrize(("own", "applied"), [(None, "fr-FR"), ("de-CH", "de-CH"), ("", "")])
@pytest.mark.parametrize("is_incoming", [True, False])
def test_an_activity_that_is_addressed(own: str | None, applied: str, is_incoming: bool) -> None:
    """It gets the conversation, the accounts and the id; its own locale stays."""
    reference = TurnContext.get_conversation_reference(activity())
    for apply in (TurnContext.apply_conversation_reference, Activity.apply_conversation_reference):
        made = Activity(type="message", id="own", locale=own)
        assert apply(made, reference, is_incoming=is_incoming) is made
        assert (made.locale, made.channel_id, made.conversation.id) == (applied, "webchat", "c")
        sender, ids = ("user", ("a1", None)) if is_incoming else ("bot", ("own", "a1"))
        assert (made.from_property.id, (made.id, made.reply_to_id)) == (sender, ids)


@pytest.mark.parametrize("is_incoming", [True, False])
def test_a_reference_to_no_activity(is_incoming: bool) -> None:
    """The ids that the activity has already stay."""
    made = Activity(type="message", id="own", reply_to_id="earlier")
    TurnContext.apply_conversation_reference(made, ConversationReference(), is_incoming)
    assert (made.id, made.reply_to_id) == ("own", "earlier")
