"""`migrate certificate` while Azure is slow, throttles, loses answers, or ends the run."""

from typing import Any

import pytest

from bot_workbench.emulator.server import Server
from tests.admin.migrate.route import CERTIFICATE, NAME, Route

WRITES = {
    "graph": ("graph.microsoft.com", "/applications/"),
    "vault": ("", "/create"),
    "role": ("management.azure.com", "/roleAssignments/"),
    "settings": ("management.azure.com", "/config/appsettings?"),
}
"""The server and the path of each write."""


def server_of(route: Route, write: str) -> tuple[Server, str]:
    """Where a write goes: the server and a part of its path."""
    name, path = WRITES[write]
    if name:
        return route.azure.servers[name], path
    return route.azure.vaults["contoso-vault.vault.azure.net"].server, path


def inject(route: Route, write: str, **faults: Any) -> None:
    """Let a server answer wrongly to a write."""
    server, path = server_of(route, write)
    route.call(server.faults.set, path=path, **faults)


def done(route: Route) -> None:
    """Check the end state: one certificate, registered once, and nothing else touched."""
    assert len(route.versions()) == 1
    assert route.added() == route.versions()
    assert route.settings()["CertificateName"] == NAME
    route.untouched()


@pytest.mark.parametrize(
    ("alternates", "seen"), [(True, "answers differ"), (False, "although it was added")]
)
@pytest.mark.parametrize("seconds", [20, 50])
def test_graph_that_shows_changes_late_loses_nothing(
    route: Route, seconds: float, alternates: bool, seen: str
) -> None:
    """Reads that are older than the write neither lose nor double a certificate.

    After 45 seconds the runner would send the change again.
    """
    route.azure.directory.propagation.graph = seconds
    route.azure.directory.propagation.alternates = alternates
    ended = route.done(*CERTIFICATE)
    assert seen in ended.output
    assert ended.output.count("  sent     Add the public key") == 1
    done(route)


def test_entra_that_accepts_the_certificate_late_is_waited_for(route: Route) -> None:
    """The app proves it once Entra knows the certificate."""
    route.azure.directory.propagation.certificate = 300
    ended = route.done(*CERTIFICATE)
    assert "the app does not prove it yet" in ended.output
    assert route.clock.now() >= 300
    done(route)


def test_a_role_that_works_late_is_waited_for(route: Route) -> None:
    """A new role takes minutes to have an effect in the vault."""
    route.azure.resource_manager.access.lag = 120
    route.call(lambda: route.clock.sleep(121))  # the roles that are there have an effect
    route.done(*CERTIFICATE)
    assert route.clock.now() >= 241
    done(route)


def test_an_identity_that_is_assigned_slowly_is_waited_for(route: Route) -> None:
    """The write of the site is answered 202: what needs the identity comes after its end."""
    manager = route.azure.resource_manager
    manager.long_running.clock = manager.access.clock
    for method in ("PATCH", "PUT"):
        manager.long_running.seconds["microsoft.web/sites", method] = 30
    route.call(route.migration.new.site.body.pop, "identity")
    route.done(*CERTIFICATE, "--identity", "contoso-signer")
    assert route.clock.now() >= 30
    (assigned,) = route.migration.new.site.body["identity"]["userAssignedIdentities"]
    assert assigned.endswith("/contoso-signer")


def test_a_vault_that_takes_long_is_waited_for(route: Route) -> None:
    """While the vault makes the certificate, nothing is registered."""
    route.inventory.pending_seconds = 30
    ended = route.done(*CERTIFICATE)
    assert "is making the certificate" in ended.output
    done(route)


@pytest.mark.parametrize("write", WRITES)
def test_a_lost_answer_is_no_second_write(route: Route, write: str) -> None:
    """What was done although its answer was lost is found, and not done again."""
    inject(route, write, cut=True, handled=True, remaining=3)
    route.done(*CERTIFICATE)
    done(route)


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("status", [429, 503])
def test_throttling_is_waited_for(route: Route, write: str, status: int) -> None:
    """A write that was refused for now is sent again after the time that the service asks for."""
    inject(route, write, status=status, retry_after=7, remaining=2)
    route.done(*CERTIFICATE)
    assert 7 in route.clock.waits
    done(route)


@pytest.mark.parametrize("write", WRITES)
def test_an_outage_ends_the_run_and_the_next_one_goes_on(route: Route, write: str) -> None:
    """A service that does not come back ends the run; run again, the end state is the same."""
    inject(route, write, status=500)
    ended = route.run(*CERTIFICATE)
    assert ended.status == 1, ended.output
    assert "the changes cannot be completed" in ended.output
    server, _ = server_of(route, write)
    route.call(server.faults.clear)
    route.done(*CERTIFICATE)
    done(route)


@pytest.mark.parametrize("slow", ["graph", "certificate", "vault"])
def test_a_run_that_ends_while_it_waits_goes_on(route: Route, slow: str) -> None:
    """Interrupted at each wait, and run again at once, while Azure still shows the old state."""
    delays = route.azure.directory.propagation
    if slow == "vault":
        route.inventory.pending_seconds = 30
    else:
        setattr(delays, slow, 30)
    for _ in range(3):
        ended = route.run(*CERTIFICATE, "--timeout", "0")
        assert ended.status == 1, ended.output
        assert "again to go on" in ended.output
        assert len(route.versions()) <= 1
        assert len(route.added()) <= 1
    route.done(*CERTIFICATE)
    done(route)
