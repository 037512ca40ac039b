"""UserTokens: who is signed in, by code or by exchange, for how long."""

from dataclasses import replace

import jwt
import pytest
from microsoft_agents.activity import TokenResponse

from bot_workbench.emulator.channel.user_tokens import (
    CONNECTION,
    GRAPH,
    NotExchangeableError,
    UserConnection,
    UserTokens,
)
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from tests.emulator.registered_bot import APP_ID, TENANT
from tests.support.timing.clock import Clock

ISSUER = f"https://sts.windows.net/{TENANT}/"
TARGET = UserConnection("user-1", CONNECTION, "webchat")
ELSEWHERE = [
    replace(TARGET, user_id="user-2"),
    replace(TARGET, connection="other"),
    replace(TARGET, channel_id="msteams"),
]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def users(issuer: TokenIssuer, clock: Clock) -> UserTokens:
    registration = Registration(APP_ID, TENANT, "SingleTenant")
    users = UserTokens(issuer, registration, clock)
    users.connections.add("other")
    return users


def code_for(users: UserTokens, target: UserConnection = TARGET) -> str:
    """The code that the sign-in page shows."""
    return users.confirm(users.start_sign_in(target, "Ada", "c1"))


def test_a_code_signs_in(users: UserTokens) -> None:
    """A code has six digits; the user has no token before it is redeemed."""
    code = code_for(users)
    assert len(code) == 6
    assert code.isdecimal()
    assert users.token(TARGET) is None
    assert users.redeem(TARGET, code)
    assert users.has_token(TARGET)


def test_a_code_works_once(users: UserTokens) -> None:
    """A redeemed code is refused."""
    code = code_for(users)
    assert users.redeem(TARGET, code)
    assert not users.redeem(TARGET, code)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_code_is_for_one_target(users: UserTokens, target: UserConnection) -> None:
    """Another user, connection or channel cannot redeem a code, which stays valid."""
    code = code_for(users)
    assert not users.redeem(target, code)
    assert not users.has_token(target)
    assert users.redeem(TARGET, code)


@pytest.mark.parametrize("wrong", ["", "12345", "abcdef", "0000000"])
def test_a_wrong_code(users: UserTokens, wrong: str) -> None:
    """A wrong code signs nobody in, with or without a pending one."""
    assert not users.redeem(TARGET, wrong)
    code_for(users)
    assert not users.redeem(TARGET, wrong)


def test_a_code_is_replaced(users: UserTokens) -> None:
    """A new code replaces the one before."""
    first, second = code_for(users), code_for(users)
    while second == first:
        second = code_for(users)
    assert not users.redeem(TARGET, first)
    assert users.redeem(TARGET, second)


def test_a_code_expires(users: UserTokens, clock: Clock) -> None:
    """An expired code is refused."""
    code = code_for(users)
    clock.advance(users.code_lifetime)
    assert not users.redeem(TARGET, code)


def test_a_link_expires(users: UserTokens, clock: Clock) -> None:
    """An expired or unknown link finds no sign-in."""
    sign_in = users.start_sign_in(TARGET, "Ada", "c1")
    assert users.find_sign_in(sign_in.id) == sign_in
    clock.advance(users.code_lifetime)
    assert users.find_sign_in(sign_in.id) is None
    assert users.find_sign_in("x") is None


def test_a_token_is_kept(users: UserTokens, clock: Clock) -> None:
    """The user's token stays the same until another sign-in."""
    users.sign_in(TARGET, "Ada")
    first = users.token(TARGET)
    clock.advance(5)
    assert users.token(TARGET) == first
    users.sign_in(TARGET, "Ada")
    assert users.token(TARGET) != first


def test_a_token(users: UserTokens) -> None:
    """A token is signed, for Graph or the requested audience, with user name and expiry."""
    users.sign_in(TARGET, "Ada")
    answer = users.token(TARGET)
    assert answer is not None
    assert (answer["connectionName"], answer["channelId"]) == (CONNECTION, "webchat")
    assert answer["expiration"] == "2027-01-15T09:00:00Z"
    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert (claims["aud"], claims["name"], claims["exp"]) == (GRAPH, "Ada", 1_800_003_600)
    other = users.token(TARGET, "https://other.example")
    assert other is not None
    claims = jwt.decode(other["token"], options={"verify_signature": False})
    assert claims["aud"] == "https://other.example"


def test_a_sign_in_ends(users: UserTokens, clock: Clock) -> None:
    """After its lifetime the user has no token."""
    users.sign_in(TARGET, "Ada")
    clock.advance(users.lifetime - 1)
    assert users.token(TARGET)
    clock.advance(1)
    assert users.token(TARGET) is None


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (("user-1", CONNECTION, "webchat"), ELSEWHERE),
        (("user-1", "", "webchat"), [ELSEWHERE[0], ELSEWHERE[2]]),
        (("user-1", CONNECTION, ""), ELSEWHERE[:2]),
        (("user-1", "", ""), ELSEWHERE[:1]),
        (("user-3", "", ""), [TARGET, *ELSEWHERE]),
    ],
)
def test_signing_out(
    users: UserTokens, arguments: tuple[str, str, str], left: list[UserConnection]
) -> None:
    """Signing out is for one connection and channel, or for all where none is named."""
    for target in (TARGET, *ELSEWHERE):
        users.sign_in(target, "Ada")
    users.sign_out(*arguments)
    assert [target for target in (TARGET, *ELSEWHERE) if users.has_token(target)] == left


def test_statuses(users: UserTokens) -> None:
    """All connections, or the requested ones, are listed with their state."""
    users.sign_in(TARGET, "Ada")
    statuses = users.statuses("user-1", "webchat", [])
    assert [(status["connectionName"], status["hasToken"]) for status in statuses] == [
        (CONNECTION, True),
        ("other", False),
    ]
    (other,) = users.statuses("user-1", "webchat", ["other", "third"])
    assert other["connectionName"] == "other"
    users.unknown_connections.add("other")
    assert users.statuses("user-1", "webchat", ["other"]) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://api.botframework.com"},
        {"aud": GRAPH},
        {"iss": "https://sts.windows.net/other/"},
        {"exp": 1},
    ],
)
def test_another_token_is_not_exchanged(
    users: UserTokens, issuer: TokenIssuer, changes: dict[str, object]
) -> None:
    """A token for another resource, of another tenant, or expired, is refused."""
    claims = {"aud": users.resource, "iss": ISSUER, "name": "Ada", **changes}
    with pytest.raises(NotExchangeableError):
        users.exchange(TARGET, issuer.sign(claims))
    assert not users.has_token(TARGET)


@pytest.mark.parametrize("token", ["", "x", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token(users: UserTokens, token: str) -> None:
    """Text that is not a token is refused."""
    with pytest.raises(NotExchangeableError):
        users.exchange(TARGET, token)


def test_a_forged_token(users: UserTokens) -> None:
    """A token signed by another issuer is refused."""
    with pytest.raises(NotExchangeableError):
        users.exchange(TARGET, TokenIssuer().sign({"aud": users.resource, "iss": ISSUER}))


def test_a_token_for_another_resource(users: UserTokens) -> None:
    """There are no exchangeable tokens for other resources."""
    with pytest.raises(NotExchangeableError):
        users.exchangeable_token("https://graph.microsoft.com", "user-1", "Ada")


def response(users: UserTokens) -> TokenResponse:
    """The signed-in user's token as the Agents SDK reads it."""
    users.sign_in(TARGET, "user 1")
    return TokenResponse.model_validate(users.token(TARGET))


def test_a_token_that_the_bot_can_exchange(users: UserTokens) -> None:
    """That of a connection for the bot's own registration, by the Agents SDK's own rule."""
    assert not response(users).is_exchangeable()
    users.own_connections.add(CONNECTION)
    assert response(users).is_exchangeable()


def test_single_sign_on_gives_the_connection_s_token(users: UserTokens) -> None:
    """Teams gets a token for the bot, and the bot the same as after a sign-in by code."""
    users.own_connections.add(CONNECTION)
    offered = users.exchangeable_token(users.resource, TARGET.user_id, "user 1")
    assert jwt.decode(offered, options={"verify_signature": False})["appid"] != APP_ID
    users.exchange(TARGET, offered)
    answer = users.token(TARGET)
    assert answer
    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert (claims["aud"], claims["appid"]) == (users.resource, APP_ID)
