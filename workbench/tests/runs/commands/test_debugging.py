"""`make run DEBUG=1`: breakpoints in a bot, with a debugger that speaks VS Code's protocol."""

import re
import time
from contextlib import closing
from pathlib import Path

import pytest

from bot_workbench.commands.playground import PROGRAM
from bot_workbench.emulator.loopback import free_port
from tests.runs.commands.test_bot_folders import ChatPageUser, write
from tests.support.bots.make_target import MakeTarget
from tests.support.editor.debug_client import DebugClient
from tests.support.timing.condition import until

CHAT = r"Chat: +(http://\S+)"
BOT = """from botbuilder.core import ActivityHandler


class HeldBot(ActivityHandler):
    async def on_message_activity(self, turn_context):
        answer = f"first: {turn_context.activity.text}"
        await turn_context.send_activity(answer)


def create_bot(services):
    return HeldBot()
"""
LINE, CLASS_LINE = 7, 4
LONGER = 17
"""Seconds after which the channel would have given up, without a debugger."""
PROCESSES = 3
"""The host, its worker, and the spare one that loads the code that is saved next."""


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    """The folder of a bot."""
    return write(tmp_path / "held bot", {"__init__.py": BOT})


def variables(bot: Path, **others: str) -> dict[str, str]:
    """A bot, ports that are free, and what else is given."""
    names = ("PORT", "CHAT_PORT", "SKILL_PORT", "DEBUG_PORT")
    return {"BOT": str(bot), **{name: str(free_port()) for name in names}, **others}


def test_breakpoints(bot: Path, logs: Path) -> None:
    """A breakpoint holds a turn as long as it likes, then the turn succeeds; after a save, too."""
    chosen = variables(bot, DEBUG="1")
    file = bot / "__init__.py"
    with (
        MakeTarget("run", CHAT, logs / "debugging.log", chosen) as run,
        DebugClient(int(chosen["DEBUG_PORT"]), {file: [LINE]}) as debugger,
        closing(ChatPageUser(run.found)) as user,
    ):
        until(lambda: f"Debugger:  port {chosen['DEBUG_PORT']}" in "".join(run.output))
        until(lambda: debugger.attached >= PROCESSES)
        user.say("one")
        stop = debugger.next_stop()
        assert (stop.file, stop.line) == (file, LINE)
        end = time.monotonic() + LONGER
        until(lambda: time.monotonic() > end)
        assert user.replies() == []
        stop.go_on()
        until(lambda: user.replies() == ["first: one"])
        until(lambda: re.search(r"message +3 characters +200 ", "".join(run.output)) is not None)
        file.write_text(BOT.replace("first", "second"))
        until(lambda: "Reloaded" in "".join(run.output))
        user.say("two")
        debugger.next_stop().go_on()
        until(lambda: user.replies() == ["first: one", "second: two"])
        assert "event loop has been blocked" not in "".join(run.output)


@pytest.mark.parametrize(
    ("target", "ports", "others", "started"),
    [
        ("run", ["PORT", "CHAT_PORT"], {}, CHAT),
        ("run", ["PORT"], {"AUTH": "Off"}, "WITHOUT AUTHENTICATION"),
        pytest.param(
            "playground",
            ["PORT", "PLAYGROUND_PORT"],
            {},
            "Playground: http",
            marks=pytest.mark.skipif(not PROGRAM.exists(), reason="The Playground is missing"),
        ),
    ],
    ids=["run", "AUTH=Off", "playground"],
)
def test_waiting_for_the_debugger(
    target: str, ports: list[str], others: dict[str, str], started: str, bot: Path, logs: Path
) -> None:
    """WAIT=1 holds back the bot's code, so that breakpoints hit while it is imported."""
    chosen = {name: str(free_port()) for name in [*ports, "DEBUG_PORT"]}
    chosen |= {"BOT": str(bot), "WAIT": "1", **others}
    file = bot / "__init__.py"
    waiting = r"(Waiting) for a debugger"
    with (
        MakeTarget(target, waiting, logs / "waiting.log", chosen) as run,
        DebugClient(int(chosen["DEBUG_PORT"]), {file: [CLASS_LINE]}) as debugger,
    ):
        stop = debugger.next_stop()
        assert (stop.file, stop.line) == (file, CLASS_LINE)
        assert not re.search(started, "".join(run.output))
        debugger.detach()
        until(lambda: re.search(started, "".join(run.output)) is not None)
