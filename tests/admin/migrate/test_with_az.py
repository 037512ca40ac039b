"""The commands beside the real Azure CLI: its sign-in, and the scripts that dry runs print."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.resource_manager.web.sites import CONFIG
from tests.admin.migrate.migration import APP, BOT, NEW_ENDPOINT, OLD_ENDPOINT, Migration
from tests.support.project import ROOT

AZ = ROOT / ".cache" / "az" / "bin"
WORKLOAD = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE")

pytestmark = [
    pytest.mark.az,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not AZ.exists(), reason="no Azure CLI: make runbooks installs it"),
]

Shell = Callable[[str], str]


@pytest.fixture
def shell(
    migration: Migration, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Shell:
    """A shell in which the directory's user, or the pipeline, has signed in with `az login`."""
    environ = migration.thread.azure.environ
    monkeypatch.setenv("PATH", f"{AZ}:{os.environ['PATH']}")
    monkeypatch.setenv("AZURE_CORE_INSTANCE_DISCOVERY", "false")
    for name in WORKLOAD:
        monkeypatch.delenv(name)

    def run(script: str) -> str:
        ended = subprocess.run(
            ["bash", "-c", script],  # noqa: S607  # as people start it
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    client, tenant, file = (environ[name] for name in WORKLOAD)
    token = Path(file).read_text("utf-8")
    logins = {
        "user": "az login --use-device-code",
        "pipeline": "az login --service-principal --federated-token"
        f" {token} --username {client} --tenant {tenant}",
    }
    run(f"{logins[getattr(request, 'param', 'pipeline')]} --output none")
    return run


@pytest.mark.parametrize("shell", ["user", "pipeline"], indirect=True)
def test_the_account_of_az_login_is_used(migration: Migration, shell: Shell) -> None:
    """Whoever has signed in with the CLI needs nothing else."""
    migration.let_new_app_sign_in()
    assert "az" in shell("command -v az")
    ended = migration.run("switch", "--bot", BOT, "--app", APP)
    assert ended.status == 0, ended.errors
    assert migration.endpoint == NEW_ENDPOINT


def test_dry_runs_can_be_pasted(migration: Migration, shell: Shell) -> None:
    """The script does what the command would have done; the command then finds it done."""
    migration.let_new_app_sign_in()
    migration.thread.call(migration.bot().body["tags"].update, {"cost center": "42 & $more"})
    switch, back = ("switch", "--bot", BOT, "--app", APP), ("back", "--bot", BOT)
    for words, endpoint in ((switch, NEW_ENDPOINT), (back, OLD_ENDPOINT)):
        shell(migration.run(*words, "--dry-run").output)
        assert migration.endpoint == endpoint
        assert migration.tags()["cost center"] == "42 & $more"
        assert not any(step["changes"] for step in migration.run(*words, "--json").json["steps"])


def test_the_cure_of_a_refused_switch_can_be_pasted(migration: Migration, shell: Shell) -> None:
    """It enables public network access, which an app and its configuration can each disable."""
    migration.let_new_app_sign_in()
    site, disabled = migration.new.site, {"publicNetworkAccess": "Disabled"}
    for properties in (site.properties, site.hidden.setdefault(CONFIG, {})):
        migration.thread.call(properties.update, disabled)
        words = ("switch", "--bot", BOT, "--app", APP)
        reason = migration.run(*words, "--json").json["reason"]
        shell(reason.split("`")[1])
    assert migration.run(*words).status == 0
    assert migration.endpoint == NEW_ENDPOINT
