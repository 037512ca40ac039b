"""`bot run --auth Off`: the bot without authentication, for the Bot Framework Emulator.

The Emulator gets tokens with a client secret only, and this bot has none. So it sends no token, and
the bot runs in its local unauthenticated mode.
"""

import contextlib
from pathlib import Path

from bot_workbench.app_folder import app_with_bot, bots_in
from bot_workbench.commands.run.errors import StartError
from bot_workbench.commands.run.hosts import functions_host, wait_until_it_loads
from bot_workbench.commands.run.options import RunOptions
from bot_workbench.commands.run.turn_lines import printed_turns
from bot_workbench.commands.shutdown import run_until_asked_to_stop
from bot_workbench.emulator.child import Child
from bot_workbench.emulator.storage.local_storage import LocalStorage, start_storage

NO_BOT = "00000000-0000-0000-0000-000000000000"
UNAUTHENTICATED = {
    "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
    "DANGEROUSLY_ALLOW_UNAUTHENTICATED": "true",
    "MicrosoftAppType": "UserAssignedMSI",
    "MicrosoftAppId": NO_BOT,
    "MicrosoftAppTenantId": NO_BOT,
}
"""The settings of a bot that checks no caller and gets no token."""


async def run(options: RunOptions, folder: Path) -> None:
    """Run the bot and its storage until SIGINT or SIGTERM.

    Raises:
        NoBotError: there is no bot in the folder.
        StartError: something cannot start, or the host has ended.
    """
    bot, *skills = bots_in(options.bot)
    if skills:
        raise StartError("AUTH=Off runs one bot: a bot and its skill need authentication.")
    async with contextlib.AsyncExitStack() as stack:
        storage = await start_storage(options.storage)
        stack.push_async_callback(storage.stop)
        options.check(storage)
        settings = UNAUTHENTICATED | storage.settings() | {"BotTurns": options.turns}
        settings |= await stack.enter_async_context(printed_turns())
        app = app_with_bot(bot, folder / "app")
        host = functions_host(
            options.port, settings, app, reload_bot=options.bot, debugging=options.debugging
        )
        stack.push_async_callback(host.stop)
        await run_until_asked_to_stop(serve(host, options, storage))


async def serve(host: Child, options: RunOptions, storage: LocalStorage) -> None:
    """Start the host, print what to open, and wait until it ends.

    Raises:
        StartError: it has ended, or does not answer.
    """
    await host.start()
    await options.debugging.announce()
    url = f"http://localhost:{options.port}"
    await wait_until_it_loads(f"{url}/api/health", host)
    print(f"\nBot:      {url}/api/messages  (WITHOUT AUTHENTICATION)")
    print(f"Storage:  {storage}")
    print("In the Bot Framework Emulator, choose Open Bot and enter this URL. Leave the app ID and")
    print("the password empty. Users cannot sign in there; in the chat of `make run` they can.")
    print("The bot reloads when you save its code. Ctrl-C stops everything.\n", flush=True)
    await host.wait()
    raise StartError("The Functions host ended; its output above says why.")
