"""StandaloneCredentials: botbuilder's own adapter gets a valid token in each of its ways."""

import asyncio
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from aiohttp import web

from auth.credential_kinds import CERTIFICATE, KINDS
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.channel.user_tokens import UserConnection
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.loopback import free_port
from tests.support.botbuilder.app import CONNECTION
from tests.support.bots.user import User
from tests.support.program import Program
from tests.support.project import ROOT
from tests.support.wire.http_post import Caller
from tests.support.wire.scripted_service import Reply, ScriptedService

BOTS = [*((each, "") for each in KINDS), (CERTIFICATE, "MultiTenant")]
READY = "Running on"

SECONDS = 60
"""How long a test waits for what happens at once, if nothing is wrong."""

TOKEN_SECONDS = 30
"""Less than the margin: each token is used for a second, so that renewal can be watched."""


@dataclass
class Bot:
    """The bot's process, and the cloud that it is in."""

    cloud: Cloud
    thread: CloudThread
    port: int

    def user(self) -> User:
        """A new user, with a connection of its own."""
        return User(self.cloud, Caller(f"http://127.0.0.1:{self.port}"))

    def says(self, text: str) -> list[str]:
        """What the bot answers a new user; a turn that fails is none."""
        user = self.user()
        try:
            assert user.says(text) == 201
            return user.texts()
        finally:
            user.caller.close()


@pytest.fixture(scope="module", params=BOTS, ids=lambda bot: f"{bot[0]}-{bot[1]}")
def bot(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A bot of each type and credential."""
    folder: Path = tmp_path_factory.mktemp("botbuilder")
    with CloudThread(Cloud(folder, *request.param)) as thread:
        thread.cloud.entra.token_lifetime = TOKEN_SECONDS
        port = free_port()
        environ = {"PATH": "", "PYTHONUNBUFFERED": "1", **thread.cloud.settings()}
        command = [sys.executable, "-m", "tests.support.botbuilder.app", str(port)]
        with Program(command, env=environ, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
            while READY not in program.line():
                pass
            yield Bot(thread.cloud, thread, port)
            program.terminate()
            program.communicate(timeout=60)
        assert program.returncode == 0


def test_it_answers(bot: Bot) -> None:
    """The connector accepts the token of a reply."""
    assert bot.says("echo hello") == ["hello"]


def test_it_reads_the_members(bot: Bot) -> None:
    """The turn's connector client has a token for its other calls, too."""
    assert bot.says("members") == ["2"]


def test_it_writes_of_itself(bot: Bot) -> None:
    """A proactive message is sent with the same credentials."""
    assert sorted(bot.says("proactive news")) == ["news", "sent"]


def test_the_token_service_knows_the_bot(bot: Bot) -> None:
    """Sign-in links and users' tokens come with the bot's token."""
    user = bot.user()
    assert user.says("link") == 201
    assert user.says("token") == 201
    address = user.addressed({})
    target = UserConnection(address["from"]["id"], CONNECTION, address["channelId"])
    bot.thread.call(bot.cloud.user_tokens.sign_in, target, "Ada")
    assert user.says("token") == 201
    assert user.texts() == ["link", "none", "token"]
    user.caller.close()


async def test_a_skill_gets_a_token_of_its_own(bot: Bot) -> None:
    """The audience of the token for a skill is the skill's app id."""
    skill_id = bot.thread.call(bot.cloud.add_bot).app_id
    async with ScriptedService() as skill:
        skill.otherwise = Reply(200, {})
        command = f"skill {skill_id} {skill.url}/api/messages"
        texts = await asyncio.to_thread(bot.says, command)
    (seen,) = skill.seen
    token = seen.headers["Authorization"].removeprefix("Bearer ")
    claims = bot.cloud.entra.issuer.verify(token, skill_id, bot.cloud.registration.token_issuer)
    assert claims.get("appid", claims.get("azp")) == bot.cloud.registration.app_id
    assert texts == ["200"]


def test_a_token_is_renewed_within_a_turn(bot: Bot) -> None:
    """A client that outlasts its token has a valid one for each call."""
    assert bot.says("write")[-1] == "done"


async def test_the_event_loop_is_free_while_a_token_is_requested(bot: Bot) -> None:
    """A turn that waits for its token keeps no other request waiting."""
    arrived, released = threading.Event(), threading.Event()

    async def hold(request: web.Request, handler: Handler) -> web.StreamResponse:
        arrived.set()
        await asyncio.to_thread(released.wait)
        return await handler(request)

    servers = (bot.cloud.entra.server, bot.cloud.identity.server)
    for server in servers:
        server.around = hold
    user = bot.user()
    # A skill that is called for the first time: its token cannot be cached.
    turn = asyncio.create_task(asyncio.to_thread(user.says, f"skill {uuid.uuid4()} http://x/"))
    try:
        assert await asyncio.to_thread(arrived.wait, SECONDS)
        alive = f"http://127.0.0.1:{bot.port}/alive"
        answer = await asyncio.to_thread(requests.get, alive, timeout=SECONDS)
        assert answer.text == "alive"
    finally:
        released.set()
        for server in servers:
            server.around = None
        await turn
        user.caller.close()
