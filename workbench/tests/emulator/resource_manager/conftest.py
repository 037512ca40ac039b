"""Fixtures of the tests of Resource Manager: a running one, a resource group, SDK clients."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bot_workbench.emulator.certificates import CertificateAuthority
from tests.emulator.resource_manager.arm_thread import ArmThread, Client


@pytest.fixture(scope="module")
def arm_thread(authority: CertificateAuthority) -> Iterator[ArmThread]:
    """Entra, in a thread that Resource Managers can run in."""
    with ArmThread(authority) as running:
        yield running


@pytest.fixture
def azure(
    arm_thread: ArmThread, authority: CertificateAuthority, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ArmThread]:
    """A new Resource Manager with a resource group."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    with arm_thread.resource_manager():
        yield arm_thread


@pytest.fixture
def client(azure: ArmThread) -> Iterator[Client]:
    """Makes SDK clients by name, and closes them."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(azure.client(name))
