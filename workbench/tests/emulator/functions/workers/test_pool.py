"""The workers of a host: they share the work, restart after a crash, and end with the host."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.bots.bot_process import BotProcess
from tests.support.bots.patched_bot import patched, with_rules
from tests.support.bots.queue_app import QueueApp
from tests.support.program import is_running
from tests.support.timing.condition import until
from tests.support.wire.http_post import JSON, Caller, Reply

WORKERS = 2


@pytest.fixture
def app(tmp_path: Path, storage: str) -> Iterator[QueueApp]:
    """An app with a queue, whose failed messages are run again at once."""
    app = QueueApp(tmp_path, storage)
    yield app
    app.close()


@contextmanager
def host(
    app: QueueApp, workers: int = WORKERS, *options: str, **rules: float
) -> Iterator[BotProcess]:
    """The app in a host with workers, which restart without pauses unless the rules say so."""
    log = app.folder / "host.log"
    settings = app.settings | with_rules(app.folder / "rules", **{"restart_interval": 0, **rules})
    options = ("--workers", str(workers), *options)
    with BotProcess(settings, log, app.folder, options) as process:
        yield process


def get(process: BotProcess, path: str) -> Reply:
    """The answer to a request on a connection of its own."""
    caller = Caller(process.url)
    try:
        return caller.send("GET", path, [])
    finally:
        caller.close()


def test_requests_go_round(app: QueueApp) -> None:
    """The workers get the requests in turn; none of them is the host's process."""
    with host(app) as process:
        pids = [int(get(process, "/api/pid").body) for _ in range(6)]
        assert set(pids[:2]) == set(process.workers.values())
        assert pids == pids[:2] * 3
        assert process.pid not in pids
        assert len(process.workers) == WORKERS


def test_messages_are_run_in_workers(app: QueueApp) -> None:
    """A queue function runs in the workers, with the message in the worker's types."""
    with host(app) as process:
        for _ in range(6):
            app.send("gr\u00fc\u00df dich")
        seen = app.until_seen("gr\u00fc\u00df dich", 6)
        until(lambda: app.count(app.queue) == 0)
        assert {each["pid"] for each in seen} == set(process.workers.values())
    assert {each["dequeue_count"] for each in seen} == {1}
    assert [kind for kind, _ in seen[0]["times"]] == ["datetime"] * 3


def test_binary_message_is_run_in_a_worker(app: QueueApp) -> None:
    """A function with the data type `binary` gets bytes that are no text."""
    with host(app, workers=1):
        app.send_bytes("bytes", b"\xff\x00")
        app.until_seen("ff00")


def test_function_that_raises_in_a_worker_is_logged_by_the_host(app: QueueApp) -> None:
    """A failed message ends in the poison queue, its trace in the host's log."""
    with host(app) as process:
        app.send("bad")
        until(lambda: app.count(app.poison) == 1)
        assert "ValueError: what the app says of it" in process.log.read_text()
    assert [each["dequeue_count"] for each in app.seen("bad")] == [1, 2, 3, 4, 5]


def test_killed_worker_fails_its_http_requests_and_restarts(app: QueueApp) -> None:
    """Callers of a worker that dies get 500; the next caller is served."""
    with host(app) as process, ThreadPoolExecutor() as pool:
        call = pool.submit(get, process, "/api/endless")
        [seen] = app.until_seen("endless call")
        [number] = [each for each, pid in process.workers.items() if pid == seen["pid"]]
        os.kill(seen["pid"], signal.SIGKILL)
        reply = call.result()
        assert (reply.status, reply.body) == (500, b"")
        assert get(process, "/api/pid").status == 200
        until(lambda: process.workers[number] != seen["pid"])
        pids = {int(get(process, "/api/pid").body) for _ in range(4)}
        assert pids == set(process.workers.values())
        assert f"Worker {number} ended (SIGKILL)" in process.log.read_text()


def test_message_of_a_killed_worker_is_run_again(app: QueueApp) -> None:
    """A message whose worker dies is run again, with a higher count, by another one."""
    with host(app) as process:
        app.send("endless")
        [first] = app.until_seen("endless")
        os.kill(first["pid"], signal.SIGKILL)
        _, second = app.until_seen("endless", 2)
        assert second["dequeue_count"] == 2
        assert second["pid"] != first["pid"]
        assert "the worker process ended during the invocation" in process.log.read_text()


def test_request_waits_while_all_workers_restart(app: QueueApp) -> None:
    """A call after the only worker was killed is answered by its successor."""
    with host(app, workers=1) as process:
        killed = process.workers[1]
        os.kill(killed, signal.SIGKILL)
        until(lambda: "Worker 1 ended" in process.log.read_text())
        reply = get(process, "/api/pid")
        assert reply.status == 200
        assert int(reply.body) == process.workers[1] != killed


def test_host_and_workers_speak_on_a_port_of_their_own(app: QueueApp) -> None:
    """The public port runs no function on what the host sends its workers."""
    with host(app) as process:
        caller = Caller(process.url)
        body = b'{"data": {"string": "from outside"}, "metadata": {}}'
        caller.send("POST", "/admin/functions/take", JSON, body)
        until(lambda: "take failed" in process.log.read_text())
        caller.close()
    assert app.seen("from outside") == []


@pytest.mark.parametrize("text", ["endless", "blocking"])
def test_killed_host_takes_its_workers_with_it(app: QueueApp, text: str) -> None:
    """After a SIGKILL of the host no worker survives, not even one whose event loop is blocked."""
    with host(app) as process:
        app.send(text)
        app.until_seen(text)
        workers = list(process.workers.values())
        assert all(map(is_running, workers))
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: not any(map(is_running, workers)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_all(app: QueueApp, number: signal.Signals) -> None:
    """SIGINT at once, SIGTERM when time is over: host and workers end, even if a function blocks.

    The function's message stays hidden.
    """
    with host(app, queue_grace=0.1) as process:
        app.send("blocking")
        app.until_seen("blocking")
        workers = list(process.workers.values())
        os.kill(process.pid, number)
        until(lambda: process.returncode is not None)
        assert process.returncode == 0
        until(lambda: not any(map(is_running, workers)))
        assert "Traceback" not in process.log.read_text()
    assert app.count(app.queue) == 1
    assert list(app.queue.peek_messages()) == []


def test_sigterm_lets_functions_finish(app: QueueApp) -> None:
    """Nobody new can connect; as long as HTTP functions run, messages are taken."""
    hasty = patched(
        app.folder / "patch",
        "from bot_workbench.emulator.functions import process_exit\n"
        "process_exit.MAX_STOP_SECONDS = 0",
    )
    log, options = app.folder / "host.log", ("--workers", "2")
    bot = BotProcess(app.settings | hasty, log, app.folder, options)
    with bot as process, ThreadPoolExecutor() as pool:
        call = pool.submit(get, process, "/api/held")
        app.until_seen("held call")
        app.send("held")
        app.until_seen("held")
        os.kill(process.pid, signal.SIGTERM)
        until(lambda: is_refused(process))
        app.send("late")
        app.until_seen("late")
        app.release()
        assert (call.result().status, call.result().body) == (200, b"held to its end")
        until(lambda: process.returncode is not None)
        assert process.returncode == 0
    assert app.seen("held to its end")
    assert app.count(app.queue) == 0


def is_refused(process: BotProcess) -> bool:
    """Whether the host does not listen any more."""
    try:
        get(process, "/api/pid")
    except ConnectionRefusedError:
        return True
    except ConnectionError:
        return False
    return False


def test_drain(app: QueueApp) -> None:
    """Only who has the master key drains a host: what runs finishes, HTTP goes on."""
    with host(app, WORKERS, "--master-key", "master") as process:
        caller = Caller(process.url)
        key = [("x-functions-key", "master")]

        def status() -> tuple[str, int, int]:
            found = json.loads(caller.send("GET", "/admin/host/drain/status", key).body)
            return found["state"], found["outstandingInvocations"], found["outstandingRetries"]

        assert caller.send("GET", "/admin/host/drain/status", []).status == 401
        assert caller.send("POST", "/admin/host/drain", []).status == 401
        app.send("held")
        app.until_seen("held")
        assert status() == ("Disabled", 1, 0)
        for _ in range(2):
            reply = caller.send("POST", "/admin/host/drain", key)
            assert (reply.status, reply.body) == (202, b"")
        assert status() == ("InProgress", 1, 0)
        assert get(process, "/api/pid").status == 200
        app.release()
        until(lambda: "registered listeners are now stopped" in process.log.read_text())
        assert status() == ("Completed", 0, 0)
        assert app.count(app.queue) == 0
        app.send("late")
        os.kill(process.pid, signal.SIGTERM)
        until(lambda: process.returncode is not None)
        caller.close()
    assert app.seen("held to its end")
    assert [each.dequeue_count for each in app.queue.peek_messages()] == [0]


def test_worker_that_does_not_start_ends_the_host(app: QueueApp) -> None:
    """The host tries three times; it ends with 0, and its log says how the workers ended."""
    (app.folder / "function_app.py").write_text("import os\nos._exit(3)")
    bot = host(app, workers=1)
    with pytest.raises(AssertionError, match="Exceeded language worker restart retry"), bot:
        pass
    log = (app.folder / "host.log").read_text()
    assert log.count("Worker 1 ended while it started (exit code 3)") == 3


def test_refused_storage_ends_the_host(app: QueueApp) -> None:
    """Workers and HTTP functions end with it."""
    app.settings["AzureWebJobsStorage"] = (
        "AccountName=x;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:1/x"
    )
    with host(app, refused_storage=0.1) as process:
        until(lambda: process.returncode is not None)
        assert process.returncode == 0
        assert "An unhandled exception has occurred" in process.log.read_text()
        until(lambda: not any(map(is_running, process.workers.values())))


def test_function_timeout(app: QueueApp) -> None:
    """A setting limits how long functions may run; the message is run again by a new worker."""
    app.settings["AzureFunctionsJobHost__functionTimeout"] = "00:00:01"
    with host(app, timeout_grace=0) as process:
        app.send("held")
        first, second = app.until_seen("held", 2)[:2]
        assert second["pid"] != first["pid"]
        assert second["dequeue_count"] == 2
        log = process.log.read_text()
    assert "Timeout value of 00:00:01 exceeded by function 'Functions.take'" in log
    assert "Timeout value of 00:00:01 was exceeded by function: take" in log
