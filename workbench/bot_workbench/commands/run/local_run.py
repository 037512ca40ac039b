"""`bot run`: starts the local cloud and the bot's hosts, and says where they are."""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.app_folder import NoBotError, app_with_bot, bots_in
from bot_workbench.commands.options import (
    BOT,
    BOT_PORT,
    CHAT_PORT,
    DEBUG_PORT,
    SKILL_PORT,
    BotOption,
    ChatPortOption,
    DebugOption,
    DebugPortOption,
    PortOption,
    WaitOption,
    one_of,
)
from bot_workbench.commands.ports import check_ports, taken
from bot_workbench.commands.run import unauthenticated_run
from bot_workbench.commands.run.debugging import Debugging
from bot_workbench.commands.run.errors import StartError
from bot_workbench.commands.run.hosts import functions_host, wait_until_it_loads
from bot_workbench.commands.run.model_settings import model_of_the_developer
from bot_workbench.commands.run.options import INLINE, OFF, ON, TURNS, RunOptions
from bot_workbench.commands.run.skill_pair import pair_settings
from bot_workbench.commands.run.storage_file import storage_in_file
from bot_workbench.commands.run.turn_lines import TurnLines
from bot_workbench.commands.run.welcome import welcome
from bot_workbench.commands.shutdown import run_until_asked_to_stop
from bot_workbench.credential_kinds import KINDS, MANAGED_IDENTITY
from bot_workbench.emulator.child import Child
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.language_model.language_model import READING_PAUSE_SECONDS
from bot_workbench.emulator.loopback import LOCALHOST, MAX_PORT
from bot_workbench.emulator.services.azurite_proxy import AzuriteProxy
from bot_workbench.emulator.storage.azurite import StoragePorts
from bot_workbench.emulator.storage.local_storage import SETTING, LocalStorage, start_storage
from bot_workbench.emulator.teams.api.app_manifest import manifest_of
from bot_workbench.emulator.terminal.colors import has_colors
from bot_workbench.project import APP
from bot_workbench.setup.set_up import ready
from bot_workbench.setup.tools import PAGES, packages_of

AuthOption = Annotated[
    str,
    typer.Option(
        "--auth",
        metavar=f"{ON}|{OFF}",
        parser=one_of((ON, OFF)),
        help="Off: without authentication, for the Bot Framework Emulator, which sends no token.",
    ),
]
CredentialOption = Annotated[
    str,
    typer.Option(
        "--credential",
        metavar="|".join(KINDS),
        parser=one_of(KINDS),
        help="How the bot signs in.",
    ),
]
TurnsOption = Annotated[
    str,
    typer.Option(
        "--turns",
        metavar="|".join(TURNS),
        parser=one_of(TURNS),
        help="Queued: store each activity, and run its turn from a queue.",
    ),
]
StorageOption = Annotated[
    Path | None,
    typer.Option(
        "--storage", metavar="FOLDER", help="Keep stored data there; otherwise each start wipes it."
    ),
]
SkillPortOption = Annotated[
    int,
    typer.Option(
        "--skill-port", min=1, max=MAX_PORT, help="The port of the bot's skill, if it has one."
    ),
]

HELD_SECONDS = 24 * 3600.0
"""The time for which a debugger may hold a turn before the channel gives up."""


async def start_cloud(cloud: Cloud, chat_port: int) -> None:
    """Start the local cloud, with the chat page on a given port.

    Raises:
        StartError: a port is in use.
    """
    try:
        await cloud.start({"chat": chat_port})
    except OSError as error:
        raise StartError(taken("CHAT_PORT", chat_port)) from error


async def run(options: RunOptions, folder: Path) -> None:
    """Run everything until SIGINT or SIGTERM.

    Raises:
        NoBotError: there is no bot in the folder.
        StartError: something cannot start, or the host has ended.
    """
    bot, *skills = bots_in(options.bot)
    manifest = manifest_of(bot, APP)
    cloud = Cloud(folder, options.credential, libraries=PAGES.folder, manifest=manifest)
    if options.debugging.port is not None:
        cloud.channel.timeout = HELD_SECONDS
    cloud.channel.bot_endpoint = f"http://{LOCALHOST}:{options.port}/api/messages"
    async with contextlib.AsyncExitStack() as stack:
        await start_cloud(cloud, options.chat_port)
        stack.push_async_callback(cloud.stop)
        cloud.watch()
        cloud.model.pause = READING_PAUSE_SECONDS
        lines = TurnLines(sys.stdout, colors=has_colors(sys.stdout))
        cloud.inspector.log.listeners.append(lines)
        storage = await start_storage(options.storage)
        stack.push_async_callback(storage.stop)
        options.check(storage)
        stack.enter_context(storage_in_file(storage.azurite, options.port))
        settings = cloud.settings() | await connect_storage(cloud, storage, stack)
        own_model = model_of_the_developer(APP, cloud.authority.path)
        settings |= own_model
        settings |= {"BotTurns": options.turns} | cloud.inspector.feed.address.settings()
        hosts = {}
        if skills:
            of_bot, of_skill = pair_settings(cloud, options.port, options.skill_port)
            settings |= of_bot
            of_skill |= own_model
            skill = app_with_bot(skills[0], folder / "skill")
            hosts[options.skill_port] = await skill_host(skill, of_skill, options, stack)
        app = app_with_bot(bot, folder / "app")
        hosts[options.port] = functions_host(
            options.port, settings, app, reload_bot=options.bot, debugging=options.debugging
        )
        for host in hosts.values():
            stack.push_async_callback(host.stop)
        await run_until_asked_to_stop(serve(hosts, options, cloud, storage))


async def skill_host(
    app: Path, settings: Mapping[str, str], options: RunOptions, stack: contextlib.AsyncExitStack
) -> Child:
    """The host of a skill, not started, with a storage of its own.

    In one storage, a bot and its skill would share their state: both know the user and the
    conversation by the same ids.
    """
    storage = await start_storage(ports=StoragePorts())
    stack.push_async_callback(storage.stop)
    environ = {**settings, **storage.settings(), "BotTurns": options.turns}
    debugging = options.debugging_of_skill
    return functions_host(
        options.skill_port, environ, app, reload_bot=options.bot, debugging=debugging
    )


async def connect_storage(
    cloud: Cloud, storage: LocalStorage, stack: contextlib.AsyncExitStack
) -> dict[str, str]:
    """Put a proxy, which is one of the cloud's services, in front of the bot's storage.

    Returns:
        The bot's settings for it; none if there is no storage.
    """
    if storage.azurite is None:
        return {}
    proxy = AzuriteProxy(storage.azurite.connection_string())
    await proxy.start()
    stack.push_async_callback(proxy.stop)
    cloud.servers.update(proxy.servers)
    return {SETTING: proxy.connection_string()}


async def serve(
    hosts: Mapping[int, Child], options: RunOptions, cloud: Cloud, storage: LocalStorage
) -> None:
    """Start the hosts, print the URLs once they answer, then wait until one of them ends.

    Args:
        hosts: by port.
        options: what the user has asked for.
        cloud: in front of them.
        storage: the bot's.

    Raises:
        StartError: a host has ended, or does not answer.
    """
    for host in hosts.values():
        await host.start()
    await options.debugging.announce()
    for port, host in hosts.items():
        await wait_until_it_loads(f"http://{LOCALHOST}:{port}/api/health", host)
    print(welcome(options, cloud, storage), flush=True)
    ends = [asyncio.create_task(host.wait()) for host in hosts.values()]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    raise StartError("The Functions host ended; its output above says why.")


app = typer.Typer(add_completion=False)


@app.command("run")
def run_bot(
    bot: BotOption = BOT,
    auth: AuthOption = ON,
    credential: CredentialOption = MANAGED_IDENTITY,
    turns: TurnsOption = INLINE,
    storage: StorageOption = None,
    port: PortOption = BOT_PORT,
    chat_port: ChatPortOption = CHAT_PORT,
    skill_port: SkillPortOption = SKILL_PORT,
    debug_port: DebugPortOption = DEBUG_PORT,
    *,
    debug: DebugOption = False,
    wait: WaitOption = False,
) -> None:
    """Run the bot on this machine, with authentication, and a page to talk to it.

    It runs until Ctrl-C, and reloads when you save the bot's code.

    [bold]Examples[/bold]

      bot run
      bot run --bot examples/dialog --credential Certificate
      bot run --turns Queued --storage .cache/storage
    """
    debugging = Debugging.chosen(debug=debug, wait=wait, port=debug_port)
    options = RunOptions(
        bot, auth, credential, turns, storage, port, skill_port, chat_port, debugging
    )
    check_ports(options.ports())
    ready(packages_of(bot))
    start = unauthenticated_run.run if auth == OFF else run
    with tempfile.TemporaryDirectory() as folder:
        try:
            asyncio.run(start(options, Path(folder)))
        except (NoBotError, StartError) as error:
            sys.exit(str(error))
