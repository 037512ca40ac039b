"""AccessToken: what may be shown of it."""

from auth.outbound.credential import AccessToken


def test_repr_holds_no_token() -> None:
    """What a log line may show of a token is its expiry."""
    token = AccessToken("secret-1", 1_800_000_000.0, "AB" * 20)
    assert repr(token) == str(token) == "AccessToken(expires_on=1800000000.0)"
