"""`bot cloud`: the local cloud alone, until Ctrl-C."""

import argparse
import asyncio
import contextlib
import errno
import shlex
import tempfile
from pathlib import Path

from auth.credential_kinds import KINDS, MANAGED_IDENTITY
from bot_workbench.commands.ports import taken
from bot_workbench.commands.shutdown import until_asked_to_stop
from bot_workbench.emulator.cloud import BOT_ENDPOINT, Cloud
from bot_workbench.emulator.loopback import port_number
from bot_workbench.emulator.storage.local_storage import LocalStorage, start_storage
from bot_workbench.setup.tools import PAGES

CHAT_PORT = 3979


def write_env(path: Path, settings: dict[str, str]) -> None:
    """Write settings as NAME=VALUE lines that shells and env-file readers take."""
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    path.write_text("".join(lines), "utf-8")


async def serve(options: argparse.Namespace, folder: Path) -> None:
    """Run the cloud until SIGINT or SIGTERM.

    Raises:
        OSError: a port is in use.
    """
    cloud = Cloud(folder, options.credential, libraries=PAGES.folder)
    cloud.channel.bot_endpoint = options.bot
    await cloud.start({"chat": options.chat_port})
    cloud.watch()
    storage = await start_storage(options.storage) if options.storage else LocalStorage()
    try:
        if options.env:
            feed = cloud.inspector.feed.address.settings()
            write_env(options.env, cloud.settings() | storage.settings() | feed)
            print(f"Settings for the app: {options.env}")
        if options.storage:
            print(f"storage    {storage}")
        for name, server in cloud.servers.items():
            print(f"{name:10} {server.url}")
        print("Ctrl-C stops it.", flush=True)
        await until_asked_to_stop()
    finally:
        await storage.stop()
        await cloud.stop()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="bot cloud", description=__doc__)
    parser.add_argument(
        "--credential",
        choices=list(KINDS),
        default=MANAGED_IDENTITY,
        help="how the bot signs in",
    )
    parser.add_argument(
        "--env", type=Path, metavar="FILE", help="write the settings that an app needs to FILE"
    )
    parser.add_argument(
        "--storage",
        type=Path,
        metavar="FOLDER",
        help="run Azurite, too, with its data in FOLDER; --env then has its settings",
    )
    parser.add_argument("--bot", default=BOT_ENDPOINT, metavar="URL", help="the bot's endpoint")
    parser.add_argument("--chat-port", type=port_number, default=CHAT_PORT, metavar="PORT")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        try:
            asyncio.run(serve(options, Path(folder)))
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            said = taken("--chat-port", options.chat_port) if in_use else str(error)
            parser.exit(1, f"{said}\n")
