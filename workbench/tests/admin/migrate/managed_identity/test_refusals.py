"""`managed-identity` refuses before it changes anything, with the reason and the cure."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.cloud import PUBLIC
from bot_workbench.admin.migrate.managed_identity.command import left_to_do
from bot_workbench.admin.migrate.managed_identity.new_bot import NewBot
from bot_workbench.admin.migrate.managed_identity.teams_app import TeamsApp
from bot_workbench.admin.migrate.steps.identity import AssignedIdentity
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.target import Target
from bot_workbench.emulator.resource_manager.resource import Resource
from tests.admin.migrate.managed_identity.test_managed_identity import (
    COMMAND,
    FAST,
    NEW_BOT,
    new_bot,
    settings,
)
from tests.admin.migrate.migration import APP, BOT, BOTS, NEW_ENDPOINT, OTHER_APP_ID, Migration

Arrange = Callable[[Migration], None]


def identity_bot(migration: Migration, name: str, **properties: str) -> None:
    """Create an Azure Bot that is the app's identity."""
    identity = migration.new.identity
    ids = {"msaAppId": identity["clientId"], "msaAppMSIResourceId": identity["id"]}
    migration.put_other_bot(name, msaAppType="UserAssignedMSI", **{**ids, **properties})


def foreign_bot(migration: Migration, name: str, app_id: str) -> None:
    """Another customer has an Azure Bot, in a subscription of its own."""
    path = f"/subscriptions/{OTHER_APP_ID}/resourceGroups/fabrikam/providers/{BOTS}/{name}"
    bot = Resource(path, BOTS, {"properties": {"msaAppId": app_id}})
    migration.thread.call(migration.thread.azure.resource_manager.resources.add, bot)


def name_taken(migration: Migration) -> None:
    """Another customer has the name."""
    foreign_bot(migration, NEW_BOT, OTHER_APP_ID)


def wrong_type(migration: Migration) -> None:
    """A bot with an app registration has the name."""
    migration.put_other_bot(NEW_BOT)


def wrong_id(migration: Migration) -> None:
    """A bot of another identity has the name."""
    identity_bot(migration, NEW_BOT)
    made = new_bot(migration)
    assert made is not None
    migration.thread.call(made.properties.update, {"msaAppId": OTHER_APP_ID})


def wrong_endpoint(migration: Migration) -> None:
    """The bot of that name is another app's."""
    identity_bot(migration, NEW_BOT, endpoint="https://elsewhere.contoso.com/api/messages")


def id_taken(migration: Migration) -> None:
    """Another bot is the identity already."""
    identity_bot(migration, "fabrikam-bot")


def app_of_the_old_bot(migration: Migration) -> None:
    """The app answers the old bot's users."""
    migration.thread.call(migration.bot().properties.update, {"endpoint": NEW_ENDPOINT})


def replaced_by_another(migration: Migration) -> None:
    """The old bot's tag names a third bot."""
    migration.thread.call(migration.bot().body["tags"].update, {"replacedBy": "third-bot"})


def without_secret(migration: Migration) -> None:
    """The old bot is a managed identity."""
    migration.thread.call(migration.bot().properties.update, {"msaAppType": "UserAssignedMSI"})


def several_identities(migration: Migration) -> None:
    """The app has two identities."""
    other = migration.thread.call(migration.thread.azure.group.identity, "other-identity")
    values = {"principalId": other["principalId"], "clientId": other["clientId"]}
    assigned = migration.new.site.body["identity"]["userAssignedIdentities"]
    migration.thread.call(assigned.update, {other["id"]: values})


REFUSALS: dict[Arrange, tuple[str, str]] = {
    name_taken: (f"no bot can be created with the name {NEW_BOT}", "choose another name"),
    wrong_type: ("its type is SingleTenant", "--new-bot"),
    wrong_id: (f"exists with the id {OTHER_APP_ID}", "--new-bot"),
    wrong_endpoint: ("its endpoint is https://elsewhere.contoso.com", "az bot update --endpoint"),
    id_taken: ("belongs to fabrikam-bot", "--identity"),
    app_of_the_old_bot: (f"{APP} is the app that answers the users of {BOT}", "--app"),
    replaced_by_another: (f"{BOT} is replaced by third-bot", "remove the tag"),
    without_secret: ("already signs in with a managed identity", "nothing to do"),
    several_identities: ("has several identities", "--identity"),
}


@pytest.mark.parametrize("arrange", REFUSALS, ids=lambda arrange: arrange.__name__)
def test_refused(migration: Migration, arrange: Arrange) -> None:
    """No setting is changed, and no bot created."""
    arrange(migration)
    before, made = settings(migration), new_bot(migration)
    etags = (migration.bot().etag, made.etag if made else "")
    ended = migration.run(*COMMAND, *FAST)
    reason, cure = REFUSALS[arrange]
    assert ended.status == 1, ended.output + ended.errors
    assert ended.json["result"] == "refused"
    assert reason in ended.json["reason"]
    assert cure in ended.json["reason"]
    made = new_bot(migration)
    assert (migration.bot().etag, made.etag if made else "") == etags
    assert settings(migration) == before


def test_the_same_name(migration: Migration) -> None:
    """The old bot stays, so the new one needs another name."""
    words = ("managed-identity", "--bot", BOT, "--new-bot", BOT, "--app", APP)
    ended = migration.run(*words, *FAST)
    assert ended.status == 1
    assert "needs another name" in ended.json["reason"]


def test_an_id_of_a_bot_that_nobody_sees(migration: Migration) -> None:
    """Azure refuses it when the bot is created; the cure is named."""
    foreign_bot(migration, "hidden-bot", migration.new.identity["clientId"])
    ended = migration.run(*COMMAND, *FAST)
    assert ended.status == 1
    assert "a bot that your account does not see" in ended.errors
    assert "--identity" in ended.errors


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (f'{{"version": "1.0.0", "bots": [{{"botId": "{OTHER_APP_ID}"}}]}}', "is of another bot"),
        ('{"version": "1.0.0", "bots": [{"botId": "${{BOT_ID}}"}]}', "with --env-file"),
        ("no JSON", "cannot be read"),
    ],
)
def test_a_manifest_that_cannot_be_used(
    migration: Migration, tmp_path: Path, manifest: str, reason: str
) -> None:
    """The command line is wrong, and nothing is done."""
    file = tmp_path / "manifest.json"
    file.write_text(manifest)
    before = settings(migration)
    ended = migration.run(*COMMAND, *FAST, "--manifest", str(file))
    assert ended.status == 2
    assert reason in " ".join(ended.errors.replace("│", " ").split())
    assert settings(migration) == before
    assert file.read_text() == manifest


@pytest.mark.usefixtures("migration")
def test_a_manifest_that_is_broken_meanwhile(tmp_path: Path) -> None:
    """Whoever edits it while the command runs gets a reason at its end, and no trace."""
    file = tmp_path / "manifest.json"
    file.write_text("no JSON")
    with AzureClients(PUBLIC) as azure:
        target = Target(azure, Options("managed-identity", BOT, APP))
        identity = AssignedIdentity(target)
        app = TeamsApp(target, NewBot(target, NEW_BOT, identity), identity, file, None)
        assert f"{file} cannot be read" in left_to_do(target, app).refusal
