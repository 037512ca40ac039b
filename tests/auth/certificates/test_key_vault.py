"""CertificateVault: what each of the vault's responses, and none, means."""

import asyncio
import contextlib
import datetime
import json
import logging
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from auth.certificates.key_vault import (
    CertificateVault,
    ExportedCertificate,
    VaultSigning,
    newest_first,
)
from auth.errors import CertificateError, EndpointDown, SignInError, Throttled, VaultForbidden
from auth.outbound.azure_sdk import AzureSdkCredential, PoolTransport
from auth.outbound.endpoints import READ_TIMEOUT_SECONDS
from auth.outbound.managed_identity import ManagedIdentityCredential
from auth.outbound.token_provider import TokenProvider
from bot_workbench.emulator.cloud import CERTIFICATE_NAME, Cloud
from bot_workbench.emulator.key_vault.policy import PEM
from http_client.pool import MAX_RESPONSE_BYTES, HttpPool, Timeouts
from tests.support.timing.condition import comes_true
from tests.support.timing.moved_clock import MovedClock
from tests.support.wire.scripted_service import ScriptedService

Operation = Callable[[], Awaitable[object]]


def credential(transport: PoolTransport) -> AzureSdkCredential:
    """That of the app's system-assigned identity."""
    identity = ManagedIdentityCredential("", "AZURE_CLIENT_ID", transport)
    return AzureSdkCredential(TokenProvider(identity, max_attempts=1))


async def list_secrets(vault: CertificateVault) -> Operation:
    """The list of the secret's versions."""
    return ExportedCertificate(vault).versions


async def get_secret(vault: CertificateVault) -> Operation:
    """The certificate with its private key."""
    return partial(ExportedCertificate(vault).load, None)


async def list_certificates(vault: CertificateVault) -> Operation:
    """The list of the certificate's versions."""
    return VaultSigning(vault).versions


async def get_certificate(vault: CertificateVault) -> Operation:
    """The certificate without its private key."""
    return partial(VaultSigning(vault).load, None)


async def sign(vault: CertificateVault) -> Operation:
    """A signature with the private key, whose certificate has been read before."""
    certificate = await VaultSigning(vault).load(None)
    return partial(certificate.key.sign, b"data")


Prepare = Callable[[CertificateVault], Awaitable[Operation]]

each_operation = pytest.mark.parametrize(
    "prepare", [list_secrets, get_secret, list_certificates, get_certificate, sign]
)


@pytest.fixture
def allowed(platform: Cloud) -> Cloud:
    """The platform, whose system-assigned identity may do all that is tried here."""
    platform.vault_permissions[platform.reader] = {
        "secrets/get",
        "secrets/list",
        "certificates/get",
        "certificates/list",
        "keys/sign",
    }
    return platform


@each_operation
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503, "html": True},
        {"status": 302},
        {"status": 200, "html": True},
    ],
    ids=str,
)
async def test_an_outage(
    prepare: Prepare, fault: dict[str, Any], allowed: Cloud, vault: CertificateVault
) -> None:
    """Any other response than a vault's is an outage of the vault, which is named."""
    operation = await prepare(vault)
    allowed.vault.server.faults.set(**fault)
    with pytest.raises(EndpointDown, match="CertificateVaultUrl") as caught:
        await operation()
    assert allowed.vault.server.url in str(caught.value)
    allowed.vault.server.faults.clear()
    assert await operation()


@pytest.mark.parametrize("prepare", [get_secret, get_certificate, sign])
async def test_another_service(prepare: Prepare, allowed: Cloud, vault: CertificateVault) -> None:
    """JSON that is not a vault's is a failed sign-in, and the text names a setting."""
    operation = await prepare(vault)
    allowed.vault.server.faults.set(status=200)
    with pytest.raises(SignInError, match=r"CertificateVaultUrl|CertificateName"):
        await operation()


@each_operation
@pytest.mark.parametrize(
    "content",
    [
        "null",
        "[]",
        '"x"',
        "5",
        '{"value": 5}',
        '{"value": [null]}',
        '{"cer": 5, "kid": 5}',
        "[" * 100_000,
    ],
    ids=lambda content: content[:20],
)
async def test_an_answer_of_another_shape(
    prepare: Prepare,
    content: str,
    allowed: Cloud,
    vault: CertificateVault,
) -> None:
    """Malformed responses raise errors of this project only."""
    operation = await prepare(vault)
    allowed.vault.server.faults.set(status=200, body=content)
    with contextlib.suppress(EndpointDown, CertificateError):
        assert await operation() == []  # a list of nothing


@each_operation
async def test_an_endless_response(
    prepare: Prepare, allowed: Cloud, vault: CertificateVault, pool: HttpPool
) -> None:
    """A call times out as a whole, although each of its requests is in time."""
    patient = PoolTransport(pool, Timeouts(connect=60, response=60, total=60))
    vault = CertificateVault(vault.url, vault.name, credential(patient), patient)
    operation = await prepare(vault)
    vault.call_timeout = 0.2
    allowed.vault.server.faults.set(status=200, endless=True)
    async with asyncio.timeout(30):
        with pytest.raises(EndpointDown, match="does not answer"):
            await operation()


@each_operation
async def test_a_silent_vault(
    prepare: Prepare, allowed: Cloud, vault: CertificateVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call to a vault that never responds times out, before its time limit for all requests."""
    operation = await prepare(vault)
    clock = MovedClock(monkeypatch)
    requests = allowed.vault.server.requests
    before = requests.total()
    allowed.vault.server.faults.set(silent=True)
    call = asyncio.ensure_future(operation())
    await comes_true(lambda: requests.total() > before)
    clock.move(READ_TIMEOUT_SECONDS)
    async with asyncio.timeout(30):
        with pytest.raises(EndpointDown, match="does not answer"):
            await call


@each_operation
async def test_a_response_that_is_too_large(
    prepare: Prepare, allowed: Cloud, vault: CertificateVault
) -> None:
    """A response of more than a megabyte is not parsed."""
    operation = await prepare(vault)
    too_large = json.dumps({"value": "x" * MAX_RESPONSE_BYTES})
    allowed.vault.server.faults.set(status=200, body=too_large)
    with pytest.raises(EndpointDown, match="does not answer for"):
        await operation()


@pytest.mark.parametrize("prepare", [list_secrets, get_secret, list_certificates, get_certificate])
async def test_a_redirect(
    prepare: Prepare, allowed: Cloud, vault: CertificateVault, transport: PoolTransport
) -> None:
    """A redirect is not followed, not even to a vault: a vault sends none."""

    async def redirect(request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect(f"{vault.url}{request.path_qs}")

    before = allowed.vault.server.requests.total()
    async with ScriptedService(allowed.authority.server_context()) as elsewhere:
        elsewhere.otherwise = redirect
        moved = CertificateVault(elsewhere.url, vault.name, credential(transport), transport)
        with pytest.raises(EndpointDown, match="does not answer for"):
            await (await prepare(moved))()
        assert len(elsewhere.seen) == 1
    assert allowed.vault.server.requests.total() == before


@each_operation
@pytest.mark.usefixtures("allowed")
async def test_a_closed_port(
    prepare: Prepare, vault: CertificateVault, close_port: Callable[[str], None]
) -> None:
    """So is one that is not there."""
    operation = await prepare(vault)
    close_port("vault")
    with pytest.raises(EndpointDown, match="does not answer"):
        await operation()


@each_operation
@pytest.mark.parametrize(("asked", "wait"), [(7, 7), (None, 10), (3600, 120)])
async def test_a_busy_vault(
    prepare: Prepare, asked: int | None, wait: int, allowed: Cloud, vault: CertificateVault
) -> None:
    """A vault that asks to wait is called once; the wait has a default and a maximum."""
    operation = await prepare(vault)
    allowed.vault.server.faults.set(status=429, retry_after=asked)
    before = allowed.vault.server.requests.total()
    with pytest.raises(Throttled, match="asks to wait") as caught:
        await operation()
    assert caught.value.retry_after == wait
    assert allowed.vault.server.requests.total() == before + 1


@each_operation
async def test_another_tenant(
    prepare: Prepare, allowed: Cloud, vault: CertificateVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vault of another tenant refuses the identity's token, and the text says so."""
    operation = await prepare(vault)
    monkeypatch.setattr(allowed.vault, "tenant_id", str(uuid.uuid4()))
    with pytest.raises(SignInError, match=r"CertificateVaultUrl.*own tenant") as caught:
        await operation()
    assert not isinstance(caught.value, (EndpointDown, VaultForbidden))


async def test_a_host_outside_of_the_vaults(platform: Cloud, vault: CertificateVault) -> None:
    """Except on loopback, a host that is not a vault's receives no token when it asks for one."""
    assert not vault.verifies_host
    vault.verifies_host = True
    before = platform.identity.server.requests.total()
    with pytest.raises(EndpointDown, match="does not answer as a Key Vault does"):
        await (await get_secret(vault))()
    assert platform.identity.server.requests.total() == before


@pytest.mark.parametrize("host", ["contoso.vault.azure.net", "localhost.contoso.com", "127.0.0.2"])
def test_hosts_that_are_verified(host: str) -> None:
    """Every host but loopback's names is verified."""
    transport = PoolTransport(HttpPool())
    vault = CertificateVault(f"https://{host}:8443", "bot", credential(transport), transport)
    assert vault.verifies_host


async def test_one_token_for_all(allowed: Cloud, vault: CertificateVault) -> None:
    """However many clients of the SDK reach the vault, the identity signs in once."""
    before = allowed.identity.server.requests.total()
    for prepare in (list_secrets, get_secret, list_certificates, get_certificate, sign):
        await (await prepare(vault))()
    assert allowed.identity.server.requests.total() == before + 1


async def test_nothing_secret_is_logged(
    allowed: Cloud,
    vault: CertificateVault,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the identity's token nor the private key is in a log, at any level."""
    caplog.set_level(logging.DEBUG)
    issued: list[str] = []
    issue = allowed.entra.issuer.sign

    def recorded(*arguments: Any) -> str:
        issued.append(issue(*arguments))
        return issued[-1]

    monkeypatch.setattr(allowed.entra.issuer, "sign", recorded)
    made = allowed.vault.inventory.add_version(CERTIFICATE_NAME, content_type=PEM)
    for prepare in (list_secrets, get_secret, sign):
        await (await prepare(vault))()
    assert len(issued) == 1
    assert issued[0] not in caplog.text
    assert made.secret_bundle("")["value"].splitlines()[1] not in caplog.text


@dataclass(frozen=True)
class Version:
    """One line of a vault's list."""

    version: str | None
    created_on: datetime.datetime | None
    enabled: bool | None = True


FIRST, SECOND, THIRD = (datetime.datetime(2026, 1, day, tzinfo=datetime.UTC) for day in (1, 2, 3))


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([], []),
        ([Version("b", SECOND), Version("c", THIRD), Version("a", FIRST)], ["c", "b", "a"]),
        (
            [Version("a", FIRST), Version("b", SECOND, enabled=False), Version("c", THIRD)],
            ["c", "a"],
        ),
        ([Version("a", FIRST), Version("b", SECOND, enabled=None)], ["a"]),
        ([Version("a", FIRST), Version("b", FIRST), Version("c", FIRST)], ["a", "b", "c"]),
        ([Version("a", None), Version("b", FIRST), Version("c", None)], ["b", "a", "c"]),
        ([Version(None, SECOND), Version("", SECOND), Version("a", FIRST)], ["a"]),
        ([Version("a", FIRST, enabled=False)], []),
    ],
    ids=["none", "shuffled", "disabled", "unknown", "tie", "no date", "no name", "all disabled"],
)
def test_newest_first(listed: list[Version], expected: list[str]) -> None:
    """The enabled versions by date, the newest first; as listed, where no date tells them apart."""
    assert newest_first(listed) == expected


def test_no_other_http_client_is_imported_with_it() -> None:
    """Neither are aiohttp's modules, which take a fifth of the time to import."""
    code = """
import sys
from auth.certificates.key_vault import CertificateVault, ExportedCertificate, VaultSigning
from auth.outbound.azure_sdk import PoolTransport
from http_client.pool import HttpPool, Timeouts
vault = CertificateVault("https://vault", "bot", object(), PoolTransport(HttpPool()))
ExportedCertificate(vault), VaultSigning(vault)
sys.exit("aiohttp" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
