"""Each command succeeds with the roles that docs/migrate.md lists, and needs each of them."""

import re
from collections.abc import Collection
from dataclasses import dataclass

import pytest

from bot_workbench.emulator.graph.requests.caller import READ_REPORTS, WRITE_OWNED
from bot_workbench.emulator.resource_manager.access import ROLE_ASSIGNMENTS
from bot_workbench.emulator.resource_manager.built_in_roles import ROLES
from bot_workbench.emulator.seeds import assign_role
from tests.admin.migrate.interruption.wire import Wire
from tests.admin.migrate.migration import APP, BOT, VAULT, Migration
from tests.support.project import ROOT

ROW = re.compile(r"\| `([a-z -]+)` \| ([^|]+) \|")
BOT_WORDS, APP_WORDS = ("--bot", BOT), ("--bot", BOT, "--app", APP)
FEDERATED = ("federated", *APP_WORDS)
CERTIFICATE = ("certificate", *APP_WORDS, "--vault", VAULT)
SWITCH = ("switch", *APP_WORDS)
OWNER = "Owner"
IN_ENTRA = {"Directory Readers": "Application.Read.All", "Reports Reader": READ_REPORTS}
"""What a service principal has in Graph instead of an Entra role."""

IF_NO_IDENTITY = (
    "Managed Identity Contributor on the resource group",
    "Managed Identity Operator on the resource group",
)

ROLE_IDS = {role.name: role.id for role in ROLES}


def documented() -> dict[str, list[str]]:
    """The roles of each command, from the table: "ROLE on PLACE", or a right in Entra."""
    page = (ROOT / "docs" / "migrate.md").read_text("utf-8")
    table = page.partition("| command | roles |")[2].partition("\n\n")[0]
    return {command: roles.split("; ") for command, roles in ROW.findall(table)}


@dataclass(frozen=True)
class Case:
    """A command, when it is run.

    Attributes:
        words: after `migrate`.
        before: commands that an owner has run.
    """

    words: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()


CASES = {
    "status": Case(("status", *APP_WORDS, "--json"), (CERTIFICATE, SWITCH)),
    "switch": Case(SWITCH, (FEDERATED,)),
    "back": Case(("back", *BOT_WORDS), (FEDERATED, SWITCH)),
    "certificate": Case(CERTIFICATE),
    "certificate rotate": Case(
        ("certificate", "rotate", *BOT_WORDS, "--timeout", "4000"), (CERTIFICATE, SWITCH)
    ),
    "federated": Case(FEDERATED),
    "managed-identity": Case(
        ("managed-identity", *BOT_WORDS, "--new-bot", "contoso-bot-2", "--app", APP)
    ),
    "delete-secret": Case(("delete-secret", *BOT_WORDS, "--yes"), (FEDERATED, SWITCH)),
}


def grant(migration: Migration, roles: Collection[str], *, may_own: bool) -> None:
    """Leave the pipeline these roles, and no others; run it on the local Azure's loop.

    Args:
        migration: has the resources.
        roles: as the table writes them.
        may_own: whether it may change the app registrations that it owns.
    """
    azure, me = migration.thread.azure, migration.thread.azure.pipeline.object_id
    manager = azure.resource_manager
    manager.access.owners.discard(me)
    for each in list(manager.resources.of_type(ROLE_ASSIGNMENTS)):
        if each.properties["principalId"] == me:
            manager.resources.remove(each.id)
    in_graph = {IN_ENTRA[role] for role in roles if role in IN_ENTRA}
    azure.graph.app_roles[me] = {*in_graph, *((WRITE_OWNED,) if may_own else ())}
    if OWNER in roles:
        migration.old.registration.owners.add(me)
    assert migration.new.vault is not None
    places = {
        "the Azure Bot": migration.old.bot.id,
        "the old app": migration.old.site.id,
        "the Function App": migration.new.site.id,
        "the app's identity": migration.new.identity["id"],
        "the vault": migration.new.vault.id,
        "the resource group": azure.group.id,
    }
    for role, is_in_azure, place in (each.partition(" on ") for each in roles):
        if is_in_azure:
            resource = manager.resources.find(places[place])
            assert resource is not None
            assign_role(azure.group, resource, ROLE_IDS[role], me)


def succeeds(migration: Migration, case: Case, roles: Collection[str], *, may_own: bool) -> bool:
    """Whether a command does all of its work with these roles."""
    for words in case.before:
        ended = migration.run(*words)
        assert ended.status == 0, ended.output + ended.errors
    Wire(migration).listen()  # users talk to the new app
    migration.thread.call(grant, migration, roles, may_own=may_own)
    ended = migration.run(*case.words)
    print(ended.output, ended.errors)
    if case.words[0] == "status":
        # Only that the old app, which does not run this project's code, does not say who it is.
        return ended.status == 1 and list(ended.json.get("unknown", ())) == [
            f"identity of {BOT}-web"
        ]
    unseen = ("answers 403", "does not see")
    return ended.status == 0 and not any(text in ended.output for text in unseen)


DOCUMENTED = documented()


def test_the_page_lists_every_command() -> None:
    """A command without a row, or a row without a test, is missing here."""
    assert list(DOCUMENTED) == list(CASES)


@pytest.mark.parametrize("missing", ["", *IF_NO_IDENTITY])
def test_an_app_without_an_identity_needs_other_roles(migration: Migration, missing: str) -> None:
    """They make the identity, and assign it; the page names them below the table."""
    page = (ROOT / "docs" / "migrate.md").read_text("utf-8")
    assert "needs Managed Identity Contributor and Managed Identity Operator on its" in page
    resources = migration.thread.azure.resource_manager.resources
    migration.thread.call(migration.new.site.body.pop, "identity")
    migration.thread.call(resources.remove, migration.new.identity["id"])
    kept = [role for role in DOCUMENTED["federated"] if not role.endswith("the app's identity")]
    roles = [*kept, *(role for role in IF_NO_IDENTITY if role != missing)]
    assert succeeds(migration, CASES["federated"], roles, may_own=True) is (not missing)


@pytest.mark.parametrize("command", CASES)
def test_a_command_succeeds_with_the_documented_roles(migration: Migration, command: str) -> None:
    """And with no others."""
    roles = DOCUMENTED[command]
    assert succeeds(migration, CASES[command], roles, may_own=OWNER in roles)


@pytest.mark.parametrize(
    ("command", "missing"), [(name, role) for name, roles in DOCUMENTED.items() for role in roles]
)
def test_each_documented_role_is_needed(migration: Migration, command: str, missing: str) -> None:
    """Without one of them, the command does not do all of its work."""
    roles = DOCUMENTED[command]
    left = [role for role in roles if role != missing]
    assert not succeeds(migration, CASES[command], left, may_own=OWNER in roles)
