"""The rules for streams. Microsoft reference "Stream bot messages"."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from bot_workbench.emulator.channel.conversations import Conversation
from bot_workbench.emulator.channel.errors import ChannelError
from bot_workbench.emulator.channel.streams import MAX_INFORMATIVE, MAX_SECONDS, StreamRules
from tests.emulator.channel.stream_parts import cited, part

WHOLE = {"type": "message", "text": "the whole text"}


class Streamer:
    """Streams into a conversation whose rules have a clock that the test moves."""

    def __init__(self, **rules: Any) -> None:
        self.now = 100.0
        self.rules = StreamRules(lambda: self.now, **rules)
        self.conversation = Conversation("a:1", {}, streams=self.rules)

    def send(self, activity: Any) -> tuple[int, str]:
        """The status, and the id of a new stream."""
        accepted = self.conversation.accept(activity)
        return accepted.status, accepted.activity_id

    def start(self, **more: Any) -> str:
        """The id of a stream, a second after its first part."""
        _, stream_id = self.send(part(1, **more))
        self.now += 1
        return stream_id

    def refusal(self, activity: Any) -> ChannelError:
        """Why it is refused."""
        with pytest.raises(ChannelError) as refusal:
            self.send(activity)
        return refusal.value

    def put(self, stream_id: str) -> None:
        """Replace a message."""
        self.conversation.accept_update(stream_id, WHOLE)

    @property
    def texts(self) -> list[str]:
        """What the user sees."""
        return [each["text"] for each in self.conversation.activities]


def is_not_allowed(refusal: ChannelError, words: str) -> bool:
    """Whether it is the 403 of streams, with these words."""
    code = (refusal.status, refusal.code)
    return code == (403, "ContentStreamNotAllowed") and words in str(refusal)


CARD = {"contentType": "application/vnd.microsoft.card.adaptive", "content": {}}


@pytest.mark.parametrize(
    ("activity", "reason"),
    [
        (part(2), "first one is not 1"),
        (part(None), "not a number"),
        (part(1, text=""), "should include text"),
        (part(1, "9"), "not known"),
        (part(1, kind="fast"), "streamType"),
        (part(1, type="message"), "Only end streaming type"),
        (part(None, "s", kind="final", type="typing"), "Only start streaming"),
        (part(None, kind="final"), "need a stream id"),
        (part(2, "s", kind="final"), "have no 'streamSequence'"),
        (part(None, "s", kind="final", text="", attachments=[CARD]), "should include text"),
        (part(1, attachments=[CARD]), "have attachments"),
        (part(1, kind="informative", text="x" * (MAX_INFORMATIVE + 1)), "at most 1000 characters"),
    ],
)
def test_a_part_of_a_wrong_shape_is_a_400(activity: Any, reason: str) -> None:
    """The refusal says what is wrong."""
    refusal = Streamer().refusal(activity)
    assert (refusal.status, refusal.code) == (400, "BadRequest")
    assert reason in str(refusal)


def test_the_longest_informative_update() -> None:
    """It has a thousand characters."""
    text = "x" * MAX_INFORMATIVE
    assert Streamer().send(part(1, kind="informative", text=text))[0] == 201


def test_a_late_part_is_dropped() -> None:
    """One with an older number is a 202 with a code, and not shown."""
    streamer = Streamer()
    stream_id = streamer.start(text="a")
    streamer.send(part(3, stream_id, text="a b c"))
    streamer.now += 1
    late = streamer.refusal(part(2, stream_id, text="a b"))
    assert (late.status, late.code) == (202, "ContentStreamSequenceOrderPreConditionFailed")
    assert streamer.texts == ["a b c"]


@pytest.mark.parametrize("number", [3, None])
def test_a_part_has_all_of_the_text_so_far(number: int | None) -> None:
    """A bot that sends each part of its text alone is refused; informative updates do not count."""
    streamer = Streamer()
    stream_id = streamer.start(kind="informative", text="searching")
    streamer.send(part(2, stream_id, text="a brown "))
    streamer.now += 1
    kind = "streaming" if number else "final"
    refusal = streamer.refusal(part(number, stream_id, kind, text="fox"))
    assert is_not_allowed(refusal, "previously streamed content")
    streamer.now += 1
    number = number and number + 1
    assert streamer.send(part(number, stream_id, kind, text="a brown fox"))[0] == 202


def test_a_stream_takes_two_minutes_at_most() -> None:
    """After that, even its final message is refused, but it can be replaced."""
    streamer = Streamer()
    stream_id = streamer.start()
    streamer.now += MAX_SECONDS
    refusal = streamer.refusal(part(None, stream_id, "final"))
    assert is_not_allowed(refusal, "exceeded streaming time")
    streamer.put(stream_id)
    assert streamer.texts == ["the whole text"]


def test_parts_come_once_a_second() -> None:
    """An earlier one is a 429 that says when to try again, with the same number."""
    streamer = Streamer()
    _, stream_id = streamer.send(part(1, kind="informative"))
    streamer.now += 0.5
    refusal = streamer.refusal(part(2, stream_id))
    assert (refusal.status, refusal.headers) == (429, {"Retry-After": "1"})
    streamer.now += 0.5
    assert streamer.send(part(2, stream_id))[0] == 202
    assert streamer.refusal(part(3, stream_id)).status == 429


def test_a_final_message_may_follow_at_once() -> None:
    """It has no rate."""
    streamer = Streamer()
    _, stream_id = streamer.send(part(1, text="a"))
    assert streamer.send(part(None, stream_id, "final", text="a b"))[0] == 202


@pytest.mark.parametrize("end", ["final", "stop", "time", "put"])
def test_a_chat_has_one_stream_at_a_time(end: str) -> None:
    """A second one is refused until the first has ended, in whatever way."""
    streamer = Streamer()
    stream_id = streamer.start(text="a")
    assert is_not_allowed(streamer.refusal(part(1)), "not allowed")
    if end == "final":
        streamer.send(part(None, stream_id, "final", text="a b"))
    elif end == "stop":
        assert streamer.rules.stop(stream_id)
    elif end == "time":
        streamer.now += MAX_SECONDS
    else:
        streamer.put(stream_id)
    assert streamer.send(part(1))[0] == 201


def test_a_stopped_message_cannot_change() -> None:
    """Neither a part nor a PUT reaches it; other messages can be replaced."""
    streamer = Streamer()
    stream_id = streamer.start()
    assert streamer.rules.stop(stream_id)
    assert is_not_allowed(streamer.refusal(part(2, stream_id)), "cancelled by user")
    with pytest.raises(ChannelError) as refusal:
        streamer.put(stream_id)
    assert is_not_allowed(refusal.value, "cancelled by user")
    _, other = streamer.send({"type": "message", "text": "other"})
    streamer.put(other)
    assert streamer.texts == ["text 1", "the whole text"]


def test_stop_is_too_late_for_a_stream_that_has_ended() -> None:
    """The bot can still replace it."""
    streamer = Streamer()
    stream_id = streamer.start(text="a")
    streamer.send(part(None, stream_id, "final", text="a b"))
    assert not streamer.rules.stop(stream_id)
    streamer.put(stream_id)


def test_a_put_ends_an_open_stream() -> None:
    """It is accepted, and no part is afterwards; what Teams does is not known."""
    streamer = Streamer()
    stream_id = streamer.start()
    streamer.put(stream_id)
    assert is_not_allowed(streamer.refusal(part(2, stream_id)), "already completed")
    assert streamer.texts == ["the whole text"]


def test_a_put_on_an_open_stream_can_be_refused() -> None:
    """A test can have the other answer that Teams may give; the stream goes on."""
    streamer = Streamer(takes_update_while_open=False)
    stream_id = streamer.start()
    with pytest.raises(ChannelError) as refusal:
        streamer.put(stream_id)
    assert is_not_allowed(refusal.value, "not allowed")
    assert streamer.send(part(2, stream_id, text="text 1 and 2"))[0] == 202


def test_group_chats_have_no_streams() -> None:
    """The refusal has the words that SDKs look for."""
    refusal = Streamer(enabled=False).refusal(part(1))
    assert (refusal.status, refusal.code) == (400, "BadArgument")
    assert "streaming api is not enabled" in str(refusal).lower()


def test_web_chat_has_no_rate_and_no_time_limit() -> None:
    """Its streams have their fields in channelData."""
    streamer = Streamer(part_seconds=0, max_seconds=math.inf)
    first = {"streamType": "streaming", "streamSequence": 1}
    sent = {"type": "typing", "text": "a", "channelData": first}
    _, stream_id = streamer.send(sent)
    second = {**first, "streamId": stream_id, "streamSequence": 2}
    assert streamer.send({**sent, "text": "a b", "channelData": second})[0] == 202
    streamer.now += 1000 * MAX_SECONDS
    final = {"streamType": "final", "streamId": stream_id}
    streamer.send({"type": "message", "text": "a b c", "channelData": final})
    assert streamer.texts == ["a b c"]
    assert streamer.conversation.changes[0]["channelData"]["streamId"] == stream_id


def test_without_rules_parts_are_activities_like_others() -> None:
    """Direct Line leaves them to its clients."""
    conversation = Conversation("1", {})
    ids = [conversation.accept(part(1)).activity_id for _ in range(2)]
    assert [each["id"] for each in conversation.activities] == ids


NAMED = {"name": "n", "abstract": "a"}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"text": "x" * 110_000}, 413),
        ({"entities": cited(*[NAMED] * 21)}, 400),
        ({"entities": cited(roots=2)}, 400),
        ({"entities": cited({"name": "x" * 81})}, 400),
        ({"entities": cited({"abstract": "x" * 161})}, 400),
        ({"entities": cited({"keywords": ["x" * 29]})}, 400),
        ({"entities": cited({"keywords": ["x"] * 4})}, 400),
    ],
)
@pytest.mark.parametrize("kind", ["part", "message", "update"])
def test_limits(kind: str, more: Any, status: int) -> None:
    """They hold for parts of streams, other messages and updates."""
    streamer = Streamer()
    _, known = streamer.send(WHOLE)
    info = part(1)["entities"]
    in_part = {**more, "entities": info + more.get("entities", [])}
    attempts: dict[str, Callable[[], object]] = {
        "part": lambda: streamer.send(part(1, **in_part)),
        "message": lambda: streamer.send({**WHOLE, **more}),
        "update": lambda: streamer.conversation.accept_update(known, {**WHOLE, **more}),
    }
    with pytest.raises(ChannelError) as refusal:
        attempts[kind]()
    code = "MessageSizeTooBig" if status == 413 else "BadRequest"
    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert streamer.texts == ["the whole text"]


def test_no_limits() -> None:
    """A conversation outside Teams can have streams without Teams' limits."""
    streamer = Streamer(limits_messages=False)
    large = {**WHOLE, "text": "x" * 200_000}
    _, known = streamer.send(large)
    streamer.conversation.accept_update(known, {**large, "text": "y" * 200_000})
    assert streamer.texts == ["y" * 200_000]


def test_the_longest_citations() -> None:
    """Twenty, each as long as it may be, are accepted."""
    longest = {"name": "x" * 80, "abstract": "x" * 160, "keywords": ["x" * 28] * 3}
    sent = {**WHOLE, "entities": cited(*[longest] * 20)}
    assert Streamer().send(sent)[0] == 201
