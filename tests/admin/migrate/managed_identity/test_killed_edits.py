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
from admin.command_line import app

number, moment, *words = sys.argv[1:]
replace, left = pathlib.Path.replace, [int(number)]

def killed(path, target):
    left[0] -= 1
    if left[0] == 0 and moment == "after":
        replace(path, target)
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(path, target)

pathlib.Path.replace = killed
app(["migrate", *words])
"""
"""Runs a command that dies right before or after the n-th file takes its place."""


def write_files(folder: Path, bot_id: str, app_id: str) -> tuple[Path, Path]:
    """A Teams app whose manifest has this `botId`: its manifest and its .env file."""
    manifest, env_file = folder / "manifest.json", folder / ".env"
    domains = [f"{BOT}-web.azurewebsites.net"]
    value = {"version": "1.2.3", "bots": [{"botId": bot_id}], "validDomains": domains}
    manifest.write_text(json.dumps(value, indent=2))
    env_file.write_text(f"BOT_ID={app_id}\n")
    return manifest, env_file


@pytest.mark.parametrize("variable", [False, True], ids=["id", "variable"])
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed(
    migration: Migration, tmp_path: Path, variable: bool, number: int, moment: str
) -> None:
    """Each file is the old or the new one; run again, the command ends where it should."""
    old_id = migration.old.registration.app_id
    new_id = migration.new.identity["clientId"]
    bot_id = "${{BOT_ID}}" if variable else old_id
    manifest, env_file = write_files(tmp_path, bot_id, old_id)
    before = manifest.read_text()
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
    has_manifest, has_env_file = (number, moment) != (1, "before"), (number, moment) == (2, "after")
    assert (manifest.read_text() != before) == has_manifest
    assert env_file.read_text() == f"BOT_ID={new_id if has_env_file else old_id}\n"

    again = migration.run(*words)
    assert again.status == 0, again.output + again.errors
    # Without an id in the manifest, nothing says that its version was raised already.
    twice = variable and has_manifest and not has_env_file
    assert json.loads(manifest.read_text()) == {
        "version": "1.2.5" if twice else "1.2.4",
        "bots": [{"botId": bot_id if variable else new_id}],
        "validDomains": [f"{APP}.azurewebsites.net"],
    }
    assert env_file.read_text() == f"BOT_ID={new_id}\n"
