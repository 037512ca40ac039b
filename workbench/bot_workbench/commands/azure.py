"""`make azure`: an old bot that runs in a local Azure, and all that its migration needs."""

import argparse
import asyncio
import errno
import sys
import tempfile
from pathlib import Path

from bot_workbench.commands.cloud import CHAT_PORT
from bot_workbench.commands.ports import taken
from bot_workbench.commands.shutdown import INTERRUPTED, run_until_asked_to_stop
from bot_workbench.emulator.channel.bot_channel import BotChannel
from bot_workbench.emulator.local_azure import LocalAzure
from bot_workbench.emulator.loopback import port_number
from bot_workbench.emulator.terminal.shell import Shell, users_shell
from bot_workbench.project import APP
from bot_workbench.setup.tools import PAGES

BOT, FUNCTIONS, VAULT = "contoso-bot", "contoso-functions", "contoso-vault"
APP_TYPES = ("SingleTenant", "MultiTenant")
ENVIRONMENT = APP / ".cache" / "azure.env"
SIGN_IN = ("CLIENT_ID", "TENANT_ID", "FEDERATED_TOKEN_FILE")


def exports(azure: LocalAzure, shell: Shell) -> str:
    """The lines that let a shell's programs reach the local Azure, and sign in as its pipeline."""
    return "".join(
        f"{shell.exported(name, text)}\n" for name, text in sorted(azure.environ.items())
    )


async def run(options: argparse.Namespace, folder: Path) -> None:
    """Run everything until it is cancelled.

    Raises:
        OSError: a port is in use, or a file cannot be written.
    """
    options.env.parent.mkdir(parents=True, exist_ok=True)
    azure = LocalAzure(folder, libraries=PAGES.folder)
    azure.on_channel = announce
    async with azure:
        await serve(azure, options)


def announce(channel: BotChannel) -> None:
    """Print where a person talks to a bot; later bots get a page, too."""
    print(f"Chat with {channel.name}: {channel.pages.url}/", flush=True)


async def serve(azure: LocalAzure, options: argparse.Namespace) -> None:
    """Add the old bot and its new app, and say what there is."""
    azure.chat_ports[BOT] = options.chat_port
    old = azure.add_old_bot(BOT, options.app_type, connection="graph")
    azure.add_function_app(FUNCTIONS, vault=VAULT)
    await azure.channel(BOT)
    for name in (old.site.name, FUNCTIONS):
        await azure.sites.code(name).settled()
    shell = users_shell()
    options.env.write_text(exports(azure, shell), "utf-8")
    try:
        _describe(azure, old.site.name, options, shell)
        await asyncio.Event().wait()
    finally:
        # Its proxy and its files are gone soon.
        options.env.unlink(missing_ok=True)


def _describe(azure: LocalAzure, web_app: str, options: argparse.Namespace, shell: Shell) -> None:
    print(f"Azure Bot:    {BOT}  ({options.app_type}; the web app {web_app} has its secret)")
    print(f"Function App: {FUNCTIONS}  (this project's code, without the bot's settings)")
    print(f"Key vault:    {VAULT}")
    print(f"Logs:         {azure.folder}/NAME.log of each app\n")
    print(exports(azure, shell))
    print("In another shell, paste these lines, or source the file that has them:\n")
    print(f"  {shell.sourced(_short(options.env))}\n")
    print("Then run the commands in the project's environment:\n")
    print(f"  {shell.activate}")
    print(f"  bot migrate status --bot {BOT}\n")
    print(f"After managed-identity, stop {web_app} before delete-secret, which then needs")
    print("--ignore-other-use if the old bot has answered within the last 24 hours.\n")
    print("The real az works there too, once it has signed in:\n")
    client, tenant, token = (shell.variable(f"AZURE_{name}") for name in SIGN_IN)
    print(f"  az login --service-principal --username {client} {shell.continued}")
    print(f"    --tenant {tenant} --federated-token $(cat {token})\n")
    print(f"Ctrl-C stops everything and deletes {_short(options.env)}; then open a new shell.\n")
    sys.stdout.flush()


def _short(file: Path) -> Path:
    """A path as people type it in the project's folder."""
    file = file.absolute()
    return file.relative_to(APP) if file.is_relative_to(APP) else file


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="make azure", description=__doc__)
    parser.add_argument(
        "--app-type", choices=APP_TYPES, default=APP_TYPES[0], help="the old bot's app type"
    )
    parser.add_argument(
        "--chat-port", type=port_number, default=CHAT_PORT, help="the chat page's port"
    )
    parser.add_argument(
        "--env",
        type=Path,
        default=ENVIRONMENT,
        metavar="FILE",
        help="the file for another shell's environment, until the command ends",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            asyncio.run(run_until_asked_to_stop(run(options, Path(folder))))
        except OSError as error:
            is_in_use = error.errno == errno.EADDRINUSE
            sys.exit(taken("CHAT_PORT", options.chat_port) if is_in_use else str(error))
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
