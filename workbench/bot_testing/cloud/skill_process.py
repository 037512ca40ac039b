"""skill_process: the skill of a bot, in a process of its own, and the endpoint for its replies."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import azure.functions as func
from aiohttp import web

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.app_folder import app_with_bot
from bot_workbench.commands.run.hosts import functions_host, wait_until_it_answers
from bot_workbench.commands.run.skill_pair import pair_settings
from bot_workbench.emulator.loopback import free_port
from bot_workbench.emulator.server import Server

REPLIES = "/api/skills/v3/{path:.*}"

SkillsFunction = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


@contextlib.asynccontextmanager
async def skill_process(
    cloud: CloudThread, skill: Path, replies: SkillsFunction, folder: Path
) -> AsyncIterator[Mapping[str, str]]:
    """Run a skill, and pass its replies on to the bot that runs in the test's process.

    Args:
        cloud: the local cloud, in which the skill is registered.
        skill: the skill's folder.
        replies: the app's function for replies of skills.
        folder: a path for the skill's app, where nothing is yet.

    Yields:
        The settings by which the bot knows the skill.

    Raises:
        StartError: the skill does not start.
    """

    async def pass_on(request: web.Request) -> web.Response:
        answer = await replies(await _as_function_gets(request))
        return web.Response(
            status=answer.status_code, body=answer.get_body(), content_type=answer.mimetype
        )

    async with Server("skill replies", [web.route("*", REPLIES, pass_on)]) as server:
        port = free_port()
        of_bot, of_skill = await asyncio.to_thread(
            cloud.call, pair_settings, cloud.cloud, server.port, port
        )
        host = functions_host(port, of_skill, app_with_bot(skill, folder))
        try:
            await host.start()
            await wait_until_it_answers(f"http://localhost:{port}/api/health", host)
            yield of_bot
        finally:
            await host.stop()


async def _as_function_gets(request: web.Request) -> func.HttpRequest:
    return func.HttpRequest(
        method=request.method,
        url=str(request.url),
        headers={name.lower(): value for name, value in request.headers.items()},
        params=dict(request.query),
        route_params=dict(request.match_info),
        body=await request.read(),
    )
