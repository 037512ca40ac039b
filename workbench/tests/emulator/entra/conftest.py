"""Fixtures of the tests of Entra: a registration with certificates, a server, and clients."""

from collections.abc import AsyncIterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.certificates import CertificateAuthority, self_signed
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import Registration
from tests.emulator.registered_bot import APP_ID, TENANT


@pytest.fixture(scope="module")
def certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("bot", key)


@pytest.fixture(scope="module")
def expired(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("bot", key, starts_in_days=-30, ends_in_days=-1)


@pytest.fixture(scope="module")
def early(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("bot", key, starts_in_days=1, ends_in_days=30)


@pytest.fixture
def registration(
    certificate: x509.Certificate, expired: x509.Certificate, early: x509.Certificate
) -> Registration:
    return Registration(APP_ID, TENANT, "SingleTenant", [expired, early, certificate])


@pytest.fixture
async def entra(
    registration: Registration, authority: CertificateAuthority
) -> AsyncIterator[Entra]:
    entra = Entra(registration, authority.server_context())
    async with entra.server:
        yield entra
