"""`managed-identity`, against the local Azure."""

import json
import subprocess
from pathlib import Path

import pytest

from bot_workbench.admin.azure.rest_client import RestClient
from bot_workbench.emulator.resource_manager.resource import JsonObject, Resource
from tests.admin.migrate.migration import APP, BOT, NEW_ENDPOINT, OLD_ENDPOINT, Ended, Migration

NEW_BOT = "contoso-bot-2"
COMMAND = ("managed-identity", "--bot", BOT, "--new-bot", NEW_BOT, "--app", APP)
FAST = ("--json", "--timeout", "10")
ENV = "# the bot, once BOT_ID=x\nexport BOT_ID = '{}' # A|B & C\nTEAMS_APP_ID=x\n"


def new_bot(migration: Migration) -> Resource | None:
    """The new Azure Bot."""
    group = migration.thread.azure.group
    resource_id = group.resource_id("Microsoft.BotService/botServices", NEW_BOT)
    return migration.thread.azure.resource_manager.resources.find(resource_id)


def channels(migration: Migration, bot: Resource) -> dict[str, JsonObject]:
    """A bot's channels by their names."""
    kind = "Microsoft.BotService/botServices/channels"
    found = migration.thread.azure.resource_manager.resources.of_type(kind)
    mine = [each for each in found if each.id.lower().startswith(f"{bot.id.lower()}/")]
    return {each.properties["channelName"]: each.hidden["settings"] for each in mine}


def settings(migration: Migration) -> dict[str, str]:
    """The Function App's settings."""
    return dict(migration.thread.azure.resource_manager.app_settings(migration.new.site.id))


def sent(ended: Ended) -> list[tuple[str, str]]:
    """The changes of a command with --json: method, and last part of the path."""
    return [
        (change["method"], change["url"].split("?")[0].rsplit("/", 1)[1])
        for step in ended.json["steps"]
        for change in step["changes"]
    ]


@pytest.fixture
def teams_app(migration: Migration, tmp_path: Path) -> tuple[Path, Path]:
    """The Teams app of the old bot: its manifest and its .env file."""
    folder = tmp_path / "teams app"
    folder.mkdir()
    manifest, env_file = folder / "manifest.json", folder / ".env.dev"
    app_id = migration.old.registration.app_id
    value = {
        "version": "1.2.3",
        "bots": [{"botId": app_id}],
        "webApplicationInfo": {"id": app_id, "resource": f"api://botid-{app_id}"},
        "validDomains": [f"{BOT}-web.azurewebsites.net"],
    }
    manifest.write_text(json.dumps(value, indent=3))
    env_file.write_text(ENV.format(app_id))
    return manifest, env_file


def test_a_new_bot(migration: Migration) -> None:
    """It is the identity, has the old one's SKU, name and channels, and the app signs in as it."""
    old = migration.bot()
    migration.thread.call(old.body.update, {"sku": {"name": "S1"}})
    texts = {"displayName": "Contoso's bot", "description": "It answers."}
    migration.thread.call(old.properties.update, texts)
    kept = settings(migration)
    ended = migration.run(*COMMAND, *FAST)
    assert ended.status == 0, ended.output + ended.errors
    made = new_bot(migration)
    assert made is not None
    assert made.body["sku"] == {"name": "S1"}
    assert (
        made.properties.items()
        >= {
            "displayName": "Contoso's bot",
            "endpoint": NEW_ENDPOINT,
            "msaAppId": migration.new.identity["clientId"],
            "msaAppType": "UserAssignedMSI",
            "msaAppTenantId": migration.old.registration.tenant_id,
        }.items()
    )
    assert made.properties["msaAppMSIResourceId"].lower() == migration.new.identity["id"].lower()
    assert settings(migration) == {
        **kept,
        "MicrosoftAppType": "UserAssignedMSI",
        "MicrosoftAppId": migration.new.identity["clientId"],
        "MicrosoftAppTenantId": migration.old.registration.tenant_id,
        "BotCredential": "ManagedIdentity",
    }
    copied, originals = channels(migration, made), channels(migration, old)
    assert copied.keys() == originals.keys()
    assert copied["MsTeamsChannel"]["acceptedTerms"] is True
    assert copied["MsTeamsChannel"]["deploymentEnvironment"] == "CommercialDeployment"


def test_the_old_bot_stays(migration: Migration) -> None:
    """Its endpoint, its secret and its channels are untouched; a tag names the new bot."""
    before = dict(migration.bot().properties)
    migration.thread.call(migration.bot().body["tags"].update, {"costCenter": "42"})
    migration.run(*COMMAND, *FAST)
    assert migration.bot().properties == before
    assert migration.endpoint == OLD_ENDPOINT
    assert migration.tags() == {"costCenter": "42", "replacedBy": NEW_BOT}
    assert len(migration.old.registration.secrets) == 1


def test_running_it_again_changes_nothing(migration: Migration) -> None:
    """Each step finds that it is so."""
    first = migration.run(*COMMAND, *FAST)
    assert sent(first)[-1] == ("PATCH", BOT)
    again = migration.run(*COMMAND, *FAST)
    assert again.status == 0
    assert sent(again) == []


def test_leftovers(migration: Migration, teams_app: tuple[Path, Path]) -> None:
    """What cannot be copied is named: keys, connections with provider and scopes, references."""
    slack = {"location": "global", "properties": {"channelName": "SlackChannel", "properties": {}}}
    manager = migration.thread.azure.resource_manager
    migration.thread.call(manager.put, f"{migration.old.bot.id}/channels/SlackChannel", slack)
    manifest, env_file = map(str, teams_app)
    ended = migration.run(*COMMAND, *FAST, "--manifest", manifest, "--env-file", env_file)
    assert ended.status == 0, ended.output + ended.errors
    notes = "\n".join(ended.json["steps"][-1]["notes"])
    for text in (
        "Direct Line: new keys",
        "Web Chat: new keys",
        "SlackChannel: its credentials cannot be read",
        "OAuth connection graph",
        "provider Azure Active Directory v2, scopes User.Read",
        "stored conversation references",
        "single sign-on: webApplicationInfo",
    ):
        assert text in notes


@pytest.mark.parametrize("replaces", [False, True])
def test_an_identity_is_created(migration: Migration, *, replaces: bool) -> None:
    """In the app's region; the app keeps its other identities, also the system-assigned one,
    whether a PATCH of the identities merges or replaces."""
    site = migration.new.site
    manager = migration.thread.azure.resource_manager
    migration.thread.call(setattr, manager.tenant, "patch_replaces_identities", replaces)
    migration.thread.call(
        site.body["identity"].update, {"type": "SystemAssigned, UserAssigned", "principalId": "p"}
    )
    before = set(site.body["identity"]["userAssignedIdentities"])
    ended = migration.run(*COMMAND, *FAST, "--identity", "contoso-identity")
    assert ended.status == 0, ended.output + ended.errors
    assert sent(ended)[:2] == [("PUT", "contoso-identity"), ("PATCH", APP)]
    group = migration.thread.azure.group
    resource_id = group.resource_id(
        "Microsoft.ManagedIdentity/userAssignedIdentities", "contoso-identity"
    )
    identity = migration.thread.azure.resource_manager.resources.find(resource_id)
    assert identity is not None
    assert identity.body["location"] == site.body["location"]
    found = migration.thread.azure.resource_manager.resources.find(site.id)
    assert found is not None
    assert "SystemAssigned" in found.body["identity"]["type"]
    assigned = {name.lower() for name in found.body["identity"]["userAssignedIdentities"]}
    assert assigned == {name.lower() for name in (*before, resource_id)}
    made = new_bot(migration)
    assert made is not None
    assert made.properties["msaAppId"] == identity.properties["clientId"]


def test_an_identity_is_taken(migration: Migration) -> None:
    """One that exists is assigned, and not created again."""
    group = migration.thread.azure.group
    made = migration.thread.call(group.identity, "contoso-identity")
    ended = migration.run(*COMMAND, *FAST, "--identity", "contoso-identity")
    assert ended.status == 0, ended.output + ended.errors
    assert sent(ended)[0] == ("PATCH", APP)
    assert settings(migration)["MicrosoftAppId"] == made["clientId"]


def test_files(migration: Migration, teams_app: tuple[Path, Path]) -> None:
    """The manifest and the .env file name the new bot; running it again leaves them alone."""
    manifest, env_file = teams_app
    words = ("--manifest", str(manifest), "--env-file", str(env_file))
    ended = migration.run(*COMMAND, *FAST, *words)
    assert ended.status == 0, ended.output + ended.errors
    new_id = migration.new.identity["clientId"]
    value = json.loads(manifest.read_text())
    assert value["version"] == "1.2.4"
    assert value["bots"] == [{"botId": new_id}]
    assert value["webApplicationInfo"]["id"] == migration.old.registration.app_id
    assert value["validDomains"] == [f"{APP}.azurewebsites.net"]
    assert env_file.read_text() == ENV.format(new_id)
    texts = manifest.read_text(), env_file.read_text()
    assert sent(migration.run(*COMMAND, *FAST, *words)) == []
    assert (manifest.read_text(), env_file.read_text()) == texts


def test_files_with_a_variable(migration: Migration, teams_app: tuple[Path, Path]) -> None:
    """If the .env file has the id, the manifest's version is raised once, with it."""
    manifest, env_file = teams_app
    value = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**value, "bots": [{"botId": "${{BOT_ID}}"}]}))
    words = ("--manifest", str(manifest), "--env-file", str(env_file))
    ended = migration.run(*COMMAND, *FAST, *words)
    assert ended.status == 0, ended.output + ended.errors
    files = [name for method, name in sent(ended) if method == "EDIT"]
    assert files == ["manifest.json", ".env.dev"]
    assert json.loads(manifest.read_text())["version"] == "1.2.4"
    assert env_file.read_text() == ENV.format(migration.new.identity["clientId"])
    assert sent(migration.run(*COMMAND, *FAST, *words)) == []


def test_a_file_that_cannot_be_written(migration: Migration, teams_app: tuple[Path, Path]) -> None:
    """The command says so, and goes on when it is run again."""
    # Its name leaves no room for that of the new file that replaces it.
    manifest = teams_app[0].rename(teams_app[0].with_name(f"{'m' * 245}.json"))
    ended = migration.run(*COMMAND, *FAST, "--manifest", str(manifest))
    assert ended.status == 1
    assert f"{manifest} cannot be written (File name too long)" in ended.errors
    assert ended.json["result"] == "failed"
    manifest = manifest.rename(teams_app[0])
    ended = migration.run(*COMMAND, *FAST, "--manifest", str(manifest))
    assert ended.status == 0, ended.output + ended.errors
    assert sent(ended)[0] == ("EDIT", "manifest.json")


def test_dry_run(migration: Migration, teams_app: tuple[Path, Path], tmp_path: Path) -> None:
    """It changes nothing; its lines for the files do to them what the command does."""
    manifest, env_file = teams_app
    words = ("--manifest", str(manifest), "--env-file", str(env_file))
    before = manifest.read_text(), env_file.read_text(), settings(migration)
    ended = migration.run(*COMMAND, *words, "--dry-run")
    assert ended.status == 0, ended.output + ended.errors
    assert (manifest.read_text(), env_file.read_text(), settings(migration)) == before
    assert new_bot(migration) is None
    script = tmp_path / "script.sh"
    script.write_text(ended.output)
    subprocess.run(["/bin/bash", "-n", str(script)], check=True)

    lines = [line for line in ended.output.splitlines() if line.startswith("sed ")]
    subprocess.run(["/bin/bash", "-euc", "\n".join(lines)], check=True)
    pasted = manifest.read_text(), env_file.read_text()
    assert sorted(manifest.parent.iterdir()) == sorted(teams_app)
    manifest.write_text(before[0])
    env_file.write_text(before[1])
    assert migration.run(*COMMAND, *FAST, *words).status == 0
    assert (manifest.read_text(), env_file.read_text()) == pasted


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_dry_run_of_an_env_file_without_the_variable(
    migration: Migration, tmp_path: Path, ending: str
) -> None:
    """A variable that is missing is added, by the command as by its lines."""
    env_file, text = tmp_path / ".env", f"A=b{ending}C=d"
    env_file.write_bytes(text.encode())
    ended = migration.run(*COMMAND, "--env-file", str(env_file), "--dry-run")
    lines = [line for line in ended.output.splitlines() if f">> {env_file}" in line]
    subprocess.run(["/bin/bash", "-euc", "\n".join(lines)], check=True)
    pasted = env_file.read_bytes()
    env_file.write_bytes(text.encode())
    assert migration.run(*COMMAND, *FAST, "--env-file", str(env_file)).status == 0
    added = f"{ending}BOT_ID={migration.new.identity['clientId']}{ending}"
    assert env_file.read_bytes() == pasted == f"{text}{added}".encode()


def test_dry_run_with_a_new_identity(migration: Migration) -> None:
    """Ids that are not known yet are variables, assigned by the lines that create the identity."""
    ended = migration.run(*COMMAND, "--identity", "contoso-identity", "--dry-run")
    assert ended.status == 0, ended.output + ended.errors
    assigned = ended.output.index("\nIDENTITY_CLIENT_ID=$(az identity show")
    assert assigned < ended.output.index('"MicrosoftAppId=$IDENTITY_CLIENT_ID"')
    assert '--appid "$IDENTITY_CLIENT_ID"' in ended.output
    assert '"MicrosoftAppTenantId=$IDENTITY_TENANT_ID"' in ended.output
    assert '--tenant-id "$IDENTITY_TENANT_ID"' in ended.output


@pytest.mark.parametrize("writes", range(1, 5))
def test_interrupted(migration: Migration, writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after any of its writes, the command goes on when it is run again."""
    exchange, left = RestClient.exchange, [writes]

    def interrupted(
        client: RestClient,
        method: str,
        path: str,
        body: JsonObject | None = None,
        headers: None = None,
    ) -> object:
        answer = exchange(client, method, path, body, headers)
        if method in {"PUT", "PATCH"}:
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(RestClient, "exchange", interrupted)
        assert migration.run(*COMMAND, *FAST).status == 130
    ended = migration.run(*COMMAND, *FAST)
    assert ended.status == 0, ended.output + ended.errors
    made = new_bot(migration)
    assert made is not None
    assert channels(migration, made).keys() == channels(migration, migration.bot()).keys()
    assert migration.tags()["replacedBy"] == NEW_BOT


def test_a_patch_of_a_tag_is_complete(migration: Migration) -> None:
    """The schema requires displayName and msaAppId: a service that insists gets them."""
    migration.thread.azure.resource_manager.tenant.patch_needs_identity = True
    ended = migration.run(*COMMAND, *FAST)
    assert ended.status == 0, ended.output + ended.errors
    assert migration.tags()["replacedBy"] == NEW_BOT
