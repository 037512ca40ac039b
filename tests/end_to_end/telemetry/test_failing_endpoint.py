"""A running bot whose telemetry goes nowhere: it answers, and says so once where Azure reads it."""

from contextlib import closing
from pathlib import Path

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.loopback import LOOPBACK, free_port
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.telemetry.collector import Collector
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller

pytestmark = pytest.mark.extended(covered_by=["tests/cloud_adapter/telemetry/test_log_handlers.py"])

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
INSIGHTS = "APPLICATIONINSIGHTS_CONNECTION_STRING"
DELAYS = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}


@pytest.mark.parametrize(
    ("setting", "value", "line"),
    [
        (ENDPOINT, "", "Exporting telemetry: "),
        (INSIGHTS, "InstrumentationKey=nonsense", "Nothing is exported to Application Insights"),
    ],
)
def test_the_log_says_so(setting: str, value: str, line: str, tmp_path: Path, logs: Path) -> None:
    """Each turn is answered; the problem is one line, logged within an invocation."""
    value = value or f"http://{LOOPBACK}:{free_port()}"
    log = logs / f"failing {setting}.log"
    with CloudThread(Cloud(tmp_path)) as thread:
        settings = {**thread.cloud.settings(), **DELAYS, setting: value}
        with BotProcess(settings, log) as process, closing(Caller(process.url)) as caller:
            user = User(thread.cloud, caller)

            def is_logged() -> bool:
                assert user.says("hello") == 200
                return line in log.read_text()

            until(is_logged)
            for _ in range(20):
                assert user.says("hello") == 200
            assert set(user.texts()) == {"You said: hello"}
            found = [each for each in log.read_text().splitlines() if line in each]
            assert len(found) <= 3, "a line for each of the exporter's loggers at most"
            assert not [each for each in process.lost if line in each["message"]]


@pytest.mark.parametrize("status", [0, 503, 429], ids=["silent", "503", "429"])
def test_turns_do_not_wait(status: int, tmp_path: Path, logs: Path) -> None:
    """Turns are answered while an export waits for an endpoint that is silent, or asks for time."""
    log = logs / f"failing collector {status}.log"
    with CloudThread(Cloud(tmp_path)) as thread, Collector() as collector:
        collector.status = status
        # No export ends before the test does: a turn that waited for one would end the test.
        patient = {**collector.settings, "OTEL_EXPORTER_OTLP_TIMEOUT": "600"}
        with (
            BotProcess({**thread.cloud.settings(), **patient}, log) as process,
            closing(Caller(process.url)) as caller,
        ):
            user = User(thread.cloud, caller)
            assert user.says("first") == 200
            until(lambda: bool(collector.posted))
            for _ in range(50):
                assert user.says("hello") == 200
            assert len(user.texts()) == 51
