"""Nothing that a caller sends makes the sample bot answer 500: random and mutated bodies."""

from typing import Any

import pytest

from bot_workbench.emulator.cloud import Cloud
from tests.support.random_bodies import statuses
from tests.support.wire.http_post import Caller

pytestmark = pytest.mark.extended(
    covered_by=["tests/cloud_adapter/test_request.py", "tests/cloud_adapter/codec/test_reader.py"]
)

CASES = 1000
OF_SIGN_INS = {404, 412}
"""What an invoke of a sign-in may answer: a code that is none, a token that is none."""


def test_no_body_makes_a_500(caller: Caller, cloud: Cloud, message: dict[str, Any]) -> None:
    """A thousand bodies, all with the channel's token: each gets one of the known answers."""
    assert statuses(caller, cloud, message, CASES, OF_SIGN_INS)[200] > CASES / 10
