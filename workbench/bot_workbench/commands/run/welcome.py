"""The lines of `bot run` once the bot answers."""

import sys
from collections.abc import Iterator
from pathlib import Path

from bot_workbench.commands.run.options import RunOptions
from bot_workbench.commands.run.storage_file import storage_file
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.storage.azurite import Azurite
from bot_workbench.emulator.storage.local_storage import LocalStorage
from bot_workbench.project import APP

HINT = (
    "The bot reloads when you save its code. BOT=FOLDER runs another bot, DEBUG=1 lets a"
    " debugger\nattach. Ctrl-C stops everything.\n"
)
DEBUG_HINT = "The bot reloads when you save its code; breakpoints stay. Ctrl-C stops everything.\n"


def welcome(options: RunOptions, cloud: Cloud, storage: LocalStorage) -> str:
    """The lines with everything that a user opens or needs."""
    lines = [f"{f'{name}:':10} {text}" for name, text in _facts(options, cloud, storage)]
    hint = HINT if options.debugging.port is None else DEBUG_HINT
    return "\n".join(["", *lines, hint])


def _facts(
    options: RunOptions, cloud: Cloud, storage: LocalStorage
) -> Iterator[tuple[str, object]]:
    yield "Bot", f"{cloud.channel.bot_endpoint}  (signs in with {cloud.credential})"
    yield "Chat", f"{cloud.pages.url}/"
    yield "Inspector", f"{cloud.pages.url}/inspector"
    yield "Storage", storage
    if storage.azurite:
        program = Path(sys.executable).with_name("bot")
        shown = program.relative_to(APP) if program.is_relative_to(APP) else program
        yield "Commands", f"{shown} --help{_storage_option(storage.azurite, options.port)}"
    yield "Switches", f"{cloud.switches.server.url}/state"
    if options.debugging.port is not None:
        yield "Debugger", f'port {options.debugging.port}  (VS Code: "Attach to make run")'


def _storage_option(azurite: Azurite, port: int) -> str:
    """The option of `bot` for a storage that is not where it looks by itself."""
    if azurite.is_development_storage:
        return ""
    file = storage_file(port).relative_to(APP).as_posix()
    return f'  (each with --connection-string "$(cat {file})")'
