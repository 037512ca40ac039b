"""RunOptions: the command line of `make run`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from auth.credential_kinds import KINDS, MANAGED_IDENTITY
from bot_workbench.commands.app_folder import BOT
from bot_workbench.commands.cloud import CHAT_PORT
from bot_workbench.commands.run.debugging import Debugging, add_debug_options
from bot_workbench.commands.run.errors import StartError
from bot_workbench.emulator.loopback import port_number
from bot_workbench.emulator.storage.local_storage import LocalStorage
from bot_workbench.project import APP

BOT_PORT = 7071
SKILL_PORT = 7072

INLINE = "Inline"
QUEUED = "Queued"
TURNS = (INLINE, QUEUED)
"""A turn runs in the channel's request, or is queued."""

ON, OFF = "On", "Off"
"""Whether the bot is authenticated, or runs for a tool without tokens."""


class RunOptions(argparse.Namespace):
    """What the command line says.

    Attributes:
        bot: the bot's folder, or one with a bot and its skill.
        auth: ON or OFF.
        credential: a name of KINDS.
        turns: INLINE or QUEUED.
        storage: keeps the storage's data; None: it is in memory.
        port: the bot's.
        skill_port: its skill's, if there is one.
        chat_port: the chat page's.
        debug_port: where a debugger connects; None: none can.
        debug_wait: the bot waits for the debugger before its code is imported.
    """

    bot: Path
    auth: str
    credential: str
    turns: str
    storage: Path | None
    port: int
    skill_port: int
    chat_port: int
    debug_port: int | None
    debug_wait: bool

    @classmethod
    def parse(cls, arguments: Sequence[str] | None = None) -> "RunOptions":
        """Read a command line; None: this process's.

        Raises:
            SystemExit: an argument is invalid.
        """
        return _parser().parse_args(arguments, cls())

    @property
    def debugging(self) -> Debugging:
        """How a debugger reaches the bot."""
        return Debugging.chosen(self)

    @property
    def debugging_of_skill(self) -> Debugging:
        """The same for a skill, at the next port."""
        return Debugging(None if self.debug_port is None else self.debug_port + 1)

    def check(self, storage: LocalStorage) -> None:
        """Check that queued turns have a storage.

        Raises:
            StartError: they have none.
        """
        if self.turns == QUEUED and storage.azurite is None:
            raise StartError(f"TURNS={QUEUED} needs storage. {storage.fault}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make run",
        description="The bot on this machine, with authentication, and a chat page.",
    )
    parser.add_argument(
        "--bot", type=Path, default=APP / BOT, metavar="FOLDER", help="the bot's folder"
    )
    parser.add_argument(
        "--auth",
        choices=(ON, OFF),
        default=ON,
        help="Off: for the Bot Framework Emulator, which sends no token",
    )
    parser.add_argument("--credential", choices=list(KINDS), default=MANAGED_IDENTITY)
    parser.add_argument(
        "--turns", choices=TURNS, default=INLINE, help="Queued: turns run behind a queue"
    )
    parser.add_argument(
        "--storage", type=Path, metavar="FOLDER", help="keeps stored data; unset: in memory"
    )
    parser.add_argument("--port", type=port_number, default=BOT_PORT, help="the bot's port")
    parser.add_argument(
        "--skill-port", type=port_number, default=SKILL_PORT, help="its skill's port, if any"
    )
    parser.add_argument("--chat-port", type=port_number, default=CHAT_PORT, help="the chat page's")
    add_debug_options(parser)
    return parser
