"""Contestant: a bot that is compared, and how it is started."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.benchmark_cloud import BenchmarkCloud
from benchmarks.counter_bot import COUNTS
from benchmarks.traffic.bot_process import BotProcess
from bot_workbench.credential_kinds import CERTIFICATE, FEDERATED, MANAGED_IDENTITY, SIGN_IN_VAULT
from bot_workbench.emulator.loopback import free_port

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
ENVIRONMENTS = ROOT / ".cache" / "benchmarks"
"""Virtual environments: one for each peer, and one with what this project deploys."""
APP = ENVIRONMENTS / "app"
"""This project's app, with the benchmark's echo bot."""
COUNTER_APP = ENVIRONMENTS / "counter_app"
"""This project's app, with the benchmark's counter bot."""
STREAMING_APP = ENVIRONMENTS / "streaming_app"
"""This project's app, with the benchmark's streaming bot."""
AGENTS_APP = ENVIRONMENTS / "agents_app"
"""This project's app, with the benchmark's bot of the Agents SDK."""

FUNCTIONS_HOST = "the workbench's Functions host"
OWN_HOST = "the host it ships with"

PROJECT = "this project"
BOTBUILDER = "BotBuilder Python"
AGENTS = "M365 Agents SDK"
TEAMS = "Teams SDK"
FOUNDRY = "Foundry's Activity host"

ONE_TOKEN = "one token"  # noqa: S105  # no secret
"""The channel sends the same token with every turn."""

FROM_FILE = "from a file"
"""The certificate is in a file, as the peers have it, instead of a vault."""


@dataclass(frozen=True)
class Contestant:
    """A bot with one credential.

    Attributes:
        name: of the bot.
        credential: a key of `bot_workbench.credential_kinds.KINDS`.
        host: FUNCTIONS_HOST or OWN_HOST.
        folder: of its program: `function_app.py` or `server.py`.
        environment: name of its virtual environment.
        imports: the statements that import everything a turn needs.
        variant: ONE_TOKEN, FROM_FILE, or nothing.
    """

    name: str
    credential: str
    host: str
    folder: Path
    environment: str
    imports: str
    variant: str = ""

    @property
    def key(self) -> str:
        """Its name in files and JSON."""
        return self.label.lower().replace(", ", "-").replace(" ", "_")

    @property
    def label(self) -> str:
        """Its name in tables and plots."""
        return ", ".join(part for part in (self.name, self.credential, self.variant) if part)

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return ENVIRONMENTS / self.environment / "bin" / "python"

    def environ(self, cloud: BenchmarkCloud) -> dict[str, str]:
        """Its whole environment."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environ = kept | {"PYTHONPATH": str(ROOT / "workbench")} | cloud.environ()
        environ |= {COUNTS: ""}
        return environ | cloud.file_settings() if self.variant == FROM_FILE else environ

    def bot(
        self, cloud: BenchmarkCloud, log: Path, settings: Mapping[str, str] | None = None
    ) -> BotProcess:
        """Its process, not started yet, with these settings added to its environment."""
        environ = self.environ(cloud) | dict(settings or {})
        if self.host == OWN_HOST:
            port = free_port()
            command = [str(self.python), str(self.folder / "server.py")]
            return BotProcess(command, {**environ, "PORT": str(port)}, log, port)
        host = [
            str(self.python),
            "-m",
            "bot_workbench.emulator.functions",
            "--log-level",
            "WARNING",
        ]
        return BotProcess([*host, "--app", str(self.folder), "--port", "0"], environ, log)


def _project(credential: str, variant: str = "") -> Contestant:
    # Composing the app only imports, the credential's modules included.
    imports = "import asyncio, function_app; asyncio.run(function_app.composition.ready())"
    return Contestant(PROJECT, credential, FUNCTIONS_HOST, APP, "project", imports, variant)


def _peer(name: str, credential: str, host: str, folder: str) -> Contestant:
    imports = "import function_app" if host == FUNCTIONS_HOST else "import server"
    return Contestant(name, credential, host, PEERS / folder, folder, imports)


CONTESTANTS = (
    _project(MANAGED_IDENTITY),
    _project(CERTIFICATE),
    _project(SIGN_IN_VAULT),
    _project(FEDERATED),
    _project(CERTIFICATE, FROM_FILE),
    _project(MANAGED_IDENTITY, ONE_TOKEN),
    _project(CERTIFICATE, ONE_TOKEN),
    _peer(BOTBUILDER, CERTIFICATE, FUNCTIONS_HOST, "botbuilder"),
    _peer(BOTBUILDER, MANAGED_IDENTITY, FUNCTIONS_HOST, "botbuilder"),
    _peer("bare function", MANAGED_IDENTITY, FUNCTIONS_HOST, "bare_function"),
    _peer(AGENTS, CERTIFICATE, OWN_HOST, "agents"),
    _peer(AGENTS, MANAGED_IDENTITY, OWN_HOST, "agents"),
    _peer(BOTBUILDER, CERTIFICATE, OWN_HOST, "botbuilder_aiohttp"),
    _peer(BOTBUILDER, MANAGED_IDENTITY, OWN_HOST, "botbuilder_aiohttp"),
    _peer("bare handler", MANAGED_IDENTITY, OWN_HOST, "bare_aiohttp"),
)
"""In the order of the tables' rows."""
