"""CloudAdapter: whole turns of the composed app, in front of the local cloud."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    ChannelAccount,
    ConversationParameters,
    Entity,
    ErrorResponseException,
)

from auth.errors import (
    BadRequest,
    BodyTooLarge,
    CallerForbidden,
    SignInError,
    TokenRejected,
    Unavailable,
)
from cloud_adapter.adapter import APOLOGY
from cloud_adapter.codec.body_cost import MAX_DEPTH
from cloud_adapter.codec.reader import read_model
from cloud_adapter.errors import StorageUnavailable, TurnFailed, TurnRepeated
from cloud_adapter.queued.drain import MOST_TRIES
from cloud_adapter.queued.queued_turns import QUEUE
from cloud_adapter.request import TurnRequest
from emulator.cloud import Cloud
from tests.support.bots.composed_app import ComposedApp, Logic
from tests.support.bots.remembering_bot import RememberingBot, counts, said
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.storage_front import StorageFront, answered

MESSAGE = {"type": "message", "text": "sesame"}
INVOKE = {"type": "invoke", "name": "task/fetch", "value": {"word": "sesame"}}
EXPECT_REPLIES = {**MESSAGE, "deliveryMode": "expectReplies"}

CITATION = {
    "type": "https://schema.org/Message",
    "@type": "Message",
    "citation": [{"@type": "Claim", "position": 1}],
}


@pytest.fixture
def faulty_connector(cloud: Cloud) -> Iterator[Any]:
    """The faults of the connector, which is well again afterwards."""
    yield cloud.connector.server.faults
    cloud.connector.server.faults.clear()


async def echo(turn: TurnContext) -> None:
    """Say it back."""
    await turn.send_activity(f"You said: {turn.activity.text}")


def answering(status: Any, body: Any = None) -> Logic:
    """A bot that answers invokes like this."""

    async def answer(turn: TurnContext) -> None:
        value = InvokeResponse(status=status, body=body)
        await turn.send_activity(Activity(type=ActivityTypes.invoke_response, value=value))

    return answer


def raising(error: Exception) -> Logic:
    """A bot with a mistake in it."""

    async def fail(_: TurnContext) -> None:
        raise error

    return fail


# Turns


async def test_a_message(app: ComposedApp) -> None:
    """It is answered 200 and nothing; the reply goes to the conversation, for that message."""
    response = await app.deliver({**MESSAGE, "id": "a1", "channelId": "msteams"}, echo)
    assert (response.status, response.body, response.headers) == (200, b"", {})
    (reply,) = app.conversation.activities
    assert (reply["text"], reply["replyToId"]) == ("You said: sesame", "a1")
    assert reply["recipient"]["id"] == "user-1"


async def test_a_message_without_an_id(app: ComposedApp) -> None:
    """There is nothing to reply to, so that the answer goes to the end of the conversation."""
    assert (await app.deliver({**MESSAGE, "id": None}, echo)).status == 200
    assert app.heard() == ["You said: sesame"]


async def test_what_a_turn_has_in_hand(app: ComposedApp) -> None:
    """A bot finds the connector, the token client, the caller and the audience in its turn."""
    found: dict[str, Any] = {}

    async def look(turn: TurnContext) -> None:
        adapter = turn.adapter
        found.update(turn.turn_state)
        assert adapter is app.parts.adapter
        assert turn.activity.caller_id == "urn:botframework:azure"

    await app.deliver(MESSAGE, look)
    adapter = app.parts.adapter
    assert found[adapter.BOT_CONNECTOR_CLIENT_KEY].config.base_url == app.service_url
    assert found[adapter.BOT_IDENTITY_KEY].is_authenticated
    assert found[adapter.BOT_OAUTH_SCOPE_KEY] == "https://api.botframework.com"
    assert found[adapter.USER_TOKEN_CLIENT_KEY]
    assert found[adapter.CONNECTOR_FACTORY_KEY]


async def test_turns_at_once(app: ComposedApp) -> None:
    """Many turns run side by side; each answer is its own turn's."""
    turns = [app.deliver({**MESSAGE, "text": str(number)}, echo) for number in range(30)]
    responses = await asyncio.gather(*turns)
    assert {response.status for response in responses} == {200}
    assert sorted(app.heard()) == sorted(f"You said: {number}" for number in range(30))


async def test_warm_turns_need_no_connection(app: ComposedApp) -> None:
    """After the first turn there is no token request and no new connection."""
    await app.deliver(MESSAGE, echo)
    before = (app.cloud.entra.tokens_issued, app.cloud.connector.server.connections)
    for _ in range(5):
        await app.deliver(MESSAGE, echo)
    assert (app.cloud.entra.tokens_issued, app.cloud.connector.server.connections) == before


async def test_an_activity_is_changed_and_taken_back(app: ComposedApp) -> None:
    """A bot may update and delete what it sent."""

    async def bot(turn: TurnContext) -> None:
        first = await turn.send_activity("one")
        second = await turn.send_activity("two")
        await turn.update_activity(Activity(type="message", id=first.id, text="three"))
        await turn.delete_activity(second.id)

    assert (await app.deliver(MESSAGE, bot)).status == 200
    assert app.heard() == ["three"]


async def test_entities_of_replies(app: ComposedApp) -> None:
    """A citation, and the entities of an activity that is sent on, arrive in full."""

    async def bot(turn: TurnContext) -> None:
        entity = Entity(type=CITATION["type"])
        entity.additional_properties = {
            name: value for name, value in CITATION.items() if name != "type"
        }
        entities = [entity, *turn.activity.entities]
        await turn.send_activity(Activity(type="message", text="x", entities=entities))

    mention = {"type": "mention", "text": "<at>Bot</at>", "mentioned": {"id": "b"}}
    await app.deliver({**MESSAGE, "entities": [mention]}, bot)
    assert app.conversation.activities[0]["entities"] == [CITATION, mention]


# Invokes


@pytest.mark.parametrize(
    ("status", "body"), [(200, {"task": {"type": "continue"}}), (409, None), (200, [])]
)
async def test_an_invoke(app: ComposedApp, status: int, body: Any) -> None:
    """The answer has the status and the JSON that the bot gave."""
    response = await app.deliver(INVOKE, answering(status, body))
    assert response.status == status
    assert (json.loads(response.body) if response.body else None) == body


async def test_an_invoke_that_nothing_handles(app: ComposedApp) -> None:
    """It is answered 501, even if the bot talked."""
    response = await app.deliver(INVOKE, echo)
    assert (response.status, response.body) == (501, b"")


@pytest.mark.parametrize(
    "value",
    [
        InvokeResponse(status=200, body=object()),
        InvokeResponse(status=200, body=ValueError("bad", "worse")),
        InvokeResponse(status=200, body={"x": float("nan")}),
        InvokeResponse(status="fine"),
        InvokeResponse(),
        {"status": 200},
        "fine",
    ],
)
async def test_an_answer_without_a_form(
    app: ComposedApp, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    """What is no invoke response is the bot's mistake: logged, and 200 for the channel."""

    async def bot(turn: TurnContext) -> None:
        await turn.send_activity(Activity(type=ActivityTypes.invoke_response, value=value))

    response = await app.deliver({**INVOKE, "id": "a1"}, bot)
    assert (response.status, response.body) == (200, b"")
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert "a1" in record.getMessage()
    assert "the bot's answer cannot be written as JSON\n  File " in record.getMessage()
    assert not record.exc_info


# Replies in the answer


async def test_expected_replies(app: ComposedApp) -> None:
    """They stand in the answer, with all of their entities, and nothing is sent elsewhere."""

    async def bot(turn: TurnContext) -> None:
        await turn.send_activity(Activity(type="message", text="one", entities=[CITATION]))
        await turn.send_activities([Activity(type="typing"), Activity(type="message", text="two")])

    calls = len(app.cloud.connector.calls)
    response = await app.deliver({**EXPECT_REPLIES, "id": "a1", "channelId": "msteams"}, bot)
    assert response.status == 200
    replies = json.loads(response.body)["activities"]
    assert [reply["type"] for reply in replies] == ["message", "typing", "message"]
    assert (replies[0]["text"], replies[0]["entities"]) == ("one", [CITATION])
    assert all(reply["replyToId"] == "a1" for reply in replies)
    assert len(app.cloud.connector.calls) == calls


async def test_no_replies(app: ComposedApp) -> None:
    """A bot that says nothing leaves an empty list."""

    async def bot(_: TurnContext) -> None:
        return

    response = await app.deliver(EXPECT_REPLIES, bot)
    assert json.loads(response.body) == {"activities": []}


async def test_an_apology_among_the_replies(app: ComposedApp) -> None:
    """What a bot said before it failed is there, and the apology after it."""

    async def bot(turn: TurnContext) -> None:
        await turn.send_activity("so far so good")
        raise LookupError("no table")

    response = await app.deliver(EXPECT_REPLIES, bot)
    texts = [reply["text"] for reply in json.loads(response.body)["activities"]]
    assert (response.status, texts) == (200, ["so far so good", APOLOGY])


async def processed(app: ComposedApp, body: bytes, bot: Logic) -> Any:
    """The answer to a request with these bytes."""
    token = app.cloud.channel.token(app.service_url)
    request = TurnRequest("application/json", f"Bearer {token}", body)
    return await app.parts.adapter.process(request, SimpleNamespace(on_turn=bot))


# Bots that fail


async def test_a_bot_that_raises(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """The user gets one apology, the log the trace, the channel 200."""
    response = await app.deliver({**MESSAGE, "id": "a1"}, raising(LookupError("no table")))
    assert (response.status, response.body) == (200, b"")
    assert app.heard() == [APOLOGY]
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    told = record.getMessage()
    assert "a1" in told
    assert app.conversation.id in told
    assert "LookupError: no table" in told
    assert "in fail" in told


async def test_a_bot_that_quotes_the_user(
    app: ComposedApp, caplog: pytest.LogCaptureFixture
) -> None:
    """What the user said stays out of the log, at every level."""
    caplog.set_level(logging.DEBUG)
    await app.deliver(MESSAGE, raising(ValueError("cannot parse 'sesame'")))
    await app.deliver(INVOKE, raising(KeyError("sesame")))
    assert app.heard() == [APOLOGY, APOLOGY]
    assert "ValueError: cannot parse '[redacted]'" in caplog.text
    assert "KeyError: '[redacted]'" in caplog.text
    assert "sesame" not in caplog.text


async def test_a_local_run(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its log is not redacted: the only user is the bot's author."""
    async with ComposedApp(cloud, monkeypatch, redact=False) as app:
        await app.deliver(MESSAGE, raising(ValueError("cannot parse 'sesame'")))
    assert "ValueError: cannot parse 'sesame'" in caplog.text


async def test_a_type_that_the_client_makes_up(
    app: ComposedApp, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names an activity's type only if Bot Framework knows it."""
    caplog.set_level(logging.DEBUG)
    await app.deliver({"type": "sesame", "id": "a1"}, raising(LookupError("no table")))
    assert "Turn 'other' 'a1' in " in caplog.text
    assert "sesame" not in caplog.text


async def test_no_secret_is_logged(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """No token stands in the log, the channel's or the bot's, whatever the level."""
    caplog.set_level(logging.DEBUG)
    await app.deliver(MESSAGE, echo)
    await app.deliver(MESSAGE, raising(LookupError("no table")))
    token = await app.parts.tokens.get("https://api.botframework.com")
    for secret in (token.value, token.value.rpartition(".")[2], "Bearer ey", "sesame"):
        assert secret not in caplog.text


async def test_an_invoke_of_a_bot_that_raises(app: ComposedApp) -> None:
    """It is answered 200: the channel would only send it again."""

    async def bot(turn: TurnContext) -> None:
        await answering(500)(turn)
        raise LookupError("no table")

    response = await app.deliver(INVOKE, bot)
    assert (response.status, response.body) == (200, b"")
    assert app.heard() == [APOLOGY]


async def test_an_apology_that_cannot_be_sent(
    app: ComposedApp, caplog: pytest.LogCaptureFixture, faulty_connector: Any
) -> None:
    """There is nothing left to try: it is logged, and the channel hears 200."""
    faulty_connector.set(status=500)
    response = await app.deliver(MESSAGE, raising(LookupError("no table")))
    assert response.status == 200
    first, second = (each for each in caplog.records if each.levelno >= logging.ERROR)
    assert "LookupError: no table" in first.getMessage()
    assert "the apology could not be sent" in second.getMessage()
    assert "answered 500" in second.getMessage()
    assert app.heard() == []


@pytest.mark.parametrize("conversation", [".", ".."])
async def test_a_conversation_without_an_address(conversation: str, app: ComposedApp) -> None:
    """Replies would go to another address, so none is sent; the channel gets its answer."""
    before = app.cloud.connector.server.requests.total()
    content = {**MESSAGE, "conversation": {"id": conversation}}
    response = await app.deliver(content, echo)
    assert response.status == 200
    assert app.cloud.connector.server.requests.total() == before


async def test_a_reply_that_is_refused(
    app: ComposedApp, caplog: pytest.LogCaptureFixture, faulty_connector: Any
) -> None:
    """A bot that does not catch the connector's refusal has failed like any other."""
    faulty_connector.set(status=403, remaining=1)
    response = await app.deliver(MESSAGE, echo)
    assert response.status == 200
    assert app.heard() == [APOLOGY]
    assert "answered 403" in caplog.text


async def test_a_connector_that_is_busy(app: ComposedApp, faulty_connector: Any) -> None:
    """A reply that is refused for now is sent again, once it is wanted."""
    faulty_connector.set(status=429, retry_after=0, remaining=2)
    assert (await app.deliver(MESSAGE, echo)).status == 200
    assert app.heard() == ["You said: sesame"]


async def test_a_connector_that_is_busy_for_long(app: ComposedApp, faulty_connector: Any) -> None:
    """A pause beyond the turn's budget is not waited for: the reply fails, the apology too."""
    requests = app.cloud.connector.server.requests
    path = f"POST /v3/conversations/{app.conversation.id}/activities"
    faulty_connector.set(status=429, retry_after=13)
    assert (await app.deliver(MESSAGE, echo)).status == 200
    assert (requests[path], app.heard()) == (2, [])


async def test_a_refusal_that_is_caught(app: ComposedApp, faulty_connector: Any) -> None:
    """A bot that catches the SDK's exception goes on."""

    async def bot(turn: TurnContext) -> None:
        with pytest.raises(ErrorResponseException):
            await turn.send_activity("one")
        await turn.send_activity("two")

    faulty_connector.set(status=403, remaining=1)
    assert (await app.deliver(MESSAGE, bot)).status == 200
    assert app.heard() == ["two"]


async def test_a_value_that_nests_deeply(app: ComposedApp) -> None:
    """A deeply nested value is either refused, or the bot can send it back."""

    async def bot(turn: TurnContext) -> None:
        await turn.send_activity(Activity(type="message", value=turn.activity.value))

    def body(depth: int) -> bytes:
        value = "[" * depth + "]" * depth
        return json.dumps(app.activity({**MESSAGE, "value": "?"})).replace('"?"', value).encode()

    assert (await processed(app, body(MAX_DEPTH - 1), bot)).status == 200
    assert json.dumps(app.conversation.activities[0]["value"]).count("[") == MAX_DEPTH - 1
    with pytest.raises(BodyTooLarge):
        await processed(app, body(MAX_DEPTH), bot)


@pytest.mark.parametrize("error", [SignInError("no role"), Unavailable("later", retry_after=9)])
@pytest.mark.parametrize("content", [MESSAGE, INVOKE, EXPECT_REPLIES])
async def test_what_is_unavailable_in_a_turn(
    app: ComposedApp, error: Unavailable, content: dict[str, Any]
) -> None:
    """It is not the bot's mistake: the edge answers 503, so that the activity comes again."""
    with pytest.raises(Unavailable) as caught:
        await app.deliver(content, raising(error))
    assert caught.value is error
    assert app.heard() == []


async def test_no_sign_in(app: ComposedApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that cannot sign in does not run at all."""
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    with pytest.raises(SignInError):
        await app.deliver(MESSAGE, raising(AssertionError("it ran")))


async def test_a_refusal_inside_a_turn(app: ComposedApp, caplog: pytest.LogCaptureFixture) -> None:
    """What is forbidden to the bot is no word about the caller: an apology, and 200."""

    async def bot(turn: TurnContext) -> None:
        factory = turn.turn_state[turn.adapter.CONNECTOR_FACTORY_KEY]
        await factory.create("https://evil.example/")

    assert (await app.deliver(MESSAGE, bot)).status == 200
    assert app.heard() == [APOLOGY]
    assert "ServiceUrlRefused" in caplog.text


# Callers that are not let in


async def test_refusals_come_before_the_bot(app: ComposedApp) -> None:
    """No bot runs for a bad body, a missing token, or another's."""
    bot = raising(AssertionError("it ran"))
    with pytest.raises(BadRequest):
        await processed(app, b"{}", bot)
    body = json.dumps(app.activity(MESSAGE)).encode()
    process = app.parts.adapter.process
    with pytest.raises(TokenRejected):
        await process(TurnRequest("application/json", "", body), SimpleNamespace(on_turn=bot))
    other = json.dumps(app.activity({**MESSAGE, "serviceUrl": f"{app.service_url}x"})).encode()
    with pytest.raises(CallerForbidden):
        await processed(app, other, bot)


# Without a request


async def test_a_conversation_goes_on(app: ComposedApp) -> None:
    """A message may be sent later, with the reference of a turn."""
    references: list[Any] = []

    async def remember(turn: TurnContext) -> None:
        references.append(TurnContext.get_conversation_reference(turn.activity))

    async def say(turn: TurnContext) -> None:
        await turn.send_activity(f"by the way, {turn.activity.name.value}")

    await app.deliver(MESSAGE, remember)
    await app.parts.adapter.continue_conversation(references[0], say, app.cloud.registration.app_id)
    assert app.heard() == ["by the way, ContinueConversation"]


async def test_a_conversation_is_begun(app: ComposedApp) -> None:
    """A new conversation begins with a message, and its turn knows where it is."""
    places: list[str] = []

    async def say(turn: TurnContext) -> None:
        places.append(turn.activity.conversation.id)
        await turn.send_activity("more")

    await app.parts.adapter.create_conversation(
        app.cloud.registration.app_id,
        say,
        ConversationParameters(
            members=[ChannelAccount(id="user-7")], activity=Activity(type="message", text="first")
        ),
        "webchat",
        app.service_url,
    )
    conversation = app.cloud.conversations.find(places[0])
    assert [each["text"] for each in conversation.activities] == ["first", "more"]
    assert "user-7" in conversation.members


async def test_a_proactive_turn_that_fails(
    app: ComposedApp, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged and apologised for like any other."""
    reference = TurnContext.get_conversation_reference(
        Activity().deserialize(app.activity({"type": "message"}))
    )
    await app.parts.adapter.continue_conversation(reference, raising(LookupError("no table")))
    assert app.heard() == [APOLOGY]
    assert "LookupError: no table" in caplog.text


# Turns that run later


@pytest.fixture
async def queued(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, front: StorageFront
) -> AsyncIterator[ComposedApp]:
    """An app with a queue, and the front before its storage account."""
    changes = {"AzureWebJobsStorage": front.connection_string, "BotTurns": "Queued"}
    async with ComposedApp(cloud, monkeypatch, changes) as app:
        yield app


@pytest.fixture
def rings(storage: str) -> QueueMessages:
    """Its queue."""
    return QueueMessages(storage, QUEUE)


async def answer(app: ComposedApp, message: str, bot: Logic, dequeue_count: int = 1) -> None:
    """The queue rings."""
    bot_object = SimpleNamespace(on_turn=bot)
    wake_up = app.parts.adapter.process_wake_up(message, dequeue_count, bot_object)
    await asyncio.create_task(wake_up)


async def run(app: ComposedApp, bot: Logic, *, last: bool = False, **content: Any) -> None:
    """The turn of a message that was delivered before."""
    activity = read_model(Activity, app.activity({**MESSAGE, **content}))
    adapter = app.parts.adapter
    claims = {"aud": app.cloud.registration.app_id}
    caller = adapter.bot_framework_authentication.authorized_before(claims)
    on_error = adapter.apologize_and_raise if last else adapter.log_and_raise
    await adapter.run(caller, activity, bot, on_error)


async def test_a_message_that_waits(queued: ComposedApp, rings: QueueMessages) -> None:
    """It is answered 202 once it is stored; its turn is as any other."""
    found: list[Any] = []

    async def look(turn: TurnContext) -> None:
        found.append((turn.activity.caller_id, turn.turn_state[turn.adapter.BOT_IDENTITY_KEY]))
        await echo(turn)

    for _ in range(2):
        response = await queued.deliver({**MESSAGE, "id": "a1"}, look)
        assert (response.status, response.body) == (202, b"")
    assert (said(queued), found) == ([], [])
    for message in await rings.taken():
        await answer(queued, message, look)
    assert said(queued) == ["You said: sesame"]
    ((caller_id, identity),) = found
    assert caller_id == "urn:botframework:azure"
    assert identity.claims["aud"] == queued.cloud.registration.app_id
    assert identity.claims["serviceurl"] == queued.service_url


@pytest.mark.parametrize("content", [INVOKE, EXPECT_REPLIES])
async def test_what_cannot_wait(
    queued: ComposedApp, rings: QueueMessages, content: dict[str, Any]
) -> None:
    """What the channel wants the answer of has its turn at once."""
    response = await queued.deliver(content, answering(200, {"word": "sesame"}))
    assert response.status == 200
    assert await rings.count() == 0


async def test_refusals_come_before_the_queue(
    queued: ComposedApp, rings: QueueMessages, front: StorageFront
) -> None:
    """Nobody fills the account who may not deliver."""
    good = f"Bearer {queued.cloud.channel.token(queued.service_url)}"
    body = json.dumps(queued.activity(MESSAGE)).encode()
    for request, error in (
        (TurnRequest("application/json", "Bearer x", body), TokenRejected),
        (TurnRequest("application/json", "", body), TokenRejected),
        (TurnRequest("application/json", "", b"{}"), TokenRejected),
        (TurnRequest("application/json", good, b"{}"), BadRequest),
    ):
        with pytest.raises(error):
            await queued.parts.adapter.process(request, SimpleNamespace(on_turn=echo))
    assert front.calls == []
    assert await rings.count() == 0


@pytest.mark.parametrize("place", ["PUT blob", "POST queue"])
async def test_a_message_that_cannot_be_stored(
    queued: ComposedApp, rings: QueueMessages, front: StorageFront, place: str
) -> None:
    """The channel is told to come again, and when it does, there is one turn."""
    front.spoil(place, answered(503))
    with pytest.raises(StorageUnavailable):
        await queued.deliver({**MESSAGE, "id": "a1"}, echo)
    front.heal()
    assert (await queued.deliver({**MESSAGE, "id": "a1"}, echo)).status == 202
    for message in await rings.taken():
        await answer(queued, message, echo)
    assert said(queued) == ["You said: sesame"]


async def test_a_queued_turn_that_fails(
    queued: ComposedApp, rings: QueueMessages, caplog: pytest.LogCaptureFixture
) -> None:
    """Each try is logged, and after the last the user gets the one apology."""
    await queued.deliver(MESSAGE, echo)
    (message,) = await rings.taken()
    bot = raising(ValueError("cannot parse sesame"))
    for tries in range(1, MOST_TRIES):
        with pytest.raises(TurnFailed):
            await answer(queued, message, bot, tries)
    assert said(queued) == []
    await answer(queued, message, bot, MOST_TRIES)
    assert said(queued) == [APOLOGY]
    failures = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert len(failures) == MOST_TRIES
    assert "sesame" not in caplog.text


async def test_a_queued_turn_that_is_run_again(queued: ComposedApp, rings: QueueMessages) -> None:
    """A try that said half of it, and failed, begins anew, with the state that was."""
    bot = RememberingBot(queued.parts)

    async def fail(_: TurnContext) -> None:
        bot.between = None
        raise LookupError

    bot.between = fail
    await queued.deliver(MESSAGE, bot)
    (message,) = await rings.taken()
    with pytest.raises(TurnFailed):
        await answer(queued, message, bot)
    await answer(queued, message, bot, 2)
    assert said(queued) == ["1"]
    assert await counts(queued) == (1, 1)


async def test_a_queued_turn_that_is_not_told(
    queued: ComposedApp, rings: QueueMessages, front: StorageFront
) -> None:
    """A turn that is made, but could not be noted as done, is not made again."""
    bot = RememberingBot(queued.parts)
    await queued.deliver(MESSAGE, bot)
    (message,) = await rings.taken()
    front.spoil("PUT blob bot-turns", answered(503))
    await answer(queued, message, bot)
    front.heal()
    await answer(queued, message, bot)
    assert said(queued) == ["1"]
    assert await counts(queued) == (1, 1)


async def test_turns_of_a_busy_conversation(queued: ComposedApp, rings: QueueMessages) -> None:
    """Many messages at once, all rings at once: each counts once, in order."""
    bot = RememberingBot(queued.parts)
    await asyncio.gather(*(queued.deliver(MESSAGE, bot) for _ in range(12)))
    await asyncio.gather(*(answer(queued, message, bot) for message in await rings.taken()))
    assert said(queued) == [f"{number}" for number in range(1, 13)]
    assert await counts(queued) == (12, 12)


@pytest.mark.parametrize("last", [False, True])
async def test_a_later_turn_that_raises(app: ComposedApp, last: bool) -> None:
    """Who runs it gets the error; the user an apology if nobody will try again."""
    error = LookupError("no table")
    with pytest.raises(LookupError) as caught:
        await run(app, raising(error), last=last)
    assert caught.value is error
    assert app.heard() == ([APOLOGY] if last else [])


@pytest.mark.parametrize("error", [Unavailable("later"), TurnRepeated("made")])
@pytest.mark.parametrize("last", [False, True])
async def test_what_is_no_mistake_in_a_later_turn(
    app: ComposedApp, error: Exception, last: bool
) -> None:
    """Who runs it gets that, and the user never an apology."""
    with pytest.raises(type(error)):
        await run(app, raising(error), last=last)
    assert app.heard() == []


async def test_a_later_turn_that_was_made(app: ComposedApp) -> None:
    """State tells it, and who runs it hears of it."""
    bot = RememberingBot(app.parts)
    await run(app, bot, id="a1")
    with pytest.raises(TurnRepeated):
        await run(app, bot, id="a1")
    assert app.heard() == ["1"]


async def test_a_turn_that_was_made_before(app: ComposedApp) -> None:
    """An inline one is answered like the first."""
    response = await app.deliver(MESSAGE, raising(TurnRepeated("made")))
    assert (response.status, response.body) == (200, b"")
    assert app.heard() == []
