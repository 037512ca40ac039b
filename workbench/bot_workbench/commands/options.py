"""The types of options that several commands have."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.app_folder import BOT as BOT_NAME
from bot_workbench.emulator.loopback import MAX_PORT
from bot_workbench.project import APP

BOT = APP / BOT_NAME
"""The app's own bot."""

BOT_PORT, SKILL_PORT, CHAT_PORT, DEBUG_PORT = 7071, 7072, 3979, 5678

BotOption = Annotated[
    Path, typer.Option("--bot", metavar="FOLDER", help="The folder of another bot.")
]
PortOption = Annotated[int, typer.Option("--port", min=1, max=MAX_PORT, help="The bot's port.")]
ChatPortOption = Annotated[
    int, typer.Option("--chat-port", min=1, max=MAX_PORT, help="The chat page's port.")
]
DebugOption = Annotated[
    bool, typer.Option("--debug", metavar="", help="Let a debugger attach, such as VS Code's.")
]
DebugPortOption = Annotated[
    int, typer.Option("--debug-port", min=1, max=MAX_PORT, help="Where a debugger attaches.")
]
WaitOption = Annotated[
    bool, typer.Option("--wait", metavar="", help="Load the bot only once a debugger is attached.")
]


def one_of(names: Collection[str]) -> Callable[[str], str]:
    """A parser of an option that takes one of some names."""

    def read(text: str) -> str:
        if text not in names:
            raise typer.BadParameter(f"{text!r} is none of {', '.join(names)}.")
        return text

    return read
