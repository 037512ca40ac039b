"""`run.py smoke`: starts a bot as `run.py run` does, says something to it, and stops it.

It needs no browser, no make and no shell, so that it runs on every system.
"""

import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot_workbench.emulator.child import kill_tree
from bot_workbench.emulator.loopback import free_port

CHAT = re.compile(r"Chat: +(http://\S+?)/?\s")
TIMEOUT_SECONDS = 180.0
STOP_SECONDS = 30.0
TEXT = "smoke"


class SmokeError(Exception):
    """The run did not do what it should; the text says what."""


def main(app: Path, *words: str) -> int:
    """Start, chat and stop; the exit status is 0 if all of it worked.

    Args:
        app: the folder with run.py.
        words: for `run.py run`; the bot that runs echoes what it does not know.
    """
    run = _started(app, words)
    watch = threading.Timer(TIMEOUT_SECONDS, _end, [run])
    watch.start()
    try:
        _chat(_page(run))
        _stop(run)
    except (SmokeError, OSError, subprocess.TimeoutExpired) as error:
        print(f"The test of this machine failed: {error}", file=sys.stderr)
        return 1
    finally:
        watch.cancel()
        _end(run)
    print("The bot starts, answers and stops.")
    return 0


def _started(app: Path, words: Sequence[str]) -> subprocess.Popen[str]:
    """Start the run, at ports that are free."""
    ports = [f"{name}={free_port()}" for name in ("PORT", "CHAT_PORT")]
    group = 0
    if sys.platform == "win32":
        group = subprocess.CREATE_NEW_PROCESS_GROUP
    return subprocess.Popen(
        [sys.executable, str(app / "run.py"), "run", *words, *ports],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        creationflags=group,
        text=True,
        encoding="utf-8",
    )


def _end(run: subprocess.Popen[str]) -> None:
    """End a run that failed, with what it has started."""
    if run.poll() is not None:
        return
    if sys.platform == "win32":
        kill_tree(run.pid)
    else:
        run.terminate()
    try:
        run.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        run.kill()


def _page(run: subprocess.Popen[str]) -> str:
    """Wait for the page's address; the rest of the output is printed meanwhile and afterwards."""
    if run.stdout is None:
        raise SmokeError("`run` has no output")
    for line in run.stdout:
        print(line, end="", flush=True)
        if found := CHAT.search(line):
            threading.Thread(target=_print, args=[run], daemon=True).start()
            return found[1]
    raise SmokeError("`run` ended before it was ready: its output above says why")


def _print(run: subprocess.Popen[str]) -> None:
    for line in run.stdout or ():
        print(line, end="", flush=True)


def _chat(page: str) -> None:
    """Say something, and wait for the answer.

    Raises:
        SmokeError: there is none.
    """
    api = f"{page}/v3/directline"
    user = {"id": "user-1"}
    token = _call(f"{api}/tokens/generate", "", {"user": user})["token"]
    started = _call(f"{api}/conversations", token, {})
    activities = f"{api}/conversations/{started['conversationId']}/activities"
    _call(activities, started["token"], {"type": "message", "from": user, "text": TEXT})
    end = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < end:
        shown = _call(f"{activities}?watermark=", started["token"], None)["activities"]
        if any(TEXT in each.get("text", "") for each in shown if each["from"]["id"] != user["id"]):
            return
        time.sleep(0.5)
    raise SmokeError("the bot did not answer")


def _call(url: str, token: str, content: dict[str, Any] | None) -> Any:
    """Call Direct Line; without content it is a GET."""
    body = None if content is None else json.dumps(content).encode()
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, body, headers)  # noqa: S310  # loopback
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        return json.load(answer)


def _stop(run: subprocess.Popen[str]) -> None:
    """Press Ctrl-C, or Ctrl-Break on Windows, where nothing else reaches a group.

    Raises:
        SmokeError: it does not stop, or fails.
    """
    if sys.platform == "win32":
        run.send_signal(signal.CTRL_BREAK_EVENT)
    else:
        run.send_signal(signal.SIGINT)
    status = run.wait(TIMEOUT_SECONDS)
    if status:
        raise SmokeError(f"it stopped with exit code {status}")
