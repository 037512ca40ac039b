"""What the tests of Resource Manager share: a running one, a resource group, SDK clients."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from emulator.certificates import CertificateAuthority
from tests.emulator.resource_manager.arm_thread import ArmThread, Client


@pytest.fixture
def azure(authority: CertificateAuthority, monkeypatch: pytest.MonkeyPatch) -> Iterator[ArmThread]:
    """Resource Manager with a resource group."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    with ArmThread(authority) as running:
        running.arm.put(running.group_id, {"location": "westeurope"})
        yield running


@pytest.fixture
def client(azure: ArmThread) -> Iterator[Client]:
    """Makes SDK clients by name, and closes them."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(azure.client(name))
