"""How large a service's responses may be, and what is parsed of them."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from botbuilder.schema import Activity, ConversationAccount, ConversationParameters
from botframework.connector.token_api.models import TokenExchangeRequest

from auth.bot_framework import BotCredentials, BotCredentialsFactory
from auth.errors import BodyTooLarge
from cloud_adapter.connector.client import (
    MAX_UNCHECKED_BYTES,
    ConnectorClient,
    ConnectorError,
    ConnectorSession,
    Service,
    UserTokenClient,
    parsed,
)
from cloud_adapter.connector.skills import SkillClient
from http_client.pool import (
    MAX_CONTENT_BYTES,
    MAX_LIST_BYTES,
    MAX_RESPONSE_BYTES,
    HttpPool,
    ResponseTooLarge,
)
from tests.support.wire.scripted_service import Behaviour, ScriptedService

ACTIVITY = Activity(type="message", conversation=ConversationAccount(id="c"))
BOT, SKILL = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"

MEMBER = {
    "id": f"29:{'1' * 65}",
    "objectId": "00000000-0000-0000-0000-000000000000",
    "aadObjectId": "00000000-0000-0000-0000-000000000000",
    "tenantId": "00000000-0000-0000-0000-000000000000",
    "name": "Jos\u00e9 \U0001f600 M\u00fcller",
    "givenName": "Jos\u00e9",
    "surname": "M\u00fcller",
    "email": "jose.mueller.1234567@contoso.com",
    "userPrincipalName": "jose.mueller.1234567@contoso.com",
    "userRole": "user",
    "role": "user",
}


class Clients:
    """A bot's clients, in front of one service."""

    def __init__(self, pool: HttpPool, url: str) -> None:
        session, service = ConnectorSession(pool), Service(url, BotCredentials("", None, "x"), 0.0)
        connector = ConnectorClient(session, service)
        self.conversations = connector.conversations
        self.attachments, self.teams = connector.attachments, connector.teams
        self.users = UserTokenClient(session, service)
        self._skills = SkillClient(pool, BotCredentialsFactory(BOT, None), "x", loopback=True)
        self._url = url

    async def post_to_skill(self) -> Any:
        """Send an activity to a skill."""
        return await self._skills.post_activity(BOT, SKILL, self._url, self._url, "c", ACTIVITY)


@pytest.fixture
def clients(pool: HttpPool, service: ScriptedService) -> Clients:
    return Clients(pool, f"{service.url}/")


def answer(body: bytes, status: int = 200) -> Behaviour:
    """Answers each request with a body."""

    async def respond(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    return respond


Call = Callable[[Clients], Awaitable[Any]]

CALLS: dict[str, tuple[int, Call]] = {
    "sent": (MAX_RESPONSE_BYTES, lambda c: c.conversations.send_to_conversation("c", ACTIVITY)),
    "replied": (
        MAX_RESPONSE_BYTES,
        lambda c: c.conversations.reply_to_activity("c", "a", ACTIVITY),
    ),
    "updated": (MAX_RESPONSE_BYTES, lambda c: c.conversations.update_activity("c", "a", ACTIVITY)),
    "deleted": (MAX_RESPONSE_BYTES, lambda c: c.conversations.delete_activity("c", "a")),
    "history": (MAX_RESPONSE_BYTES, lambda c: c.conversations.send_conversation_history("c", [])),
    "created": (
        MAX_RESPONSE_BYTES,
        lambda c: c.conversations.create_conversation(ConversationParameters()),
    ),
    "a member": (MAX_RESPONSE_BYTES, lambda c: c.conversations.get_conversation_member("c", "m")),
    "a team": (MAX_RESPONSE_BYTES, lambda c: c.teams.get_team_details("t")),
    "a meeting": (MAX_RESPONSE_BYTES, lambda c: c.teams.fetch_meeting("m")),
    "an attachment's info": (MAX_RESPONSE_BYTES, lambda c: c.attachments.get_attachment_info("a")),
    "a user's token": (MAX_RESPONSE_BYTES, lambda c: c.users.get_user_token("u", "n", "c", None)),
    "tokens": (MAX_RESPONSE_BYTES, lambda c: c.users.get_token_status("u", "c", None)),
    "Entra's tokens": (MAX_RESPONSE_BYTES, lambda c: c.users.get_aad_tokens("u", "n", ["r"], "c")),
    "exchanged": (
        MAX_RESPONSE_BYTES,
        lambda c: c.users.exchange_token("u", "n", "c", TokenExchangeRequest()),
    ),
    "signed out": (MAX_RESPONSE_BYTES, lambda c: c.users.sign_out_user("u", "n", "c")),
    "members": (MAX_LIST_BYTES, lambda c: c.conversations.get_conversation_members("c")),
    "members in pages": (
        MAX_LIST_BYTES,
        lambda c: c.conversations.get_conversation_paged_members("c"),
    ),
    "Teams' members in pages": (
        MAX_LIST_BYTES,
        lambda c: c.conversations.get_teams_conversation_paged_members("c"),
    ),
    "an activity's members": (
        MAX_LIST_BYTES,
        lambda c: c.conversations.get_activity_members("c", "a"),
    ),
    "conversations": (MAX_LIST_BYTES, lambda c: c.conversations.get_conversations()),
    "a team's channels": (MAX_LIST_BYTES, lambda c: c.teams.get_teams_channels("t")),
    "a skill": (MAX_LIST_BYTES, Clients.post_to_skill),
    "an attachment": (MAX_CONTENT_BYTES, lambda c: c.attachments.get_attachment("a", "original")),
}
LISTS = {"members", "an activity's members", "tokens"}


@pytest.mark.parametrize("name", CALLS)
async def test_the_largest_response(name: str, clients: Clients, service: ScriptedService) -> None:
    """A response of the limit is read; one of a byte more fails, at once and saying why."""
    limit, call = CALLS[name]
    small = b"[]" if name in LISTS else b"{}"
    service.otherwise = answer(small + b" " * (limit - len(small)))
    await call(clients)
    service.otherwise = answer(small + b" " * (limit - len(small) + 1))
    with pytest.raises(ConnectorError, match="got an answer that is too large") as caught:
        await call(clients)
    assert isinstance(caught.value.__cause__, ResponseTooLarge)
    assert f"{limit} bytes" in str(caught.value.__cause__)
    assert len(service.seen) == 2  # it was not sent again


@pytest.mark.parametrize("name", sorted(LISTS | {"Entra's tokens"}))
@pytest.mark.parametrize("body", [b"5", b"true", b'"x"', b'[["x"]]', b'{"x": "x"}'])
async def test_another_shape(
    name: str, body: bytes, clients: Clients, service: ScriptedService
) -> None:
    """JSON of another shape is the service's error, where a list or a dictionary is expected."""
    service.otherwise = answer(body)
    with pytest.raises(ConnectorError):
        await CALLS[name][1](clients)


async def test_ten_thousand_members(clients: Clients, service: ScriptedService) -> None:
    """A large team's members are read, with all properties, and whatever is in their names."""
    body = json.dumps({"members": [MEMBER] * 10_000}, ensure_ascii=False).encode()
    assert len(body) > 4_500_000
    service.otherwise = answer(body)
    page = await clients.conversations.get_teams_conversation_paged_members("c")
    assert len(page.members) == 10_000
    assert page.members[-1].name == MEMBER["name"]


COSTLY: dict[str, bytes] = {
    "objects": b"[" + b"{}," * (MAX_LIST_BYTES // 3 - 1) + b"{}]",
    "objects in a megabyte": b"[" + b"{}," * (MAX_RESPONSE_BYTES // 3 - 1) + b"{}]",
    "brackets": b"[" * (MAX_UNCHECKED_BYTES + 1),
    "an emoji": b'["%b", "%b"]' % (b"x" * (MAX_LIST_BYTES - 100), "\U0001f600".encode()),
}


@pytest.mark.parametrize("name", COSTLY)
@pytest.mark.parametrize("call", ["members", "a skill"])
async def test_a_costly_body(
    name: str, call: str, clients: Clients, service: ScriptedService
) -> None:
    """A body that would take too much memory is not parsed."""
    service.otherwise = answer(COSTLY[name])
    with pytest.raises(ConnectorError, match="got an answer that is too large") as caught:
        await CALLS[call][1](clients)
    assert isinstance(caught.value.__cause__, BodyTooLarge)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * MAX_UNCHECKED_BYTES,
        b'{"a":' * 10_000,
        json.dumps("\u00e9" * MAX_UNCHECKED_BYTES, ensure_ascii=False).encode("utf-16"),
        b"[" + b"1" * 1001 + b"," * MAX_UNCHECKED_BYTES + b"1]",
        b"[%b]" % b",".join([b"1" * 1001] * 1000),
    ],
    ids=lambda body: str(body[:20]),
)
def test_what_is_not_parsed(body: bytes) -> None:
    """Deep nesting and long numbers are no JSON, nor is a large body that is not UTF-8."""
    assert parsed(body, "the call") is None


@pytest.mark.parametrize("size", [MAX_RESPONSE_BYTES, MAX_RESPONSE_BYTES + 1])
async def test_errors(size: int, clients: Clients, service: ScriptedService) -> None:
    """The body of an error is parsed up to MAX_RESPONSE_BYTES, whatever the call's limit is."""
    body = b'{"error": {"code": "Bad"}}'
    service.otherwise = answer(body + b" " * (size - len(body)), 400)
    with pytest.raises(ConnectorError, match="answered 400") as caught:
        await clients.conversations.get_conversation_members("c")
    is_parsed = size == MAX_RESPONSE_BYTES
    assert caught.value.code == ("Bad" if is_parsed else "")
    response = await clients.post_to_skill()
    assert (response.status, response.body is not None) == (400, is_parsed)


async def test_a_costly_error(clients: Clients, service: ScriptedService) -> None:
    """An error whose body would take too much memory keeps its status."""
    service.otherwise = answer(COSTLY["objects in a megabyte"], 403)
    with pytest.raises(ConnectorError) as caught:
        await clients.conversations.get_conversation_members("c")
    assert caught.value.response.status_code == 403
    assert (await clients.post_to_skill()).status == 403
