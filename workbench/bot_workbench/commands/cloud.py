"""`bot cloud`: the local cloud alone, until Ctrl-C."""

import asyncio
import contextlib
import errno
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.commands.options import CHAT_PORT, ChatPortOption, one_of
from bot_workbench.commands.ports import taken
from bot_workbench.commands.shutdown import until_asked_to_stop
from bot_workbench.credential_kinds import KINDS, MANAGED_IDENTITY
from bot_workbench.emulator.cloud import BOT_ENDPOINT, Cloud
from bot_workbench.emulator.language_model.language_model import READING_PAUSE_SECONDS
from bot_workbench.emulator.storage.local_storage import LocalStorage, start_storage
from bot_workbench.setup.tools import PAGES

CredentialOption = Annotated[
    str,
    typer.Option(
        "--credential",
        metavar="|".join(KINDS),
        parser=one_of(KINDS),
        help="How the bot signs in.",
    ),
]
EnvOption = Annotated[
    Path | None,
    typer.Option("--env", metavar="FILE", help="Write the settings that an app needs to FILE."),
]
StorageOption = Annotated[
    Path | None,
    typer.Option(
        "--storage",
        metavar="FOLDER",
        help="Run Azurite, too, with its data in FOLDER; --env then has its settings.",
    ),
]
EndpointOption = Annotated[str, typer.Option("--bot", metavar="URL", help="The bot's endpoint.")]


def write_env(path: Path, settings: dict[str, str]) -> None:
    """Write settings as NAME=VALUE lines that shells and env-file readers take."""
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    path.write_text("".join(lines), "utf-8")


async def serve(
    folder: Path,
    credential: str,
    *,
    env: Path | None,
    data: Path | None,
    endpoint: str,
    chat_port: int,
) -> None:
    """Run the cloud until SIGINT or SIGTERM.

    Args:
        folder: for its certificate.
        credential: how the bot signs in, a key of KINDS.
        env: file that takes the app's settings.
        data: the folder of the storage's data; None: there is no storage.
        endpoint: URL of the bot's messages.
        chat_port: the chat page's.

    Raises:
        OSError: a port is in use.
    """
    cloud = Cloud(folder, credential, libraries=PAGES.folder)
    cloud.channel.bot_endpoint = endpoint
    await cloud.start({"chat": chat_port})
    cloud.watch()
    cloud.model.pause = READING_PAUSE_SECONDS
    storage = await start_storage(data) if data else LocalStorage()
    try:
        if env:
            feed = cloud.inspector.feed.address.settings()
            write_env(env, cloud.settings() | storage.settings() | feed)
            print(f"Settings for the app: {env}")
        if data:
            print(f"storage    {storage}")
        for name, server in cloud.servers.items():
            print(f"{name:10} {server.url}")
        print("Ctrl-C stops it.", flush=True)
        await until_asked_to_stop()
    finally:
        await storage.stop()
        await cloud.stop()


app = typer.Typer(add_completion=False)


@app.command("cloud")
def cloud(
    credential: CredentialOption = MANAGED_IDENTITY,
    env: EnvOption = None,
    storage: StorageOption = None,
    endpoint: EndpointOption = BOT_ENDPOINT,
    chat_port: ChatPortOption = CHAT_PORT,
) -> None:
    """Run the local cloud alone, for an app that is started by itself.

    It runs until Ctrl-C.

    [bold]Example[/bold]

      bot cloud --env .cache/app.env --storage .cache/func
    """
    with tempfile.TemporaryDirectory() as folder:
        serving = serve(
            Path(folder), credential, env=env, data=storage, endpoint=endpoint, chat_port=chat_port
        )
        try:
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(serving)
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            sys.exit(taken("CHAT_PORT", chat_port) if in_use else str(error))
