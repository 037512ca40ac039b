"""KeptTokens: asks for a token when it has none that lasts."""

import base64
import json
import time
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from bot_workbench.admin.azure.sign_in import KeptTokens

ARM, GRAPH = "https://management.azure.com/.default", "https://graph.microsoft.com/.default"


class Account:
    """Issues tokens that azure-identity has read with a wrong time.

    Args:
        lifetime: of each token, in seconds.
        is_jwt: whether the token itself says when it ends.

    Attributes:
        asked: the scopes of each request.
    """

    def __init__(self, lifetime: float, *, is_jwt: bool = True) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._lifetime = lifetime
        self._is_jwt = is_jwt

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """A new token."""
        self.asked.append(scopes)
        ends = int(time.time() + self._lifetime)
        if not self._is_jwt:
            return AccessToken("opaque", ends)
        claims = base64.urlsafe_b64encode(json.dumps({"exp": ends}).encode()).decode()
        return AccessToken(f"e30.{claims.rstrip('=')}.{len(self.asked)}", 0)


@pytest.mark.parametrize("is_jwt", [True, False])
def test_each_scope_is_asked_for_once(*, is_jwt: bool) -> None:
    """However many clients ask."""
    account = Account(3600, is_jwt=is_jwt)
    kept = KeptTokens(account)
    tokens = [kept.get_token(scope).token for scope in (ARM, GRAPH, ARM, GRAPH)]
    assert account.asked == [(ARM,), (GRAPH,)]
    assert tokens[:2] == tokens[2:]


def test_a_token_that_soon_ends_is_renewed() -> None:
    """Such as one of 20 seconds."""
    account = Account(20)
    kept = KeptTokens(account)
    assert kept.get_token(ARM).token != kept.get_token(ARM).token


def test_further_claims_get_a_new_token() -> None:
    """The service has refused the one that is kept, and the new one takes its place."""
    account = Account(3600)
    kept = KeptTokens(account)
    kept.get_token(ARM)
    renewed = kept.get_token(ARM, claims='{"access_token":{}}')
    assert kept.get_token(ARM) == renewed
    assert len(account.asked) == 2
