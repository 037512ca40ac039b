"""A host that ends is started again: by RestartedBot, as by the platform."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.bots.patched_bot import with_rules
from tests.support.bots.queue_app import QueueApp
from tests.support.bots.restarted_bot import RestartedBot
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller


@pytest.mark.parametrize("end", ["deaths", "SIGKILL"])
def test_host_that_is_started_again(tmp_path: Path, storage: str, end: str) -> None:
    """After the third death of its worker, or a kill, another host serves at the same port.

    What the ended one had taken stays hidden.
    """
    app = QueueApp(tmp_path, storage)
    rules = with_rules(tmp_path / "rules", restart_interval=0, queue_grace=0.1)
    with RestartedBot(app.settings | rules, tmp_path / "host.log", tmp_path) as bot:
        first, killed = bot.pid, [0]
        app.send("held")
        app.until_seen("held")
        if end == "SIGKILL":
            bot.send_signal(signal.SIGKILL)
        else:
            for _ in range(3):
                until(lambda: bot.workers[1] not in killed)
                killed.append(bot.workers[1])
                os.kill(killed[-1], signal.SIGKILL)
        until(lambda: bot.pid != first and bot.is_ready)
        assert bot.starts == 2
        caller = Caller(bot.url)
        assert int(caller.send("GET", "/api/pid", []).body) == bot.workers[1]
        caller.close()
        log = bot.log.read_text()
    assert ("Exceeded language worker restart retry count" in log) == (end == "deaths")
    app.close()
