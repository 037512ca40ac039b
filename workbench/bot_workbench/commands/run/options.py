"""RunOptions: what the command line of `bot run` says."""

from dataclasses import dataclass
from pathlib import Path

from bot_workbench.app_folder import find_bots
from bot_workbench.commands.run.debugging import Debugging
from bot_workbench.commands.run.errors import StartError
from bot_workbench.emulator.storage.local_storage import LocalStorage

INLINE = "Inline"
QUEUED = "Queued"
TURNS = (INLINE, QUEUED)
"""A turn runs in the channel's request, or is queued."""

ON, OFF = "On", "Off"
"""Whether the bot is authenticated, or runs for a tool without tokens."""


@dataclass(frozen=True)
class RunOptions:
    """A local run.

    Attributes:
        bot: the bot's folder, or one with a bot and its skill.
        auth: ON or OFF.
        credential: a name of KINDS.
        turns: INLINE or QUEUED.
        storage: keeps the storage's data; None: it is in memory.
        port: the bot's.
        skill_port: its skill's, if there is one.
        chat_port: the chat page's.
        debugging: how a debugger reaches the bot.
    """

    bot: Path
    auth: str
    credential: str
    turns: str
    storage: Path | None
    port: int
    skill_port: int
    chat_port: int
    debugging: Debugging

    @property
    def debugging_of_skill(self) -> Debugging:
        """The same for a skill, at the next port."""
        port = self.debugging.port
        return Debugging(None if port is None else port + 1)

    def ports(self) -> dict[str, int]:
        """The ports that must be free, by the names that set them."""
        ports = {"PORT": self.port, **self.debugging.ports()}
        if self.auth == ON:
            ports["CHAT_PORT"] = self.chat_port
        if len(find_bots(self.bot)) > 1:
            ports["SKILL_PORT"] = self.skill_port
        return ports

    def check(self, storage: LocalStorage) -> None:
        """Check that queued turns have a storage.

        Raises:
            StartError: they have none.
        """
        if self.turns == QUEUED and storage.azurite is None:
            raise StartError(f"TURNS={QUEUED} needs storage. {storage.fault}")
