"""SignInPage: what its routes answer; a browser meets it in test_webchat_page."""

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot_workbench.emulator.channel.user_tokens import (
    CONNECTION,
    SIGN_IN_PATH,
    UserConnection,
    UserSignIn,
    UserTokens,
)
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.pages.sign_in_page import (
    SESSION_PATH,
    SSO_PATH,
    SignInPage,
)
from bot_workbench.emulator.server import Server
from tests.emulator.registered_bot import APP_ID, TENANT
from tests.support.timing.clock import Clock

TARGET = UserConnection("user-1", CONNECTION, "webchat")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def users(issuer: TokenIssuer, clock: Clock) -> UserTokens:
    return UserTokens(issuer, Registration(APP_ID, TENANT, "SingleTenant"), clock)


@pytest.fixture
def announced() -> list[tuple[UserSignIn, Any]]:
    """The sign-ins that the bot got, each with the user's token."""
    return []


@pytest.fixture
async def http(
    users: UserTokens, announced: list[tuple[UserSignIn, Any]]
) -> AsyncIterator[aiohttp.ClientSession]:
    page = SignInPage(users, APP_ID, lambda *arguments: announced.append(arguments))
    server = Server("page", page.routes())
    async with server, aiohttp.ClientSession(server.url) as session:
        yield session


async def test_the_page(http: aiohttp.ClientSession, users: UserTokens) -> None:
    """The page shows bot, connection and user, and its policy allows only its own script."""
    sign_in = users.start_sign_in(TARGET, "Ada", "c|1")
    async with http.get(SIGN_IN_PATH, params={"signin": sign_in.id}) as response:
        page = await response.text()
        policy = response.headers["Content-Security-Policy"]
        assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    for shown in (APP_ID, CONNECTION, "Ada", "c|1"):
        assert f'"{shown}"' in page
    rules = dict(rule.partition(" ")[::2] for rule in policy.split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["form-action"] == "'none'"
    assert rules["connect-src"] == "'self'"
    nonce = re.fullmatch(r"'nonce-([\w-]{20,})'", rules["script-src"])
    assert nonce is not None
    assert page.count(f'nonce="{nonce[1]}"') == 4
    assert "{{" not in page


async def test_a_name_cannot_become_a_script(
    http: aiohttp.ClientSession, users: UserTokens
) -> None:
    """Markup in a user's name is escaped."""
    sign_in = users.start_sign_in(TARGET, "</script><script>alert(1)</script>", "c1")
    async with http.get(SIGN_IN_PATH, params={"signin": sign_in.id}) as response:
        assert "<script>alert" not in await response.text()


async def test_agreeing(http: aiohttp.ClientSession, users: UserTokens) -> None:
    """Opening the page does nothing; agreeing there gives a code that signs the user in."""
    sign_in = users.start_sign_in(TARGET, "Ada", "c1")
    async with http.get(SIGN_IN_PATH, params={"signin": sign_in.id}):
        pass
    assert not users.codes
    async with http.post(SIGN_IN_PATH, json={"signin": sign_in.id}) as response:
        code = (await response.json())["code"]
    assert not users.has_token(TARGET)
    assert users.redeem(TARGET, code)


async def test_the_chat_s_own_browser(
    http: aiohttp.ClientSession, users: UserTokens, announced: list[tuple[UserSignIn, Any]]
) -> None:
    """The chat that has the page's code signs the user in with it, and the bot gets the token."""
    sign_in = users.start_sign_in(TARGET, "Ada", "c1")
    proof = {"signin": sign_in.id, "code": users.confirm(sign_in)}
    async with http.post(SESSION_PATH, json=proof) as response:
        assert (response.status, await response.json()) == (200, {})
    assert users.has_token(TARGET)
    ((sign_in_of, token),) = announced
    assert sign_in_of == sign_in
    assert token["connectionName"] == CONNECTION
    async with http.post(SESSION_PATH, json=proof) as response:
        assert response.status == 400
    assert len(announced) == 1


@pytest.mark.parametrize("code", [None, "", "12345", 123456])
async def test_another_browser(
    http: aiohttp.ClientSession,
    users: UserTokens,
    announced: list[tuple[UserSignIn, Any]],
    code: object,
) -> None:
    """Without the code, nobody is signed in, and the bot gets nothing."""
    sign_in = users.start_sign_in(TARGET, "Ada", "c1")
    users.confirm(sign_in)
    async with http.post(SESSION_PATH, json={"signin": sign_in.id, "code": code}) as response:
        assert response.status == 400
    async with http.post(SESSION_PATH, json={"signin": "x", "code": code}) as response:
        assert response.status == 404
    assert not users.has_token(TARGET)
    assert announced == []


async def test_an_old_link(http: aiohttp.ClientSession, users: UserTokens, clock: Clock) -> None:
    """An unknown or expired link is a 404, for the page and for its button."""
    sign_in = users.start_sign_in(TARGET, "Ada", "c1")
    clock.advance(users.code_lifetime)
    for sign_in_id in ("x", sign_in.id):
        async with http.get(SIGN_IN_PATH, params={"signin": sign_in_id}) as response:
            assert response.status == 404
        async with http.post(SIGN_IN_PATH, json={"signin": sign_in_id}) as response:
            assert response.status == 404
    async with http.get(SIGN_IN_PATH) as response:
        assert response.status == 404
    async with http.post(SIGN_IN_PATH, data="x") as response:
        assert response.status == 400


async def test_single_sign_on(http: aiohttp.ClientSession, users: UserTokens) -> None:
    """The chat gets a token that the token service exchanges."""
    body = {"resource": users.resource, "user": {"id": "user-1", "name": "Ada"}}
    async with http.post(SSO_PATH, json=body) as response:
        token = (await response.json())["token"]
    users.exchange(TARGET, token)
    assert users.has_token(TARGET)


@pytest.mark.parametrize("body", [{}, {"resource": "https://graph.microsoft.com"}, {"user": 1}])
async def test_no_token_for_another_resource(
    http: aiohttp.ClientSession, body: dict[str, object]
) -> None:
    """A resource of another bot is refused."""
    async with http.post(SSO_PATH, json=body) as response:
        assert response.status == 400
