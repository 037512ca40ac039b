"""`make run` while its bots' code is saved."""

import functools
import shutil
from http.client import HTTPConnection
from pathlib import Path

from bot_workbench.emulator.loopback import free_port
from tests.support.bots.app_folder import TEST_BOT
from tests.support.bots.make_target import MakeTarget
from tests.support.project import ROOT
from tests.support.timing.condition import until

CHAT = r"Chat: +(http://\S+)"
MAX_LINES = 20


def variables(bot: Path) -> dict[str, str]:
    """A bot's folder, and ports that are free."""
    ports = {name: str(free_port()) for name in ("PORT", "SKILL_PORT", "CHAT_PORT")}
    return {"BOT": str(bot), **ports}


def health(port: str) -> int:
    """The status with which a bot says whether it can run a turn."""
    connection = HTTPConnection("127.0.0.1", int(port), timeout=30)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status
    finally:
        connection.close()


def reloads(run: MakeTarget) -> list[str]:
    """The lines that say what was reloaded."""
    return [line for line in run.output if "Reloaded in" in line]


def _has_reloads(run: MakeTarget, count: int) -> bool:
    return len(reloads(run)) == count


def test_start_that_is_broken(tmp_path: Path, logs: Path) -> None:
    """A bot that does not load is one line, the run goes on, and the next save is enough."""
    bot = tmp_path / "bot"
    shutil.copytree(TEST_BOT, bot)
    right = (bot / "bot.py").read_text()
    (bot / "bot.py").write_text(f"{right}\ndef broken(:\n")
    chosen = variables(bot)
    with MakeTarget("run", CHAT, logs / "broken start.log", chosen) as run:
        fault = "bot/bot.py:107 SyntaxError: invalid syntax; fix and save"
        assert "".join(run.output).count(fault) == 1
        assert health(chosen["PORT"]) == 503
        (bot / "bot.py").write_text(right)
        until(lambda: len(reloads(run)) == 1)
        assert health(chosen["PORT"]) == 200
        assert "Traceback" not in "".join(run.output)
        assert len(run.output) < MAX_LINES, "".join(run.output)


def test_bot_and_skill(tmp_path: Path, logs: Path) -> None:
    """Of two bots, the one whose code is saved is reloaded."""
    pair = tmp_path / "pair"
    shutil.copytree(ROOT / "examples" / "skill_pair", pair)
    with MakeTarget("run", CHAT, logs / "saved skill.log", variables(pair)) as run:
        for count, name in enumerate(("skill", "host"), 1):
            file = pair / name / "__init__.py"
            file.write_text(f"{file.read_text()}\nSAVED = True\n")
            until(functools.partial(_has_reloads, run, count))
            assert f"{name}/__init__.py" in reloads(run)[-1]
