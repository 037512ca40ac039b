"""The running bot accepts other bots' tokens where AllowedCallers says so, and nothing else."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.credentials.bot_token_press import CALLER, BotTokenPress
from tests.support.credentials.forged_tokens import FOREIGN_TENANT
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller, Reply

pytestmark = pytest.mark.extended(
    covered_by=[
        "tests/auth/inbound/test_bot_callers.py",
        "tests/cloud_adapter/skills/test_replies.py",
    ]
)

REPLIES = "/api/skills/v3/conversations/made-up/activities"


class TwoBots:
    """A bot that CALLER may call, and one that no bot may call, in front of one cloud."""

    def __init__(self, cloud: Cloud, logs: Path, stack: ExitStack) -> None:
        self.cloud = cloud
        self.press = BotTokenPress(cloud)
        settings = cloud.settings()
        self.logs = [logs / "called.log", logs / "not called.log"]
        allowed, closed = (
            stack.enter_context(BotProcess(settings | more, log))
            for more, log in zip(({"AllowedCallers": CALLER}, {}), self.logs, strict=True)
        )
        self.allowed, self.closed = Caller(allowed.url), Caller(closed.url)
        for caller in (self.allowed, self.closed):
            stack.callback(caller.close)

    @property
    def header(self) -> str:
        """The Authorization header of CALLER."""
        return f"Bearer {self.press.token()}"

    def message(self, **changes: Any) -> dict[str, Any]:
        """An activity that a parent forwards; its service URL leads nowhere."""
        return {
            "type": "message",
            "id": "a1",
            "channelId": "msteams",
            "serviceUrl": "http://localhost:1/api/skills",
            "from": {"id": "user-1"},
            "recipient": {"id": self.cloud.registration.app_id, "role": "skill"},
            "conversation": {"id": "c1"},
            "text": "hello",
            **changes,
        }

    def reply(self, caller: Caller, authorization: str, body: bytes = b"{}") -> Reply:
        """Call a bot as its skill."""
        headers = [("Content-Type", "application/json"), ("Authorization", authorization)]
        return caller.send("POST", REPLIES, headers, body)


@pytest.fixture(scope="module")
def bots(running_cloud: CloudThread, logs: Path) -> Iterator[TwoBots]:
    """Both bots."""
    with ExitStack() as stack:
        yield TwoBots(running_cloud.cloud, logs, stack)


def test_an_allowed_bot(bots: TwoBots) -> None:
    """A message runs a turn; a reply is looked up, and its conversation is unknown."""
    assert bots.allowed.deliver(bots.message(), bots.header).status == 200
    body = json.dumps({"type": "message", "text": "x"}).encode()
    assert bots.reply(bots.allowed, bots.header, body).status == 404


def test_other_skills(bots: TwoBots) -> None:
    """A reply of a bot that may not call is answered 403; of the channel, or of nobody, 401."""
    other = bots.press.token(bots.press.claims(appid=FOREIGN_TENANT))
    channel = bots.cloud.channel.token("http://localhost:1/api/skills")
    for token, status in ((other, 403), (channel, 401), ("x", 401)):
        assert bots.reply(bots.allowed, f"Bearer {token}").status == status


def test_no_caller_allowed(bots: TwoBots) -> None:
    """Without AllowedCallers no bot may call, and the endpoint for replies does not exist."""
    assert bots.closed.deliver(bots.message(), bots.header).status == 401
    assert bots.reply(bots.closed, bots.header).status == 404


def fetches(cloud: Cloud) -> int:
    """Fetches of the signing keys of Entra so far."""
    requests = cloud.entra.server.requests.items()
    return sum(count for name, count in requests if name.endswith("/discovery/v2.0/keys"))


def test_the_keys_of_other_bots(tmp_path: Path, logs: Path) -> None:
    """They are fetched early where other bots may call, and never where none may."""
    with CloudThread(Cloud(tmp_path)) as thread:
        cloud, log = thread.cloud, logs / "keys of bots.log"
        with BotProcess(cloud.settings(), log) as bot, closing(Caller(bot.url)) as caller:
            assert User(cloud, caller).says("hello") == 200
        assert cloud.entra.server.requests.total() == 0
        with BotProcess(cloud.settings() | {"AllowedCallers": CALLER}, log):
            until(lambda: fetches(cloud) == 1)


def test_an_outage_of_the_keys_of_other_bots(tmp_path: Path, logs: Path) -> None:
    """Other bots are answered 503, and the channel as ever; health reports it."""
    with CloudThread(Cloud(tmp_path)) as thread:
        cloud = thread.cloud
        cloud.entra.server.faults.set(status=503)
        settings = cloud.settings() | {"AllowedCallers": CALLER}
        log = logs / "outage of keys of bots.log"
        with BotProcess(settings, log) as bot, closing(Caller(bot.url)) as caller:
            assert User(cloud, caller).says("hello") == 200
            header = f"Bearer {BotTokenPress(cloud).token()}"
            assert caller.deliver({"type": "message"}, header).status == 503
            assert caller.send("GET", "/api/health", []).status == 503
    assert "Entra's signing keys could not be fetched" in log.read_text()


UNSUPPORTED = (
    ("POST", "conversations"),
    ("GET", "conversations?continuationToken=x"),
    ("POST", "conversations/made-up/activities/history"),
    ("POST", "conversations/made-up/attachments"),
    ("GET", "conversations/made-up/activities/a%2Fb/members"),
    ("DELETE", "conversations/made-up/members/x"),
    ("GET", "attachments/x/views/original"),
)


@pytest.mark.parametrize(("method", "path"), UNSUPPORTED)
def test_unsupported_operations(method: str, path: str, bots: TwoBots) -> None:
    """What else the Bot Connector offers is answered 501, to callers that are allowed."""
    url = f"/api/skills/v3/{path}"
    for header, status in ((bots.header, 501), ("Bearer x", 401)):
        reply = bots.allowed.send(method, url, [("Authorization", header)], b"")
        assert (reply.status, bool(reply.body)) == (status, True)
    assert bots.closed.send(method, url, [], b"").status == 404


HOSTILE_PATHS = (
    "x/activities",
    "x/activities/",
    "x/activities//",
    "x//activities",
    "%2e%2e/activities",
    "..%2factivities/activities",
    "%00/activities",
    "%ff%fe/activities",
    "%F0%9F%98%80/activities",
    f"{'x' * 8000}/activities",
    f"{'%2F' * 1000}/activities/{'%2F' * 500}",
    "x/activities/a/b/c/d",
    "x/activities/..",
    "x/members?pageSize=x&pageSize=y",
    "x/pagedmembers?pageSize=99999999999999999999",
    "x/{x}",
    "x",
)
"""What follows `/api/skills/v3/conversations/`."""

HOSTILE_BODIES = (b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"type": "message", "text": 1e999}')


@pytest.mark.parametrize("path", HOSTILE_PATHS, ids=lambda path: path[:40])
def test_hostile_requests(path: str, bots: TwoBots) -> None:
    """Whatever an allowed caller sends, it is the caller's mistake."""
    header = ("Authorization", bots.header)
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        for body in HOSTILE_BODIES:
            for kind in ("application/json", "text/html"):
                headers = [header, ("Content-Type", kind)]
                url = f"/api/skills/v3/conversations/{path}"
                reply = bots.allowed.send(method, url, headers, body)
                assert reply.status in (400, 404, 413, 415, 501), (method, body[:10])
