"""Fixtures of the tests of Graph: a directory with one application, and callers."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.certificates import CertificateAuthority, self_signed
from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.graph.graph import Graph
from bot_workbench.emulator.graph.requests.caller import READ_REPORTS, WRITE_ALL
from tests.emulator.graph.graph_caller import GraphCaller, app_token
from tests.emulator.registered_bot import APP_ID, PRINCIPAL, TENANT


@pytest.fixture(scope="module")
def certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("bot", key)


@pytest.fixture(scope="module")
def second(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("second", key)


@pytest.fixture
def bot() -> Registration:
    """The application that is looked at and changed."""
    return Registration(APP_ID, TENANT, "SingleTenant", display_name="contoso-bot")


@pytest.fixture
async def entra(bot: Registration, authority: CertificateAuthority) -> AsyncIterator[Entra]:
    entra = Entra(bot, authority.server_context())
    async with entra.server:
        yield entra


@pytest.fixture
def directory(entra: Entra) -> Directory:
    return entra.directory


@pytest.fixture
async def graph(entra: Entra, authority: CertificateAuthority) -> AsyncIterator[Graph]:
    graph = Graph(entra, authority.server_context())
    graph.app_roles[PRINCIPAL] = {WRITE_ALL, READ_REPORTS}
    async with graph.server:
        yield graph


@pytest.fixture
def call(entra: Entra, graph: Graph, http: aiohttp.ClientSession) -> GraphCaller:
    """A caller that may change applications and read reports."""
    return GraphCaller(graph, http, app_token(entra, PRINCIPAL))
