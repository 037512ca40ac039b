"""How a command ends: Ctrl-C, no network, no sign-in."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.emulator.loopback import free_port
from tests.admin.migrate.migration import APP, BOT, BOTS, VAULT, Migration
from tests.support.program import Program
from tests.support.project import ROOT
from tests.support.timing.condition import until

BACK = ("back", "--bot", BOT)


def program(migration: Migration, *words: str) -> Program:
    """`migrate` in a process of its own."""
    return Program(
        [sys.executable, "-u", "-m", "bot_workbench", "migrate", *words],
        cwd=ROOT,
        env={**os.environ, **migration.thread.azure.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_ctrl_c_says_how_to_go_on(migration: Migration, form: tuple[str, ...]) -> None:
    """130, the same command again, and no traceback."""
    # Entra does not accept the credential yet, so the command waits for the proof.
    migration.thread.azure.directory.propagation.federated = 3600
    words = ("federated", "--bot", BOT, "--app", APP, *form)
    with program(migration, *words) as command:
        looked = migration.thread.azure.servers["*.azurewebsites.net"].requests
        until(lambda: bool(looked["GET /api/identity"]) or command.poll() is not None)
        command.send_signal(signal.SIGINT)
        output, errors = command.communicate(timeout=60)
    assert command.returncode == 130, output + errors
    assert "Traceback" not in errors
    assert f"run it again: bot migrate federated --bot {BOT} --app {APP}" in errors
    if form:
        assert json.loads(output)["result"] == "failed"


@pytest.mark.parametrize("form", [(), ("--json",), ("--dry-run",)])
def test_only_what_may_succeed_is_run_again(migration: Migration, form: tuple[str, ...]) -> None:
    """A name that no bot has stays unknown: there is nothing to go on with."""
    ended = migration.run("back", "--bot", "contoso-unknown", *form)
    assert ended.status == 2
    assert "contoso-unknown" in ended.errors
    assert "run it again" not in ended.errors
    if "--json" in form:
        assert ended.json["next"] is None


COMMANDS = (
    ("status",),
    ("switch",),
    ("federated",),
    ("delete-secret",),
    ("certificate", "--vault", VAULT),
    ("managed-identity", "--app", APP, "--new-bot", "contoso-new"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    "named",
    [
        ("--bot", "contoso-unknown"),
        ("--bot", BOT, "--resource-group", "contoso-unknown"),
        ("--bot", BOT, "--subscription", "contoso-unknown"),
        ("--bot", BOT, "--app", "contoso-unknown"),
        ("--bot", f"/subscriptions/1/resourceGroups/g/providers/{BOTS}/contoso-unknown"),
    ],
    ids=" ".join,
)
def test_a_name_that_nobody_has(
    migration: Migration, command: tuple[str, ...], named: tuple[str, ...]
) -> None:
    """2: the command line is wrong, and nothing was changed."""
    ended = migration.run(*command, *named, "--json")
    assert ended.status == 2, ended.output
    assert "contoso-unknown" in (ended.json.get("error") or ended.json["reason"])
    sent = migration.thread.azure.servers["management.azure.com"].requests
    assert not [each for each in sent if each.startswith(("PUT", "PATCH", "DELETE"))]


def test_a_bot_that_vanishes(migration: Migration) -> None:
    """1: the command line was right, the bot was listed, and then it was gone."""
    manager = migration.thread.azure.resource_manager
    migration.thread.call(manager.server.faults.set, path=migration.bot().id, status=404)
    assert migration.run("status", "--bot", BOT).status == 1


@pytest.mark.parametrize("form", [(), ("--json",), ("--dry-run",)])
def test_without_a_network_there_is_no_traceback(
    migration: Migration, monkeypatch: pytest.MonkeyPatch, form: tuple[str, ...]
) -> None:
    """3, and one line that names what cannot be reached."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for words in (BACK, ("status", "--bot", BOT)):
        if words[0] == "status" and "--dry-run" in form:
            continue
        ended = migration.run(*words, *form)
        assert ended.status == 3
        assert "gets no token from Entra (Connection refused). Check the network" in ended.errors
        assert "Traceback" not in ended.output + ended.errors


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("login.microsoftonline.com", 3),
        ("graph.microsoft.com", 3),
        ("management.azure.com", 3),
        (f"{VAULT}.vault.azure.net", 3),
        ("*.azurewebsites.net", 1),
    ],
)
def test_a_silent_service_is_not_waited_for(
    migration: Migration, monkeypatch: pytest.MonkeyPatch, host: str, status: int
) -> None:
    """It accepts requests and never answers: the command ends with its time, and names it."""
    monkeypatch.setattr("bot_workbench.admin.azure.clock.MIN_ANSWER_SECONDS", 2)
    azure = migration.thread.azure
    vaults = {name: vault.server for name, vault in azure.vaults.items()}
    migration.thread.call((azure.servers | vaults)[host].faults.set, silent=True)
    words = ("certificate", "--bot", BOT, "--app", APP, "--vault", VAULT, "--timeout", "2")
    ended = migration.run(*words)
    said = ended.errors if status == ExitStatus.UNREACHABLE else ended.output
    assert ended.status == status, ended.output + ended.errors
    assert f"{host.replace('*', APP)} timed out after" in said


def test_a_lost_authority_is_no_traceback(
    migration: Migration, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A CA bundle that does not exist is the user's to fix."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nowhere.pem"))
    ended = migration.run(*BACK)
    assert ended.status == 3
    assert "nowhere.pem" in ended.errors


@pytest.mark.parametrize(
    ("cloud", "authority"),
    [
        ("AzureUSGovernment", "login.microsoftonline.us"),
        ("AzureChinaCloud", "login.partner.microsoftonline.cn"),
    ],
)
def test_each_cloud_has_its_own_hosts(migration: Migration, cloud: str, authority: str) -> None:
    """A national cloud's bot is looked for there, and no request leaves it."""
    tunnels = migration.thread.azure.proxy.tunnels.copy()
    ended = migration.run(*BACK, "--cloud", cloud)
    assert ended.status == 3
    assert {*migration.thread.azure.proxy.refused} == {f"{authority}:443"}
    assert migration.thread.azure.proxy.tunnels == tunnels


def test_forbidden_names_the_role(migration: Migration) -> None:
    """An account without rights reads what it lacks."""
    manager = migration.thread.azure.resource_manager
    body = json.dumps({"error": {"code": "AuthorizationFailed", "message": "no rights"}})
    migration.thread.call(manager.server.faults.set, status=403, body=body)
    ended = migration.run(*BACK)
    assert ended.status == 3
    assert "AuthorizationFailed: no rights. Your account needs: Contributor" in ended.errors
