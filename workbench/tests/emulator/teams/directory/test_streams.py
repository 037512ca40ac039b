"""Streamed messages. Microsoft reference "Stream bot messages"."""

from typing import Any

import pytest

from bot_workbench.emulator.channel.errors import ChannelError
from bot_workbench.emulator.teams.directory.streams import BURST, MAX_SECONDS, StreamRules
from tests.emulator.teams.connector_caller import ConnectorCaller
from tests.emulator.teams.teams_page import TeamsPage


def update(number: int | None, stream_id: str = "", kind: str = "streaming", **more: Any) -> Any:
    """An activity of a stream."""
    info: dict[str, Any] = {"type": "streaminfo", "streamType": kind}
    if number is not None:
        info["streamSequence"] = number
    if stream_id:
        info["streamId"] = stream_id
    type_ = "message" if kind == "final" else "typing"
    return {"type": type_, "text": f"text {number}", "entities": [info], **more}


async def test_a_stream_becomes_a_message(page: TeamsPage, connector: ConnectorCaller) -> None:
    """The first update is a 201 with the stream's id, all others are a 202; one bubble changes."""
    path = f"/conversations/{page.chat['id']}/activities"
    status, started = await connector.call("POST", path, update(1, kind="informative"))
    assert status == 201
    stream_id = started["id"]
    await page.sees("text 1")
    assert await connector.call("POST", path, update(2, stream_id)) == (202, {})
    shown = await page.sees("text 2")
    assert (shown["id"], shown["type"]) == (stream_id, "typing")
    assert shown["entities"][0]["streamId"] == stream_id
    final = update(None, stream_id, "final", text="text 2, and the end")
    assert await connector.call("POST", path, final) == (202, {})
    shown = await page.sees("text 2, and the end")
    assert (shown["id"], shown["type"]) == (stream_id, "message")
    refusal = await connector.refused("POST", path, update(3, stream_id))
    assert refusal[:2] == (403, "ContentStreamNotAllowed")
    assert "already completed" in refusal[2]


async def test_an_update_that_is_too_large(page: TeamsPage, connector: ConnectorCaller) -> None:
    """A streamed message has the limit of others, with the code of a stream."""
    path = f"/conversations/{page.chat['id']}/activities"
    refusal = await connector.refused("POST", path, update(1, text="x" * 110_000))
    assert refusal == (403, "ContentStreamNotAllowed", "Message size too large.")


async def test_the_user_stops_a_stream(page: TeamsPage, connector: ConnectorCaller) -> None:
    """The bot learns it from the answer to its next update."""
    path = f"/conversations/{page.chat['id']}/activities"
    _, started = await connector.call("POST", path, update(1))
    await page.call("POST", f"{page.path}/activities/{started['id']}/stop")
    refusal = await connector.refused("POST", path, update(2, started["id"]))
    assert refusal[:2] == (403, "ContentStreamNotAllowed")
    assert "canceled by user" in refusal[2]


@pytest.mark.parametrize("kind", ["group", "channel"])
async def test_streams_are_for_personal_chats(
    page: TeamsPage, connector: ConnectorCaller, kind: str
) -> None:
    """Elsewhere, Teams refuses them in the words that the SDKs look for."""
    chat = await page.create(kind)
    refusal = await connector.refused(
        "POST", f"/conversations/{chat.chat['id']}/activities", update(1)
    )
    assert refusal[:2] == (400, "BadArgument")
    assert "streaming api is not enabled" in refusal[2].lower()


class Streamer:
    """Streams to rules with a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.rules = StreamRules(lambda: self.now)

    def send(self, activity: Any) -> tuple[str, bool]:
        """The stream's id, and whether the update is shown."""
        return self.rules.accept(activity, lambda: "1")

    def refusal(self, activity: Any) -> ChannelError:
        """Why it is refused."""
        with pytest.raises(ChannelError) as refusal:
            self.send(activity)
        return refusal.value


@pytest.mark.parametrize(
    ("activity", "reason"),
    [
        (update(2), "first one is not 1"),
        (update(None), "not a number"),
        (update(1, text=""), "should include text"),
        (update(1, "9"), "not known"),
        (update(1, kind="fast"), "streamType"),
        (update(1, type="message"), "Only end streaming type"),
        (update(1, kind="final", type="typing"), "Only start streaming"),
        (update(None, kind="final"), "need a stream id"),
    ],
)
def test_an_update_of_a_wrong_shape_is_a_400(activity: Any, reason: str) -> None:
    """The refusal says what is wrong."""
    refusal = Streamer().refusal(activity)
    assert (refusal.status, refusal.code) == (400, "BadRequest")
    assert reason in str(refusal)


def test_a_late_update_is_dropped() -> None:
    """One with an older number is accepted, and not shown."""
    streamer = Streamer()
    assert streamer.send(update(1, text="a")) == ("1", True)
    streamer.now += 1
    assert streamer.send(update(3, "1", text="a b c")) == ("1", True)
    streamer.now += 1
    assert streamer.send(update(2, "1", text="a b")) == ("1", False)


@pytest.mark.parametrize("kind", ["streaming", "final"])
def test_an_update_has_all_of_the_text_so_far(kind: str) -> None:
    """A bot that sends each part of its text alone is refused; informative updates do not count."""
    streamer = Streamer()
    streamer.send(update(1, kind="informative", text="searching"))
    streamer.send(update(2, "1", text="a brown "))
    refusal = streamer.refusal(update(3, "1", kind, text="fox"))
    assert (refusal.status, refusal.code) == (403, "ContentStreamNotAllowed")
    assert "previously streamed content" in str(refusal)
    streamer.now += 1
    assert streamer.send(update(4, "1", kind, text="a brown fox")) == ("1", True)


def test_a_final_message_may_be_a_card() -> None:
    """It needs no text then."""
    streamer = Streamer()
    streamer.send(update(1, text="a fox"))
    card = {"contentType": "application/vnd.microsoft.card.adaptive", "content": {}}
    final = update(None, "1", "final", text="", attachments=[card])
    assert streamer.send(final) == ("1", True)


def test_a_stream_takes_two_minutes_at_most() -> None:
    """After that, even its final message is refused."""
    streamer = Streamer()
    streamer.send(update(1))
    streamer.now += MAX_SECONDS + 1
    refusal = streamer.refusal(update(None, "1", "final"))
    assert (refusal.status, refusal.code) == (403, "ContentStreamNotAllowed")
    assert "exceeded streaming time" in str(refusal)


def test_updates_come_once_a_second() -> None:
    """A few may come at once; then one a second, and more is a 429 that says when to try again."""
    streamer = Streamer()
    for number in range(BURST):
        streamer.send(update(number + 1, "1" if number else "", "informative"))
    refusal = streamer.refusal(update(9, "1"))
    assert refusal.status == 429
    assert refusal.headers == {"Retry-After": "1"}
    streamer.now += 1
    assert streamer.send(update(10, "1")) == ("1", True)
    assert streamer.refusal(update(11, "1")).status == 429
