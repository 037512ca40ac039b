"""SignIn: what the bot sends and answers while users sign in and out."""

import asyncio
import json
from typing import Any

import pytest

from bot_logic.sign_in import (
    CONNECTION,
    INVALID_CODE,
    SIGNED_IN,
    SIGNED_OUT,
    UNKNOWN_CONNECTION,
    UNKNOWN_USER,
)
from bot_testing import APOLOGY, Chat, TurnResult

OAUTH_CARD = "application/vnd.microsoft.card.oauth"


@pytest.fixture(params=["webchat", "msteams"])
def user(chat: Chat, request: pytest.FixtureRequest) -> Chat:
    """A user on each channel; the SDK treats them differently."""
    return chat.new_conversation(channel=request.param)


async def sign_in(user: Chat) -> None:
    """Sign the user in."""
    await user.sign_in(await user.say("login"))


async def is_signed_in(user: Chat) -> bool:
    """Whether the bot says so."""
    return (await user.say("login")).texts == [SIGNED_IN]


def exchange_id(card: TurnResult) -> str:
    """The id that the card gives an exchange."""
    return str(card[0].card["tokenExchangeResource"]["id"])


async def verify(user: Chat, value: Any) -> TurnResult:
    """Send the invoke that brings a code."""
    return await user.invoke("signin/verifyState", value)


async def offer(user: Chat, exchange: str = "exchange-1") -> TurnResult:
    """Send the invoke that offers a token, one that cannot be exchanged."""
    value = {"id": exchange, "connectionName": CONNECTION, "token": "x"}
    return await user.invoke("signin/tokenExchange", value)


async def test_the_sign_in_card(user: Chat) -> None:
    """The card has the link, the connection, and the resources of single sign-on."""
    [reply] = await user.say("login")
    assert reply.attachments[0]["contentType"] == OAUTH_CARD
    [button] = reply.card["buttons"]
    assert button["type"] == "signin"
    assert "signin=" in button["value"]
    assert reply.card["connectionName"] == CONNECTION
    assert reply.card["tokenExchangeResource"]["uri"].startswith("api://")
    assert reply.card["tokenExchangeResource"]["id"]
    assert reply.card["tokenPostResource"]["sasUrl"]


async def test_a_sign_in(user: Chat) -> None:
    """A user who has signed in on the page gets a confirmation."""
    result = await user.sign_in(await user.say("login"))
    assert (result.status, result.body, result.texts) == (200, None, [SIGNED_IN])
    assert await is_signed_in(user)


async def test_a_code_by_message(user: Chat) -> None:
    """The user can type the code as a message."""
    result = await user.sign_in(await user.say("login"), by="code")
    assert result.texts == [SIGNED_IN]
    assert await is_signed_in(user)


@pytest.mark.parametrize("text", ["000000", "12345", "1234567", "12 3456", "\u0661" * 6])
async def test_digits_that_are_no_code(user: Chat, text: str) -> None:
    """Digits that are not a code are echoed, like any other text."""
    assert (await user.say(text)).texts == [f"You said: {text}"]


async def test_only_six_digits_are_redeemed(chat: Chat) -> None:
    """The token service is called only for messages of six ASCII digits."""
    chat.fail("usertokens", status=500)  # a call would raise
    for text in ("hello", "12345", "1234567", "\u0661" * 6):
        assert (await chat.say(text)).texts == [f"You said: {text}"]


async def test_an_invalid_code(user: Chat) -> None:
    """An invalid code is answered 404, and the bot says how to get a new one."""
    await user.say("login")
    result = await verify(user, {"state": "x123456"})
    assert (result.status, result.body, result.texts) == (404, None, [INVALID_CODE])
    assert not await is_signed_in(user)


@pytest.mark.parametrize("value", [None, "x", [], {}, {"state": None}, {"state": 1}, {"state": ""}])
async def test_a_malformed_state(user: Chat, value: Any) -> None:
    """A malformed state is answered like an invalid code, without a call to the token service."""
    await sign_in(user)
    user.fail("usertokens", status=500)
    result = await verify(user, value)
    assert (result.status, result.body, result.texts) == (404, None, [INVALID_CODE])


async def test_a_closed_window(user: Chat) -> None:
    """If the user closes Teams' sign-in window, the bot sends nothing."""
    result = await verify(user, {"state": "CancelledByUser"})
    assert (result.status, result.body, result.texts) == (200, None, [])


async def test_a_login_of_a_signed_in_user(user: Chat) -> None:
    """A user who is signed in gets a confirmation instead of a card."""
    await sign_in(user)
    assert (await user.say("login")).texts == [SIGNED_IN]


async def test_a_login_of_an_hour_ago(user: Chat) -> None:
    """A user whose token has expired gets a card again."""
    await sign_in(user)
    await user.move_time(minutes=61)
    [reply] = await user.say("login")
    assert reply.cards


async def test_logout(user: Chat) -> None:
    """`logout` deletes only this user's token; a second `logout` is harmless."""
    other = user.new_conversation()
    for each in (user, other):
        await sign_in(each)
    assert (await user.say("logout")).texts == [SIGNED_OUT]
    assert not await is_signed_in(user)
    assert await is_signed_in(other)
    assert (await user.say("logout")).texts == [SIGNED_OUT]


async def test_the_tokens_response_event(user: Chat) -> None:
    """The channel's event signs the user in only if the token service has the token."""
    value = {"connectionName": CONNECTION, "token": "x"}
    event = {"type": "event", "name": "tokens/response", "value": value}
    assert (await user.send(event)).texts == []
    await sign_in(user)
    assert (await user.send(event)).texts == [SIGNED_IN]


async def test_an_exchange(user: Chat) -> None:
    """An exchange is answered 200 with the invoke's id, and the user gets a confirmation."""
    card = await user.say("login")
    result = await user.sign_in(card, by="sso")
    answer = {"id": exchange_id(card), "connectionName": CONNECTION}
    assert (result.status, result.body, result.texts) == (200, answer, [SIGNED_IN])
    assert await is_signed_in(user)


async def test_a_refused_exchange(user: Chat) -> None:
    """A refused exchange is answered 412, so that the channel shows the card; nothing is sent."""
    result = await offer(user)
    assert (result.status, result.texts) == (412, [])
    assert (result.body["id"], result.body["connectionName"]) == ("exchange-1", CONNECTION)
    assert result.body["failureDetail"]
    assert not await is_signed_in(user)


async def test_repeated_deliveries_of_an_exchange(user: Chat) -> None:
    """Of several deliveries, at once and later, one is exchanged, and one confirmation is sent."""
    card = await user.say("login")
    results = await asyncio.gather(*(user.sign_in(card, by="sso") for _ in range(5)))
    user.fail("usertokens", status=500)
    results.append(await user.sign_in(card, by="sso"))
    answer = {"id": exchange_id(card), "connectionName": CONNECTION}
    assert [(each.status, each.body) for each in results] == [(200, answer)] * 6
    assert [each.text for each in user.replies] == ["", SIGNED_IN]  # the card, and one confirmation


async def test_an_exchange_after_refused_ones(user: Chat) -> None:
    """Each refused delivery gets 412, and a later one succeeds once the user has consented."""
    card = await user.say("login")
    results = await asyncio.gather(*(offer(user, exchange_id(card)) for _ in range(3)))
    assert [each.status for each in results] == [412] * 3
    assert (await user.sign_in(card, by="sso")).status == 200


async def test_exchanges_of_two_users(chat: Chat) -> None:
    """An exchange counts only for its user and channel, even if another one has the same id."""
    card = await chat.say("login")
    assert (await chat.sign_in(card, by="sso")).status == 200
    second, elsewhere = chat.new_conversation(), chat.new_conversation(channel="msteams")
    elsewhere.account["id"] = chat.account["id"]
    for other in (second, elsewhere):
        assert (await offer(other, exchange_id(card))).status == 412
    assert not await is_signed_in(second)


async def test_remembered_exchanges(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the latest exchanges are remembered; an older one is exchanged again."""
    monkeypatch.setattr("bot_logic.sign_in.MAX_EXCHANGES", 2)
    first, *others = [await chat.say("login") for _ in range(3)]
    for card in (first, *others):
        assert (await chat.sign_in(card, by="sso")).texts == [SIGNED_IN]
    for card in others:
        assert (await offer(chat, exchange_id(card))).status == 200
    assert (await offer(chat, exchange_id(first))).status == 412


@pytest.mark.parametrize(
    "value",
    [
        None,
        "x",
        [],
        {},
        {"id": "1", "connectionName": CONNECTION},
        {"id": "1", "connectionName": CONNECTION, "token": None},
        {"id": "1", "connectionName": CONNECTION, "token": 5},
        {"connectionName": CONNECTION, "token": "x"},
        {"id": {"a": 1}, "connectionName": CONNECTION, "token": "x"},
        {"id": "1", "connectionName": "other", "token": "x"},
        {"id": "1", "token": "x"},
    ],
)
async def test_a_malformed_exchange(user: Chat, value: Any) -> None:
    """A malformed exchange gets 400 with the reason, without a call to the token service."""
    user.fail("usertokens", status=500)  # a call would make it 412
    result = await user.invoke("signin/tokenExchange", value)
    assert (result.status, result.texts) == (400, [])
    assert result.body["failureDetail"]


@pytest.mark.parametrize("status", [400, 404])
async def test_an_unknown_connection(user: Chat, status: int) -> None:
    """The bot names the missing connection; digits are echoed, and invokes are answered."""
    user.fail("usertokens", status=status)  # what the token service answers, by the operation
    assert CONNECTION in UNKNOWN_CONNECTION
    for text in ("login", "logout"):
        assert (await user.say(text)).texts == [UNKNOWN_CONNECTION]
    assert (await user.say("123456")).texts == ["You said: 123456"]
    assert (await verify(user, {"state": "123456"})).status == 404
    assert (await offer(user)).status == 412


@pytest.mark.parametrize("text", ["login", "logout", "123456"])
async def test_a_failing_service(user: Chat, text: str) -> None:
    """If the token service fails, the user gets the apology."""
    user.fail("usertokens", status=500)
    assert (await user.say(text, expect_error=Exception)).texts == [APOLOGY]


async def test_invokes_and_a_failing_service(user: Chat) -> None:
    """If the token service fails, an exchange gets 412, and a code the apology."""
    user.fail("usertokens", status=500)
    assert (await offer(user)).status == 412
    value = {"state": "123456"}
    result = await user.invoke("signin/verifyState", value, expect_error=Exception)
    assert (result.status, result.body, result.texts) == (200, None, [APOLOGY])


@pytest.mark.parametrize("account", [None, {}, {"name": "Ada"}, {"id": None}, {"id": ""}])
async def test_a_user_without_an_id(
    chat: Chat, account: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The bot tells a user without an id so, and never calls the token service."""
    chat.fail("usertokens", status=500)  # a call would raise
    unknown = {"from": account}
    for text, reply in (
        ("login", UNKNOWN_USER),
        ("logout", UNKNOWN_USER),
        ("123456", "You said: 123456"),
    ):
        assert (await chat.say(text, **unknown)).texts == [reply]
    code = {"type": "invoke", "name": "signin/verifyState", "value": {"state": "123456"}}
    assert (await chat.send({**code, **unknown})).status == 404
    value = {"id": "exchange-1", "connectionName": CONNECTION, "token": "x"}
    exchange = {"type": "invoke", "name": "signin/tokenExchange", "value": value}
    assert (await chat.send({**exchange, **unknown})).status == 412
    assert UNKNOWN_USER in caplog.text  # the reason, and not a call that failed
    event = {"type": "event", "name": "tokens/response"}
    assert (await chat.send({**event, **unknown})).texts == []


async def test_no_token_is_logged_or_sent(user: Chat, caplog: pytest.LogCaptureFixture) -> None:
    """No activity and no log line of a sign-in holds a token."""
    caplog.set_level("DEBUG")
    await sign_in(user)
    await user.say("logout")
    await user.sign_in(await user.say("login"), by="sso")
    await user.say("login")
    sent = [each.raw for each in user.replies]
    assert [each.text for each in user.replies].count(SIGNED_IN) == 3
    assert "eyJ" not in json.dumps(sent)
    assert "eyJ" not in caplog.text
