"""AccessToken: a bearer token, with what is known of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AccessToken:
    """A bearer token for one audience.

    Attributes:
        value: the token itself; kept out of `repr`, so that it cannot reach a log.
        expires_on: seconds since the epoch.
        thumbprint: of the certificate that proved the sign-in, SHA-1 in upper-case hex; or empty.
        certificate_expires_on: of the same, seconds since the epoch; or 0.
    """

    value: str
    expires_on: float
    thumbprint: str = ""
    certificate_expires_on: float = 0.0

    def __repr__(self) -> str:
        return f"AccessToken(expires_on={self.expires_on})"
