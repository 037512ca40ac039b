"""SkillReplies: what a skill can do in its parent's conversation, and what it cannot."""

import json
from typing import Any

import pytest
from botbuilder.core.skills import SkillConversationIdFactory

from auth.errors import BadRequest, BodyTooLarge, ConversationUnknown, UnsupportedBody
from bot_workbench.emulator.cloud import Cloud
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
        ("POST", "activities/history"),
        ("POST", "activities/History/"),
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
    ("method", "path"),
    [
        ("GET", "conversations"),
        ("POST", "conversations"),
        ("POST", "conversations/"),
        ("GET", "conversations/c"),
        ("GET", "attachments/a/views/original"),
        ("GET", ""),
    ],
)
async def test_operations_outside_of_a_conversation(
    method: str, path: str, skill: ReplyingSkill
) -> None:
    """They are not offered, either."""
    assert (await skill.request(method, path)).status == 501


async def test_an_activity_whose_id_is_history(app: ComposedApp, skill: ReplyingSkill) -> None:
    """It can be updated and deleted, and history/1 replied to: only one route has this name."""
    for method, item in (("PUT", "history"), ("DELETE", "history"), ("POST", "history/1")):
        await skill.call(method, f"activities/{item}", MESSAGE)
        call = app.cloud.connector.calls[-1]
        assert (call.method, call.path.partition("/activities/")[2]) == (method, item)


IDS = [
    ("a/b", "a%2Fb"),
    ("a/b", "a%2fb"),
    ("a/b", "a/b"),  # as the front end of App Service decodes it
    ("a%2Fb", "a%2Fb"),
    ("a%252Fb", "a%252Fb"),
    ("a+b %41?&#", "a+b %41?&#"),
    ("19:x@thread.tacv2;messageid=1", "19:x@thread.tacv2;messageid=1"),
    ("\u00fc\U0001f600", "\u00fc\U0001f600"),
]
"""Ids, and how they look in a path that the host has decoded: it leaves `%2F`, and makes it of
`%252F`, too."""


@pytest.mark.parametrize(("activity_id", "in_path"), [*IDS, ("a%2fb/c", "a%2fb%2Fc")])
async def test_the_id_of_an_activity(
    activity_id: str, in_path: str, app: ComposedApp, skill: ReplyingSkill
) -> None:
    """Where the host makes two ids one, the body says which it is."""
    for method, name in (("POST", "replyToId"), ("PUT", "id")):
        await skill.call(method, f"activities/{in_path}", {**MESSAGE, name: activity_id})
        call = app.cloud.connector.calls[-1]
        assert (call.method, call.path.partition("/activities/")[2]) == (method, activity_id)


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "activities/a%2Fb"), ("GET", "members/a%2Fb")]
)
async def test_the_id_without_a_body(
    method: str, path: str, app: ComposedApp, skill: ReplyingSkill
) -> None:
    """Then the channel knows which it is; a slash is likelier."""
    before = len(app.cloud.connector.calls)
    assert (await skill.call(method, path)).status == 404
    calls = app.cloud.connector.calls[before:]
    kind = path.partition("/")[0]
    assert [call.path.partition(f"/{kind}/")[2] for call in calls] == ["a/b", "a%2Fb"]
    app.cloud.connector.server.faults.set(status=403, remaining=1)
    assert (await skill.call(method, path)).status == 403
    assert len(app.cloud.connector.calls) == before + 2


async def test_another_id_in_the_body(app: ComposedApp, skill: ReplyingSkill) -> None:
    """The path counts."""
    await skill.call("POST", "activities/a%2Fb", {**MESSAGE, "replyToId": "other"})
    assert app.cloud.connector.calls[-1].path.endswith("/activities/a/b")


@pytest.mark.parametrize(("conversation_id", "in_path"), IDS)
async def test_the_id_of_a_conversation(
    conversation_id: str, in_path: str, app: ComposedApp, skill: ReplyingSkill
) -> None:
    """A bot's own factory may use any: the one that is stored is meant."""
    storage = app.parts.services.storage
    [known] = (await storage.read([skill.conversation_id])).values()
    await storage.write({conversation_id: known})
    sent = await skill.call("POST", "activities", MESSAGE, conversation_id=in_path)
    assert sent.status == 200
    await skill.call("POST", "activities", {"type": "endOfConversation"}, conversation_id=in_path)
    assert await storage.read([conversation_id]) == {}


@pytest.mark.parametrize(("own", "shown"), [("de-CH", "de-CH"), (None, "fr-FR")])
async def test_the_locale(
    own: str | None, shown: str, app: ComposedApp, skill: ReplyingSkill
) -> None:
    """The skill's own reaches the user, also in an update; a missing one is the user's."""
    await skill.is_called(locale="fr-FR")
    message = {**MESSAGE, "locale": own}
    first = body(await skill.call("POST", "activities/a1", message))["id"]
    await skill.call("PUT", f"activities/{first}", message)
    calls = app.cloud.connector.calls[-2:]
    assert [call.activity and call.activity.get("locale") for call in calls] == [shown, shown]


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
