"""What arrives is an activity, or one of the three errors that say why not."""

import json
from typing import Any

import pytest
from botbuilder.schema import Activity
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.errors import BadRequest, BodyTooLarge, UnsupportedBody
from cloud_adapter.request import (
    MAX_BODY_BYTES,
    MAX_DIGITS,
    MAX_NAME_LENGTH,
    TurnRequest,
    check_head,
    read_activity,
)
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
    """A body with all that a turn needs is an activity; its own id is not needed."""
    activity = read_json({**ADDRESS, "text": "h\u00e9llo"})
    assert isinstance(activity, Activity)
    assert (activity.text, activity.id, activity.conversation.id) == ("h\u00e9llo", None, "c|1")


# Content types


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
    """Anything else is refused, whatever the body is."""
    with pytest.raises(UnsupportedBody):
        read(json.dumps(ADDRESS).encode(), content_type)


@RANDOM
@given(st.text(max_size=20) | st.from_regex(r"[a-z]{1,4}/[a-z+;= \r\n]{1,12}", fullmatch=True))
def test_any_content_type(content_type: str) -> None:
    """No header makes another error."""
    try:
        read(b"{", content_type)
    except BadRequest:
        return
    raise AssertionError


# Sizes


def test_the_largest_body() -> None:
    """A body of exactly 1 MiB is read, one byte more is not."""
    body = json.dumps(ADDRESS).encode()
    full = body + b" " * (MAX_BODY_BYTES - len(body))
    assert len(full) == 1024 * 1024
    assert read(full).type == "message"
    with pytest.raises(BodyTooLarge):
        read(full + b" ")


def test_a_large_body_is_not_parsed() -> None:
    """Its size alone refuses it."""
    with pytest.raises(BodyTooLarge):
        read(b"\xff" * (MAX_BODY_BYTES + 1))


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_other_encodings(encoding: str) -> None:
    """JSON is UTF-8 without a byte order mark (RFC 8259, 8.1)."""
    body = json.dumps({**ADDRESS, "text": "h\u00e9llo"}, ensure_ascii=False)
    with pytest.raises(BadRequest):
        read(body.encode(encoding))
    with pytest.raises(BadRequest):
        read(body.encode(encoding), f"application/json; charset={encoding}")


def test_text_is_unicode() -> None:
    """Text outside of ASCII is read, escaped or not, half a surrogate pair too."""
    body = json.dumps({**ADDRESS, "text": "\u00e9\U0001f600"}, ensure_ascii=False).encode()
    assert read(body).text == "\u00e9\U0001f600"
    assert read_json({**ADDRESS, "text": "\ud83d"}).text == "\ud83d"


# JSON


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
    ],
)
def test_not_an_object(body: bytes) -> None:
    """A body that is no JSON object is no activity."""
    with pytest.raises(BadRequest):
        read(body)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[NaN]", '{"a": Infinity}'])
def test_numbers_that_json_does_not_know(text: str) -> None:
    """Python's json would read them; nobody else can."""
    with pytest.raises(BadRequest):
        read(with_value(text))


@pytest.mark.parametrize(
    "text", ["1" * MAX_DIGITS, "-" + "9" * (MAX_DIGITS - 1), "1e999", "0.1e-999", "0." + "1" * 5000]
)
def test_large_numbers(text: str) -> None:
    """JSON has no limit for numbers; here it is MAX_DIGITS for whole numbers."""
    assert read(with_value(text)).value == json.loads(text)


def test_a_number_that_takes_too_long() -> None:
    """The time that Python takes grows with the square of the number of digits."""
    with pytest.raises(BadRequest):
        read(with_value("1" * (MAX_DIGITS + 1)))


@pytest.mark.parametrize("pair", ["[]", "{}"])
@pytest.mark.parametrize("depth", [200_000, 20_000])
def test_deep_nesting(pair: str, depth: int) -> None:
    """A body that nests too deeply to be read is refused."""
    opening = pair[0] if pair == "[]" else '{"a":'
    body = with_value(opening * depth + "1" + pair[1] * depth)
    with pytest.raises(BadRequest):
        read(body)


def test_a_key_that_repeats() -> None:
    """The last value counts, for the caller check and for the turn alike."""
    body = json.dumps(ADDRESS).replace("{", '{"channelId": "msteams", "text": "a", ', 1)
    activity = read(body[:-1].encode() + b', "text": "b"}')
    assert (activity.channel_id, activity.text) == ("webchat", "b")


# What a turn needs


@pytest.mark.parametrize("missing", ["type", "channelId", "serviceUrl", "conversation"])
@pytest.mark.parametrize("how", ["left out", "null", "empty", "an object"])
def test_what_must_be_there(missing: str, how: str) -> None:
    """Without its address an activity is none."""
    data = dict(ADDRESS)
    del data[missing]
    if how != "left out":
        data[missing] = {"null": None, "empty": "", "an object": {"a": 1}}[how]
    with pytest.raises(BadRequest):
        read_json(data)


@pytest.mark.parametrize("conversation", [{}, {"id": None}, {"id": ""}, {"name": "x"}, [], "c", 5])
def test_a_conversation_has_an_id(conversation: Any) -> None:
    """A conversation that cannot be named cannot be answered."""
    with pytest.raises(BadRequest):
        read_json({**ADDRESS, "conversation": conversation})


@pytest.mark.parametrize("key", ["type", "channelId", "serviceUrl", "id"])
def test_an_address_is_made_of_characters(key: str) -> None:
    """Half a surrogate pair cannot stand in a URL."""
    with pytest.raises(BadRequest):
        read_json({**ADDRESS, key: "a\ud800"})


def test_a_conversation_id_is_made_of_characters() -> None:
    """The same for the conversation."""
    with pytest.raises(BadRequest):
        read_json({**ADDRESS, "conversation": {"id": "\udfff"}})


LONG = "x" * (MAX_NAME_LENGTH + 1)


@pytest.mark.parametrize("key", ["type", "channelId", "serviceUrl", "id"])
def test_an_address_has_a_maximum_length(key: str) -> None:
    """Values that become part of URLs and blob names have a maximum length."""
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
def test_another_shape_than_the_schema(changes: dict[str, Any]) -> None:
    """What cannot be read into the model is refused."""
    with pytest.raises(BadRequest):
        read_json({**ADDRESS, **changes})


def test_the_error_quotes_nothing() -> None:
    """The log hears of the kind of error, not of the body."""
    with pytest.raises(BadRequest) as caught:
        read_json({**ADDRESS, "timestamp": "what the user said"})
    assert "said" not in str(caught.value)
    assert "MalformedModel" in str(caught.value)


# Anything


@RANDOM
@given(st.binary(max_size=60))
def test_any_bytes(body: bytes) -> None:
    """Whatever bytes come, the only error is BadRequest."""
    with pytest.raises(BadRequest):
        read(body)


@RANDOM
@given(st.dictionaries(st.sampled_from([*ADDRESS, "from", "value", "entities"]), ANYTHING))
def test_any_object(data: dict[str, Any]) -> None:
    """Whatever an object holds, it is an activity with an address, or a BadRequest."""
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
    """An activity with a few bytes overwritten is one still, or a BadRequest."""
    body = bytearray(json.dumps({**data, **ADDRESS}).encode())
    place %= len(body)
    body[place : place + len(damage)] = damage
    try:
        assert isinstance(read(bytes(body)), Activity)
    except BadRequest:
        return
