"""Withdrawn certificates: nothing is deleted unless the app uses another, registered key."""

from collections.abc import Callable, Iterator

import pytest

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.cloud import PUBLIC
from bot_workbench.admin.azure.errors import Conflict
from bot_workbench.admin.migrate.certificate.app_registration import (
    AppRegistration,
    withdrawn_certificates,
)
from bot_workbench.admin.migrate.certificate.key_vault import BotVault
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.step import Step
from bot_workbench.admin.plan.target import Target
from tests.admin.migrate.migration import APP, BOT, VAULT
from tests.admin.migrate.route import NAME, Route, key_thumbprint

MakeStep = Callable[[str], Step]


@pytest.fixture
def two_versions(route: Route) -> Route:
    """The vault has two versions, and both are registered."""
    for _ in range(2):
        made = route.call(route.inventory.add_version, NAME)
        route.call(route.registration.register, made.certificate)
    return route


@pytest.fixture
def make_step(two_versions: Route) -> Iterator[MakeStep]:
    """The step, for an app that signs in with the given thumbprint."""
    with AzureClients(PUBLIC, clock=two_versions.clock) as azure:
        target = Target(azure, Options("certificate rotate", BOT, APP))
        newest = two_versions.versions()[-1]

        def made(in_use: str) -> Step:
            return withdrawn_certificates(
                AppRegistration(azure.graph, target.app_id),
                BotVault(target, VAULT, NAME),
                lambda: newest,
                lambda: in_use,
            )

        yield made


def test_only_older_versions_are_deleted(two_versions: Route, make_step: MakeStep) -> None:
    """Not the newest, and nobody else's."""
    old, new = two_versions.versions()
    step = make_step(new)
    (change,) = step.look().changes
    assert f"Delete the public key {old} " in change.summary
    assert all(line.startswith("az ad app credential delete") for line in change.az)
    assert all("--cert" in line for line in change.az)
    assert change.send is not None
    change.send()
    assert two_versions.added() == [new]
    two_versions.untouched()
    assert step.look().changes == ()


@pytest.mark.parametrize("uses", ["old", "nothing"])
def test_an_app_that_does_not_use_the_newest_keeps_all(
    two_versions: Route, make_step: MakeStep, uses: str
) -> None:
    """The proof is asked for again, right before."""
    finding = make_step(two_versions.versions()[0] if uses == "old" else "").look()
    assert finding.waiting
    assert finding.changes == ()
    assert "nothing is deleted while the app signs in with" in finding.text


def test_a_registration_without_the_newest_keeps_all(
    two_versions: Route, make_step: MakeStep
) -> None:
    """The app's token may be older than a deletion of the newest key by somebody else."""
    new = two_versions.versions()[-1]
    two_versions.call(
        two_versions.registration.withdraw, two_versions.inventory.versions[NAME][-1].certificate
    )
    finding = make_step(new).look()
    assert finding.waiting
    assert finding.changes == ()
    assert f"does not show the certificate {new}" in finding.text


def test_a_version_made_after_the_proved_one_is_kept(
    two_versions: Route, make_step: MakeStep
) -> None:
    """The vault may renew the certificate at any time, and its key may be registered by then."""
    step = make_step(two_versions.versions()[-1])
    made = two_versions.call(two_versions.inventory.add_version, NAME)
    two_versions.call(two_versions.registration.register, made.certificate)
    (change,) = step.look().changes
    assert key_thumbprint(made.certificate) not in change.summary
    assert change.send is not None
    change.send()
    assert two_versions.added() == two_versions.versions()[1:]


def test_a_registration_that_changed_meanwhile_is_read_again(
    two_versions: Route, make_step: MakeStep
) -> None:
    """A certificate that somebody adds between the look and the write is not lost."""
    step = make_step(two_versions.versions()[-1])
    (change,) = step.look().changes
    two_versions.add_other("theirs")
    assert change.send is not None
    with pytest.raises(Conflict, match="just changed"):
        change.send()
    (change,) = step.look().changes
    assert change.send is not None
    change.send()
    assert len(two_versions.registered()) == 3
    two_versions.untouched()
