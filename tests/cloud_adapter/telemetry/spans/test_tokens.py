"""The spans of token requests: one for each that is sent, and what they say."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from auth.errors import EndpointDown
from auth.outbound.token_provider import AccessToken, Credential, TokenProvider
from cloud_adapter.telemetry import observer
from cloud_adapter.telemetry.observer import Telemetry
from http_client.observer import attach, detach
from tests.support.telemetry.exported_spans import ExportedSpans

REQUEST = "agents.authentication.get_access_token"
SKILL = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


class PaidCredential(Credential):
    """Has a token for every audience, or fails.

    Args:
        expires_on: of its certificate; 0: it has none.
        error: what it raises.
    """

    def __init__(self, expires_on: float = 0.0, error: Exception | None = None) -> None:
        self._expires_on = expires_on
        self._error = error

    async def request_token(self, audience: str) -> AccessToken:
        """A token."""
        if self._error is not None:
            raise self._error
        return AccessToken(f"secret for {audience}", 4e9, "", self._expires_on)


@pytest.fixture(autouse=True)
def _watched() -> Iterator[None]:
    telemetry = Telemetry("", "https://api.botframework.com")
    attach(telemetry)
    yield
    detach(telemetry)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is counted: kinds of tokens, and when certificates expire."""
    counted: list[Any] = []
    metrics = SimpleNamespace(token_obtained=counted.append, certificate_expires_at=counted.append)
    monkeypatch.setattr(observer, "bot_metrics", lambda: metrics)
    return counted


@pytest.mark.parametrize(
    ("audience", "kind", "scopes"),
    [
        ("https://api.botframework.com", "channel", "https://api.botframework.com/.default"),
        ("https://storage.azure.com", "storage", "https://storage.azure.com/.default"),
        ("https://graph.microsoft.com", "other", "https://graph.microsoft.com/.default"),
        (SKILL, "skill", None),
    ],
)
async def test_a_request(
    audience: str, kind: str, scopes: str | None, exported: ExportedSpans, counted: list[Any]
) -> None:
    """It has one span, whose scope is no other bot's app id; a cached token has none."""
    tokens = TokenProvider(PaidCredential(1e9))
    for _ in range(2):
        assert (await tokens.get(audience)).value == f"secret for {audience}"
    found = exported.attributes(REQUEST)
    assert (found["auth.method"], found.get("auth.scopes")) == ("PaidCredential", scopes)
    assert counted == [kind, 1e9]
    assert "secret" not in exported.text
    assert SKILL not in exported.text


async def test_a_request_that_fails(exported: ExportedSpans, counted: list[Any]) -> None:
    """Each attempt that fails has a span that names the error, and counts no token."""
    tokens = TokenProvider(PaidCredential(error=EndpointDown("sesame")), max_attempts=1)
    with pytest.raises(EndpointDown):
        await tokens.get("https://api.botframework.com")
    assert exported.attributes(REQUEST)["error.type"] == "EndpointDown"
    assert exported.one(REQUEST).status.status_code is StatusCode.ERROR
    assert counted == []
    assert "sesame" not in exported.text
