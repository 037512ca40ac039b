"""SkillReplies: what a skill can do in its parent's conversation, and what it cannot."""

import json
from typing import Any

import pytest
from botbuilder.core.skills import SkillConversationIdFactory

from auth.errors import BadRequest, BodyTooLarge, ConversationUnknown, UnsupportedBody
from emulator.cloud import Cloud
from tests.support.bots.composed_app import ComposedApp
from tests.support.credentials.bot_token_press import CALLER
from tests.support.credentials.forged_tokens import FOREIGN_TENANT
from tests.support.skills.replying_skill import ReplyingSkill

MESSAGE = {"type": "message", "text": "hello"}

BAD_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "null": b"null",
    "no type": b"{}",
    "type a list": b'{"type": ["message"]}',
    "type empty": b'{"type": ""}',
    "delay": b'{"type": "delay", "value": 86400000}',
    "delay of a text": b'{"type": "delay", "value": "x"}',
    "a command without a name": b'{"type": "command"}',
    "a result without a name": b'{"type": "commandResult", "name": ""}',
    "attachments a text": b'{"type": "message", "attachments": "x"}',
    "a date that is none": b'{"type": "message", "timestamp": "x"}',
    "infinity": b'{"type": "message", "value": 1e999}',
    "infinity within": b'{"type": "endOfConversation", "value": {"x": [-1e999]}}',
    "NaN": b'{"type": "message", "value": NaN}',
    "nested deeply": b'{"type": "message", "value": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "not UTF-8": b'{"type": "message", "text": "\xff"}',
}

ODD_ACTIVITIES: list[dict[str, Any]] = [
    {"type": "typing"},
    {"type": "trace", "name": "x", "value": {"a": 1}},
    {"type": "invokeResponse", "value": {"status": 200}},
    {"type": "invokeResponse"},
    {"type": "command", "name": "application/x"},
    {"type": "command", "name": "x"},
    {"type": "commandResult", "name": "vnd.x"},
    {"type": "event"},
    {"type": "event", "name": "ContinueConversation"},
    {"type": "endOfConversation", "code": 1, "text": ["x"]} | {"text": "x"},
    {"type": "message", "conversation": {"id": "other"}, "serviceUrl": "https://evil.example/"},
    {"type": "message", "recipient": None, "from": {"id": "x"}, "channelId": "other"},
    {"type": "message", "deliveryMode": "expectReplies", "text": "x"},
    {"type": "message", "text": "\ud800"},
    {"type": "made up"},
]


def body(response: Any) -> Any:
    """A response's JSON."""
    return json.loads(response.body)


async def test_a_message(app: ComposedApp, skill: ReplyingSkill) -> None:
    """It reaches the user, from the parent; the skill gets its id."""
    response = await skill.send(**MESSAGE)
    [sent] = app.conversation.activities
    assert (response.status, body(response)) == (200, {"id": sent["id"]})
    assert sent["text"] == "hello"
    assert sent["from"]["id"] == app.account["id"]


async def test_a_reply_an_update_and_a_deletion(app: ComposedApp, skill: ReplyingSkill) -> None:
    """They change what the user sees."""
    first = body(await skill.call("POST", "activities/a1", MESSAGE))["id"]
    changed = {"type": "message", "text": "changed", "id": "ignored"}
    assert (await skill.call("PUT", f"activities/{first}", changed)).status == 200
    assert app.texts() == ["changed"]
    assert (await skill.call("DELETE", f"activities/{first}")).status == 200
    assert [each["type"] for each in app.conversation.activities] != ["message"]


async def test_members(app: ComposedApp, skill: ReplyingSkill) -> None:
    """The skill sees who is in the conversation."""
    members = body(await skill.call("GET", "members"))
    assert [each["id"] for each in members] == ["user-1", app.account["id"]]
    assert body(await skill.call("GET", "members/user-1")) == members[0]
    page = body(await skill.call("GET", "pagedmembers", pageSize="50"))
    assert page["members"] == members


@pytest.mark.parametrize("name", BAD_BODIES)
@pytest.mark.parametrize(("method", "path"), [("POST", "activities"), ("PUT", "activities/a1")])
async def test_bad_bodies(name: str, method: str, path: str, skill: ReplyingSkill) -> None:
    """What is not an activity that can be sent is refused: 400, or 413."""
    with pytest.raises(BadRequest):
        await skill.call(method, path, BAD_BODIES[name])


async def test_other_bodies(skill: ReplyingSkill) -> None:
    """Content types and sizes are limited as for messages."""
    with pytest.raises(UnsupportedBody):
        await skill.call("POST", "activities", MESSAGE, content_type="text/plain")
    with pytest.raises(BodyTooLarge):
        await skill.call("POST", "activities", b" " * 2**20 + b"{}")


@pytest.mark.parametrize("activity", ODD_ACTIVITIES, ids=str)
async def test_odd_activities(
    activity: dict[str, Any], app: ComposedApp, skill: ReplyingSkill
) -> None:
    """Whatever can be sent is handled, and goes to the parent's own conversation only."""
    before = len(app.cloud.connector.calls)
    assert (await skill.send(**activity)).status in (200, 502)
    paths = {call.path for call in app.cloud.connector.calls[before:]}
    assert all(app.conversation.id in path for path in paths)


@pytest.mark.parametrize(
    "conversation_id",
    ["made-up", "../x", "\x00", "x" * 5000, "ключ", "webchat/conversations/c", "~2F", " "],
)
async def test_an_unknown_conversation(conversation_id: str, skill: ReplyingSkill) -> None:
    """It is answered 404, whatever the skill wants to do there."""
    for method, path in (
        ("POST", "activities"),
        ("POST", "activities/a1"),
        ("PUT", "activities/a1"),
        ("DELETE", "activities/a1"),
        ("GET", "members"),
    ):
        with pytest.raises(ConversationUnknown):
            await skill.call(method, path, MESSAGE, conversation_id=conversation_id)


async def test_other_items_of_storage(app: ComposedApp, skill: ReplyingSkill) -> None:
    """The id may name an item that is no conversation with a skill: it is not touched."""
    storage = app.parts.services.storage
    await storage.write({"webchat/users/u": {"name": "Ada"}})
    end = {"type": "endOfConversation"}
    with pytest.raises(ConversationUnknown):
        await skill.call("POST", "activities", end, conversation_id="webchat/users/u")
    assert (await storage.read(["webchat/users/u"]))["webchat/users/u"]["name"] == "Ada"


async def test_the_conversation_of_another_skill(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A skill that knows the id of another one's conversation cannot reply there."""
    both = {"AllowedCallers": f"{CALLER},{FOREIGN_TENANT}"}
    async with ComposedApp(cloud, monkeypatch, both) as app:
        skill = ReplyingSkill(app)
        await skill.is_called(skill_app_id=FOREIGN_TENANT)
        with pytest.raises(ConversationUnknown):
            await skill.send(**MESSAGE)
        await skill.is_called(skill_app_id=CALLER.upper())
        assert (await skill.send(**MESSAGE)).status == 200


async def test_a_conversation_that_the_sdk_has_stored(
    app: ComposedApp, skill: ReplyingSkill
) -> None:
    """A bot's own factory need only store the SDK's objects in the bot's storage."""
    await skill.is_called(conversations=SkillConversationIdFactory(app.parts.services.storage))
    assert (await skill.send(**MESSAGE)).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "activities"),
        ("GET", "activities/a1/members"),
        ("PATCH", "activities/a1"),
        ("POST", "members"),
        ("DELETE", "members/user-1"),
        ("POST", "attachments"),
        ("GET", "made/up"),
        ("GET", "/"),
    ],
)
async def test_other_operations(method: str, path: str, skill: ReplyingSkill) -> None:
    """They are not offered."""
    response = await skill.call(method, path, MESSAGE)
    assert (response.status, body(response)["error"]["code"]) == (501, "NotImplemented")


@pytest.mark.parametrize(
    ("status", "answered"),
    [(400, 400), (401, 502), (403, 403), (404, 404), (413, 413), (429, 429), (500, 502)],
)
async def test_the_channel_refuses(
    status: int, answered: int, app: ComposedApp, skill: ReplyingSkill
) -> None:
    """The skill gets the channel's answer, as far as it concerns the skill."""
    error = {"code": "BadThing", "message": "secret"}
    app.cloud.connector.server.faults.set(
        status=status, body=json.dumps({"error": error}), retry_after=60
    )
    try:
        response = await skill.send(**MESSAGE)
    finally:
        app.cloud.connector.server.faults.clear()
    assert response.status == answered
    assert body(response)["error"]["code"] == "BadThing"
    assert "secret" not in str(body(response))


async def test_the_end(skill: ReplyingSkill) -> None:
    """After the end the skill cannot write to the conversation any more."""
    await skill.send(type="endOfConversation")
    with pytest.raises(ConversationUnknown):
        await skill.send(**MESSAGE)
