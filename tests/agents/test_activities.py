"""Reading activities as the SDK has them: what channels send and its models refuse is left out."""

import json
from typing import Any

import pytest
from botbuilder.schema import Activity, ActivityTypes
from hypothesis import given
from hypothesis import strategies as st
from microsoft_agents.activity import Activity as AgentActivity
from microsoft_agents.activity import ChannelId, InvokeResponse

from cloud_adapter.agents.activities import read_activity, write_activity
from cloud_adapter.codec import read_model
from cloud_adapter.errors import ActivityUnread, MalformedModel

MESSAGE: dict[str, Any] = {
    "type": "message",
    "id": "1",
    "channelId": "msteams",
    "serviceUrl": "https://smba.example/",
    "from": {"id": "user", "name": "Ada"},
    "recipient": {"id": "bot"},
    "conversation": {"id": "c"},
    "text": "sesame",
}


def read(**changes: object) -> AgentActivity:
    """The message, with changed properties."""
    return read_activity(read_model(Activity, {**MESSAGE, **changes}))


def test_a_message() -> None:
    """All that it has is there."""
    activity = read(
        channelData={"a": {"b": None}},
        value={"x": [1]},
        entities=[{"type": "mention", "text": "<at>B</at>", "mentioned": {"id": "bot"}}],
        attachments=[{"contentType": "text/html", "content": "<p>"}],
        timestamp="2026-12-02T18:00:00.123Z",
    )
    assert (activity.text, activity.from_property.name) == ("sesame", "Ada")
    assert activity.channel_data == {"a": {"b": None}}
    assert activity.value == {"x": [1]}
    assert activity.entities[0].mentioned.id == "bot"
    assert activity.attachments[0].content == "<p>"
    assert activity.timestamp.microsecond == 123_000


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"locale": ""},
        {"replyToId": ""},
        {"textFormat": ""},
        {"from": {"id": "", "name": ""}},
        {"from": None},
        {"timestamp": None},
        {"membersAdded": [None, {"id": ""}]},
        {"entities": [{"type": ""}, {"text": "no type"}, None]},
        {"attachments": [{"name": "", "content": {}}]},
        {"attachments": [{"contentType": ""}]},
        {"relatesTo": {"activityId": "", "conversation": {"id": "c"}}},
        {"suggestedActions": {"to": [""], "actions": [{"type": "", "title": "x"}]}},
        {"listenFor": ["", None]},
    ],
    ids=str,
)
def test_what_channels_send(changes: dict[str, Any]) -> None:
    """The rest is there."""
    assert read(**changes).text == "sesame"


def test_an_attachment_without_a_type() -> None:
    """It counts as unknown bytes."""
    [attachment] = read(attachments=[{"contentUrl": "https://x.example/1"}]).attachments
    assert attachment.content_type == "application/octet-stream"


def test_one_wrong_entity() -> None:
    """The others stay."""
    mention = {"type": "mention", "text": "<at>B</at>", "mentioned": {"id": "bot"}}
    wrong = {"type": "mention", "mentioned": "nobody"}
    entities = read(entities=[wrong, mention]).entities
    assert [each.type for each in entities] == ["mention"]
    assert entities[0].mentioned.id == "bot"


def test_what_cannot_be_read(caplog: pytest.LogCaptureFixture) -> None:
    """An error names the property, and neither it nor a log line quotes the activity."""
    info = {"type": "ProductInfo", "id": "COPILOT"}
    with pytest.raises(ActivityUnread, match=r"channelId, .* or entities") as raised:
        read(channelId="msteams:other", entities=[info])
    assert "sesame" not in str(raised.value)
    assert "sesame" not in caplog.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
NAMES = st.sampled_from(
    [each.alias or name for name, each in AgentActivity.model_fields.items() if name != "type"]
    + ["attachments", "entities", "membersAdded", "suggestedActions"]
)


@given(st.dictionaries(NAMES, JSON, max_size=3))
def test_any_values(changes: dict[str, Any]) -> None:
    """What BotBuilder's models read is read, or is the bot's failure; nothing else is raised."""
    for address in ("conversation", "channelId", "serviceUrl"):
        changes.pop(address, None)
    try:
        ours = read_model(Activity, json.loads(json.dumps({**MESSAGE, **changes})))
    except MalformedModel:
        return
    try:
        theirs = read_activity(ours)
    except ActivityUnread:
        return
    assert theirs.type == "message"
    assert theirs.conversation.id == "c"


def test_a_reply() -> None:
    """It is written as the SDK's connector writes it."""
    reply = AgentActivity(
        type="message",
        text="hi",
        channel_id=ChannelId("msteams:COPILOT"),
        entities=[{"type": "ProductInfo", "id": "COPILOT"}],
    )
    written = write_activity(reply)
    assert (written.type, written.text) == ("message", "hi")


@pytest.mark.parametrize(
    "value", [{"status": 201, "body": {"a": 1}}, InvokeResponse(status=201, body={"a": 1})]
)
def test_an_answer_to_an_invoke(value: object) -> None:
    """A model or a dict becomes BotBuilder's."""
    written = write_activity(AgentActivity(type="invokeResponse", value=value))
    assert written.type == ActivityTypes.invoke_response
    assert (written.value.status, written.value.body) == (201, {"a": 1})
