"""ChatOptions: which bot a test starts, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

from bot_workbench.app_folder import PAIR, find_bots
from bot_workbench.credential_kinds import KINDS
from bot_workbench.project import APP

PROJECT_BOT = APP / "bot_logic"
TESTS = APP / "tests" / "bot_logic"
"""The tests of the project's bot."""

Kind = Literal["personal", "groupChat", "channel"]


@dataclass(frozen=True)
class ChatOptions:
    """The options of `@pytest.mark.chat(...)`.

    Attributes:
        bot: the bot's folder, absolute or relative to the repository; None: the test's own folder
            if a bot is in it, else the project's `bot_logic`.
        user: the user's name.
        channel: the channel id: `webchat`, `directline`, `msteams` or another.
        kind: the kind of the conversation.
        turns: `Inline`, or `Queued`, which needs `storage="azurite"`.
        storage: where state is kept: `memory` or `azurite`, an emulator of Azure Storage.
        credential: how the bot signs in, as in `make run CREDENTIAL=...`.
        settings: additional app settings, such as the bot's own.
        skip_waits: whether to move time forward automatically while the bot's turns only sleep.
        turn_seconds: how long a turn may take in real time; then it is ended, and the test fails.
    """

    bot: str | Path | None = None
    user: str = "Ada"
    channel: str = "webchat"
    kind: Kind = "personal"
    turns: Literal["Inline", "Queued"] = "Inline"
    storage: Literal["memory", "azurite"] = "memory"
    credential: str = "ManagedIdentity"
    settings: Mapping[str, str] = field(default_factory=dict)
    skip_waits: bool = False
    turn_seconds: float = 30  # longer than any channel waits

    def __post_init__(self) -> None:
        hints = get_type_hints(ChatOptions)
        choices = {
            name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal
        }
        for name, known in {**choices, "credential": tuple(KINDS)}.items():
            if (given := getattr(self, name)) not in known:
                raise ValueError(f"{name}={given!r} is none of {', '.join(known)}")
        if self.turns == "Queued" and self.storage != "azurite":
            raise ValueError('turns="Queued" needs storage="azurite"')

    def folder_for(self, test: Path) -> Path:
        """The folder of the bot that a test in this file starts.

        Raises:
            FileNotFoundError: `bot` names no bot.
        """
        if self.bot is None:
            return bot_beside(test) or PROJECT_BOT
        bots = find_bots(APP / self.bot)
        if not bots:
            raise FileNotFoundError(f"{self.bot}/__init__.py has no create_bot(services)")
        return bots[0]


def bot_beside(test: Path) -> Path | None:
    """The folder of the bot that a test file belongs to: the file is in that folder, or in `TESTS`.

    A test file beside a host and its skill belongs to the host.
    """
    folder = test.absolute().parent
    if folder.is_relative_to(TESTS):
        return PROJECT_BOT
    return next(iter(find_bots(folder)), None)


def skill_beside(bot: Path) -> Path | None:
    """The folder of the skill in a bot's pair."""
    pair = find_bots(bot.parent)
    return pair[1] if len(pair) == len(PAIR) and pair[0] == bot else None
