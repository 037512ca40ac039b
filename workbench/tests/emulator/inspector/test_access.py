"""Who may use the inspector's API: pages of its own origin, and programs on this machine."""

from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web

from bot_workbench.emulator.channel.channel import Channel
from bot_workbench.emulator.inspector.inspector import BASE, Inspector
from tests.emulator.inspector.inspector_client import InspectorClient
from tests.emulator.registered_bot import APP_ID


def requests_of(inspector: Inspector) -> list[tuple[str, str]]:
    """Method and path of each route."""
    names = {"{turn}": "x", "{service}": "connector", "{change:stop|start}": "stop"}
    found = []
    for route in inspector.routes():
        path = route.path
        for name, value in names.items():
            path = path.replace(name, value)
        found.append((route.method, path))
    return found


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Host": "attacker.example"},
        {"Host": "attacker.example:3979", "Origin": "http://attacker.example:3979"},
    ],
)
async def test_pages_of_other_sites(
    inspector: Inspector, client: InspectorClient, headers: dict[str, str]
) -> None:
    """No route answers a page of another site, nor one that DNS rebinding leads here."""
    requests = requests_of(inspector)
    assert len(requests) >= 10
    for method, path in requests:
        async with client.session.request(method, path, headers=headers) as response:
            assert response.status == 403, (method, path)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.session.ws_connect(f"{BASE}/live", headers=headers)
    assert refused.value.status == 403
    assert inspector.log.turns == []


async def test_a_page_of_its_own_origin(client: InspectorClient, inspector: Inspector) -> None:
    """The inspector's own page is served."""
    async with client.session.ws_connect(
        f"{BASE}/live", headers={"Origin": inspector.url}
    ) as socket:
        assert (await socket.receive_json())["type"] == "hello"


async def test_a_token_of_this_channel(client: InspectorClient, module_channel: Channel) -> None:
    """A token is the channel's own, for its bot and one service URL; GET gives none."""
    path = f"{BASE}/token?service_url=https%3A%2F%2Flocalhost%3A1%2F"
    async with client.session.post(path) as response:
        token = await response.text()
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    claims: dict[str, Any] = module_channel.issuer.verify(
        token, APP_ID, "https://api.botframework.com"
    )
    assert claims["serviceurl"] == "https://localhost:1/"
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    async with client.session.get(path) as response:
        assert response.status == web.HTTPMethodNotAllowed.status_code
