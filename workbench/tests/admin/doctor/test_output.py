"""The doctor's output: for people, for files, for pipelines; never a secret; and how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from aiohttp import web
from rich.console import Console

from bot_workbench.admin import console
from bot_workbench.admin.doctor.diagnosis import NOT_LOOKED_AT
from bot_workbench.admin.doctor.examination import ALL_CODES
from bot_workbench.emulator.faults import Handler
from tests.admin.doctor.defects import DEFECTS
from tests.admin.doctor.examined_bot import CERTIFICATE, ExaminedBot
from tests.admin.doctor.harms import SECRET_VALUE, add_secret, setting
from tests.admin.migrate.migration import APP, BOT
from tests.support.program import Program
from tests.support.project import ROOT
from tests.support.timing.condition import until

CHECKS = ROOT / "workbench" / "bot_workbench" / "admin" / "doctor"
PAGE = re.compile(r'(docs/[a-z-]+\.md)(?:, "([^"]+)")?')


@pytest.fixture
def credential() -> str:
    """A bot with a vault."""
    return CERTIFICATE


def terminal(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """The text on a terminal."""
    shown = StringIO()
    monkeypatch.setattr(
        console, "output", Console(file=shown, force_terminal=True, width=100, markup=False)
    )
    return shown


def test_people_see_findings_with_cures(bot: ExaminedBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal: sections, then each finding with a command that can be pasted."""
    add_secret(bot)
    shown = terminal(monkeypatch)
    assert bot.run("--bot", BOT).status == 1
    text = shown.getvalue()
    assert "Azure Bot" in text
    assert "registration-secret" in text
    assert f"bot migrate delete-secret --bot {BOT}" in text
    assert "Looking at" in text


def test_people_see_that_nothing_is_wrong(bot: ExaminedBot) -> None:
    """Lines for a file: facts with marks, and one line that says so."""
    output = bot.run("--bot", BOT).output
    assert f"App {APP}" in output
    assert "  health: 200 [ok]" in output
    assert "Found: nothing, everything is as it should be" in output
    assert "turns: 12" in output
    assert "secrets: 0" in output
    assert re.search(r"certificate [0-9A-F]{8}: ends 20\d\d-\d\d-\d\d", output)


def test_intended_findings_fail_nothing(bot: ExaminedBot) -> None:
    """What --ignore names is shown last, and does not change the exit status; the rest counts."""
    add_secret(bot)
    bot.set_settings(WEBSITE_RUN_FROM_PACKAGE="1")
    words = ("--bot", BOT, "--ignore", "web-chat-off, registration-secret", "--json")
    ended = bot.run(*words)
    assert ended.status == 1
    found = [(each["code"], each["severity"]) for each in json.loads(ended.output)["findings"]]
    assert found == [("setting-not-on-flex", "error"), ("registration-secret", "ignored")]
    bot.set_settings(WEBSITE_RUN_FROM_PACKAGE=None)
    ended = bot.run("--bot", BOT, "--ignore", "registration-secret")
    assert ended.status == 0
    assert "Found: 1 ignored" in ended.output


def test_intended_findings_hide_no_symptoms(bot: ExaminedBot) -> None:
    """A finding that stops the bot explains its symptoms, but not if it is intended."""
    setting("DANGEROUSLY_ALLOW_UNAUTHENTICATED", "true")(bot)
    (only,) = bot.findings()
    assert only["code"] == "setting-unauthenticated"
    found = bot.run("--bot", BOT, "--ignore", only["code"], "--json").json["findings"]
    assert [each["code"] for each in found] == ["app-unhealthy", only["code"]]


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_secret_is_printed(
    bot: ExaminedBot, monkeypatch: pytest.MonkeyPatch, form: tuple[str, ...]
) -> None:
    """No token, no function key, no setting's value, in any form of the output."""
    secrets: set[str] = set()

    async def listen(request: web.Request, handler: Handler) -> web.StreamResponse:
        secrets.add(request.headers.get("Authorization", "").removeprefix("Bearer "))
        secrets.add(request.headers.get("x-functions-key", ""))
        return await handler(request)

    for server in bot.azure.servers.values():
        server.around = listen
    bot.set_settings(
        MicrosoftAppPassword=SECRET_VALUE,
        MicrosoftAppTenantId=SECRET_VALUE,
        AzureWebJobsStorage=f"AccountName=contoso;AccountKey={SECRET_VALUE}",
        CertificateThumbprint=SECRET_VALUE,
        AllowedTenants=f"{SECRET_VALUE},{SECRET_VALUE}",
        WEATHER=SECRET_VALUE,
    )
    shown = terminal(monkeypatch) if not form else StringIO()
    ended = bot.run("--bot", BOT, *form)
    assert ended.status == 1
    secrets -= {""}
    assert len(secrets) >= 3
    connection = bot.settings()["APPLICATIONINSIGHTS_CONNECTION_STRING"]
    for secret in (*secrets, SECRET_VALUE, connection):
        assert secret not in ended.output + ended.errors + shown.getvalue()


def test_every_code_has_its_defect() -> None:
    """The list has no code that the doctor does not find any more."""
    assert {each.code for each in DEFECTS} | {NOT_LOOKED_AT} == ALL_CODES


def test_the_help_says_all() -> None:
    """Every code, every exit status, and the roles that the account needs."""
    shown = subprocess.run(
        [sys.executable, "-m", "bot_workbench", "doctor", "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    assert len(ALL_CODES) > 50
    assert not ALL_CODES - set(re.findall(r"[a-z-]+", shown))
    for word in ("Exit status", "130", "Log Analytics Reader", "--json", "--subscription"):
        assert word in shown


def test_cures_name_pages_that_exist() -> None:
    """Each page is there, and so is the section that a cure quotes."""
    found = [
        each for file in CHECKS.rglob("*.py") for each in PAGE.findall(file.read_text("utf-8"))
    ]
    assert len(found) > 5
    assert any(section for _, section in found)
    for page, section in found:
        lines = (ROOT / page).read_text("utf-8").splitlines()
        headings = [line.lstrip("# 0123456789.") for line in lines if line.startswith("#")]
        assert not section or section in headings, (page, section)


@pytest.mark.parametrize(
    "words",
    [
        ("--bot",),
        ("--cloud", "AzureMoon"),
        ("--dry-run",),
        ("else",),
        ("--ignore", "teams-missing,web-chat-of"),
    ],
)
def test_a_wrong_command_line(bot: ExaminedBot, words: tuple[str, ...]) -> None:
    """Exit 2."""
    assert bot.run(*words).status == 2


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--bot", "contoso-unknown"), "no Azure Bot has the name"),
        (("--app", "contoso-unknown"), "no app has the name"),
        (("--resource-group", "contoso-unknown"), "name one with --bot"),
    ],
)
def test_a_bot_that_nobody_sees(bot: ExaminedBot, words: tuple[str, ...], text: str) -> None:
    """Exit 2, and what to give."""
    ended = bot.run(*words, "--json")
    assert ended.status == 2
    assert text in ended.json["error"]
    assert text in ended.errors


def test_several_bots(bot: ExaminedBot) -> None:
    """Without a name, the list of those that it could be."""
    other = {**bot.bot.body, "properties": {**bot.bot.properties}}
    other["properties"] |= {"msaAppId": "99999999-2222-3333-4444-555555555555"}
    bot.call(bot.azure.group.put, "Microsoft.BotService/botServices", "contoso-other", other)
    ended = bot.run()
    assert ended.status == 2
    for name in (BOT, "contoso-other"):
        assert f"--bot {name} --resource-group contoso-bots" in ended.errors
    bot.call(
        bot.found("Microsoft.BotService/botServices", "contoso-other").properties.update,
        {"endpoint": "https://other.example/api/messages"},
    )
    assert bot.run("--app", APP, "--json").json["bot"]["name"] == BOT


def test_a_bot_without_its_app(bot: ExaminedBot) -> None:
    """The endpoint leads to an app that the account does not see: a finding, and no app."""
    bot.bot.properties["endpoint"] = "https://bot.example/api/messages"
    report = bot.run("--bot", BOT, "--json").json
    assert report["app"] is None
    (found,) = report["findings"]
    assert found["code"] == "endpoint-elsewhere"
    named = bot.run("--bot", BOT, "--app", APP, "--json").json
    assert [each["code"] for each in named["findings"]] == ["endpoint-elsewhere"]
    assert f"migrate switch --bot {BOT} --app {APP}" in named["findings"][0]["cure"]


@pytest.mark.parametrize("command_line", ["doctor", "migrate status"])
def test_ctrl_c(bot: ExaminedBot, tmp_path: Path, command_line: str) -> None:
    """130 at once, while a service is silent, and no traceback; also of the other command that
    reads a bot's parts beside each other."""
    bot.azure.servers["graph.microsoft.com"].faults.set(silent=True)
    with Program(
        [sys.executable, "-u", "-m", "bot_workbench", *command_line.split(), "--bot", BOT],
        cwd=ROOT,
        env={**os.environ, **bot.azure.environ, "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        asked = bot.azure.servers["graph.microsoft.com"].requests
        until(lambda: bool(asked) or command.poll() is not None)
        command.send_signal(signal.SIGINT)
        output, errors = command.communicate(timeout=15)
    assert command.returncode == 130, output + errors
    assert "Traceback" not in errors
    assert json.dumps(output) == '""'
