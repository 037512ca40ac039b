"""SignIn: what the bot sends and answers while users sign in and out."""

import asyncio
import json
import uuid
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
from cloud_adapter.adapter import APOLOGY
from emulator.cloud import Cloud
from emulator.token_service import user_tokens
from emulator.token_service.user_tokens import UserConnection
from tests.support.bots.composed_app import ComposedApp, Logic

CHANNELS = ["webchat", "msteams"]
OAUTH_CARD = "application/vnd.microsoft.card.oauth"


class Talk:
    """A conversation of a new user with the bot.

    Args:
        app: the app.
        channel_id: the user's channel.
        logic: handles the activities; None: the app's bot.

    Attributes:
        target: the user, connection and channel that the token service stores a token for.
        account: the user, as it is in activities.
    """

    def __init__(
        self, app: ComposedApp, channel_id: str = "webchat", logic: Logic | None = None
    ) -> None:
        self.app = app
        self._logic = logic or app.parts.bot.on_turn
        self.target = UserConnection(f"user-{uuid.uuid4().hex}", CONNECTION, channel_id)
        self.account: Any = {"id": self.target.user_id, "name": "Ada", "role": "user"}

    async def sends(self, **content: Any) -> tuple[int, Any]:
        """Status and parsed body of the bot's answer to an activity."""
        activity = {"from": self.account, "channelId": self.target.channel_id, **content}
        response = await self.app.deliver(activity, self._logic)
        return response.status, json.loads(response.body) if response.body else None

    async def says(self, text: str) -> list[Any]:
        """Every text that the bot has sent by the end of the turn of a message."""
        assert await self.sends(type="message", text=text) == (200, None)
        return self.app.texts()

    async def verifies(self, value: Any) -> tuple[int, Any]:
        """The answer to the invoke that brings a code."""
        return await self.sends(type="invoke", name="signin/verifyState", value=value)

    async def offers(self, token: Any, exchange_id: Any = "exchange-1") -> tuple[int, Any]:
        """The answer to the invoke that offers a token."""
        value = {"id": exchange_id, "connectionName": CONNECTION, "token": token}
        return await self.sends(type="invoke", name="signin/tokenExchange", value=value)

    def card(self) -> Any:
        """The card that the bot sent last."""
        (attachment,) = self.app.conversation.activities[-1]["attachments"]
        assert attachment["contentType"] == OAUTH_CARD
        return attachment["content"]

    def code(self) -> str:
        """The code that the sign-in page behind the card's button shows."""
        users = self.app.cloud.user_tokens
        begun = users.find_sign_in(self.card()["buttons"][0]["value"].partition("signin=")[2])
        assert begun is not None
        assert begun.target == self.target
        return users.confirm(begun)

    def exchangeable(self) -> str:
        """A token that the channel has for the user."""
        users = self.app.cloud.user_tokens
        return users.exchangeable_token(users.resource, self.target.user_id, "Ada")

    def signed_in(self) -> bool:
        """Whether the token service has a token."""
        return self.app.cloud.user_tokens.has_token(self.target)


@pytest.fixture(params=CHANNELS)
def talk(app: ComposedApp, request: pytest.FixtureRequest) -> Talk:
    """A user on each channel; the SDK treats them differently."""
    return Talk(app, request.param)


@pytest.fixture
def no_connection(cloud: Cloud) -> Iterator[None]:
    """The token service does not know the bot's connection."""
    cloud.user_tokens.unknown_connections.add(CONNECTION)
    yield
    cloud.user_tokens.unknown_connections.remove(CONNECTION)


@pytest.fixture
def failing(cloud: Cloud) -> Iterator[None]:
    """The token service fails."""
    cloud.token_service.server.faults.set(status=500)
    yield
    cloud.token_service.server.faults.clear()


def test_the_connection() -> None:
    """The local cloud has the connection that the bot asks for."""
    assert user_tokens.CONNECTION == CONNECTION


async def test_the_sign_in_card(talk: Talk) -> None:
    """The card has the link, the connection, and the resources of single sign-on."""
    await talk.says("login")
    card = talk.card()
    (button,) = card["buttons"]
    assert button["type"] == "signin"
    assert button["value"].startswith(talk.app.cloud.chat_page.server.url)
    assert card["connectionName"] == CONNECTION
    assert card["tokenExchangeResource"]["uri"] == talk.app.cloud.user_tokens.resource
    assert card["tokenExchangeResource"]["id"]
    assert card["tokenPostResource"]["sasUrl"]


async def test_a_code_by_invoke(talk: Talk) -> None:
    """A code in the channel's invoke is answered 200, and the user gets a confirmation."""
    await talk.says("login")
    assert await talk.verifies({"state": talk.code()}) == (200, None)
    assert talk.app.texts()[1:] == [SIGNED_IN]
    assert talk.signed_in()


async def test_a_code_by_message(talk: Talk) -> None:
    """The user can type the code as a message."""
    await talk.says("login")
    assert (await talk.says(f" {talk.code()}\n"))[1:] == [SIGNED_IN]
    assert talk.signed_in()


@pytest.mark.parametrize("text", ["000000", "12345", "1234567", "12 3456", "\u0661" * 6])
async def test_digits_that_are_no_code(talk: Talk, text: str) -> None:
    """Digits that are not a code are echoed, like any other text."""
    assert await talk.says(text) == [f"You said: {text}"]


async def test_only_six_digits_are_redeemed(app: ComposedApp) -> None:
    """The token service is called only for messages of six ASCII digits."""
    before = len(app.cloud.token_service.calls)
    for text in ("hello", "12345", "1234567", "\u0661" * 6):
        await Talk(app).says(text)
    assert len(app.cloud.token_service.calls) == before


async def test_an_invalid_code(talk: Talk) -> None:
    """An invalid code is answered 404, and the bot says how to get a new one."""
    await talk.says("login")
    assert await talk.verifies({"state": "x" + talk.code()}) == (404, None)
    assert talk.app.texts()[1:] == [INVALID_CODE]
    assert not talk.signed_in()


@pytest.mark.parametrize("value", [None, "x", [], {}, {"state": None}, {"state": 1}, {"state": ""}])
async def test_a_malformed_state(talk: Talk, value: Any) -> None:
    """A malformed state is answered like an invalid code, without a call to the token service."""
    before = len(talk.app.cloud.token_service.calls)
    talk.app.cloud.user_tokens.sign_in(talk.target, "Ada")
    assert await talk.verifies(value) == (404, None)
    assert talk.app.texts() == [INVALID_CODE]
    assert len(talk.app.cloud.token_service.calls) == before


async def test_a_closed_window(talk: Talk) -> None:
    """If the user closes Teams' sign-in window, the bot sends nothing."""
    assert await talk.verifies({"state": "CancelledByUser"}) == (200, None)
    assert talk.app.texts() == []


async def test_a_login_of_a_signed_in_user(talk: Talk) -> None:
    """A user who is signed in gets a confirmation instead of a card."""
    talk.app.cloud.user_tokens.sign_in(talk.target, "Ada")
    assert await talk.says("login") == [SIGNED_IN]


async def test_logout(talk: Talk) -> None:
    """`logout` deletes only this user's token; a second `logout` is harmless."""
    other = Talk(talk.app)
    for each in (talk, other):
        talk.app.cloud.user_tokens.sign_in(each.target, "Ada")
    assert await talk.says("logout") == [SIGNED_OUT]
    assert not talk.signed_in()
    assert other.signed_in()
    assert await talk.says("logout") == [SIGNED_OUT] * 2


async def test_the_tokens_response_event(talk: Talk) -> None:
    """The channel's event signs the user in only if the token service has the token."""
    event = {"type": "event", "name": "tokens/response"}
    value = {"connectionName": CONNECTION, "token": "x"}
    assert await talk.sends(**event, value=value) == (200, None)
    assert talk.app.texts() == []
    talk.app.cloud.user_tokens.sign_in(talk.target, "Ada")
    assert await talk.sends(**event, value=value) == (200, None)
    assert talk.app.texts() == [SIGNED_IN]


async def test_an_exchange(talk: Talk) -> None:
    """An exchange is answered 200 with the invoke's id, and the user gets a confirmation."""
    answer = {"id": "exchange-1", "connectionName": CONNECTION}
    assert await talk.offers(talk.exchangeable()) == (200, answer)
    assert talk.app.texts() == [SIGNED_IN]
    assert talk.signed_in()


async def test_a_refused_exchange(talk: Talk) -> None:
    """A refused exchange is answered 412, so that the channel shows the card; nothing is sent."""
    status, answer = await talk.offers("x")
    assert status == 412
    assert (answer["id"], answer["connectionName"]) == ("exchange-1", CONNECTION)
    assert answer["failureDetail"]
    assert talk.app.texts() == []
    assert not talk.signed_in()


async def test_repeated_deliveries_of_an_exchange(talk: Talk) -> None:
    """Of several deliveries, at once and later, one is exchanged, and one confirmation is sent."""
    before = len(talk.app.cloud.token_service.calls)
    token = talk.exchangeable()
    answers = await asyncio.gather(*(talk.offers(token) for _ in range(5)))
    answers.append(await talk.offers(token))
    assert answers == [(200, {"id": "exchange-1", "connectionName": CONNECTION})] * 6
    assert talk.app.texts() == [SIGNED_IN]
    assert len(talk.app.cloud.token_service.calls) == before + 1


async def test_an_exchange_after_refused_ones(talk: Talk) -> None:
    """Each refused delivery gets 412, and a later one succeeds once the user has consented."""
    answers = await asyncio.gather(*(talk.offers("x") for _ in range(3)))
    assert [status for status, _ in answers] == [412] * 3
    assert (await talk.offers(talk.exchangeable()))[0] == 200


async def test_exchanges_of_two_users(app: ComposedApp) -> None:
    """An exchange counts only for its user and channel, even if another one has the same id."""
    first = Talk(app)
    assert (await first.offers(first.exchangeable()))[0] == 200
    second, elsewhere = Talk(app), Talk(app, "msteams")
    elsewhere.account = first.account
    for other in (second, elsewhere):
        assert (await other.offers("x"))[0] == 412
    assert not second.signed_in()


async def test_remembered_exchanges(app: ComposedApp) -> None:
    """Only the latest exchanges are remembered; an older one is exchanged again."""
    talk = Talk(app, logic=SignIn(max_exchanges=2).on_token_exchange)
    calls = app.cloud.token_service.calls
    for number in range(3):
        await talk.offers(talk.exchangeable(), str(number))
    before = len(calls)
    for number in (1, 2):
        assert (await talk.offers("x", str(number)))[0] == 200
    assert len(calls) == before
    assert (await talk.offers("x", "0"))[0] == 412
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
async def test_a_malformed_exchange(talk: Talk, value: Any) -> None:
    """A malformed exchange gets 400 with the reason, without a call to the token service."""
    before = len(talk.app.cloud.token_service.calls)
    status, answer = await talk.sends(type="invoke", name="signin/tokenExchange", value=value)
    assert status == 400
    assert answer["failureDetail"]
    assert len(talk.app.cloud.token_service.calls) == before
    assert talk.app.texts() == []


@pytest.mark.usefixtures("no_connection")
async def test_an_unknown_connection(talk: Talk) -> None:
    """The bot names the missing connection; digits are echoed, and invokes are answered."""
    assert CONNECTION in UNKNOWN_CONNECTION
    for text in ("login", "logout"):
        assert (await talk.says(text))[-1] == UNKNOWN_CONNECTION
    assert (await talk.says("123456"))[-1] == "You said: 123456"
    assert (await talk.verifies({"state": "123456"}))[0] == 404
    assert (await talk.offers(talk.exchangeable()))[0] == 412


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize("text", ["login", "logout", "123456"])
async def test_a_failing_service(talk: Talk, text: str) -> None:
    """If the token service fails, the user gets the apology."""
    assert await talk.says(text) == [APOLOGY]


@pytest.mark.usefixtures("failing")
async def test_invokes_and_a_failing_service(talk: Talk) -> None:
    """If the token service fails, an exchange gets 412, and a code the apology."""
    assert (await talk.offers(talk.exchangeable()))[0] == 412
    assert await talk.verifies({"state": "123456"}) == (200, None)
    assert talk.app.texts() == [APOLOGY]


@pytest.mark.parametrize("account", [None, {}, {"name": "Ada"}, {"id": None}, {"id": ""}])
async def test_a_user_without_an_id(app: ComposedApp, account: Any) -> None:
    """The bot tells a user without an id so, and never calls the token service."""
    before = len(app.cloud.token_service.calls)
    talk = Talk(app)
    talk.account = account
    for text in ("login", "logout", "123456"):
        await talk.says(text)
    assert app.texts() == [UNKNOWN_USER, UNKNOWN_USER, "You said: 123456"]
    assert (await talk.verifies({"state": "123456"}))[0] == 404
    assert (await talk.offers("x"))[0] == 412
    assert await talk.sends(type="event", name="tokens/response") == (200, None)
    assert app.texts()[3:] == [INVALID_CODE]
    assert len(app.cloud.token_service.calls) == before


async def test_no_token_is_logged_or_sent(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    """No activity and no log line of a sign-in holds a token."""
    caplog.set_level("DEBUG")
    await talk.says("login")
    await talk.verifies({"state": talk.code()})
    await talk.says("logout")
    await talk.offers(talk.exchangeable())
    await talk.says("login")
    assert "eyJ" not in json.dumps(talk.app.conversation.activities)
    assert "eyJ" not in caplog.text
