"""`managed-identity`, killed while it writes the Teams app's files, and run again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.admin.migrate.managed_identity.test_managed_identity import COMMAND, FAST
from tests.admin.migrate.migration import APP, BOT, Migration
from tests.support.project import ROOT

KILLED = -9
SECONDS = 120
"""No command takes longer here."""

PROGRAM = """
import os, pathlib, signal, sys
from bot_workbench.command_line import app

number, moment, *words = sys.argv[1:]
left = [int(number)]

def counted(write):
    def killed(*arguments, **named):
        left[0] -= 1
        if left[0] == 0 and moment == "after":
            write(*arguments, **named)
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return write(*arguments, **named)
    return killed

pathlib.Path.replace = counted(pathlib.Path.replace)
pathlib.Path.unlink = counted(pathlib.Path.unlink)
os.fsync = counted(os.fsync)
app(["migrate", *words])
"""
"""Runs a command that dies right before or after it has done something to a file for the n-th time:
a text is on the disk, a file takes its place, a file is deleted."""

STEPS = {"id": 4, "variable": 7, "both": 7}
"""How often it does that: two for each file that is written, which the note of the raised version
is, too; and the note is deleted."""


def write_files(folder: Path, bot_ids: list[str], app_id: str) -> tuple[Path, Path]:
    """A Teams app whose manifest has these `botId`s: its manifest and its .env file."""
    manifest, env_file = folder / "manifest.json", folder / ".env"
    domains = [f"{BOT}-web.azurewebsites.net"]
    bots = [{"botId": each} for each in bot_ids]
    value = {"version": "1.2.3", "bots": bots, "validDomains": domains}
    manifest.write_text(json.dumps(value, indent=2))
    env_file.write_text(f"BOT_ID={app_id}\n")
    return manifest, env_file


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("kind", "number"), [(kind, each + 1) for kind, last in STEPS.items() for each in range(last)]
)
def test_killed(migration: Migration, tmp_path: Path, kind: str, number: int, moment: str) -> None:
    """Each file is the old or the new one; run again, the command ends where it should, with the
    version raised once."""
    old_id = migration.old.registration.app_id
    new_id = migration.new.identity["clientId"]
    ids = {"id": [old_id], "variable": ["${{BOT_ID}}"], "both": [old_id, "${{BOT_ID}}"]}[kind]
    manifest, env_file = write_files(tmp_path, ids, old_id)
    words = (*COMMAND, *FAST, "--manifest", str(manifest), "--env-file", str(env_file))
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(number), moment, *words],
        cwd=ROOT,
        env={**os.environ, **migration.thread.azure.environ},
        timeout=SECONDS,
        check=False,
        capture_output=True,
    )
    assert ended.returncode == KILLED, ended.stderr
    assert json.loads(manifest.read_text())["version"] in {"1.2.3", "1.2.4"}
    assert env_file.read_text() in {f"BOT_ID={old_id}\n", f"BOT_ID={new_id}\n"}

    again = migration.run(*words)
    assert again.status == 0, again.output + again.errors
    assert json.loads(manifest.read_text()) == {
        "version": "1.2.4",
        "bots": [{"botId": new_id if each == old_id else each} for each in ids],
        "validDomains": [f"{APP}.azurewebsites.net"],
    }
    assert env_file.read_text() == f"BOT_ID={new_id}\n"
