"""Services over the inspector's API: presets, faults, stop and start, with the same effect as the
switches'."""

import socket
from typing import Any

import aiohttp
import pytest

from bot_workbench.emulator.channel.channel import Channel
from bot_workbench.emulator.channel.connector import BotConnector
from bot_workbench.emulator.loopback import LOOPBACK
from bot_workbench.emulator.server import Server
from tests.emulator.inspector.inspector_client import InspectorClient


async def service(client: InspectorClient, name: str) -> dict[str, Any]:
    """A service as the API shows it."""
    found: list[dict[str, Any]] = await client.call("GET", "/services")
    return next(each for each in found if each["name"] == name)


async def status(http: aiohttp.ClientSession, server: Server) -> int:
    """What a request gets; 0: no connection."""
    try:
        async with http.get(f"{server.url}/v1/.well-known/keys") as response:
            return response.status
    except aiohttp.ClientConnectionError:
        return 0


@pytest.fixture(autouse=True)
async def channel(module_channel: Channel) -> Any:
    """The channel's own server listens, and is healthy again after the test."""
    await module_channel.server.start()
    yield module_channel
    module_channel.server.faults.clear()
    await module_channel.server.stop()


async def test_the_services(
    client: InspectorClient, channel: Channel, http: aiohttp.ClientSession
) -> None:
    """Each service has an address, counters, its faults and presets for them."""
    assert await status(http, channel.server) == 200
    found = await service(client, "channel")
    expected = {
        "label": "Channel's signing keys",
        "url": channel.server.url,
        "running": True,
        "requests": 1,
        "faults": {},
    }
    assert expected.items() <= found.items()
    assert {"name": "failing", "label": "500", "faults": {"status": 500}} in found["presets"]


async def test_faults(
    client: InspectorClient, channel: Channel, http: aiohttp.ClientSession
) -> None:
    """Faults take effect, are shown, and an empty object removes them."""
    changed = await client.call(
        "PUT", "/services/channel/faults", {"status": 429, "retry_after": 2, "remaining": 1}
    )
    assert next(each for each in changed if each["name"] == "channel")["faults"]["status"] == 429
    assert [await status(http, channel.server) for _ in range(2)] == [429, 200]
    assert (await service(client, "channel"))["faults"]["remaining"] == 0
    await client.call("PUT", "/services/channel/faults", {})
    assert (await service(client, "channel"))["faults"] == {}


async def test_every_preset_of_a_service(client: InspectorClient, connector: BotConnector) -> None:
    """The switches of each preset can be sent back as they are."""
    for preset in (await service(client, "connector"))["presets"]:
        await client.call("PUT", "/services/connector/faults", preset["faults"])
        assert (await service(client, "connector"))["faults"] == preset["faults"]
    connector.server.faults.clear()


async def test_stop_and_start(
    client: InspectorClient, channel: Channel, http: aiohttp.ClientSession
) -> None:
    """A stopped service refuses connections, and starts at the same port; twice does no harm."""
    for _ in range(2):
        await client.call("POST", "/services/channel/stop")
    assert (await service(client, "channel"))["running"] is False
    assert await status(http, channel.server) == 0
    url = channel.server.url
    for _ in range(2):
        await client.call("POST", "/services/channel/start")
    assert (await service(client, "channel"))["running"] is True
    assert (channel.server.url, await status(http, channel.server)) == (url, 200)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"unheard_of": 1}, "There is no fault 'unheard_of': choose from latency, status,"),
        ({"status": "teapot"}, "status must be an HTTP status from 200 to 599, or null."),
        ([], "The faults must be a JSON object."),
        (3, "The faults must be a JSON object."),
    ],
)
async def test_wrong_faults(client: InspectorClient, body: Any, says: str) -> None:
    """Wrong faults are 400 with a sentence, and change nothing."""
    text = await client.call("PUT", "/services/channel/faults", body, 400)
    assert text.startswith(says)
    assert (await service(client, "channel"))["faults"] == {}


async def test_unknown_services(client: InspectorClient) -> None:
    """An unknown service is 404, and the text lists those that there are."""
    for method, path in (("PUT", "faults"), ("POST", "stop"), ("POST", "start")):
        text = await client.call(method, f"/services/unheard_of/{path}", {}, 404)
        assert text.startswith("There is no service 'unheard_of': ")
        assert "connector" in text
    await client.call("POST", "/services/channel/explode", status=404)


async def test_a_port_that_was_taken(client: InspectorClient, channel: Channel) -> None:
    """If another program has the port meanwhile, the start says so."""
    await client.call("POST", "/services/channel/stop")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((LOOPBACK, channel.server.port))
        other.listen()
        text = await client.call("POST", "/services/channel/start", status=409)
    assert text.startswith("The port of channel is taken: ")
