"""Reply: an answer that grows before the user's eyes, as the channel's connector sees it."""

import asyncio
import contextlib
import functools
import gc
import json
import logging
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from botbuilder.core import CardFactory
from botbuilder.schema import Activity, Attachment, ConversationReference

from cloud_adapter import message_stream
from cloud_adapter import reply as reply_module
from cloud_adapter.adapter import APOLOGY
from cloud_adapter.codec import read_model
from cloud_adapter.connector.client import ConnectorError
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.message_stream import MAX_BYTES, RateLimit
from cloud_adapter.reply import EMPTY, Reply
from cloud_adapter.state.turn import SKILL_REPLY_KEY, ConversationTurn
from cloud_adapter.turn_context import ShowTypingMiddleware, TurnContext
from tests.support.bots.composed_app import ComposedApp
from tests.support.test_bot import NO_TYPING
from tests.support.timing.condition import comes_true
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import Behaviour, ScriptedService
from tests.support.wire.streaming_channel import (
    PERSONAL,
    StreamingChannel,
    lost,
    refusal,
)

WEB_CHATS = ("webchat", "directline")
CARD = CardFactory.adaptive_card({"type": "AdaptiveCard", "version": "1.5"})

Piece = tuple[float, Any]
"""The seconds before a piece of an answer, and the piece; an error is raised."""


@pytest.fixture
def app_settings() -> Mapping[str, str]:
    """The bot shows no typing."""
    return NO_TYPING


@pytest.fixture
def channel(
    app: ComposedApp, service: ScriptedService, stopped_clock: MovedClock
) -> StreamingChannel:
    """Where the bot's answers go."""
    return StreamingChannel(app, service, stopped_clock)


async def said(*pieces: Piece) -> AsyncIterator[Any]:
    """What a model writes."""
    for seconds, piece in pieces:
        await asyncio.sleep(seconds)
        if isinstance(piece, Exception):
            raise piece
        yield piece


class Answering:
    """A bot with one Reply.

    Args:
        pieces: what the model writes.
        update: an informative update before it; empty: none.
        attachments: at the end.
        begin: makes the Reply.

    Attributes:
        reply: the turn's, once it has begun.
        error: what the Reply has raised.
    """

    reply: Reply

    def __init__(
        self,
        *pieces: Piece,
        update: str = "",
        attachments: Sequence[Attachment] = (),
        begin: Callable[[TurnContext], Reply] = Reply,
    ) -> None:
        self.error: BaseException | None = None
        self._pieces = pieces
        self._update = update
        self._attachments = attachments
        self._begin = begin

    async def __call__(self, context: TurnContext) -> None:
        """Answer."""
        try:
            async with self._begin(context) as self.reply:
                if self._update:
                    self.reply.update(self._update)
                for each in self._attachments:
                    self.reply.attach(each)
                await self.reply.stream(said(*self._pieces))
        except BaseException as error:
            self.error = error
            raise


TWO = ((0.1, "One"), (1, " two"))
THREE = (*TWO, (2, " three"))
WHOLE = "One two three"


def logged(caplog: pytest.LogCaptureFixture, word: str) -> list[str]:
    """The lines of the log with this word."""
    return [each.getMessage() for each in caplog.records if word in each.getMessage()]


@pytest.mark.parametrize(
    ("channel_id", "update", "pieces", "parts"),
    [
        (
            "msteams",
            "",
            ((1, "One"), (0.1, " two"), (0.1, " three"), (1, " four"), (3, " five")),
            [(1.3, "One two three"), (2.8, "One two three four"), (5.2, "One two three four five")],
        ),
        ("msteams", "Reading", ((0.5, "One"), (2, "")), [(0, "Reading"), (1.5, "One")]),
        ("msteams", "Reading", ((1.4, "One"), (2, "")), [(0, "Reading"), (1.7, "One")]),
        ("msteams", "", ((0, " \n"), (1, "One"), (2, "")), [(1.3, " \nOne")]),
        (
            "webchat",
            "",
            ((1, "One"), (0.1, " two"), (0.3, " three"), (1, "")),
            [(1.3, "One two"), (1.8, "One two three")],
        ),
        ("directline", "Reading", ((0.1, "One"), (1, "")), [(0, "Reading"), (0.5, "One")]),
    ],
)
async def test_rate(
    channel: StreamingChannel,
    channel_id: str,
    update: str,
    pieces: tuple[Piece, ...],
    parts: list[tuple[float, str]],
) -> None:
    """A part has the newest text; the first is soon there, the others keep the channel's rate."""
    await channel.deliver(Answering(*pieces, update=update), channelId=channel_id)
    assert channel.parts[: len(parts)] == parts
    assert channel.kinds[-1] == "final"
    assert channel.messages == []


async def test_an_end_at_once(channel: StreamingChannel) -> None:
    """An answer that is complete before its first part is due is one plain message."""
    await channel.deliver(Answering((0, "One"), (0.2, " two")))
    assert (channel.kinds, channel.messages) == (["message"], ["One two"])


async def test_sequence(channel: StreamingChannel) -> None:
    """Parts are counted, and name the message after the first; its end has no number."""
    await channel.deliver(Answering(*THREE, update="Reading"))
    assert [each.info for each in channel.calls] == [
        {"streamType": "informative", "streamSequence": 1},
        {"streamType": "streaming", "streamSequence": 2, "streamId": "m1"},
        {"streamType": "streaming", "streamSequence": 3, "streamId": "m1"},
        {"streamType": "final", "streamId": "m1"},
    ]
    assert [each.text for each in channel.calls] == ["Reading", "One two", WHOLE, WHOLE]
    assert {each.activity["replyToId"] for each in channel.calls} == {"a1"}


async def test_a_slow_connector(channel: StreamingChannel) -> None:
    """There is one call at a time, and the rate counts from its end."""
    channel.answers = {1: channel.slow(4), 2: channel.slow(4)}
    await channel.deliver(Answering(*THREE, (5, " four")))
    assert [round(each.at, 2) for each in channel.calls] == [0.4, 5.9, 11.4]
    assert [each.text for each in channel.calls] == ["One", WHOLE, f"{WHOLE} four"]
    assert channel.unfinished == 0


async def test_keep_alive(channel: StreamingChannel) -> None:
    """While the model is silent, the newest text or informative update is sent again."""
    await channel.deliver(Answering((40, "One"), (20, " two"), (1, ""), update="Reading"))
    assert channel.parts == [
        *((0, "Reading"), (15, "Reading"), (30, "Reading")),
        *((40.3, "One"), (55.3, "One"), (60, "One two")),
    ]


@pytest.mark.parametrize(
    ("number", "retry_after", "times", "numbers"),
    [
        (1, "", [0.3, 1.8, 7.0], [1, 1, 2]),
        (1, "5", [0.3, 5.3, 7.0], [1, 1, 2]),
        (2, "", [0.3, 1.8, 3.3, 7.0], [1, 2, 2, 3]),
    ],
)
async def test_too_many_requests(
    channel: StreamingChannel,
    number: int,
    retry_after: str,
    times: list[float],
    numbers: list[int],
) -> None:
    """A part that is refused with 429 is skipped, and the next one has its number."""
    channel.answers = {number: refusal(429, retry_after=retry_after)}
    await channel.deliver(Answering((0, "One"), (1, " two"), (6, " three"), (1, "")))
    assert [time for time, _ in channel.parts] == times
    assert [each.info.get("streamSequence") for each in channel.calls] == [*numbers, None]
    assert channel.calls[-1].text == WHOLE


@pytest.mark.parametrize("answer", [lost, refusal(502)])
async def test_a_part_without_an_answer(channel: StreamingChannel, answer: Behaviour) -> None:
    """It counts as sent, and is not sent again."""
    channel.answers = {2: answer}
    await channel.deliver(Answering(*THREE, (1, "")))
    assert [each.info.get("streamSequence") for each in channel.calls] == [1, 2, 3, None]
    assert channel.messages == []


@pytest.mark.parametrize(
    "answer", [lost, refusal(502), refusal(400, "streaming api is not enabled"), refusal(403)]
)
@pytest.mark.parametrize("update", ["", "Reading"])
async def test_a_first_part_that_is_not_taken(
    channel: StreamingChannel, caplog: pytest.LogCaptureFixture, answer: Behaviour, update: str
) -> None:
    """The answer is one plain message, and the log says why, once."""
    caplog.set_level(logging.INFO)
    channel.answers = {1: answer}
    await channel.deliver(Answering(*THREE, update=update))
    assert channel.kinds == ["informative" if update else "streaming", "message"]
    assert channel.messages == [WHOLE]
    assert len(logged(caplog, "the answer is not streamed")) == 1


STOPPED = [
    refusal(403, "Content stream was cancelled by user"),
    refusal(403, "Content stream was canceled by user."),
    refusal(403, "CANCELLED"),
]


@pytest.mark.parametrize("stop", STOPPED)
async def test_stop(channel: StreamingChannel, stop: Behaviour) -> None:
    """The model is closed at once, nothing more is sent, and the bot has what the user saw."""
    channel.answers = {2: stop}
    closed_at: list[float] = []

    async def model() -> AsyncIterator[str]:
        try:
            async for piece in said(*TWO, (60, " three")):
                yield piece
        finally:
            closed_at.append(round(channel.now, 2))

    async def bot(context: TurnContext) -> None:
        async with Reply(context) as reply:
            await reply.stream(model())
            assert (reply.stopped, reply.text) == (True, "One")
            await reply.stream(model())
            reply.attach(CARD)
        assert (reply.stopped, reply.text) == (True, "One")

    assert (await channel.deliver(bot)).status == 200
    assert channel.kinds == ["streaming", "streaming"]
    assert closed_at == [1.9]


@pytest.mark.parametrize("stop", STOPPED[:1])
@pytest.mark.parametrize(
    ("update", "shown"), [("", "One two"), ("Reading", "")], ids=["text", "update"]
)
async def test_stop_before_the_end(
    channel: StreamingChannel, stop: Behaviour, update: str, shown: str
) -> None:
    """If it is the end that is refused, the answer is what the user saw before."""
    channel.answers = {2: stop}
    pieces: Any = ((1, "One"),) if update else ((0, "One"), (0.1, " two"), (0.5, " three"))
    bot = Answering(*pieces, update=update)
    await channel.deliver(bot)
    assert channel.kinds[1:] == ["final"]
    assert (bot.reply.stopped, bot.reply.text, bot.error) == (True, shown, None)


@pytest.mark.parametrize(
    ("answers", "kinds"),
    [
        ({2: refusal(403, "exceeded streaming time")}, ["streaming", "streaming", "PUT"]),
        ({2: refusal(403, "should contain")}, ["streaming", "streaming", "PUT"]),
        ({3: refusal(403, "exceeded streaming time")}, [*["streaming"] * 2, "final", "PUT"]),
        (
            {2: refusal(403), 3: refusal(403)},
            ["streaming", "streaming", "PUT", "message"],
        ),
        ({2: refusal(403), 3: refusal(503)}, ["streaming", "streaming", "PUT", "PUT"]),
        ({2: refusal(403), 3: lost}, ["streaming", "streaming", "PUT", "PUT"]),
        ({2: refusal(403), 3: STOPPED[0]}, ["streaming", "streaming", "PUT"]),
    ],
)
async def test_a_refused_stream(
    channel: StreamingChannel, answers: dict[int, Behaviour], kinds: list[str]
) -> None:
    """The whole text is put in the message's place; if that is refused, it is a message."""
    channel.answers = answers
    await channel.deliver(Answering((0, "One"), (1, " two"), (1, " three")))
    assert channel.kinds == kinds
    last = channel.calls[-1]
    assert (last.text, last.info) == (WHOLE, {})
    assert last.path == ("activities/m1" if last.method == "PUT" else "activities/a1")


PLAIN: list[dict[str, Any]] = [
    {"conversation": {"id": "c", "conversationType": "groupChat", "isGroup": True}},
    {"conversation": {"id": "c", "conversationType": "channel"}},
    {"conversation": {"id": "c", "conversationType": "personal", "isGroup": True}},
    {"channelId": "slack"},
    {"channelId": "emulator"},
]


@pytest.mark.parametrize("content", PLAIN)
async def test_other_conversations(
    channel: StreamingChannel, caplog: pytest.LogCaptureFixture, content: dict[str, Any]
) -> None:
    """Where there are no streams, the answer is one plain message."""
    caplog.set_level(logging.INFO)
    await channel.deliver(Answering(*THREE, update="Reading"), **content)
    assert (channel.kinds, channel.messages) == (["message"], [WHOLE])
    assert len(logged(caplog, "the answer is not streamed")) == 1


async def test_expected_replies(channel: StreamingChannel) -> None:
    """The answer is in the response."""
    response = await channel.deliver(Answering(*THREE), deliveryMode="expectReplies")
    assert channel.calls == []
    [activity] = json.loads(response.body)["activities"]
    assert (activity["type"], activity["text"]) == ("message", WHOLE)


async def test_a_call_by_another_bot(channel: StreamingChannel, app: ComposedApp) -> None:
    """A skill's answer is one plain message."""
    adapter = app.parts.adapter
    claims = {"aud": app.cloud.registration.app_id, "appid": "another bot", "ver": "1.0"}
    caller = adapter.bot_framework_authentication.authorized_before(claims)
    caller.caller_id = "urn:botframework:aadappid:another bot"
    activity = read_model(Activity, channel.activity())
    await channel.run(
        Answering(*THREE),
        lambda bot: adapter.run(caller, activity, bot, adapter.handle_error),
    )
    assert (channel.kinds, channel.messages) == (["message"], [WHOLE])


async def test_a_reply_of_a_skill(channel: StreamingChannel) -> None:
    """A turn that handles what a skill has sent answers with one plain message."""

    async def bot(context: TurnContext) -> None:
        context.turn_state[SKILL_REPLY_KEY] = SimpleNamespace()
        await Answering(*THREE)(context)

    await channel.deliver(bot)
    assert (channel.kinds, channel.messages) == (["message"], [WHOLE])


async def test_a_proactive_turn(channel: StreamingChannel, app: ComposedApp) -> None:
    """It has one plain message."""
    reference: ConversationReference = TurnContext.get_conversation_reference(
        read_model(Activity, channel.activity())
    )
    adapter = app.parts.adapter
    await channel.run(Answering(*THREE), lambda bot: adapter.send_proactively(reference, bot))
    assert (channel.kinds, channel.messages) == (["message"], [WHOLE])


async def test_two_replies(channel: StreamingChannel) -> None:
    """Within another one, a Reply is one plain message; after it, the next one streams."""

    async def bot(context: TurnContext) -> None:
        async with Reply(context) as outer:
            await outer.stream(said((0, "One"), (1, "")))
            async with Reply(context) as inner:
                await inner.stream(said((0, "inner"), (1, "")))
        await Answering((0, "Two"), (1, ""))(context)

    await channel.deliver(bot)
    assert [(kind, call.text) for kind, call in zip(channel.kinds, channel.calls, strict=True)] == [
        *(("streaming", "One"), ("message", "inner"), ("final", "One")),
        *(("streaming", "Two"), ("final", "Two")),
    ]
    assert channel.calls[-1].info == {"streamType": "final", "streamId": "m4"}


LABELLED = functools.partial(
    Reply,
    ai_label=True,
    sensitivity=("Internal", "For employees only"),
    feedback="default",
)


async def test_the_end(channel: StreamingChannel) -> None:
    """The final message has what only it may have; the parts have none of it."""
    await channel.deliver(Answering(*THREE, attachments=[CARD], begin=LABELLED))
    final = channel.calls[-1]
    assert final.info == {"streamType": "final", "streamId": "m1"}
    assert final.text == WHOLE
    [root] = final.about
    assert root == {
        "type": "https://schema.org/Message",
        "@type": "Message",
        "@context": "https://schema.org",
        "@id": "",
        "additionalType": ["AIGeneratedContent"],
        "usageInfo": {
            "@type": "CreativeWork",
            "name": "Internal",
            "description": "For employees only",
        },
    }
    assert final.activity["channelData"] == {"feedbackLoop": {"type": "default"}}
    [card] = final.activity["attachments"]
    assert card["contentType"] == CARD.content_type
    for part in channel.calls[:-1]:
        assert not part.about
        assert not {"attachments", "channelData"} & part.activity.keys()


@pytest.mark.parametrize("channel_id", WEB_CHATS)
async def test_the_end_in_web_chat(channel: StreamingChannel, channel_id: str) -> None:
    """The fields are in channelData, too; attachments follow in a message of their own."""
    bot = Answering(*THREE, attachments=[CARD, CARD], begin=LABELLED)
    await channel.deliver(bot, channelId=channel_id)
    *parts, final, cards = channel.calls
    assert all(each.activity["channelData"] == each.info for each in parts)
    feedback = {"feedbackLoop": {"type": "default"}}
    assert final.activity["channelData"] == {**final.info, **feedback}
    assert "attachments" not in final.activity
    assert len(cards.activity["attachments"]) == 2
    assert (cards.text, cards.info, cards.about) == ("", {}, [])
    assert "channelData" not in cards.activity


async def test_citations(channel: StreamingChannel) -> None:
    """Those whose mark is in the text are in the one root entity, as long as Teams allows."""
    numbers: list[int] = []

    async def bot(context: TurnContext) -> None:
        async with Reply(context) as reply:
            keywords = ("k" * 29, "two", "three", "four")
            numbers.append(reply.cite("n" * 81, "a" * 161, url="https://a", keywords=keywords))
            numbers.extend(reply.cite(f"name {n}", "abstract") for n in range(2, 25))
            marks = "".join(f"[{n}]" for n in numbers if n != 2)
            await reply.stream(said((0, f"One {marks}"), (1, "")))

    await channel.deliver(bot)
    assert numbers == list(range(1, 25))
    [root] = channel.calls[-1].about
    claims = root["citation"]
    assert [each["position"] for each in claims] == [1, *range(3, 22)]
    assert claims[0] == {
        "@type": "Claim",
        "position": 1,
        "appearance": {
            "@type": "DigitalDocument",
            "name": "n" * 79 + "…",
            "abstract": "a" * 159 + "…",
            "url": "https://a",
            "keywords": ["k" * 27 + "…", "two", "three"],
        },
    }
    assert claims[1]["appearance"].keys() == {"@type", "name", "abstract"}


async def test_a_long_update(channel: StreamingChannel) -> None:
    """It is cut."""
    await channel.deliver(Answering(*TWO, update="x" * 1001))
    assert channel.calls[0].text == "x" * 999 + "…"


async def test_a_blank_update(channel: StreamingChannel) -> None:
    """It is left out: the channel would take it for an error."""
    await channel.deliver(Answering((2, "One"), (1, ""), update=" "))
    assert channel.kinds == ["streaming", "final"]


async def test_after_the_block(channel: StreamingChannel) -> None:
    """A Reply that has ended says nothing more: nobody would end it."""

    async def bot(context: TurnContext) -> None:
        async with Reply(context) as reply:
            pass
        reply.update("Reading")
        await reply.stream(said((0, "One"), (5, "")))

    await channel.deliver(bot)
    assert channel.kinds == ["message"]


@pytest.mark.parametrize(
    ("answers", "kinds"),
    [
        ({2: refusal(502)}, ["final", "final"]),
        ({2: refusal(500), 3: refusal(503)}, ["final", "final", "final"]),
        ({2: refusal(429, retry_after="3")}, ["final", "final"]),
        ({2: lost, 3: refusal(403, "already completed")}, ["final", "final", "PUT"]),
    ],
)
async def test_an_end_that_is_sent_again(
    channel: StreamingChannel, answers: dict[int, Behaviour], kinds: list[str]
) -> None:
    """It is sent until it is taken; if only an answer was lost, the message is put once more."""
    channel.answers = answers
    bot = Answering((0, "One"), (1, ""))
    await channel.deliver(bot)
    assert channel.kinds == ["streaming", *kinds]
    assert bot.error is None


@pytest.mark.parametrize(
    ("answer", "first"),
    [(refusal(503), 2), (refusal(429, retry_after="60"), 1)],
)
async def test_an_end_that_is_never_taken(
    channel: StreamingChannel, answer: Behaviour, first: int
) -> None:
    """It is given up after 20 seconds, and the bot gets an error."""
    channel.answers = dict.fromkeys(range(first, 100), answer)
    bot = Answering((0, "One"), (1, ""))
    await channel.deliver(bot)
    assert isinstance(bot.error, ConnectorError)
    assert channel.calls[-2].at <= 21
    assert channel.kinds[-2] in ("final", "message")
    assert channel.messages[-1] == APOLOGY


async def test_the_last_call_before_the_end_asks_to_wait(channel: StreamingChannel) -> None:
    """The end is tried before its time is over, whatever the channel has asked for."""
    channel.answers = {2: refusal(429, retry_after="60")}
    bot = Answering(*THREE)
    await channel.deliver(bot)
    assert (channel.kinds[-1], channel.calls[-1].text, bot.error) == ("final", WHOLE, None)
    assert channel.calls[-1].at <= 23


async def test_two_minutes(channel: StreamingChannel) -> None:
    """The stream ends before Teams ends it; the whole text takes its place once it is there."""
    pieces = [(10.0, f"{number} ") for number in range(1, 16)]
    await channel.deliver(Answering(*pieces, begin=LABELLED))
    assert channel.kinds[-2:] == ["final", "PUT"]
    assert channel.kinds.count("final") == channel.kinds.count("PUT") == 1
    final, put = channel.calls[-2:]
    assert (round(final.at, 2), round(put.at, 2)) == (121.5, 150)
    assert (final.text, put.text) == (
        "1 2 3 4 5 6 7 8 9 10 11 12 ",
        "".join(text for _, text in pieces),
    )
    assert (put.path, put.info, len(put.about)) == ("activities/m1", {}, 1)


async def test_an_early_end_that_is_not_taken(channel: StreamingChannel) -> None:
    """The answer goes on, and takes the message's place."""

    async def busy(request: web.Request) -> web.StreamResponse:
        is_final = channel.calls[-1].info.get("streamType") == "final"
        return await (refusal(503) if is_final else channel.slow(0))(request)

    channel.answers = dict.fromkeys(range(1, 100), busy)
    await channel.deliver(Answering(*((10.0, f"{number} ") for number in range(1, 16))))
    assert channel.kinds[-2:] == ["final", "PUT"]
    assert channel.calls[-1].text == "".join(f"{number} " for number in range(1, 16))


async def test_two_minutes_without_text(channel: StreamingChannel) -> None:
    """The informative update is the text until there is one."""
    await channel.deliver(Answering((130, "One"), update="Reading"))
    assert channel.kinds[-2:] == ["final", "PUT"]
    assert [each.text for each in channel.calls[-2:]] == ["Reading", "One"]


def words(size: int, letters: str = "word ") -> str:
    """A text of about so many bytes as JSON."""
    return letters * (size // len(json.dumps(letters, ensure_ascii=False).encode()[1:-1]))


def joined(texts: list[str]) -> str:
    """The pieces of a long text together, without what stands between words."""
    return "".join("".join(texts).split())


@pytest.mark.parametrize("letters", ["word ", "word", "ä\u0000", "line\n"])
async def test_a_long_answer(channel: StreamingChannel, letters: str) -> None:
    """What does not fit into the message follows as plain messages, each with its citations."""
    text = words(200_000, letters)

    async def bot(context: TurnContext) -> None:
        async with Reply(context, ai_label=True, feedback="default") as reply:
            reply.cite("first", "at the begin")
            reply.cite("last", "at the end")
            third = len(text) // 3
            await reply.stream(said((0, f"[1]{text[:third]}"), (1, text[third:]), (1, "[2]")))
            reply.attach(CARD)

    await channel.deliver(bot)
    assert channel.kinds[:3] == ["streaming", "final", "PUT"]
    *_, put, second, third = channel.calls
    assert channel.kinds[2:] == ["PUT", "message", "message"]
    assert joined([each.text for each in (put, second, third)]) == joined([f"[1]{text}[2]"])
    assert max(each.size for each in channel.calls) <= MAX_BYTES
    cited = [
        [each["position"] for each in c.about[0].get("citation", [])] for c in channel.calls[2:]
    ]
    assert cited == [[1], [], [2]]
    assert ["attachments" in each.activity for each in (put, second, third)] == [False, False, True]
    assert ["channelData" in each.activity for each in (put, second, third)] == [False, False, True]


async def test_an_end_that_is_cut(channel: StreamingChannel) -> None:
    """It has the text that has been shown, wherever its last paragraph ends."""
    shown = f"{words(45_000)}\n\n{'x' * 15_000}"
    await channel.deliver(Answering((0, shown), (0.5, "y" * 40_000)))
    assert channel.kinds == ["streaming", "final", "message"]
    _, final, rest = channel.calls
    assert final.text.startswith(shown)
    assert final.text + rest.text == shown + "y" * 40_000


@pytest.mark.parametrize("pieces", [(), ((1, " word"),)], ids=["at once", "first part"])
async def test_a_long_text_before_the_first_part(
    channel: StreamingChannel, pieces: tuple[Piece, ...]
) -> None:
    """No stream begins with what does not fit into a part."""
    text = words(200_000)
    await channel.deliver(Answering((0, text), *pieces))
    assert set(channel.kinds) == {"message"}
    assert joined(channel.messages) == joined([text, *(piece for _, piece in pieces)])
    assert max(each.size for each in channel.calls) <= MAX_BYTES


@pytest.mark.parametrize("channel_id", ["msteams", "webchat"])
@pytest.mark.parametrize("seconds", [0.4, 120], ids=["final", "PUT"])
async def test_an_answer_that_nearly_fits(
    channel: StreamingChannel, channel_id: str, seconds: float
) -> None:
    """What the end of a stream has beside its text belongs to its size."""
    for size in range(MAX_BYTES - 500, MAX_BYTES - 250, 50):
        text = "x" * size
        pieces = ((0.0, text[:10]), (seconds, text[10:]))
        await channel.deliver(Answering(*pieces), id=str(size), channelId=channel_id)
    assert max(each.size for each in channel.calls) <= MAX_BYTES


@pytest.mark.parametrize(
    ("refused", "kinds", "is_halved"),
    [
        ((2,), ["streaming", "streaming", "final", "PUT"], False),
        ((3,), ["streaming", "streaming", "final", "final", "PUT"], True),
        ((2, 3), ["streaming", "streaming", "final", "PUT"], False),
        ((3, 4), ["streaming", "streaming", "final", "final", "PUT"], True),
        ((2, 4), ["streaming", "streaming", "final", "PUT", "PUT"], True),
    ],
)
async def test_too_large_for_the_channel(
    channel: StreamingChannel, refused: tuple[int, ...], kinds: list[str], *, is_halved: bool
) -> None:
    """With 413, the message ends with what it has; then it is replaced, by less if need be."""
    channel.answers = dict.fromkeys(refused, refusal(413))
    text = words(30_000)
    await channel.deliver(Answering((0, text[:1000]), (1, text[1000:]), (2, "")))
    assert channel.kinds[: len(kinds)] == kinds
    assert set(channel.kinds[len(kinds) :]) <= {"message"}
    assert joined([each.text for each in channel.calls[len(kinds) - 1 :]]) == joined([text])
    largest = max(each.size for each in channel.calls[len(kinds) - 1 :])
    assert (largest < len(text) * 0.6) == is_halved


@pytest.mark.parametrize(
    ("begin", "sentence"),
    [(Reply, EMPTY), (functools.partial(Reply, empty="I do not know."), "I do not know.")],
)
@pytest.mark.parametrize("pieces", [(), ((0, ""), (0, " \n"))])
@pytest.mark.parametrize("update", ["", "Reading"])
async def test_no_text(
    channel: StreamingChannel,
    begin: Callable[[TurnContext], Reply],
    sentence: str,
    pieces: tuple[Piece, ...],
    update: str,
) -> None:
    """The user reads the author's sentence."""
    await channel.deliver(Answering(*pieces, (1, ""), update=update, begin=begin))
    last = channel.calls[-1]
    assert channel.kinds == (["informative", "final"] if update else ["message"])
    assert last.text == sentence


@pytest.mark.parametrize("update", ["", "Reading"])
@pytest.mark.parametrize("pieces", [(), ((0, " \n"),)])
async def test_a_card_alone(
    channel: StreamingChannel, update: str, pieces: tuple[Piece, ...]
) -> None:
    """It needs no text, unless it ends a stream."""
    await channel.deliver(Answering(*pieces, (1, ""), update=update, attachments=[CARD]))
    last = channel.calls[-1]
    assert last.activity["attachments"]
    assert last.activity.get("text") == (EMPTY if update else None)


@pytest.mark.parametrize(
    ("pieces", "update", "texts"),
    [
        ((*TWO, (2, ValueError())), "", ["final: One two", f"message: {APOLOGY}"]),
        (((0, "One"), (0, ValueError())), "", ["message: One", f"message: {APOLOGY}"]),
        (((1, ValueError()),), "Reading", [f"final: {APOLOGY}"]),
        (((1, ValueError()),), "", [f"message: {APOLOGY}"]),
    ],
)
async def test_an_error(
    channel: StreamingChannel, pieces: tuple[Piece, ...], update: str, texts: list[str]
) -> None:
    """The user has the text so far and then the apology, which is all there is without a text."""
    bot = Answering(*pieces, update=update, attachments=[CARD])
    assert (await channel.deliver(bot)).status == 200
    assert isinstance(bot.error, ValueError)
    sent = [
        f"{kind}: {call.text}"
        for kind, call in zip(channel.kinds, channel.calls, strict=True)
        if call.activity["type"] == "message"
    ]
    assert sent == texts


@pytest.mark.parametrize(
    ("pieces", "update", "kinds"),
    [
        (TWO, "", ["streaming", "streaming", "final"]),
        ((), "Reading", ["informative"]),
        ((), "", []),
    ],
)
async def test_an_error_of_a_turn_that_runs_again(
    channel: StreamingChannel, pieces: tuple[Piece, ...], update: str, kinds: list[str]
) -> None:
    """It ends with the text so far, and says nothing of the error."""
    bot = Answering(*pieces, (1, StorageUnavailable("down")), update=update)
    with pytest.raises(StorageUnavailable):
        await channel.deliver(bot)
    assert channel.kinds == kinds


@pytest.mark.parametrize("answers_slowly", [False, True])
async def test_a_cancelled_turn(channel: StreamingChannel, *, answers_slowly: bool) -> None:
    """Its end has five seconds, and then it is cancelled."""
    if answers_slowly:
        channel.answers = {2: channel.slow(30)}
    bot = Answering((0, "One"), (60, " two"))
    turns: list[asyncio.Task[Any]] = []

    async def cancelled(context: TurnContext) -> None:
        task = asyncio.current_task()
        assert task
        turns.append(task)
        asyncio.get_running_loop().call_later(10, task.cancel)
        await bot(context)

    with pytest.raises(asyncio.CancelledError):
        await channel.deliver(cancelled)
    assert isinstance(bot.error, asyncio.CancelledError)
    assert channel.kinds == ["streaming", "final"]
    assert channel.calls[-1].text == "One"
    assert round(channel.now, 2) == (15 if answers_slowly else 10)


@pytest.mark.parametrize("number", [2, 3], ids=["part", "final"])
async def test_a_turn_that_is_cancelled_while_it_ends(
    channel: StreamingChannel, number: int
) -> None:
    """The end is sent again, and no part follows."""
    bot = Answering((0, "One"), (3, " two"))
    turns: list[asyncio.Task[Any]] = []

    async def cancels(request: web.Request) -> web.StreamResponse:
        turns[0].cancel()
        return await channel.slow(0)(request)

    async def cancelled(context: TurnContext) -> None:
        task = asyncio.current_task()
        assert task
        turns.append(task)
        await bot(context)

    channel.answers = {number: cancels}
    with pytest.raises(asyncio.CancelledError):
        await channel.deliver(cancelled)
    assert isinstance(bot.error, asyncio.CancelledError)
    assert channel.kinds == ["streaming", "streaming", *["final"] * (number - 1)]
    assert channel.calls[-1].text == "One two"


class Source:
    """An iterator that is no generator.

    Args:
        error: what it raises after its text; None: it ends.

    Attributes:
        closed: how often it has been closed.
    """

    def __init__(self, error: Exception | None) -> None:
        self.closed = 0
        self._pieces = said((0, "One"), *([(0, error)] if error else []))

    def __aiter__(self) -> AsyncIterator[str]:
        return self._pieces


class Closable(Source):
    """As files are closed."""

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class Response(Source):
    """As openai's streams are closed."""

    async def close(self) -> None:
        """Count it."""
        self.closed += 1


class Generator(Closable):
    """As generators are closed."""

    async def aclose(self) -> None:
        """Count it."""
        self.closed += 1


@pytest.mark.parametrize("error", [None, ValueError()], ids=["end", "error"])
@pytest.mark.parametrize(
    ("kind", "closed"), [(Source, 0), (Closable, 1), (Response, 1), (Generator, 1)]
)
async def test_what_is_closed(
    channel: StreamingChannel, kind: type[Source], closed: int, error: Exception | None
) -> None:
    """The source of an answer is closed once, in the way that it has."""
    source = kind(error)

    async def bot(context: TurnContext) -> None:
        async with Reply(context) as reply:
            await reply.stream(source)

    await channel.deliver(bot)
    assert source.closed == closed
    assert channel.messages == (["One", APOLOGY] if error else ["One"])


async def test_a_source_that_exits(channel: StreamingChannel) -> None:
    """It fails the turn, and not the worker."""

    async def model() -> AsyncIterator[str]:
        yield "One"
        await asyncio.sleep(1)
        sys.exit()

    async def bot(context: TurnContext) -> None:
        async with Reply(context) as reply:
            await reply.stream(model())

    assert (await channel.deliver(bot)).status == 200
    assert channel.kinds == ["streaming", "final", "message"]


async def test_stop_while_the_source_is_closed(channel: StreamingChannel) -> None:
    """It is closed all the same, and the block goes on."""
    channel.answers = {2: refusal(403, "canceled")}
    seen: list[str] = []

    class Slow(Closable):
        """Takes long to close."""

        async def aclose(self) -> None:
            """Close it, and note that."""
            await asyncio.sleep(5)
            seen.append("closed")

    async def bot(context: TurnContext) -> None:
        async with Reply(context) as reply:
            reply.update("Reading")
            await reply.stream(Slow(None))
            seen.append(f"stopped: {reply.stopped}")

    assert (await channel.deliver(bot)).status == 200
    assert seen == ["closed", "stopped: True"]


async def test_typing_stops(channel: StreamingChannel, app: ComposedApp) -> None:
    """The indicator is not shown beside a stream."""
    app.parts.adapter.use(ShowTypingMiddleware(0.5, 2.5))
    await channel.deliver(Answering((4, "One"), (10, " two"), (1, "")))
    assert channel.kinds == ["typing", "typing", "streaming", "streaming", "final"]


async def test_typing_goes_on(channel: StreamingChannel, app: ComposedApp) -> None:
    """Where the answer is one message, the indicator is shown until then."""
    app.parts.adapter.use(ShowTypingMiddleware(0.5, 2.5))
    await channel.deliver(Answering((4, "One"), (1, "")), channelId="slack")
    assert channel.kinds == ["typing", "typing", "message"]


@pytest.mark.parametrize(("seconds", "lines"), [(9, 0), (11, 1)])
async def test_longer_than_the_channel_waits(
    channel: StreamingChannel,
    caplog: pytest.LogCaptureFixture,
    seconds: float,
    lines: int,
) -> None:
    """The log names the setting, once in a process."""
    reply_module._warn_of_inline_turns.cache_clear()
    for _ in range(2):
        await channel.deliver(Answering((seconds, "One")))
    assert len(logged(caplog, "BotTurns=Queued")) == lines


async def test_a_turn_for_which_no_channel_waits(
    channel: StreamingChannel, app: ComposedApp, caplog: pytest.LogCaptureFixture
) -> None:
    """A queued turn may take as long as it wants."""
    reply_module._warn_of_inline_turns.cache_clear()
    adapter = app.parts.adapter
    caller = adapter.bot_framework_authentication.authorized_before({"aud": "bot"})
    activity = read_model(Activity, channel.activity())
    await channel.run(
        Answering((11, "One")),
        lambda bot: adapter.run(caller, activity, bot, adapter.handle_error),
    )
    assert logged(caplog, "BotTurns") == []


@pytest.mark.parametrize("piece", [None, 5, b"One"])
@pytest.mark.parametrize("before", [(), ((0, "One"), (1, ""))])
async def test_what_is_no_text(
    channel: StreamingChannel, piece: object, before: tuple[Piece, ...]
) -> None:
    """It is the bot's error, and the user keeps the text before."""
    bot = Answering(*before, (0, piece))
    await channel.deliver(bot)
    assert isinstance(bot.error, TypeError)
    assert [each.text for each in channel.calls if each.info.get("streamType") == "final"] == (
        ["One"] if before else []
    )
    assert channel.messages == [APOLOGY]


async def test_another_event_loop(
    app: ComposedApp, service: ScriptedService, monkeypatch: pytest.MonkeyPatch, clock: MovedClock
) -> None:
    """A bot may answer in a thread, with an event loop of its own."""
    monkeypatch.setitem(message_stream.RATE_LIMITS, "msteams", RateLimit(0, 0))
    channel = StreamingChannel(app, service, clock)

    async def model() -> AsyncIterator[str]:
        yield "One"
        await comes_true(lambda: len(channel.calls) == 2)
        yield " two"

    async def answer(context: TurnContext) -> None:
        async with Reply(context) as reply:
            reply.update("Reading")
            await comes_true(lambda: len(channel.calls) == 1)
            await reply.stream(model())

    async def bot(context: TurnContext) -> None:
        await asyncio.to_thread(asyncio.run, answer(context))

    content = {**PERSONAL, "id": "a1", "serviceUrl": service.url}
    assert (await app.deliver(content, bot)).status == 200
    assert channel.kinds[:2] == ["informative", "streaming"]
    assert channel.kinds[-1] == "final"
    assert channel.calls[-1].text == "One two"


@pytest.mark.parametrize("fails", [False, True])
async def test_nothing_is_left(
    app: ComposedApp,
    service: ScriptedService,
    clock: MovedClock,
    monkeypatch: pytest.MonkeyPatch,
    *,
    fails: bool,
) -> None:
    """No reference cycle keeps a turn, even if no part could be sent."""
    monkeypatch.setitem(message_stream.RATE_LIMITS, "msteams", RateLimit(0, 0))
    channel = StreamingChannel(app, service, clock)
    left: list[weakref.ref[Any]] = []

    async def down(*_: object) -> None:
        raise StorageUnavailable("down")

    if fails:
        monkeypatch.setattr(ConversationTurn, "note_message", down)

    async def model() -> AsyncIterator[str]:
        yield "One"
        await comes_true(lambda: len(channel.calls) == 1)

    async def bot(context: TurnContext) -> None:
        async with Reply(context) as reply:
            left.extend((weakref.ref(context), weakref.ref(reply)))
            await reply.stream(model())

    gc.collect()
    gc.disable()
    try:
        with contextlib.suppress(StorageUnavailable):
            await app.deliver(channel.activity(), bot)
        await settled()
        assert [each() for each in left] == [None, None]
    finally:
        gc.enable()
