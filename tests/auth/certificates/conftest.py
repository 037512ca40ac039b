"""What the tests of certificate versions share."""

import logging

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.certificates.versions import CertificateVersions
from tests.support.credentials.certificate_store import ScriptedStore


@pytest.fixture
def store(key: rsa.RSAPrivateKey) -> ScriptedStore:
    """A store with one version."""
    store = ScriptedStore(key)
    store.add("v1")
    return store


@pytest.fixture
def versions(store: ScriptedStore) -> CertificateVersions:
    """The versions of the store; every thumbprint is allowed."""
    return CertificateVersions(store, clock=store.clock)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log, from INFO."""
    caplog.set_level(logging.INFO)
    return caplog
