"""A bot to migrate against the local Azure, with the commands of docs/migrate.md."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.docs.runbooks.page import blocks
from tests.docs.runbooks.shell import YES, Paste, Shell
from tests.support.azure.azure_thread import AzureThread
from tests.support.azure.talker import Talker
from tests.support.light_sites.light_site import LightSite
from tests.support.project import ROOT

PAGE = ROOT / "docs" / "migrate.md"
BOT, APP, VAULT = "contoso-bot", "contoso-functions", "contoso-vault"
"""The names of the page's examples."""

DAY_SECONDS = 86400
HASTE = 400
RESTART_SECONDS = 2.0
SAY_SECONDS = 0.5
"""The interval at which somebody writes to the bot."""

SIGN_IN = (
    "az config set core.instance_discovery=false 2>/dev/null\n"
    'az login --service-principal --username "$AZURE_CLIENT_ID" --tenant "$AZURE_TENANT_ID"'
    ' --federated-token "$(cat "$AZURE_FEDERATED_TOKEN_FILE")" --output none\n'
)
"""As a pipeline does it."""


def commands(section: str) -> list[str]:
    """The commands of a section of docs/migrate.md, in order."""
    text = "".join(block.text for block in blocks(PAGE) if block.section == section)
    return re.sub(r"\\\n *", "", text).splitlines()


class Migration:
    """An old bot, a Function App for its new code, and a shell.

    Args:
        thread: the local Azure.
        folder: an empty folder, where the shell works.
        az: the path of the Azure CLI.
    """

    def __init__(self, thread: AzureThread, folder: Path, az: Path) -> None:
        self._thread = thread
        self.old = thread.call(thread.azure.add_old_bot, BOT)
        thread.call(thread.azure.add_function_app, APP, vault=VAULT)
        new = thread.azure.sites.code(APP)
        if isinstance(new, LightSite):
            new.restart_seconds = RESTART_SECONDS
        (folder / "appPackage").mkdir()
        manifest = {"version": "1.0.0", "bots": [{"botId": self.old.registration.app_id}]}
        (folder / "appPackage" / "manifest.json").write_text(json.dumps(manifest))
        (folder / "env").mkdir()
        (folder / "env" / ".env.dev").write_text(f"BOT_ID={self.old.registration.app_id}\n")
        self._folder = folder
        self._shell = Shell(folder, az, thread.azure.environ)
        self._shell.paste([("sign in", SIGN_IN)])
        self.pastes: list[Paste] = []

    def run(self, command: str, place: str = "") -> Paste:
        """Run a command as somebody types it who agrees to every question."""
        with self._visitors():
            done = self._shell.paste([(place or command, f"{command}\n")], YES)
        self.pastes.append(done)
        return done

    def run_dry_run(self, command: str) -> Paste:
        """Run what a command prints in a dry run, as a script."""
        printed = self.run(f"{command} --dry-run", "migrate.md")
        script = "".join(printed.output.values())
        (self._folder / "script.sh").write_text(script)
        with self._visitors():
            done = self._shell.paste([("dry run", "bash script.sh\n")], YES)
        self.pastes.append(done)
        return done

    def left(self, command: str) -> list[str]:
        """What a command still finds to change, one by one; nothing is changed if it is nothing."""
        done = self.run(f"{command} --yes --json", "again")
        answer: dict[str, Any] = json.loads("".join(done.output.values()))
        changes = [change["summary"] for step in answer["steps"] for change in step["changes"]]
        return changes if answer["result"] == "done" else [*changes, answer["reason"]]

    def pass_days(self) -> None:
        """Let all sign-ins so far have been two days earlier."""
        directory = self._thread.azure.directory
        directory.sign_ins[:] = [
            replace(each, when=each.when - 2 * DAY_SECONDS) for each in directory.sign_ins
        ]

    def hasten(self) -> None:
        """From now on, an hour of the apps' lives takes some seconds: they renew their tokens."""
        start = time.time()
        self._thread.azure.directory.clock = lambda: start + HASTE * (time.time() - start)

    def secrets(self) -> int:
        """The number of secrets of the bot's app registration."""
        return len(self.old.registration.secrets)

    def write_to_bots(self) -> None:
        """Send every bot a message, and wait for the answer."""
        for name in list(self._thread.azure.channels):
            Talker(self._thread, name).say("hello")

    @contextmanager
    def _visitors(self) -> Iterator[None]:
        """Somebody writes to every bot, again and again."""
        ended = threading.Event()

        def visit() -> None:
            while not ended.wait(SAY_SECONDS):
                self.write_to_bots()

        visitor = threading.Thread(target=visit)
        visitor.start()
        try:
            yield
        finally:
            ended.set()
            visitor.join()
