"""Switches: another process injects faults into the local cloud, and reads its counters."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot_workbench.credential_kinds import CERTIFICATE
from bot_workbench.emulator.channel.user_tokens import UnknownConnectionError
from bot_workbench.emulator.cloud import CERTIFICATE_NAME, Cloud
from tests.support.timing.clock import Clock


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Cloud]:
    """A started cloud for a bot with a certificate."""
    cloud = Cloud(tmp_path, CERTIFICATE)
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest.fixture
async def session(cloud: Cloud) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the switches."""
    async with aiohttp.ClientSession(cloud.switches.server.url) as session:
        yield session


async def post(session: aiohttp.ClientSession, path: str, body: Any = None) -> int:
    """POST, and the status."""
    async with session.post(path, json=body) as response:
        return response.status


async def identity_status(cloud: Cloud) -> int:
    """The answer of the identity endpoint to a request without its header: 4xx when healthy."""
    async with aiohttp.ClientSession() as other, other.get(cloud.identity.server.url) as response:
        return response.status


async def test_faults(cloud: Cloud, session: aiohttp.ClientSession) -> None:
    """A part answers the fault that is switched on, and is healthy again after {}."""
    healthy = await identity_status(cloud)
    assert await post(session, "/faults/identity", {"status": 503}) == 200
    assert await identity_status(cloud) == 503
    assert await post(session, "/faults/identity", {}) == 200
    assert await identity_status(cloud) == healthy


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null", "Content-Type": "text/plain"},
    ],
)
async def test_pages_of_other_sites(
    cloud: Cloud, session: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    """A page of another site can neither use a switch nor read the state."""
    healthy = await identity_status(cloud)
    keys = list(cloud.channel.issuer.keys)
    tried = [
        ("GET", "/state"),
        ("POST", "/faults/identity"),
        ("POST", "/stop/identity"),
        ("POST", "/keys/drop"),
        ("POST", "/certificate"),
    ]
    for method, path in tried:
        data = b'{"status": 503}'
        async with session.request(method, path, headers=headers, data=data) as response:
            assert response.status == 403
            assert "Access-Control-Allow-Origin" not in response.headers
    assert await identity_status(cloud) == healthy
    assert cloud.channel.issuer.keys == keys
    assert len(cloud.vault.inventory.versions[CERTIFICATE_NAME]) == 1


async def test_each_part_refuses_other_sites(cloud: Cloud) -> None:
    """Each part of the local cloud refuses other sites on any path, and accepts its own origin."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session:
        for server in cloud.servers.values():
            foreign = {"Origin": "https://elsewhere.example"}
            async with session.get(f"{server.url}/any", headers=foreign) as response:
                assert response.status == 403, server.name
            assert server.requests.total() == 0
            async with session.get(f"{server.url}/any", headers={"Origin": server.url}) as response:
                assert response.status != 403, server.name


async def test_the_pages_have_no_other_name(cloud: Cloud) -> None:
    """Page and APIs refuse the name of another site, which its owner may have led here."""
    paths = ("/", "/inspector", "/api/inspector/token", "/api/inspector/send", "/api/chat/session")
    async with aiohttp.ClientSession(cloud.pages.url) as session:
        for method, path in itertools.product(("GET", "POST"), paths):
            headers = {"Host": "rebound.example"}
            async with session.request(method, path, headers=headers) as response:
                assert response.status == 403, (method, path)
            async with session.request(method, path) as response:
                assert response.status != 403, (method, path)


async def test_a_service_has_other_names(cloud: Cloud) -> None:
    """A stand-in accepts any Host header, because a test setup may map a service's name to it."""
    server = cloud.connector.server
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session:
        headers = {"Host": "smba.trafficmanager.net"}
        async with session.get(f"{server.url}/any", headers=headers) as response:
            assert response.status == 404


async def test_unknown_names(session: aiohttp.ClientSession) -> None:
    """An unknown part or switch is refused, and so is what is not JSON."""
    assert await post(session, "/faults/nobody", {}) == 404
    assert await post(session, "/faults/identity", {"colour": "blue"}) == 400
    async with session.post("/faults/identity", data="{") as response:
        assert (response.status, await response.text()) == (400, "The body is not JSON.")


async def test_stop_and_start(cloud: Cloud, session: aiohttp.ClientSession) -> None:
    """A stopped part refuses connections; started again, it has the same port."""
    healthy = await identity_status(cloud)
    assert await post(session, "/stop/identity") == 200
    with pytest.raises(aiohttp.ClientConnectorError):
        await identity_status(cloud)
    assert await post(session, "/start/identity") == 200
    assert await identity_status(cloud) == healthy


async def test_keys(cloud: Cloud, session: aiohttp.ClientSession) -> None:
    """The channel gets a new key; the old ones are kept or dropped."""
    (first,) = cloud.channel.issuer.keys
    assert await post(session, "/keys/keep") == 200
    assert first in cloud.channel.issuer.keys
    assert await post(session, "/keys/drop") == 200
    assert len(cloud.channel.issuer.keys) == 1
    assert first not in cloud.channel.issuer.keys


async def test_certificate(cloud: Cloud, session: aiohttp.ClientSession) -> None:
    """The vault gets a new version of the bot's certificate, which Entra knows."""
    assert await post(session, "/certificate") == 200
    newest = cloud.vault.inventory.versions[CERTIFICATE_NAME][-1]
    assert len(cloud.vault.inventory.versions[CERTIFICATE_NAME]) == 2
    assert newest.certificate in cloud.registration.certificates


async def test_a_certificate_with_a_lag(cloud: Cloud, session: aiohttp.ClientSession) -> None:
    """Entra knows the new version after the lag; a lag that is not a number is refused."""
    clock = Clock()
    cloud.registration.clock = clock
    assert await post(session, "/certificate?lag=10") == 200
    newest = cloud.vault.inventory.versions[CERTIFICATE_NAME][-1].certificate
    clock.advance(9)
    assert newest not in cloud.registration.known_certificates()
    clock.advance(1)
    assert newest in cloud.registration.known_certificates()
    assert await post(session, "/certificate?lag=soon") == 400
    assert len(cloud.vault.inventory.versions[CERTIFICATE_NAME]) == 2


async def test_old_certificates_are_withdrawn(cloud: Cloud, session: aiohttp.ClientSession) -> None:
    """Only the newest certificate stays in the registration; the vault keeps every version."""
    assert await post(session, "/certificate") == 200
    assert await post(session, "/certificate/withdraw-old") == 200
    old, new = (version.certificate for version in cloud.vault.inventory.versions[CERTIFICATE_NAME])
    assert cloud.registration.certificates == [new]
    assert old != new


async def test_state(cloud: Cloud, session: aiohttp.ClientSession) -> None:
    """The state counts each part's requests and connections."""
    await identity_status(cloud)
    async with session.get("/state") as response:
        state = await response.json()
    assert state["identity"] == {"requests": {"GET /": 1}, "connections": 1}
    assert set(state) == set(cloud.servers)


async def test_state_of_sign_ins(cloud: Cloud, session: aiohttp.ClientSession) -> None:
    """The state has Entra's token requests by outcome, and the vault's operations."""
    cloud.entra.tokens_issued = 3
    cloud.entra.token_outcomes.update({"issued": 2, "AADSTS700027": 1})
    cloud.vault.operations.update({"keys/sign": 2})
    async with session.get("/state") as response:
        state = await response.json()
    assert state["entra"] == {
        "requests": {},
        "connections": 0,
        "tokens_issued": 3,
        "token_requests": 3,
        "token_outcomes": {"issued": 2, "AADSTS700027": 1},
    }
    assert state["vault"]["operations"] == {"keys/sign": 2}


async def test_connections(cloud: Cloud, session: aiohttp.ClientSession) -> None:
    """The token service does not know a connection, until the other switch is used."""
    assert await post(session, "/connections/unknown/my-connection") == 200
    with pytest.raises(UnknownConnectionError):
        cloud.user_tokens.check("my-connection")
    for _ in range(2):
        assert await post(session, "/connections/known/my-connection") == 200
    cloud.user_tokens.check("my-connection")
