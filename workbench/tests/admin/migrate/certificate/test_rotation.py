"""`migrate certificate rotate`: the next version is registered before the old key is deleted."""

from typing import Any

import pytest

from tests.admin.migrate.route import CERTIFICATE, NAME, ROTATE, Route, key_thumbprint

SHORT = 30
"""Lifetime of the app's tokens in seconds, so that it soon signs in anew."""


@pytest.fixture
def rotating(route: Route) -> Route:
    """A bot that signs in with its certificate, and whose tokens are short."""
    route.azure.entra.token_lifetime = SHORT
    route.done(*CERTIFICATE)
    return route


def test_the_old_key_is_deleted_after_the_proof(rotating: Route) -> None:
    """A version is made, registered, used and proved; then the old key goes, and no other."""
    ended = rotating.done(*ROTATE)
    old, new = rotating.versions()
    assert rotating.added() == [new]
    assert f"Delete the public key {old}" in ended.output
    proof = ended.output.index("Proof by the app itself")
    assert proof < ended.output.index("sent     Delete the public key")
    rotating.untouched()


def test_while_the_app_uses_the_old_version_nothing_is_deleted(rotating: Route) -> None:
    """A token is used for up to an hour: until then, both keys are registered."""
    rotating.azure.entra.token_lifetime = 5000
    rotating.call(lambda: rotating.clock.sleep(SHORT))  # the next token is a long one
    for _ in range(3):
        ended = rotating.run(*ROTATE)
        assert ended.status == 1, ended.output
        assert "the app still signs in with" in ended.output
        assert len(rotating.versions()) == 2
        assert rotating.added() == rotating.versions()
    rotating.call(lambda: rotating.clock.sleep(5000))
    rotating.done(*ROTATE)
    assert rotating.added() == rotating.versions()[1:]
    rotating.untouched()


def test_the_app_is_restarted_on_request(rotating: Route) -> None:
    """A restarted app has no token, so it tries the new version, again and again."""
    rotating.azure.entra.token_lifetime = 5000
    rotating.azure.directory.propagation.certificate = 100
    rotating.call(lambda: rotating.clock.sleep(SHORT))
    ended = rotating.done(*ROTATE, "--restart")
    assert ended.output.count("sent     Restart") == 3
    assert rotating.added() == rotating.versions()[1:]


@pytest.mark.parametrize("slow", ["vault", "graph", "certificate"])
def test_an_interrupted_rotation_goes_on(rotating: Route, slow: str) -> None:
    """Run again at once, it makes no third version, and deletes no key early."""
    if slow == "vault":
        rotating.inventory.pending_seconds = 20
    else:
        setattr(rotating.azure.directory.propagation, slow, 20)
    output = ""
    for _ in range(4):
        output += rotating.run(*ROTATE, "--timeout", "0").output
        assert len(rotating.versions()) <= 2
        assert rotating.versions()[0] in rotating.added()
        rotating.call(lambda: rotating.clock.sleep(2))
    output += rotating.done(*ROTATE).output
    assert output.count("plan     Make a version") == 1
    assert len(rotating.versions()) == 2
    assert rotating.added() == rotating.versions()[1:]
    rotating.untouched()


def test_a_rotation_without_its_last_step_goes_on(rotating: Route) -> None:
    """The app uses the newest version, and the old key is left: nothing new is made."""
    server = rotating.azure.graph.server
    rotating.call(server.faults.set, path="/applications/", every=2, status=500)
    rotating.done(*ROTATE)
    old, new = rotating.versions()
    rotating.call(server.faults.clear)
    by_thumbprint = {
        key_thumbprint(version.certificate): version.certificate
        for version in rotating.inventory.versions[NAME]
    }
    rotating.call(rotating.registration.register, by_thumbprint[old])
    ended = rotating.done(*ROTATE)
    assert "a rotation is under way" in ended.output
    assert rotating.versions() == [old, new]
    assert rotating.added() == [new]


def test_a_finished_rotation_is_not_repeated(rotating: Route) -> None:
    """Killed right after its last write and run again, it makes no third version."""
    rotating.done(*ROTATE)
    keys = rotating.registered()
    ended = rotating.done(*ROTATE, "--json")
    assert all(step["changes"] == [] for step in ended.json["steps"])
    assert "--again" in ended.output
    assert (len(rotating.versions()), rotating.registered()) == (2, keys)
    rotating.done(*ROTATE, "--again")
    assert len(rotating.versions()) == 3
    assert rotating.added() == rotating.versions()[2:]


def test_a_version_that_the_vault_has_made_is_taken(rotating: Route) -> None:
    """AutoRenew makes versions that nobody has registered yet."""
    rotating.call(rotating.inventory.add_version, NAME, exportable=False)
    ended = rotating.done(*ROTATE)
    assert "a rotation is under way" in ended.output
    assert len(rotating.versions()) == 2
    assert rotating.added() == rotating.versions()[1:]


def test_a_pin_is_extended_before_the_proof(rotating: Route) -> None:
    """Without the new thumbprint in its pin, the app would never use the new version."""
    old = rotating.versions()[0]
    rotating.set_settings(CertificateThumbprint=old)
    rotating.done(*ROTATE)
    assert rotating.settings()["CertificateThumbprint"] == ",".join(rotating.versions())


def test_a_dry_run_changes_nothing(rotating: Route) -> None:
    """The script adds, waits for the proof, and only then deletes."""
    keys, versions = rotating.registered(), rotating.versions()
    output = rotating.done(*ROTATE, "--dry-run").output
    assert (rotating.registered(), rotating.versions()) == (keys, versions)
    order = ["certificate create", "credential reset", "for attempt", "credential delete"]
    places = [output.index(text) for text in order]
    assert places == sorted(places)
    assert "--append --cert" in output


def test_an_app_that_cannot_sign_in_is_not_rotated(rotating: Route) -> None:
    """It is not known which version is in use, so nothing is made and nothing deleted."""
    (made,) = rotating.versions()
    certificate = rotating.inventory.versions[NAME][0].certificate
    rotating.call(rotating.registration.withdraw, certificate)
    rotating.call(lambda: rotating.clock.sleep(SHORT))
    ended = rotating.run(*ROTATE)
    assert ended.status == 1
    assert "does not say which certificate" in ended.output
    assert rotating.versions() == [made]


def test_an_app_without_a_certificate_is_refused(route: Route) -> None:
    """There is nothing to rotate; the text names the command to begin with."""
    ended = route.run(*ROTATE)
    assert ended.status == 1
    assert "bot migrate certificate --bot" in ended.errors


@pytest.mark.parametrize("url", ["http://[", "contoso-vault", "https:///"])
def test_an_app_whose_vault_has_no_host_is_refused(rotating: Route, url: str) -> None:
    """A name alone is no URL, and no vault is looked for without a name."""
    rotating.set_settings(CertificateVaultUrl=url)
    ended = rotating.run(*ROTATE)
    assert ended.status == 1
    assert "name no certificate in a vault" in ended.errors


@pytest.mark.parametrize("path", ["/create", "/applications/"])
def test_a_lost_answer_is_no_second_write(rotating: Route, path: str) -> None:
    """What was done although its answer was lost is found, and not done again."""
    servers: dict[str, Any] = {
        "/create": rotating.azure.vaults["contoso-vault.vault.azure.net"].server,
        "/applications/": rotating.azure.graph.server,
    }
    rotating.call(servers[path].faults.set, path=path, cut=True, handled=True, remaining=2)
    rotating.done(*ROTATE)
    assert len(rotating.versions()) == 2
    assert rotating.added() == rotating.versions()[1:]
    rotating.untouched()
