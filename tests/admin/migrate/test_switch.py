"""`switch` and `back`, against the local Azure."""

import pytest

from tests.admin.migrate.migration import APP, BOT, NEW_ENDPOINT, OLD_ENDPOINT, Migration
from tests.admin.moved_clock import MovedClock


@pytest.fixture(autouse=True)
def moved_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait takes time."""
    monkeypatch.setattr("admin.azure.clients.SystemClock", MovedClock)


SWITCH = ("switch", "--bot", BOT, "--app", APP)


def test_switch_and_back(migration: Migration) -> None:
    """The endpoint moves to the new app and back, and the tags remember both."""
    migration.let_new_app_sign_in()
    migration.thread.call(migration.bot().body["tags"].update, {"costCenter": "42"})
    ended = migration.run(*SWITCH)
    assert ended.status == 0, ended.output + ended.errors
    assert migration.endpoint == NEW_ENDPOINT
    tags = migration.tags()
    assert tags.pop("switchedOn")
    remembered = {"previousEndpoint": OLD_ENDPOINT, "newEndpoint": NEW_ENDPOINT}
    assert tags == {"costCenter": "42", **remembered}
    assert f"Way back: python -m admin migrate back --bot {BOT}" in ended.output

    ended = migration.run("back", "--bot", BOT)
    assert ended.status == 0, ended.output + ended.errors
    assert migration.endpoint == OLD_ENDPOINT
    assert migration.tags().items() >= {"costCenter": "42", **remembered}.items()

    ended = migration.run("switch", "--bot", BOT)
    assert ended.status == 0, ended.output + ended.errors
    assert migration.endpoint == NEW_ENDPOINT


@pytest.mark.parametrize("words", [SWITCH, ("back", "--bot", BOT)])
def test_running_it_again_changes_nothing(migration: Migration, words: tuple[str, ...]) -> None:
    """A command that is done says so, and sends nothing."""
    migration.let_new_app_sign_in()
    migration.run(*SWITCH)
    migration.run(*words)
    before = migration.bot().etag
    ended = migration.run(*words, "--json")
    assert ended.status == 0
    assert [step["changes"] for step in ended.json["steps"]] == [[], []]
    assert migration.bot().etag == before


def test_switch_refuses_an_app_that_cannot_sign_in(migration: Migration) -> None:
    """Without a proof, the users stay with the old app."""
    ended = migration.run(*SWITCH, "--json")
    assert ended.status == 1
    assert ended.json["result"] == "refused"
    assert "it cannot sign in yet" in ended.json["reason"]
    assert migration.endpoint == OLD_ENDPOINT


def test_switch_gives_a_cold_app_another_look(migration: Migration) -> None:
    """An app that is starting does not stop the switch."""
    migration.let_new_app_sign_in()
    sites = migration.thread.azure.servers["*.azurewebsites.net"]
    migration.thread.call(sites.faults.set, status=503, remaining=2, path="/api/identity")
    ended = migration.run(*SWITCH)
    assert ended.status == 0, ended.output
    assert migration.endpoint == NEW_ENDPOINT


def test_switch_refuses_another_bots_app(migration: Migration) -> None:
    """An app that signs in as another bot would answer the users with 401."""
    other = migration.thread.call(migration.thread.azure.add_old_bot, "other-bot")
    migration.old = other
    migration.let_new_app_sign_in()
    ended = migration.run(*SWITCH, "--json")
    assert ended.status == 1
    assert f"appId ({other.registration.app_id}, not " in ended.json["reason"]
    assert "change the setting MicrosoftAppId" in ended.json["reason"]


def test_switch_refuses_an_app_without_the_code(migration: Migration) -> None:
    """A web app that has no function cannot prove anything."""
    migration.thread.call(migration.thread.azure.add_old_bot, "other-bot")
    ended = migration.run("switch", "--bot", BOT, "--app", "other-bot-web", "--json")
    assert ended.status == 1
    assert "no /api/identity" in ended.json["reason"]


def test_switch_needs_the_apps_name_once(migration: Migration) -> None:
    """Before the first switch, nothing says where to."""
    ended = migration.run("switch", "--bot", BOT)
    assert ended.status == 2
    assert "--app" in ended.errors


def test_back_needs_a_switch(migration: Migration) -> None:
    """Without a remembered endpoint, the cure is named."""
    ended = migration.run("back", "--bot", BOT)
    assert ended.status == 1
    assert "az bot update" in ended.output
    assert migration.endpoint == OLD_ENDPOINT


def test_back_warns_if_the_old_app_is_gone(migration: Migration) -> None:
    """It moves the endpoint all the same: the user may be about to start the app."""
    migration.let_new_app_sign_in()
    migration.run(*SWITCH)
    resources = migration.thread.azure.resource_manager
    old = migration.old.site
    migration.thread.call(old.body.setdefault("properties", {}).update, {"state": "Stopped"})
    migration.thread.call(resources.resources.remove, old.id)
    migration.thread.call(resources.on_site_change, old)
    ended = migration.run("back", "--bot", BOT)
    assert ended.status == 0
    assert "users get no replies until the old app runs" in ended.output
    assert migration.endpoint == OLD_ENDPOINT


def test_a_dry_run_prints_the_call(migration: Migration) -> None:
    """The exact call and its `az` command, and nothing is changed."""
    migration.let_new_app_sign_in()
    ended = migration.run(*SWITCH, "--dry-run")
    assert ended.status == 0, ended.errors
    assert "# PATCH https://management.azure.com/subscriptions/" in ended.output
    assert "az bot update --subscription" in ended.output
    assert f"previousEndpoint={OLD_ENDPOINT}" in ended.output
    assert migration.endpoint == OLD_ENDPOINT


def test_an_unknown_bot_is_named(migration: Migration) -> None:
    """The message says where it has looked."""
    ended = migration.run("back", "--bot", "nobody", "--json")
    assert ended.status == 1
    assert "no Azure Bot has the name 'nobody'" in ended.json["reason"]


def test_an_unknown_cloud_is_a_wrong_command_line(migration: Migration) -> None:
    """The clouds that there are are listed."""
    ended = migration.run("back", "--bot", BOT, "--cloud", "Moon")
    assert ended.status == 2
    assert "AzureUSGovernment" in ended.errors
