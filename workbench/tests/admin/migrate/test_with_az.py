"""The commands beside the real Azure CLI: its sign-in, and the scripts that dry runs print."""

import pytest

from bot_workbench.emulator.resource_manager.sites import CONFIG
from tests.admin.migrate.managed_identity.test_managed_identity import NEW_BOT, new_bot
from tests.admin.migrate.migration import APP, BOT, NEW_ENDPOINT, OLD_ENDPOINT, Migration
from tests.support.azure.az_shell import WITH_AZ, WORKLOAD, AzShell

pytestmark = [*WITH_AZ, pytest.mark.timeout(600)]


@pytest.fixture
def shell(
    migration: Migration, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AzShell:
    """A shell in which the directory's user, or the pipeline, has signed in with `az login`."""
    shell = AzShell(monkeypatch)
    for name in WORKLOAD:
        monkeypatch.delenv(name)
    if getattr(request, "param", "pipeline") == "user":
        shell.sign_in_user()
    else:
        shell.sign_in_pipeline(migration.thread.azure.environ)
    return shell


@pytest.mark.parametrize("shell", ["user", "pipeline"], indirect=True)
def test_the_account_of_az_login_is_used(migration: Migration, shell: AzShell) -> None:
    """Whoever has signed in with the CLI needs nothing else."""
    migration.let_new_app_sign_in()
    assert "az" in shell.run("command -v az")
    ended = migration.run("switch", "--bot", BOT, "--app", APP)
    assert ended.status == 0, ended.errors
    assert migration.endpoint == NEW_ENDPOINT


def test_dry_runs_can_be_pasted(migration: Migration, shell: AzShell) -> None:
    """The script does what the command would have done; the command then finds it done."""
    migration.let_new_app_sign_in()
    migration.thread.call(migration.bot().body["tags"].update, {"cost center": "42 & $more"})
    switch, back = ("switch", "--bot", BOT, "--app", APP), ("back", "--bot", BOT)
    for words, endpoint in ((switch, NEW_ENDPOINT), (back, OLD_ENDPOINT)):
        shell.run(migration.run(*words, "--dry-run").output)
        assert migration.endpoint == endpoint
        assert migration.tags()["cost center"] == "42 & $more"
        assert not any(step["changes"] for step in migration.run(*words, "--json").json["steps"])


def test_the_way_back_of_a_new_bot_can_be_pasted(migration: Migration, shell: AzShell) -> None:
    """It deletes the bot that a dry run's script has made, and no other of its name."""
    words = ("managed-identity", "--bot", BOT, "--new-bot", NEW_BOT, "--app", APP)
    shell.run(migration.run(*words, "--dry-run").output)
    way_back = migration.run(*words, "--json").json["wayBack"]
    made = new_bot(migration)
    assert made is not None
    tags = made.body["tags"]
    migration.thread.call(made.body.update, {"tags": {}})
    shell.run(f"{way_back} || true")
    assert new_bot(migration) is not None
    migration.thread.call(made.body.update, {"tags": tags})
    shell.run(way_back)
    assert new_bot(migration) is None
    assert "replacedBy" not in migration.tags()


def test_the_cure_of_a_refused_switch_can_be_pasted(migration: Migration, shell: AzShell) -> None:
    """It enables public network access, which an app and its configuration can each disable."""
    migration.let_new_app_sign_in()
    site, disabled = migration.new.site, {"publicNetworkAccess": "Disabled"}
    for properties in (site.properties, site.hidden.setdefault(CONFIG, {})):
        migration.thread.call(properties.update, disabled)
        words = ("switch", "--bot", BOT, "--app", APP)
        reason = migration.run(*words, "--json").json["reason"]
        shell.run(reason.split("`")[1])
    assert migration.run(*words).status == 0
    assert migration.endpoint == NEW_ENDPOINT
