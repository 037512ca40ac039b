"""What the tests of certificate versions share."""

import logging
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.certificates.versions import CertificateVersions
from tests.support.credentials.certificate_store import ScriptedStore
from tests.support.timing.clock import Clock


@pytest.fixture
def clock() -> Clock:
    """Stands at the real time, by which certificates are made."""
    return Clock(time.time())


@pytest.fixture
def store(key: rsa.RSAPrivateKey) -> ScriptedStore:
    """Has one version."""
    store = ScriptedStore(key)
    store.add("v1")
    return store


@pytest.fixture
def versions(store: ScriptedStore, clock: Clock) -> CertificateVersions:
    """Of that store; every thumbprint is allowed."""
    return CertificateVersions(store, clock=clock)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged."""
    caplog.set_level(logging.INFO)
    return caplog
