"""SignIn: what the bot sends and answers while users sign in and out."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot_logic.sign_in import (
    CONNECTION,
    INVALID_CODE,
    SIGNED_IN,
    SIGNED_OUT,
    UNKNOWN_CONNECTION,
    UNKNOWN_USER,
    SignIn,
)
from bot_testing import Chat, TurnResult
from cloud_adapter.adapter import APOLOGY
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.token_service.user_tokens import UserConnection

OAUTH_CARD = "application/vnd.microsoft.card.oauth"


@pytest.fixture(params=["webchat", "msteams"])
def user(chat: Chat, request: pytest.FixtureRequest) -> Chat:
    """A user on each channel; the SDK treats them differently."""
    return chat.new_conversation(channel=request.param)


@pytest.fixture
def cloud(chat: Chat) -> Cloud:
    """The local cloud."""
    return chat.bot.cloud


@pytest.fixture
def no_connection(cloud: Cloud) -> Iterator[None]:
    """The token service does not know the bot's connection."""
    cloud.user_tokens.unknown_connections.add(CONNECTION)
    yield
    cloud.user_tokens.unknown_connections.clear()


def target(user: Chat) -> UserConnection:
    """The user, connection and channel that the token service stores a token for."""
    return UserConnection(user.account["id"], CONNECTION, user.channel)


def signed_in(user: Chat) -> bool:
    """Whether the token service has a token."""
    return user.bot.cloud.user_tokens.has_token(target(user))


def sign_in(user: Chat) -> None:
    """Sign the user in without the bot."""
    user.bot.cloud.user_tokens.sign_in(target(user), "Ada")


def exchangeable(user: Chat) -> str:
    """A token that the channel has for the user."""
    users = user.bot.cloud.user_tokens
    return users.exchangeable_token(users.resource, user.account["id"], "Ada")


async def code(user: Chat) -> str:
    """Say `login`, and open the page behind the card's button: the code that it shows."""
    [reply] = await user.say("login")
    users = user.bot.cloud.user_tokens
    begun = users.find_sign_in(reply.card["buttons"][0]["value"].partition("signin=")[2])
    assert begun is not None
    assert begun.target == target(user)
    return users.confirm(begun)


async def verify(user: Chat, value: Any) -> TurnResult:
    """Send the invoke that brings a code."""
    return await user.invoke("signin/verifyState", value)


async def offer(user: Chat, token: Any, exchange_id: Any = "exchange-1") -> TurnResult:
    """Send the invoke that offers a token."""
    value = {"id": exchange_id, "connectionName": CONNECTION, "token": token}
    return await user.invoke("signin/tokenExchange", value)


async def test_the_sign_in_card(user: Chat, cloud: Cloud) -> None:
    """The card has the link, the connection, and the resources of single sign-on."""
    [reply] = await user.say("login")
    assert reply.attachments[0]["contentType"] == OAUTH_CARD
    [button] = reply.card["buttons"]
    assert button["type"] == "signin"
    assert button["value"].startswith(cloud.pages.url)
    assert reply.card["connectionName"] == CONNECTION
    assert reply.card["tokenExchangeResource"]["uri"] == cloud.user_tokens.resource
    assert reply.card["tokenExchangeResource"]["id"]
    assert reply.card["tokenPostResource"]["sasUrl"]


async def test_a_sign_in(user: Chat) -> None:
    """A user who has signed in on the page gets a confirmation."""
    assert (await user.sign_in(await user.say("login"))).texts == [SIGNED_IN]
    assert signed_in(user)


async def test_a_code_by_invoke(user: Chat) -> None:
    """A code in the channel's invoke is answered 200, and the user gets a confirmation."""
    result = await verify(user, {"state": await code(user)})
    assert (result.status, result.body, result.texts) == (200, None, [SIGNED_IN])
    assert signed_in(user)


async def test_a_code_by_message(user: Chat) -> None:
    """The user can type the code as a message."""
    assert (await user.say(f" {await code(user)}\n")).texts == [SIGNED_IN]
    assert signed_in(user)


@pytest.mark.parametrize("text", ["000000", "12345", "1234567", "12 3456", "\u0661" * 6])
async def test_digits_that_are_no_code(user: Chat, text: str) -> None:
    """Digits that are not a code are echoed, like any other text."""
    assert (await user.say(text)).texts == [f"You said: {text}"]


async def test_only_six_digits_are_redeemed(chat: Chat, cloud: Cloud) -> None:
    """The token service is called only for messages of six ASCII digits."""
    before = len(cloud.token_service.calls)
    for text in ("hello", "12345", "1234567", "\u0661" * 6):
        await chat.say(text)
    assert len(cloud.token_service.calls) == before


async def test_an_invalid_code(user: Chat) -> None:
    """An invalid code is answered 404, and the bot says how to get a new one."""
    result = await verify(user, {"state": f"x{await code(user)}"})
    assert (result.status, result.body, result.texts) == (404, None, [INVALID_CODE])
    assert not signed_in(user)


@pytest.mark.parametrize("value", [None, "x", [], {}, {"state": None}, {"state": 1}, {"state": ""}])
async def test_a_malformed_state(user: Chat, cloud: Cloud, value: Any) -> None:
    """A malformed state is answered like an invalid code, without a call to the token service."""
    before = len(cloud.token_service.calls)
    sign_in(user)
    result = await verify(user, value)
    assert (result.status, result.body, result.texts) == (404, None, [INVALID_CODE])
    assert len(cloud.token_service.calls) == before


async def test_a_closed_window(user: Chat) -> None:
    """If the user closes Teams' sign-in window, the bot sends nothing."""
    result = await verify(user, {"state": "CancelledByUser"})
    assert (result.status, result.body, result.texts) == (200, None, [])


async def test_a_login_of_a_signed_in_user(user: Chat) -> None:
    """A user who is signed in gets a confirmation instead of a card."""
    sign_in(user)
    assert (await user.say("login")).texts == [SIGNED_IN]


async def test_a_login_of_an_hour_ago(user: Chat) -> None:
    """A user whose token has expired gets a card again."""
    sign_in(user)
    await user.move_time(minutes=61)
    [reply] = await user.say("login")
    assert reply.cards


async def test_logout(user: Chat) -> None:
    """`logout` deletes only this user's token; a second `logout` is harmless."""
    other = user.new_conversation()
    for each in (user, other):
        sign_in(each)
    assert (await user.say("logout")).texts == [SIGNED_OUT]
    assert not signed_in(user)
    assert signed_in(other)
    assert (await user.say("logout")).texts == [SIGNED_OUT]


async def test_the_tokens_response_event(user: Chat) -> None:
    """The channel's event signs the user in only if the token service has the token."""
    value = {"connectionName": CONNECTION, "token": "x"}
    event = {"type": "event", "name": "tokens/response", "value": value}
    assert (await user.send(event)).texts == []
    sign_in(user)
    assert (await user.send(event)).texts == [SIGNED_IN]


async def test_an_exchange(user: Chat) -> None:
    """An exchange is answered 200 with the invoke's id, and the user gets a confirmation."""
    result = await offer(user, exchangeable(user))
    answer = {"id": "exchange-1", "connectionName": CONNECTION}
    assert (result.status, result.body, result.texts) == (200, answer, [SIGNED_IN])
    assert signed_in(user)


async def test_a_refused_exchange(user: Chat) -> None:
    """A refused exchange is answered 412, so that the channel shows the card; nothing is sent."""
    result = await offer(user, "x")
    assert (result.status, result.texts) == (412, [])
    assert (result.body["id"], result.body["connectionName"]) == ("exchange-1", CONNECTION)
    assert result.body["failureDetail"]
    assert not signed_in(user)


async def test_repeated_deliveries_of_an_exchange(user: Chat, cloud: Cloud) -> None:
    """Of several deliveries, at once and later, one is exchanged, and one confirmation is sent."""
    before = len(cloud.token_service.calls)
    token = exchangeable(user)
    results = await asyncio.gather(*(offer(user, token) for _ in range(5)))
    results.append(await offer(user, token))
    answer = {"id": "exchange-1", "connectionName": CONNECTION}
    assert [(each.status, each.body) for each in results] == [(200, answer)] * 6
    assert [each.text for each in user.replies] == [SIGNED_IN]
    assert len(cloud.token_service.calls) == before + 1


async def test_an_exchange_after_refused_ones(user: Chat) -> None:
    """Each refused delivery gets 412, and a later one succeeds once the user has consented."""
    results = await asyncio.gather(*(offer(user, "x") for _ in range(3)))
    assert [each.status for each in results] == [412] * 3
    assert (await offer(user, exchangeable(user))).status == 200


async def test_exchanges_of_two_users(chat: Chat) -> None:
    """An exchange counts only for its user and channel, even if another one has the same id."""
    assert (await offer(chat, exchangeable(chat))).status == 200
    second, elsewhere = chat.new_conversation(), chat.new_conversation(channel="msteams")
    elsewhere.account["id"] = chat.account["id"]
    for other in (second, elsewhere):
        assert (await offer(other, "x")).status == 412
    assert not signed_in(second)


async def test_remembered_exchanges(
    chat: Chat, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the latest exchanges are remembered; an older one is exchanged again."""
    monkeypatch.setattr(chat.bot.parts.bot, "_sign_in", SignIn(max_exchanges=2))
    calls = cloud.token_service.calls
    for number in range(3):
        await offer(chat, exchangeable(chat), str(number))
    before = len(calls)
    for number in (1, 2):
        assert (await offer(chat, "x", str(number))).status == 200
    assert len(calls) == before
    assert (await offer(chat, "x", "0")).status == 412
    assert len(calls) == before + 1


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
async def test_a_malformed_exchange(user: Chat, cloud: Cloud, value: Any) -> None:
    """A malformed exchange gets 400 with the reason, without a call to the token service."""
    before = len(cloud.token_service.calls)
    result = await user.invoke("signin/tokenExchange", value)
    assert (result.status, result.texts) == (400, [])
    assert result.body["failureDetail"]
    assert len(cloud.token_service.calls) == before


@pytest.mark.usefixtures("no_connection")
async def test_an_unknown_connection(user: Chat) -> None:
    """The bot names the missing connection; digits are echoed, and invokes are answered."""
    assert CONNECTION in UNKNOWN_CONNECTION
    for text in ("login", "logout"):
        assert (await user.say(text)).texts == [UNKNOWN_CONNECTION]
    assert (await user.say("123456")).texts == ["You said: 123456"]
    assert (await verify(user, {"state": "123456"})).status == 404
    assert (await offer(user, exchangeable(user))).status == 412


@pytest.mark.parametrize("text", ["login", "logout", "123456"])
async def test_a_failing_service(user: Chat, text: str) -> None:
    """If the token service fails, the user gets the apology."""
    user.fail("usertokens", status=500)
    assert (await user.say(text, expect_error=Exception)).texts == [APOLOGY]


async def test_invokes_and_a_failing_service(user: Chat) -> None:
    """If the token service fails, an exchange gets 412, and a code the apology."""
    user.fail("usertokens", status=500)
    assert (await offer(user, exchangeable(user))).status == 412
    value = {"state": "123456"}
    result = await user.invoke("signin/verifyState", value, expect_error=Exception)
    assert (result.status, result.body, result.texts) == (200, None, [APOLOGY])


@pytest.mark.parametrize("account", [None, {}, {"name": "Ada"}, {"id": None}, {"id": ""}])
async def test_a_user_without_an_id(chat: Chat, cloud: Cloud, account: Any) -> None:
    """The bot tells a user without an id so, and never calls the token service."""
    before = len(cloud.token_service.calls)
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
    event = {"type": "event", "name": "tokens/response"}
    assert (await chat.send({**event, **unknown})).texts == []
    assert len(cloud.token_service.calls) == before


async def test_no_token_is_logged_or_sent(user: Chat, caplog: pytest.LogCaptureFixture) -> None:
    """No activity and no log line of a sign-in holds a token."""
    caplog.set_level("DEBUG")
    await verify(user, {"state": await code(user)})
    await user.say("logout")
    await offer(user, exchangeable(user))
    await user.say("login")
    sent = [each.raw for each in user.replies]
    assert sent
    assert "eyJ" not in json.dumps(sent)
    assert "eyJ" not in caplog.text
