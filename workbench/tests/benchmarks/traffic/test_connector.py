"""The benchmark's connector hands on the replies of its bot, and no others."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmarks.benchmark_cloud import BenchmarkCloud
from bot_workbench.credential_kinds import MANAGED_IDENTITY
from bot_workbench.emulator.channel.connector import AUDIENCE


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[BenchmarkCloud]:
    """A local cloud with a connector for the load."""
    cloud = BenchmarkCloud(tmp_path, MANAGED_IDENTITY, tokens=1)
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest.mark.parametrize(("path", "turn"), [("/T-1", b"T-1"), ("", b"")])
async def test_who_responds(cloud: BenchmarkCloud, path: str, turn: bytes) -> None:
    """Who responds gets the conversation, and the message's id if the bot's URL has it."""
    found: list[tuple[bytes, ...]] = []

    def respond(*call: bytes) -> bytes:
        found.append(call)
        return b"response"

    cloud.connector.respond = respond
    registration = cloud.cloud.registration
    token, _ = cloud.cloud.entra.app_token(
        AUDIENCE, registration.app_id, "principal", tenant_id=registration.tenant_id
    )
    for bearer in ("forged", token):
        head = f"POST /v3/conversations/a:1/activities{path} HTTP/1.1\r\nAuthorization: Bearer "
        answer = cloud.connector.answer(f"{head}{bearer}".encode(), b"body")
    assert answer == b"response"
    assert found == [(b"a:1", turn, b"body")]
