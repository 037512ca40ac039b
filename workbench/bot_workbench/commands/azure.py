"""`bot azure`: an old bot that runs in a local Azure, and all that its migration needs."""

import asyncio
import errno
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.commands.options import CHAT_PORT, ChatPortOption, one_of
from bot_workbench.commands.ports import check_ports, taken
from bot_workbench.commands.shutdown import run_until_asked_to_stop
from bot_workbench.emulator.bot_channel import BotChannel
from bot_workbench.emulator.local_azure import LocalAzure
from bot_workbench.emulator.terminal.shell import Shell, users_shell
from bot_workbench.project import APP
from bot_workbench.setup.errors import SetUpError
from bot_workbench.setup.tools import CACHE, PAGES

BOT, FUNCTIONS, VAULT = "contoso-bot", "contoso-functions", "contoso-vault"
APP_TYPES = ("SingleTenant", "MultiTenant")
ENVIRONMENT = CACHE / "azure.env"
AppTypeOption = Annotated[
    str,
    typer.Option(
        "--app-type",
        metavar="|".join(APP_TYPES),
        parser=one_of(APP_TYPES),
        help="The old bot's app type.",
    ),
]
EnvOption = Annotated[
    Path,
    typer.Option(
        "--env",
        metavar="FILE",
        help="Write another shell's environment to FILE, which is deleted at the end.",
    ),
]
OLD_BOTS_SDK = "botbuilder.integration"
"""Few need it, so it is in an extra of its own."""

SIGN_IN = ("CLIENT_ID", "TENANT_ID", "FEDERATED_TOKEN_FILE")


def exports(azure: LocalAzure, shell: Shell) -> str:
    """The lines that let a shell's programs reach the local Azure, and sign in as its pipeline."""
    return "".join(
        f"{shell.exported(name, text)}\n" for name, text in sorted(azure.environ.items())
    )


async def run(folder: Path, app_type: str, chat_port: int, env: Path) -> None:
    """Run everything until it is cancelled.

    Args:
        folder: an empty one.
        app_type: the old bot's.
        chat_port: the chat page's.
        env: takes the lines of `exports`.

    Raises:
        OSError: a port is in use, or a file cannot be written.
    """
    env.parent.mkdir(parents=True, exist_ok=True)
    azure = LocalAzure(folder, libraries=PAGES.folder)
    azure.on_channel = announce
    async with azure:
        await serve(azure, app_type, chat_port, env)


def announce(channel: BotChannel) -> None:
    """Print where a person talks to a bot; later bots get a page, too."""
    print(f"Chat with {channel.name}: {channel.pages.url}/", flush=True)


async def serve(azure: LocalAzure, app_type: str, chat_port: int, env: Path) -> None:
    """Add the old bot and its new app, and say what there is."""
    azure.chat_ports[BOT] = chat_port
    old = azure.add_old_bot(BOT, app_type, connection="graph")
    azure.add_function_app(FUNCTIONS, vault=VAULT)
    await azure.channel(BOT)
    for name in (old.site.name, FUNCTIONS):
        await azure.sites.code(name).settled()
    shell = users_shell()
    env.write_text(exports(azure, shell), "utf-8")  # noqa: ASYNC240  # a small file
    try:
        _describe(azure, old.site.name, app_type, env, shell)
        await asyncio.Event().wait()
    finally:
        # Its proxy and its files are gone soon.
        env.unlink(missing_ok=True)  # noqa: ASYNC240


def _describe(azure: LocalAzure, web_app: str, app_type: str, env: Path, shell: Shell) -> None:
    print(f"Azure Bot:    {BOT}  ({app_type}; the web app {web_app} has its secret)")
    print(f"Function App: {FUNCTIONS}  (this project's code, without the bot's settings)")
    print(f"Key vault:    {VAULT}")
    print(f"Logs:         {azure.folder}/NAME.log of each app\n")
    print(exports(azure, shell))
    print("In another shell, paste these lines, or source the file that has them:\n")
    print(f"  {shell.sourced(_short(env))}\n")
    print("Then run the commands in the project's environment:\n")
    print(f"  {shell.activate}")
    print(f"  bot migrate status --bot {BOT}\n")
    print(f"After managed-identity, stop {web_app} before delete-secret, which then needs")
    print("--ignore-other-use if the old bot has answered within the last 24 hours.\n")
    print("The real az works there too, once it has signed in:\n")
    client, tenant, token = (shell.variable(f"AZURE_{name}") for name in SIGN_IN)
    print(f"  az login --service-principal --username {client} {shell.continued}")
    print(f"    --tenant {tenant} --federated-token $(cat {token})\n")
    print(f"Ctrl-C stops everything and deletes {_short(env)}; then open a new shell.\n")
    sys.stdout.flush()


def _short(file: Path) -> Path:
    """A path as people type it in the project's folder."""
    file = file.absolute()
    return file.relative_to(APP) if file.is_relative_to(APP) else file


app = typer.Typer(add_completion=False)


@app.command("azure")
def local_azure(
    app_type: AppTypeOption = APP_TYPES[0],
    chat_port: ChatPortOption = CHAT_PORT,
    env: EnvOption = ENVIRONMENT,
) -> None:
    """Run a local Azure with a bot that has a secret, to try `bot migrate` and az.

    It runs until Ctrl-C.
    """
    if find_spec(OLD_BOTS_SDK) is None:
        raise SetUpError(
            "The old bot's packages are missing: add `azure` to the extras of bot-workbench in"
            " requirements-dev.txt, and run the command again."
        )
    check_ports({"CHAT_PORT": chat_port})
    with tempfile.TemporaryDirectory() as folder:
        running = run(Path(folder), app_type, chat_port, env)
        try:
            asyncio.run(run_until_asked_to_stop(running))
        except OSError as error:
            is_in_use = error.errno == errno.EADDRINUSE
            sys.exit(taken("CHAT_PORT", chat_port) if is_in_use else str(error))
