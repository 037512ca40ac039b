"""Turns that another process runs; and the deployed app, which reports nothing."""

import subprocess
import sys
from pathlib import Path

from bot_testing.cloud.cloud_thread import CloudThread
from tests.emulator.recorder.conftest import StartBot
from tests.support.recording.feed_thread import FeedThread
from tests.support.timing.condition import SECONDS


def test_another_process_runs_the_turn(start: StartBot, feed: FeedThread, storage: str) -> None:
    """A queued turn keeps its id, whichever process runs it."""
    queued = {"AzureWebJobsStorage": storage, "BotTurns": "Queued"}
    accepting = start(**queued, **{"AzureWebJobs.turns.Disabled": "true"})
    answer = accepting.deliver(type="message", text="hello")
    assert answer.status == 202
    start(**queued)
    assert feed.wait_for_end(answer.turn, 2)["outcome"] == "done"
    accepted, ran = (each["pid"] for each in feed.of(answer.turn, "turn_started"))
    assert accepted != ran


def test_a_deployed_app(uploaded: Path, own_cloud: CloudThread) -> None:
    """The deployed app has nothing of it: with a feed named, it connects to none."""
    program = (
        "import asyncio, sys\n"
        "async def main():\n"
        "    import function_app\n"
        "    await function_app.composition.ready()\n"
        "asyncio.run(main())\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'emulator'])\n"
    )
    with FeedThread() as feed:
        done = subprocess.run(
            [sys.executable, "-B", "-c", program],
            cwd=uploaded,
            env=own_cloud.cloud.settings() | feed.settings,
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
        )
        assert done.stdout == "[]\n"
        assert feed.events == []
    named = [file for file in uploaded.rglob("*.py") if "BOT_FEED" in file.read_text()]
    assert named == []
