"""What callers send, to a bot of each SDK that echoes: the answers are the same."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import BotProcess
from tests.support.credentials.token_press import TokenPress
from tests.support.project import ROOT
from tests.support.random_bodies import EXPECTED, bodies
from tests.support.wire.http_post import Caller

CASES = 500


@pytest.fixture
def callers(cloud: Cloud, tmp_path: Path) -> Iterator[list[Caller]]:
    """Connections to the same bot, written with BotBuilder and with the Agents SDK."""
    with ExitStack() as stack:
        found = []
        for name in ("echo", "agents_echo"):
            app = app_with(tmp_path / name, {}, ROOT / "examples" / name)
            log = tmp_path / f"{name}.log"
            bot = stack.enter_context(BotProcess(cloud.settings(), log, app))
            caller = Caller(bot.url)
            stack.callback(caller.close)
            found.append(caller)
        yield found


def test_the_answers_are_equal(
    callers: list[Caller], cloud: Cloud, message: dict[str, Any]
) -> None:
    """Random and mutated bodies with the channel's token get the same status, never 500."""
    press = TokenPress(cloud, message)
    token = f"Bearer {press.token()}"
    headers = [("Content-Type", "application/json"), ("Authorization", token)]
    seen: Counter[int] = Counter()

    @settings(
        max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(bodies(message["serviceUrl"], message["conversation"]["id"]))
    def check(body: bytes) -> None:
        old, new = (each.send("POST", "/api/messages", headers, body) for each in callers)
        assert (old.status, old.body) == (new.status, new.body)
        assert new.status in EXPECTED
        seen[new.status] += 1

    check()
    assert seen[200] > CASES / 10
    assert seen[400] > CASES / 20


@pytest.mark.parametrize("token", ["", "Bearer x", "Bearer a.b.c"])
def test_forged_tokens(callers: list[Caller], message: dict[str, Any], token: str) -> None:
    """The caller is checked before either bot."""
    old, new = (each.deliver(message, token or None) for each in callers)
    assert (old.status, old.body) == (new.status, new.body)
    assert new.status == 401
