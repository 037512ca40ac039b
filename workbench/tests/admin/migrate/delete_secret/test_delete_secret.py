"""`delete-secret`: what it does, in which order, and that it goes on after an interruption."""

import datetime
import subprocess
from pathlib import Path

import pytest

from bot_workbench.admin.azure.rest_client import RestClient
from bot_workbench.admin.migrate.delete_secret.secret_holders import AGENTS_SECRET, PASSWORD
from bot_workbench.emulator.entra.credentials import ClientSecret
from bot_workbench.emulator.resource_manager.resource import JsonObject, Resource
from tests.admin.migrate.delete_secret.deletion import SECRET, Deletion, changes
from tests.admin.migrate.migration import BOT, OTHER_APP_ID

WRITES = 4
"""The settings of the app, the tag, the secret, the settings of the old app."""


def is_done(deletion: Deletion) -> bool:
    """Whether nothing is left of the secret."""
    sites = (deletion.migration.new.site, deletion.migration.old.site)
    return deletion.key_ids == [] and not any(
        {PASSWORD, AGENTS_SECRET} & deletion.settings_of(site).keys() for site in sites
    )


def test_the_secret_goes(deletion: Deletion) -> None:
    """The settings lose it first; the restarted app proves its sign-in; then it is deleted."""
    kept = deletion.new_settings
    for site in (deletion.migration.new.site, deletion.migration.old.site):
        deletion.set_settings(site, **{AGENTS_SECRET: SECRET})
    deletion.talk()
    started, value = deletion.code.started_on, deletion.settings_of(deletion.migration.old.site)
    with deletion.conversation():
        ended = deletion.run("--json", "--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert is_done(deletion)
    kept.pop(PASSWORD)
    assert deletion.new_settings == kept
    assert deletion.code.started_on > started
    assert deletion.migration.endpoint.startswith("https://contoso-functions.")
    sent = [change["url"].split("?")[0].rsplit("/", 3)[1:] for change in changes(ended)]
    assert [words[-1] for words in sent] == [
        "appsettings",
        "contoso-bot",
        "removePassword",
        "appsettings",
    ]
    assert value[PASSWORD] not in ended.output + ended.errors
    assert SECRET not in ended.output + ended.errors
    assert "check again in an hour" in ended.output


def test_running_it_again_changes_nothing(deletion: Deletion) -> None:
    """A bot without secrets needs no proof and no restart."""
    with deletion.conversation():
        deletion.run("--timeout", "60")
    before = deletion.state()
    ended = deletion.run("--json")
    assert ended.status == 0
    assert changes(ended) == []
    assert deletion.state() == before


def test_an_app_that_never_had_the_secret(deletion: Deletion) -> None:
    """It is restarted all the same, so that its proof is a new sign-in."""
    settings = deletion.new_settings
    settings.pop(PASSWORD)
    deletion.call(deletion.azure.group.set_app_settings, deletion.migration.new.site, settings)
    deletion.talk()
    started = deletion.code.started_on
    with deletion.conversation():
        ended = deletion.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert deletion.code.started_on > started
    assert is_done(deletion)


@pytest.mark.parametrize("writes", range(1, WRITES + 1))
def test_interrupted(deletion: Deletion, writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
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
        if method != "GET" and "/list" not in path:
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
        return answer

    with deletion.conversation():
        with monkeypatch.context() as patched:
            patched.setattr(RestClient, "exchange", interrupted)
            ended = deletion.run("--timeout", "60")
        assert ended.status == 130
        assert bool(deletion.key_ids) == (writes < WRITES - 1)
        ended = deletion.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert is_done(deletion)


def test_it_asks(deletion: Deletion) -> None:
    """Without --yes, and without a terminal to ask on, nothing is deleted; the way back stays."""
    key_id = deletion.key_ids[0]
    with deletion.conversation():
        ended = deletion.migration.run("delete-secret", "--bot", BOT, "--json", "--timeout", "60")
    assert ended.status == 1
    assert ended.json["result"] == "declined"
    assert deletion.key_ids == [key_id]
    assert PASSWORD in deletion.settings_of(deletion.migration.old.site)


def test_the_question_names_what_goes(deletion: Deletion) -> None:
    """The bot, its id, and each secret with its key id, hint, name and end."""
    deletion.call(deletion.azure.directory.add_secret, deletion.registration, name="of a pipeline")
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    with deletion.conversation():
        deletion.run_asked(no)
    (question,) = asked
    assert BOT in question
    assert deletion.registration.app_id in question
    for secret in deletion.registration.secrets:
        end = f"ends {secret.end:%Y-%m-%d}"
        assert f"{secret.key_id} ({secret.hint}..., {secret.display_name}, {end})" in question
    assert len(deletion.key_ids) == 2


def test_the_endpoint_moves_during_the_question(deletion: Deletion) -> None:
    """Everything is checked again after the answer, because it may have taken long."""

    def moved(_: str) -> bool:
        endpoint = {"endpoint": "https://elsewhere.contoso.com/api/messages"}
        deletion.call(deletion.migration.bot().properties.update, endpoint)
        return True

    with deletion.conversation():
        status, reason = deletion.run_asked(moved)
    assert status == 1
    assert "is at elsewhere.contoso.com" in reason
    assert len(deletion.key_ids) == 1


def test_the_endpoint_moves_between_two_secrets(deletion: Deletion) -> None:
    """Everything is checked again right before each secret."""
    deletion.call(deletion.azure.directory.add_secret, deletion.registration)
    remove = deletion.registration.remove_secret

    def removed(secret: ClientSecret, after: float = 0.0) -> None:
        remove(secret, after)
        endpoint = "https://elsewhere.contoso.com/api/messages"
        deletion.migration.bot().properties["endpoint"] = endpoint

    deletion.call(setattr, deletion.registration, "remove_secret", removed)
    with deletion.conversation():
        ended = deletion.run("--timeout", "60")
    assert ended.status == 1
    assert "is at elsewhere.contoso.com" in ended.errors
    assert len(deletion.key_ids) == 1


def test_the_restarted_app_cannot_sign_in(deletion: Deletion) -> None:
    """The first proof was a cached token's: the restart shows it, and the secret stays."""
    deletion.sign_in()
    trusted = deletion.registration.federated_credentials[0]
    deletion.call(deletion.registration.delay, trusted, 1e6)
    with deletion.conversation():
        ended = deletion.run("--json", "--timeout", "2")
    assert ended.status == 1
    assert "the restarted app gives no proof yet" in ended.json["reason"]
    assert len(deletion.key_ids) == 1
    assert PASSWORD in deletion.settings_of(deletion.migration.old.site)


def test_the_restarted_app_is_another_bot(deletion: Deletion) -> None:
    """What is wrong for good is refused at once, not waited for."""
    manager = deletion.azure.resource_manager
    changed = manager.on_site_change

    def restarted(site: Resource) -> None:
        changed(site)
        code = deletion.code
        proof = code._proof
        setattr(code, "_proof", lambda token: {**proof(token), "appId": OTHER_APP_ID})  # noqa: B010

    deletion.call(setattr, manager, "on_site_change", restarted)
    with deletion.conversation():
        ended = deletion.run("--json", "--timeout", "60")
    assert ended.status == 1
    assert ended.json["result"] == "refused"
    assert f"signs in as {OTHER_APP_ID}" in ended.json["reason"]
    assert len(deletion.key_ids) == 1


def test_nobody_writes_to_the_restarted_app(deletion: Deletion) -> None:
    """The command says what to do, and its wait runs out."""
    ended = deletion.run("--json", "--timeout", "2")
    assert ended.status == 1
    assert "write to the bot now" in ended.json["reason"]
    assert len(deletion.key_ids) == 1


def test_it_goes_on_before_anybody_has_written(deletion: Deletion) -> None:
    """After an interruption, the restarted app has called no channel: that is waited for."""
    for _ in range(2):
        ended = deletion.run("--json", "--timeout", "2")
        assert ended.json["result"] == "waiting"
        assert "write to the bot now" in ended.json["reason"]
    assert changes(ended) == []
    with deletion.conversation():
        ended = deletion.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert is_done(deletion)


def test_the_old_process_still_answers(deletion: Deletion) -> None:
    """Its proof does not count, however fresh: it has the secret in its environment."""
    deletion.call(setattr, deletion.code, "restart_seconds", 1e6)
    with deletion.conversation():
        deletion.talk()
        ended = deletion.run("--json", "--timeout", "2")
    assert ended.status == 1
    assert "has not restarted since" in ended.json["reason"]
    assert len(deletion.key_ids) == 1


def test_a_process_of_the_same_second(deletion: Deletion) -> None:
    """The tag has seconds only, so the process of the first proof is known by its start."""
    deletion.call(setattr, deletion.code, "restart_seconds", 1e6)
    deletion.call(setattr, deletion.code, "started_on", deletion.azure.directory.clock() + 60)
    deletion.talk(minutes_ago=-1.5)
    ended = deletion.run("--json", "--timeout", "2")
    assert ended.status == 1
    assert "has not restarted since" in ended.json["reason"]
    assert len(deletion.key_ids) == 1


def test_a_restart_of_long_ago(deletion: Deletion) -> None:
    """The settings may have had the secret again since: the app is restarted once more."""
    settings = deletion.new_settings
    settings.pop(PASSWORD)
    deletion.call(deletion.azure.group.set_app_settings, deletion.migration.new.site, settings)
    deletion.talk()
    when = deletion.azure.directory.now() - datetime.timedelta(hours=2)
    tag = {"secretUnusedSince": when.isoformat()}
    deletion.call(deletion.migration.bot().body["tags"].update, tag)
    started = deletion.code.started_on
    with deletion.conversation():
        ended = deletion.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert deletion.code.started_on > started


def test_a_lost_answer(deletion: Deletion) -> None:
    """A secret that is gone although no answer came is not an error."""
    faults = deletion.azure.graph.server.faults
    deletion.call(faults.set, cut=True, handled=True, remaining=1, path="removePassword")
    with deletion.conversation():
        ended = deletion.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert is_done(deletion)


def test_graph_is_late(deletion: Deletion) -> None:
    """The command waits until Microsoft Graph shows that no secret is left."""
    deletion.call(setattr, deletion.azure.directory.propagation, "graph", 1.5)
    with deletion.conversation():
        ended = deletion.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert "it is replicating" in ended.output
    assert is_done(deletion)


def test_graph_is_late_and_an_answer_is_lost(deletion: Deletion) -> None:
    """A secret that Graph still shows, but no longer knows when it is deleted again, is gone."""
    deletion.call(setattr, deletion.azure.directory.propagation, "graph", 2.5)
    faults = deletion.azure.graph.server.faults
    deletion.call(faults.set, cut=True, handled=True, remaining=1, path="removePassword")
    with deletion.conversation():
        ended = deletion.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert is_done(deletion)


def test_the_conversation_has_stopped(deletion: Deletion) -> None:
    """The restarted app's call must be fresh, too."""
    settings = deletion.new_settings
    settings.pop(PASSWORD)
    deletion.call(deletion.azure.group.set_app_settings, deletion.migration.new.site, settings)
    when = deletion.azure.directory.now() - datetime.timedelta(minutes=30)
    tag = {"secretUnusedSince": when.isoformat()}
    deletion.call(deletion.migration.bot().body["tags"].update, tag)
    deletion.call(setattr, deletion.code, "started_on", when.timestamp() + 1)
    deletion.talk(minutes_ago=15)
    ended = deletion.run("--json", "--timeout", "2")
    assert ended.status == 1
    assert "is over 10 minutes old: write to the bot now" in ended.json["reason"]
    assert len(deletion.key_ids) == 1


def test_the_old_app_is_gone(deletion: Deletion) -> None:
    """Then there are no settings of it."""
    site = deletion.migration.old.site
    deletion.call(deletion.azure.resource_manager.resources.remove, site.id)
    with deletion.conversation():
        ended = deletion.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert "there is no old app" in ended.output


def test_the_old_apps_settings_cannot_be_read(deletion: Deletion) -> None:
    """The secret is gone all the same; a note says what is left."""
    body = '{"error": {"code": "AuthorizationFailed", "message": "Not allowed."}}'
    faults = deletion.azure.resource_manager.server.faults
    path = f"{deletion.migration.old.site.name}/config/appsettings/list"
    deletion.call(faults.set, status=403, body=body, path=path)
    with deletion.conversation():
        ended = deletion.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert deletion.key_ids == []
    assert "delete the bot's secret from the settings of contoso-bot-web yourself" in ended.output


def test_slots(deletion: Deletion) -> None:
    """The slots of the app lose the secret, too."""
    site = deletion.migration.new.site
    manager = deletion.azure.resource_manager
    body = {"location": "westeurope", "kind": "functionapp,linux", "properties": {}}
    slot = deletion.call(manager.put, f"{site.id}/slots/staging", body)
    values = {PASSWORD: SECRET, "Other": "kept"}
    deletion.call(manager.set_app_settings, slot, values)
    with deletion.conversation():
        ended = deletion.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert deletion.settings_of(slot) == {"Other": "kept"}


def test_without_a_sign_in_report(deletion: Deletion) -> None:
    """Who else uses the secret is then unknown, and a note says where to look."""
    deletion.call(setattr, deletion.azure.graph, "licensed", False)
    with deletion.conversation():
        ended = deletion.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert "Service principal sign-ins" in ended.output


def test_other_use_can_be_ignored(deletion: Deletion) -> None:
    """By an option of its own; the note says what is ignored."""
    deletion.switched(minutes_ago=10)
    key_id = deletion.record_sign_in()
    with deletion.conversation():
        ended = deletion.run("--ignore-other-use", "--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors
    assert f"ignored, as you said: the secret {key_id}" in ended.output
    assert is_done(deletion)


def test_an_old_sign_in_does_not_count(deletion: Deletion) -> None:
    """The old app's own sign-ins were before the endpoint moved, or in a turn under way then."""
    deletion.switched(minutes_ago=60.5)
    deletion.record_sign_in(hours_ago=1)
    with deletion.conversation():
        ended = deletion.run("--timeout", "60")
    assert ended.status == 0, ended.output + ended.errors


def test_dry_run(deletion: Deletion, tmp_path: Path) -> None:
    """It prints a script, changes nothing, and shows no secret."""
    before = deletion.state()
    value = deletion.settings_of(deletion.migration.old.site)[PASSWORD]
    ended = deletion.run("--dry-run")
    assert ended.status == 0, ended.output + ended.errors
    assert deletion.state() == before
    assert value not in ended.output
    assert SECRET not in ended.output
    key_id = deletion.key_ids[0]
    app_id = deletion.registration.app_id
    pasted = " ".join(ended.output.replace("\\\n", " ").split())
    assert f"az ad app credential delete --id {app_id} --key-id {key_id}" in pasted
    # A restart that is over before SINCE is taken would never be seen.
    assert pasted.index("SINCE=$(date") < pasted.index("appsettings delete")
    script = tmp_path / "script.sh"
    script.write_text(ended.output)
    subprocess.run(["/bin/bash", "-n", str(script)], check=True)
