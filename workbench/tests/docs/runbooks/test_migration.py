"""The commands of docs/migrate.md run, and what they print in a dry run does the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.runbooks.migration import Migration, commands
from tests.docs.runbooks.report import check
from tests.support.azure.azure_thread import AzureThread

pytestmark = [pytest.mark.az, pytest.mark.timeout(900)]

ROUTES = ("Federated credential", "Certificate", "Managed identity")


@pytest.fixture
def migration(tmp_path: Path, az: Path) -> Iterator[Migration]:
    for name in ("cloud", "work"):
        (tmp_path / name).mkdir()
    with AzureThread(tmp_path / "cloud") as thread:
        yield Migration(thread, tmp_path / "work", az)


def prepare(migration: Migration, command: str) -> None:
    """Let the time pass that the page asks for, and write to the bot as it says."""
    if "delete-secret" in command:
        migration.pass_days()
        migration.write_to_bots()
    elif "rotate" in command:
        migration.hasten()


@pytest.mark.parametrize("section", ROUTES)
def test_the_commands_of_a_route_run(migration: Migration, section: str) -> None:
    """From the first to the last, each command succeeds, and no secret is left."""
    for command in commands(section):
        prepare(migration, command)
        migration.run(command)
    assert migration.secrets() == 0
    check(f"migrate.md, {section}", migration.pastes)


@pytest.mark.parametrize("section", ROUTES)
def test_a_dry_run_is_a_script_that_does_the_same(migration: Migration, section: str) -> None:
    """Each command's script succeeds, and leaves the command nothing to do."""
    for command in commands(section):
        prepare(migration, command)
        if command.startswith("bot migrate"):
            migration.run_dry_run(command)
            assert migration.left(command) == []
        else:
            migration.run(command)
    assert migration.secrets() == 0
    check(f"migrate.md, {section}, dry runs", migration.pastes)


def test_the_way_back_runs(migration: Migration) -> None:
    """After the switch, the endpoint is the old app's again."""
    [status] = commands("The commands")
    [back] = commands("Back")
    prove, switch, _ = commands("Federated credential")
    before = migration.old.bot.properties["endpoint"]
    for command in (prove, switch):
        migration.run(command)
    assert migration.old.bot.properties["endpoint"] != before
    migration.run_dry_run(back)
    assert migration.old.bot.properties["endpoint"] == before
    check("migrate.md, Back", migration.pastes)
    assert migration.run(status).status == 1  # the secret is still there
