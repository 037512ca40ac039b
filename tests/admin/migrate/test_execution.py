"""How a command ends: Ctrl-C, no network, no sign-in; and what its forms print."""

import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from admin.plan.options import Options
from admin.plan.progress.line_progress import LineProgress
from admin.plan.progress.script_progress import ScriptProgress
from admin.plan.step import Finding, Plan
from emulator.loopback import free_port
from tests.admin.migrate.migration import APP, BOT, Migration
from tests.admin.plan.scripted_step import ScriptedStep, change
from tests.support.program import Program
from tests.support.project import ROOT
from tests.support.timing.condition import until

BACK = ("back", "--bot", BOT)


def program(migration: Migration, *words: str) -> Program:
    """`migrate` in a process of its own."""
    return Program(
        [sys.executable, "-u", "-m", "admin", "migrate", *words],
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
    assert f"run it again: python -m admin migrate federated --bot {BOT} --app {APP}" in errors
    if form:
        assert json.loads(output)["result"] == "failed"


@pytest.mark.parametrize("form", [(), ("--json",), ("--dry-run",)])
def test_only_what_may_succeed_is_run_again(migration: Migration, form: tuple[str, ...]) -> None:
    """A name that no bot has stays unknown: there is nothing to go on with."""
    ended = migration.run("back", "--bot", "contoso-unknown", *form)
    assert ended.status == 1
    assert "contoso-unknown" in ended.errors
    assert "run it again" not in ended.errors
    if "--json" in form:
        assert ended.json["next"] is None


@pytest.fixture
def impatient_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """azure-identity, which has no clock of ours, does not wait between its attempts."""
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.mark.usefixtures("impatient_sign_in")
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


@pytest.mark.usefixtures("impatient_sign_in")
def test_a_lost_authority_is_no_traceback(
    migration: Migration, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A CA bundle that does not exist is the user's to fix."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nowhere.pem"))
    ended = migration.run(*BACK)
    assert ended.status == 3
    assert "nowhere.pem" in ended.errors


@pytest.mark.usefixtures("impatient_sign_in")
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


def shown(*findings: Finding, terminal: bool, result: str = "done") -> str:
    """What LineProgress prints of a run with one step."""
    file = StringIO()
    console = Console(file=file, force_terminal=terminal, width=200, highlight=False)
    progress = LineProgress(console)
    steps = [ScriptedStep(Finding("so")) for _ in range(3)]
    plan = Plan(
        steps, way_back="python -m admin migrate back", next_command="next", notes=("note",)
    )
    progress.begin(plan)
    progress.step("A step")
    for finding in findings:
        progress.found(finding)
        for each in finding.changes:
            progress.plan(each)
            progress.sent(each)
        if finding.waiting:
            progress.wait(finding, 1.0)
    progress.end(plan, result, "" if result == "done" else "because")
    return file.getvalue()


def test_a_pipe_gets_plain_lines() -> None:
    """No escape sequence, one line each, and the same finding once."""
    waiting = Finding("not yet", waiting=True)
    text = shown(waiting, waiting, Finding("no", (change(int),)), Finding("so"), terminal=False)
    assert "\x1b" not in text
    assert [line.split()[0] for line in text.splitlines()] == [
        *("note", "A", "found", "found", "plan", "PATCH", "sent", "found", "done", "Way", "Next:"),
    ]


def test_a_terminal_shows_the_wait() -> None:
    """A wait is a line that changes, with how many steps are done, and it is gone at the end."""
    text = shown(Finding("not yet", waiting=True), Finding("so"), terminal=True)
    assert "\x1b" in text
    assert "wait     not yet" in text
    assert "0/3" in text


@pytest.mark.parametrize("name", ["[app]", "[/subscriptions/1]", "[red]"])
def test_a_wait_is_no_markup(name: str) -> None:
    """Brackets in Azure's texts are printed as they are."""
    assert f"wait     {name}" in shown(Finding(name, waiting=True), terminal=True)


def test_a_refusal_shows_the_way_back_and_no_next_command() -> None:
    """Whoever must fix something first is not sent on."""
    text = shown(Finding("no"), terminal=False, result="refused")
    assert "refused  because" in text
    assert "Way back:" in text
    assert "Next:" not in text


def test_a_refusal_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    """What was found is shown besides only if the refusal does not say it; further lines are
    indented like the first."""
    finding = Finding("no secret\nis left", refusal="no secret\nis left: stop")
    file = StringIO()
    progress = LineProgress(Console(file=file, width=200, highlight=False))
    script = ScriptProgress(Options("switch", BOT))
    for each in (progress, script):
        each.step("A step")
        each.found(finding)
        each.end(Plan(()), "refused", finding.refusal)
    assert file.getvalue() == "A step\n  refused  no secret\n           is left: stop\n"
    assert capsys.readouterr().out.count("no secret") == 1


def test_the_end_says_what_is_so() -> None:
    """The last step's finding is the result."""
    text = shown(Finding("the endpoint is x"), terminal=False)
    assert "  done     the endpoint is x\n" in text


def test_a_dry_run_is_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    """bash reads it; a question asks, a refusal stops it, and the reader's shell goes on."""
    script = ScriptProgress(Options("switch", BOT))
    plan = Plan((), way_back="back", next_command="next")
    script.begin(plan)
    script.step("A step\nwith two lines")
    script.found(Finding("it's so", notes=("note",)))
    script.ask("Delete 'it'?")
    script.plan(change(int))
    script.wait(Finding("not yet", waiting=True, az=("for i in 1 2; do", "  true", "done")), 1)
    script.end(plan, "refused", "because")
    text = capsys.readouterr().out
    assert text.endswith("# Way back: back\n# refused: because\nfalse\n)\n")
    # Pasted into a shell without az: it stops at the answer, and the shell goes on.
    pasted = f"{text}\necho still here"
    assert bash(pasted, "n\n") == "still here\n"
    assert bash(pasted.replace("az x", "true"), "y\n") == "still here\n"


def bash(script: str, answers: str) -> str:
    """What a script prints, on both streams."""
    ended = subprocess.run(
        ["bash", "-c", script],  # noqa: S607  # as people start it
        input=answers,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ended.stdout
