"""A request's body becomes an activity, or one of three errors."""

import json
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.core.adapters import TestAdapter
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import Activity
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.errors import BadRequest, BodyTooLarge, UnsupportedBody
from cloud_adapter.adapter import (
    MAX_BODY_BYTES,
    MAX_NAME_LENGTH,
    TurnRequest,
    check_head,
    read_activity,
)
from cloud_adapter.codec import MAX_DIGITS
from tests.support.model_json import ANYTHING, model_json

ADDRESS: dict[str, Any] = {
    "type": "message",
    "channelId": "webchat",
    "serviceUrl": "https://webchat.botframework.com/",
    "conversation": {"id": "c|1"},
}
RANDOM = settings(deadline=None, database=None, max_examples=300)


def read(body: bytes, content_type: str = "application/json") -> Any:
    """The activity in a request."""
    check_head(TurnRequest(content_type, "", body))
    return read_activity(body)


def read_json(data: Any) -> Any:
    """The activity in JSON data."""
    return read(json.dumps(data).encode())


def with_value(text: str) -> bytes:
    """An activity's body whose `value` is this text, unquoted."""
    return json.dumps({**ADDRESS, "value": None}).replace("null", text).encode()


def test_an_activity() -> None:
    """An activity needs no id of its own."""
    activity = read_json({**ADDRESS, "text": "h\u00e9llo"})
    assert isinstance(activity, Activity)
    assert (activity.text, activity.id, activity.conversation.id) == ("h\u00e9llo", None, "c|1")


@pytest.mark.parametrize(
    ("named", "channel"),
    [
        ({"_channelId": "msteams"}, "msteams"),
        ({"_channelId": "msteams", "channelId": None}, "msteams"),
        ({"_channelId": "msteams", "channelId": ""}, "msteams"),
        ({"_channelId": "msteams", "channelId": "webchat"}, "webchat"),
    ],
)
def test_the_channel_under_another_name(named: dict[str, Any], channel: str) -> None:
    """A parent that is an agents-hosting AgentClient (1.2.3 to 1.8.1) calls it `_channelId`."""
    data = {name: value for name, value in ADDRESS.items() if name != "channelId"} | named
    assert read_json(data).channel_id == channel


@pytest.mark.parametrize("channel", [None, "", ["msteams"], {"id": "msteams"}])
def test_no_channel_under_another_name(channel: Any) -> None:
    """What is no channel there is none here, either."""
    with pytest.raises(BadRequest):
        read_json({**ADDRESS, "channelId": None, "_channelId": channel})


async def test_members_without_channel_data() -> None:
    """An emulator of Teams may leave out `channelData`: the SDK's handler for Teams still works."""
    greeted = []

    class Greeter(TeamsActivityHandler):  # type: ignore[misc]  # untyped SDK base
        async def on_teams_members_added_dispatch(self, added: Any, team: Any, _: Any) -> None:
            greeted.append(([member.id for member in added], team))

    added = {
        "type": "conversationUpdate",
        "membersAdded": [{"id": "29:1"}],
        "recipient": {"id": "28:b"},
    }
    activity = read_json({**ADDRESS, **added, "channelId": "msteams"})
    await Greeter().on_turn(TurnContext(TestAdapter(), activity))
    assert greeted == [(["29:1"], None)]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        ' application/json ; charset="utf-8"',
        "application/vnd.microsoft.activity+json",
        "application/activity+json; charset=utf-8",
    ],
)
def test_json_types(content_type: str) -> None:
    """JSON has more than one name (RFC 6839)."""
    assert read(json.dumps(ADDRESS).encode(), content_type).type == "message"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "json",
        "text/plain",
        "text/json",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml; x=application/json",
        "text/plain, application/json",
        "application/json, text/plain",
        "application",
        "application/json/x",
        "application/x/y+json",
        "+json",
        "\x00",
        "\ud800/json",
        "application/\u00fc",
    ],
)
def test_other_types(content_type: str) -> None:
    """Any other content type is refused."""
    with pytest.raises(UnsupportedBody):
        read(json.dumps(ADDRESS).encode(), content_type)


@RANDOM
@given(st.text(max_size=20) | st.from_regex(r"[a-z]{1,4}/[a-z+;= \r\n]{1,12}", fullmatch=True))
def test_any_content_type(content_type: str) -> None:
    """No header raises another error."""
    try:
        read(b"{", content_type)
    except BadRequest:
        return
    raise AssertionError


def test_the_maximum_size() -> None:
    """A body of exactly 1 MiB is read, one byte more is not."""
    body = json.dumps(ADDRESS).encode()
    full = body + b" " * (MAX_BODY_BYTES - len(body))
    assert len(full) == 1024 * 1024
    assert read(full).type == "message"
    for body in (full + b" ", b"\xff" * (MAX_BODY_BYTES + 1)):  # it is not parsed
        with pytest.raises(BodyTooLarge):
            read(body)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_other_encodings(encoding: str) -> None:
    """JSON is UTF-8 without a byte order mark (RFC 8259, 8.1)."""
    body = json.dumps({**ADDRESS, "text": "h\u00e9llo"}, ensure_ascii=False)
    with pytest.raises(BadRequest):
        read(body.encode(encoding))
    with pytest.raises(BadRequest):
        read(body.encode(encoding), f"application/json; charset={encoding}")


def test_text_is_unicode() -> None:
    """Any text is read, escaped or not, even a lone surrogate."""
    body = json.dumps({**ADDRESS, "text": "\u00e9\U0001f600"}, ensure_ascii=False).encode()
    assert read(body).text == "\u00e9\U0001f600"
    assert read_json({**ADDRESS, "text": "\ud83d"}).text == "\ud83d"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"true",
        b"{}",
        b"{'a':1}",
        b"{} {}",
        b"\xff",
        b"\xff\xfe{}",
        b"\x00" * 10,
        b"[" * 100_000,
        b"NaN",
    ],
)
def test_not_an_object(body: bytes) -> None:
    """Only a JSON object can be an activity."""
    with pytest.raises(BadRequest):
        read(body)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[NaN]", '{"a": Infinity}'])
def test_numbers_without_a_json_form(text: str) -> None:
    """Python's json would read them, but they are not JSON."""
    with pytest.raises(BadRequest):
        read(with_value(text))


@pytest.mark.parametrize(
    "text", ["1" * MAX_DIGITS, "-" + "9" * (MAX_DIGITS - 1), "1e999", "0.1e-999", "0." + "1" * 5000]
)
def test_large_numbers(text: str) -> None:
    """An integer may have MAX_DIGITS; other numbers are not limited."""
    assert read(with_value(text)).value == json.loads(text)


def test_a_number_with_too_many_digits() -> None:
    """It is refused, as reading it could take minutes."""
    with pytest.raises(BadRequest):
        read(with_value("1" * (MAX_DIGITS + 1)))


@pytest.mark.parametrize("pair", ["[]", "{}"])
@pytest.mark.parametrize("depth", [200_000, 20_000])
def test_deep_nesting(pair: str, depth: int) -> None:
    """A body that nests too deeply is refused."""
    opening = pair[0] if pair == "[]" else '{"a":'
    body = with_value(opening * depth + "1" + pair[1] * depth)
    with pytest.raises(BadRequest):
        read(body)


def test_a_key_that_repeats() -> None:
    """The last value counts, for the caller check and for the turn."""
    body = json.dumps(ADDRESS).replace("{", '{"channelId": "msteams", "text": "a", ', 1)
    activity = read(body[:-1].encode() + b', "text": "b"}')
    assert (activity.channel_id, activity.text) == ("webchat", "b")


@pytest.mark.parametrize("missing", ["type", "channelId", "serviceUrl", "conversation"])
@pytest.mark.parametrize("how", ["left out", "null", "empty", "an object"])
def test_required_properties(missing: str, how: str) -> None:
    """A turn needs all four."""
    data = dict(ADDRESS)
    del data[missing]
    if how != "left out":
        data[missing] = {"null": None, "empty": "", "an object": {"a": 1}}[how]
    with pytest.raises(BadRequest):
        read_json(data)


@pytest.mark.parametrize("conversation", [{}, {"id": None}, {"id": ""}, {"name": "x"}, [], "c", 5])
def test_a_conversation_has_an_id(conversation: Any) -> None:
    """Without it, the bot cannot reply."""
    with pytest.raises(BadRequest):
        read_json({**ADDRESS, "conversation": conversation})


@pytest.mark.parametrize("key", ["type", "channelId", "serviceUrl", "id", "conversation"])
def test_an_address_with_a_lone_surrogate(key: str) -> None:
    """It cannot be part of a URL."""
    value = {"id": "\udfff"} if key == "conversation" else "a\ud800"
    with pytest.raises(BadRequest):
        read_json({**ADDRESS, key: value})


LONG = "x" * (MAX_NAME_LENGTH + 1)


@pytest.mark.parametrize("key", ["type", "channelId", "serviceUrl", "id", "locale"])
def test_an_address_has_a_maximum_length(key: str) -> None:
    """Values that become part of URLs, blob names and records have a maximum length."""
    assert read_json({**ADDRESS, key: LONG[1:]})
    with pytest.raises(BadRequest):
        read_json({**ADDRESS, key: LONG})


@pytest.mark.parametrize("whose", ["conversation", "from", "recipient"])
@pytest.mark.parametrize("key", ["id", "name", "aadObjectId"])
def test_names_have_a_maximum_length(whose: str, key: str) -> None:
    """The same holds for the ids and names of accounts and of the conversation."""
    account = {"id": "c", key: LONG[1:]}
    assert read_json({**ADDRESS, whose: account})
    with pytest.raises(BadRequest):
        read_json({**ADDRESS, whose: {**account, key: LONG}})


@pytest.mark.parametrize(
    "changes", [{"timestamp": "now"}, {"membersAdded": {}}, {"from": "Ada"}, {"text": {}}]
)
def test_a_malformed_property(changes: dict[str, Any]) -> None:
    """A property that does not fit the model is refused."""
    with pytest.raises(BadRequest):
        read_json({**ADDRESS, **changes})


def test_the_error_quotes_nothing() -> None:
    """It names the kind of error, and not the body's text."""
    with pytest.raises(BadRequest) as caught:
        read_json({**ADDRESS, "timestamp": "what the user said"})
    assert "said" not in str(caught.value)
    assert "MalformedModel" in str(caught.value)


@RANDOM
@given(st.binary(max_size=60))
def test_any_bytes(body: bytes) -> None:
    """Random bytes raise BadRequest."""
    with pytest.raises(BadRequest):
        read(body)


@RANDOM
@given(st.dictionaries(st.sampled_from([*ADDRESS, "from", "value", "entities"]), ANYTHING))
def test_any_object(data: dict[str, Any]) -> None:
    """A random object is an activity with an address, or raises BadRequest."""
    try:
        activity = read_json(data)
    except BadRequest:
        return
    assert activity.type
    assert activity.channel_id
    assert activity.service_url
    assert activity.conversation.id


@RANDOM
@given(model_json(Activity), st.integers(0), st.binary(max_size=2))
def test_any_damage(data: dict[str, Any], place: int, damage: bytes) -> None:
    """An activity with a few bytes overwritten is read, or raises BadRequest."""
    body = bytearray(json.dumps({**data, **ADDRESS}).encode())
    place %= len(body)
    body[place : place + len(damage)] = damage
    try:
        assert isinstance(read(bytes(body)), Activity)
    except BadRequest:
        return
