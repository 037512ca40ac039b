"""`bot playground`: the bot without authentication, in Microsoft's Agents Playground.

The Playground sends no token, so the bot runs in its local unauthenticated mode.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.app_folder import NoBotError, app_with_bot, bots_in
from bot_workbench.commands.options import (
    BOT,
    BOT_PORT,
    DEBUG_PORT,
    BotOption,
    DebugOption,
    DebugPortOption,
    PortOption,
    WaitOption,
)
from bot_workbench.commands.ports import check_ports
from bot_workbench.commands.run.debugging import Debugging
from bot_workbench.commands.run.errors import StartError
from bot_workbench.commands.run.hosts import (
    functions_host,
    wait_until_it_answers,
    wait_until_it_loads,
)
from bot_workbench.commands.run.turn_lines import printed_turns
from bot_workbench.commands.run.unauthenticated_run import UNAUTHENTICATED
from bot_workbench.commands.shutdown import run_until_asked_to_stop
from bot_workbench.emulator.child import Child
from bot_workbench.emulator.loopback import MAX_PORT
from bot_workbench.setup.npm import node_command
from bot_workbench.setup.set_up import ready
from bot_workbench.setup.tools import PLAYGROUND, packages_of

PROGRAM = PLAYGROUND.folder / "node_modules" / "@microsoft" / "m365agentsplayground" / "cli.js"
PLAYGROUND_PORT = 56150

PlaygroundPortOption = Annotated[
    int,
    typer.Option("--playground-port", min=1, max=MAX_PORT, help="The Playground's port."),
]


def playground_command(program: Path, endpoint: str, port: int) -> list[str]:
    """The Playground as a Teams client of an endpoint, without telemetry."""
    options = ["-e", endpoint, "-c", "msteams", "-p", str(port), "--disable-telemetry"]
    return [*node_command(program), *options]


async def run(app: Path, bot: Path, port: int, playground_port: int, debugging: Debugging) -> None:
    """Run both until SIGINT or SIGTERM.

    Args:
        app: the app's folder.
        bot: the bot's folder, as it was given.
        port: the bot's.
        playground_port: the Playground's.
        debugging: how a debugger reaches the bot.

    Raises:
        StartError: one of them ended, or the bot does not answer.
    """
    url = f"http://localhost:{port}"
    environ = {**os.environ, "TEAMSAPPTESTER_BROWSER": "none"}
    command = playground_command(PROGRAM, f"{url}/api/messages", playground_port)
    # It writes files into its working folder.
    playground = Child(command, environ, PLAYGROUND.folder)
    async with printed_turns() as reporting:
        settings = UNAUTHENTICATED | reporting
        host = functions_host(port, settings, app, reload_bot=bot, debugging=debugging)
        try:
            await run_until_asked_to_stop(serve(host, playground, url, playground_port, debugging))
        finally:
            await playground.stop()
            await host.stop()


async def serve(host: Child, playground: Child, url: str, port: int, debugging: Debugging) -> None:
    """Start the bot and then the Playground, and wait until one of them ends.

    Raises:
        StartError: one of them has ended, or does not answer.
    """
    await host.start()
    await debugging.announce()
    page = f"http://localhost:{port}/"
    await wait_until_it_loads(f"{url}/api/health", host)
    await playground.start()
    await wait_until_it_answers(page, playground)
    print(f"\nPlayground: {page}  (Ctrl-C stops everything)")
    print(
        "Users cannot sign in there: the Playground sends no token, so the bot runs without"
        " authentication. In the chat of `make run` they can.\n",
        flush=True,
    )
    ends = [asyncio.create_task(child.wait()) for child in (host, playground)]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    raise StartError("The bot or the Playground ended; the output above says why.")


app = typer.Typer(add_completion=False)


@app.command("playground")
def play(
    bot: BotOption = BOT,
    port: PortOption = BOT_PORT,
    playground_port: PlaygroundPortOption = PLAYGROUND_PORT,
    debug_port: DebugPortOption = DEBUG_PORT,
    *,
    debug: DebugOption = False,
    wait: WaitOption = False,
) -> None:
    """Run the bot without authentication, in Microsoft's Agents Playground.

    It runs until Ctrl-C, and reloads when you save the bot's code.
    """
    debugging = Debugging.chosen(debug=debug, wait=wait, port=debug_port)
    check_ports({"PORT": port, "PLAYGROUND_PORT": playground_port, **debugging.ports()})
    ready(packages_of(bot))
    if not node_command(PROGRAM):
        sys.exit("The Agents Playground is missing: install node and npm, then start again.")
    with tempfile.TemporaryDirectory() as folder:
        try:
            app = app_with_bot(bots_in(bot)[0], Path(folder) / "app")
            asyncio.run(run(app, bot, port, playground_port, debugging))
        except (NoBotError, StartError) as error:
            sys.exit(str(error))
