"""The SDK's own clients, whose calls are ours."""

from typing import Any

import aiohttp
import pytest
from microsoft_agents.activity import Activity, ConversationParameters
from microsoft_agents.hosting.core.connector.teams import TeamsConnectorClient

from cloud_adapter.agents.clients import LazyConnectorClient, LazyUserTokenClient, ServiceSession
from cloud_adapter.connector.client import ConnectorError, ServiceResponse

URL = "https://smba.example/emea"


class Service:
    """Answers each call with the same, and keeps the calls."""

    def __init__(self, answer: bytes | ConnectorError) -> None:
        self.answer = answer
        self.calls: list[tuple[Any, ...]] = []

    async def call(
        self, method: str, path: tuple[str, ...], body: Any, query: Any, **_: Any
    ) -> ServiceResponse:
        """The answer."""
        self.calls.append((method, path, body, query))
        if isinstance(self.answer, ConnectorError):
            raise self.answer
        return ServiceResponse(self.answer, "a call")

    @property
    def session(self) -> ServiceSession:
        """A session that calls it."""
        return ServiceSession(self.call, URL)


async def test_a_call() -> None:
    """Its path is in segments, which our client escapes; its models are the SDK's."""
    service = Service(b'{"id": "1"}')
    client = LazyConnectorClient(lambda: service.session)
    assert isinstance(client, TeamsConnectorClient)
    reply = Activity(type="message", text="hi")
    answer = await client.conversations.reply_to_activity("19:a@x;messageid=1", "2", reply)
    assert answer.id == "1"
    path = ("v3", "conversations", "19:a@x;messageid=1", "activities", "2")
    assert service.calls == [("POST", path, {"type": "message", "text": "hi"}, {})]
    assert client.base_uri == f"{URL}/"


async def test_nothing_is_made_before() -> None:
    """A turn that uses no client of the SDK's pays for none."""
    made: list[None] = []

    def session() -> ServiceSession:
        made.append(None)
        return Service(b"[]").session

    client = LazyConnectorClient(session)
    assert not made
    await client.conversations.get_conversation_members("c")
    await client.conversations.get_conversation_members("c")
    assert made == [None]
    with pytest.raises(AttributeError):
        _ = client.other


async def test_a_refusal() -> None:
    """It is aiohttp's error, with the status and the service's text, and without the query."""
    refusal = ConnectorError("GET", 400, {"error": {"code": "BadArgument", "message": "no"}})
    client = LazyUserTokenClient(lambda: Service(refusal).session, "app")
    with pytest.raises(aiohttp.ClientResponseError) as raised:
        await client.get_token_status("user-id", "msteams")
    assert raised.value.status == 400
    assert "user-id" not in str(raised.value)


async def test_nobody_has_signed_in() -> None:
    """The SDK's client makes an empty token of a 404."""
    client = LazyUserTokenClient(lambda: Service(ConnectorError("GET", 404)).session, "app")
    token = await client.get_user_token("user", "connection", "msteams:COPILOT")
    assert not token


async def test_no_answer() -> None:
    """It stays our error, which says what happened."""
    client = LazyConnectorClient(lambda: Service(ConnectorError("POST v3")).session)
    with pytest.raises(ConnectorError, match="got no answer"):
        await client.conversations.create_conversation(ConversationParameters())
