"""Nothing that a caller sends makes the bot answer 500: random and mutated bodies."""

from typing import Any

import pytest

from bot_workbench.emulator.cloud import Cloud
from tests.support.random_bodies import statuses
from tests.support.wire.http_post import Caller

pytestmark = pytest.mark.extended(
    covered_by=["tests/cloud_adapter/test_request.py", "tests/cloud_adapter/codec/test_reader.py"]
)

CASES = 2000


def test_no_body_makes_a_500(caller: Caller, cloud: Cloud, message: dict[str, Any]) -> None:
    """Two thousand bodies, all with the channel's token: each gets one of the known answers."""
    seen = statuses(caller, cloud, message, CASES)
    # The bodies are worth something only if many of them reach the bot.
    assert seen[200] > CASES / 10
    assert seen[400] > CASES / 20
