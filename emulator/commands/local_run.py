"""`make run`: the bot on this machine, with authentication, and a chat page."""

import argparse
import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from emulator.__main__ import CHAT_PORT
from emulator.child import Child
from emulator.cloud import APP_TYPES, MANAGED_IDENTITY, Cloud
from emulator.commands.app_folder import APP, BOT, NoBotError, app_with_bot, bots_in
from emulator.commands.shutdown import run_until_asked_to_stop
from emulator.loopback import port_number
from emulator.setup.page_libraries import PAGE_LIBRARIES
from emulator.storage.azurite import Azurite, StoragePorts
from emulator.storage.local_storage import SETTING, LocalStorage, start_storage

BOT_PORT = 7071
SKILL_PORT = 7072

INLINE = "Inline"
QUEUED = "Queued"
TURNS = (INLINE, QUEUED)
"""A turn runs in the channel's request, or is queued."""

START_TIMEOUT_SECONDS = 60.0


class StartError(Exception):
    """The run cannot start; the text says what to do."""


def app_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, with this Python first on PATH, and with the app's settings.

    Core Tools run the first `python` on PATH. CONTAINER_NAME is left out: the worker takes it for a
    sign of Azure. Storage settings of this environment are left out too, and the empty one
    overrides local.settings.json: a local run uses its own storage, or none.
    """
    environ = {
        name: value
        for name, value in os.environ.items()
        if name != "CONTAINER_NAME" and name.partition("__")[0] != SETTING
    }
    environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), environ.get("PATH", "")))
    environ["VIRTUAL_ENV"] = sys.prefix
    return environ | {"FUNCTIONS_WORKER_RUNTIME": "python", SETTING: ""} | dict(settings)


def functions_host(port: int, settings: Mapping[str, str], app: Path = APP) -> Child:
    """The app's host, not started: Core Tools if they are installed, else the emulator's own."""
    core_tools = shutil.which("func")
    if core_tools:
        # It serves the app in its working folder.
        return Child([core_tools, "start", "--port", str(port)], app_environment(settings), app)
    host = ["-m", "emulator.functions", "--app", str(app), "--port", str(port)]
    return Child([sys.executable, *host], app_environment(settings), APP)


async def wait_until_it_answers(url: str, child: Child) -> None:
    """Wait until a child process answers 200 at a URL.

    Raises:
        StartError: it ended, or does not answer in time.
    """
    ended = asyncio.create_task(child.wait())
    try:
        async with asyncio.timeout(START_TIMEOUT_SECONDS), aiohttp.ClientSession() as session:
            while not ended.done():
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(url) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.1)
        raise StartError(f"The program that serves {url} has ended; its output above says why.")
    except TimeoutError as error:
        raise StartError(f"{url} does not answer 200; see the log above.") from error
    finally:
        ended.cancel()


async def start_cloud(cloud: Cloud, chat_port: int) -> None:
    """Start the local cloud, with the chat page on a given port.

    Raises:
        StartError: a port is in use.
    """
    try:
        await cloud.start({"chat": chat_port})
    except OSError as error:
        raise StartError(
            f"Port {chat_port} is in use: stop the program that has it, or choose another with"
            " CHAT_PORT=..."
        ) from error


async def run(options: argparse.Namespace, folder: Path) -> None:
    """Run everything until SIGINT or SIGTERM.

    Raises:
        NoBotError: there is no bot in the folder.
        StartError: something cannot start, or the host has ended.
    """
    bot, *skills = bots_in(options.bot)
    cloud = Cloud(folder, options.credential, libraries=PAGE_LIBRARIES)
    cloud.channel.bot_endpoint = f"http://localhost:{options.port}/api/messages"
    async with contextlib.AsyncExitStack() as stack:
        await start_cloud(cloud, options.chat_port)
        stack.push_async_callback(cloud.stop)
        storage = await start_storage(options.storage)
        stack.push_async_callback(storage.stop)
        check_turns(options.turns, storage)
        shared = {"BotTurns": options.turns}
        settings = cloud.settings() | storage.settings() | shared
        hosts = {}
        if skills:
            port = options.skill_port
            of_bot, of_skill = pair_settings(cloud, options.port, port)
            settings |= of_bot
            # A storage of its own: both bots know the user and the conversation by the same ids.
            skill_storage = await start_storage(ports=StoragePorts())
            stack.push_async_callback(skill_storage.stop)
            of_skill |= skill_storage.settings() | shared
            hosts[port] = functions_host(port, of_skill, app_with_bot(skills[0], folder / "skill"))
        app = app_with_bot(bot, folder / "app")
        hosts[options.port] = functions_host(options.port, settings, app)
        for host in hosts.values():
            stack.push_async_callback(host.stop)
        await run_until_asked_to_stop(serve(hosts, cloud, storage))


def pair_settings(cloud: Cloud, port: int, skill_port: int) -> tuple[dict[str, str], ...]:
    """The settings by which a bot and its skill know each other, and the skill knows the cloud.

    Returns:
        Additional settings for the bot, and all settings for the skill.
    """
    skill = cloud.add_bot()
    of_bot = {
        "AllowedCallers": skill.app_id,
        "SkillAppId": skill.app_id,
        "SkillEndpoint": f"http://localhost:{skill_port}/api/messages",
        "SkillHostEndpoint": f"http://localhost:{port}/api/skills",
    }
    return of_bot, cloud.settings(skill) | {"AllowedCallers": cloud.registration.app_id}


def check_turns(turns: str, storage: LocalStorage) -> None:
    """Check that queued turns have a storage.

    Raises:
        StartError: they have none.
    """
    if turns == QUEUED and storage.azurite is None:
        raise StartError(f"TURNS={QUEUED} needs storage. {storage.fault}")


async def serve(hosts: Mapping[int, Child], cloud: Cloud, storage: LocalStorage) -> None:
    """Start the hosts, print the URLs once they answer, then wait until one of them ends.

    Args:
        hosts: by port.
        cloud: in front of them.
        storage: the bot's.

    Raises:
        StartError: a host has ended, or does not answer.
    """
    for host in hosts.values():
        await host.start()
    for port, host in hosts.items():
        await wait_until_it_answers(f"http://localhost:{port}/api/health", host)
    print(f"\nBot:      {cloud.channel.bot_endpoint}  (signs in with {cloud.credential})")
    print(f"Chat:     {cloud.pages.url}/")
    print(f"Storage:  {storage}")
    if storage.azurite:
        print(f"Commands: python -m admin --help{_storage_options(storage.azurite)}")
    print(f"Switches: {cloud.switches.server.url}/state")
    print("Ctrl-C stops all of it.\n", flush=True)
    ends = [asyncio.create_task(host.wait()) for host in hosts.values()]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    raise StartError("The Functions host ended; its output above says why.")


def _storage_options(azurite: Azurite) -> str:
    """What `python -m admin` needs to find a storage that is not where it looks by itself."""
    if azurite.is_development_storage:
        return ""
    # The key is this run's alone.
    return f"  (each with --connection-string '{azurite.connection_string()}')"


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument(
        "--bot", type=Path, default=APP / BOT, metavar="FOLDER", help="the bot's folder"
    )
    parser.add_argument("--credential", choices=list(APP_TYPES), default=MANAGED_IDENTITY)
    parser.add_argument("--turns", choices=TURNS, default=INLINE, help="where a turn runs")
    parser.add_argument(
        "--storage", type=Path, metavar="FOLDER", help="keeps the storage's data; unset: in memory"
    )
    parser.add_argument("--port", type=port_number, default=BOT_PORT, help="the bot's")
    parser.add_argument(
        "--skill-port", type=port_number, default=SKILL_PORT, help="its skill's, if any"
    )
    parser.add_argument("--chat-port", type=port_number, default=CHAT_PORT, help="the chat page's")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            asyncio.run(run(options, Path(folder)))
        except (NoBotError, StartError) as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
