"""Contestant: what is compared, and how it is started."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from benchmarks.stage import Stage
from benchmarks.traffic.bot import Bot
from emulator.cloud import CERTIFICATE, FEDERATED, MANAGED_IDENTITY, SIGN_IN_VAULT
from emulator.loopback import LOOPBACK

ROOT = Path(__file__).parent.parent
PEERS = ROOT / "benchmarks" / "peers"
ENVIRONMENTS = ROOT / ".cache" / "benchmarks"
"""A virtual environment for each peer, and one with what this project deploys."""

FUNCTIONS_HOST = "the emulator's Functions host"
OWN_HOST = "the host it ships with"

PROJECT = "this project"
BOTBUILDER = "BotBuilder Python"
AGENTS = "M365 Agents SDK"

ONE_TOKEN = "one token"  # noqa: S105  # no secret
"""The channel sends the same token with all turns."""

FROM_FILE = "from a file"
"""The certificate is a file, as the peers have it, and in no vault."""


@dataclass(frozen=True)
class Contestant:
    """A bot, with one way to sign in.

    Attributes:
        name: of the bot.
        credential: as Cloud has it.
        host: FUNCTIONS_HOST or OWN_HOST.
        folder: of its program: `function_app.py` or `server.py`.
        environment: name of its virtual environment.
        imports: the statements that import all that a turn needs.
        variant: what else is special: ONE_TOKEN or FROM_FILE.
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
        """A name for files and JSON."""
        return self.label.lower().replace(", ", "-").replace(" ", "_")

    @property
    def label(self) -> str:
        """A name for people."""
        return ", ".join(part for part in (self.name, self.credential, self.variant) if part)

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return ENVIRONMENTS / self.environment / "bin" / "python"

    def environ(self, stage: Stage) -> dict[str, str]:
        """Its whole environment."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environ = kept | {"PYTHONPATH": str(ROOT)} | stage.environ()
        return environ | stage.file_settings() if self.variant == FROM_FILE else environ

    def bot(self, stage: Stage, log: Path) -> Bot:
        """Its process, not started."""
        environ = self.environ(stage)
        if self.host == OWN_HOST:
            port = free_port()
            command = [str(self.python), str(self.folder / "server.py")]
            return Bot(command, {**environ, "PORT": str(port)}, log, port)
        host = [str(self.python), "-m", "emulator.functions", "--log-level", "WARNING"]
        return Bot([*host, "--app", str(self.folder), "--port", "0"], environ, log)


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def _project(credential: str, variant: str = "") -> Contestant:
    # Composing imports, the credential's own modules too, and does nothing else that takes time.
    imports = "import function_app; function_app.composed()"
    return Contestant(PROJECT, credential, FUNCTIONS_HOST, ROOT, "project", imports, variant)


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
"""In the order of the tables."""
