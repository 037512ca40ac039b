"""The base of the project's errors, and those that map to an HTTP status.

    BotError
    ├── SettingsError            503  the settings are wrong; the error lists every problem
    ├── BadRequest               400  the body is not an activity
    │   ├── BodyTooLarge         413
    │   └── UnsupportedBody      415
    ├── TokenRejected            401  no bearer token, or an invalid one
    ├── ConversationUnknown      404  a skill names a conversation in which it was not called
    ├── CallerForbidden          403  a valid token that does not allow this activity
    │   └── ServiceUrlRefused         the activity's service URL is not a channel's
    └── Unavailable              503  try again later, with Retry-After
        ├── CompositionFailed         a module cannot be imported, or an object cannot be created
        ├── KeysUnavailable           the signing keys cannot be fetched now
        └── SignInError               no outbound token; the text says what to fix
            ├── EndpointDown          an endpoint does not respond, or not as expected
            ├── Throttled             an endpoint asks to wait (429)
            ├── VaultForbidden        the identity lacks a role on the vault
            └── CertificateError      the bot's certificate cannot be used
                └── CertificateUnknown  Entra does not know the certificate, or not yet

The texts are for the log; callers never see them.
"""

import math
from collections.abc import Sequence

DEFAULT_WAIT_SECONDS = 10.0
"""The pause if an endpoint asks to wait but does not say how long."""

MAX_WAIT_SECONDS = 120.0
"""The longest pause, even if an endpoint asks for more."""


class BotError(Exception):
    """Base of every error that this project raises on purpose."""


class SettingsError(BotError):
    """The settings are wrong.

    Attributes:
        problems: every problem, each with the setting's name and how to fix it.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("The settings are wrong:\n" + "\n".join(f"- {text}" for text in problems))
        self.problems = tuple(problems)


class BadRequest(BotError):
    """The body is not an activity."""


class BodyTooLarge(BadRequest):
    """The body is over the limit."""


class UnsupportedBody(BadRequest):
    """The content type is not JSON."""


class TokenRejected(BotError):
    """The caller has no bearer token, or an invalid one."""


class ConversationUnknown(BotError):
    """A skill replies in a conversation in which this bot did not call it, or which has ended."""


class CallerForbidden(BotError):
    """The caller's token is valid but does not allow this activity."""


class ServiceUrlRefused(CallerForbidden):
    """The service URL is not one that the bot may call."""


class Unavailable(BotError):
    """Something that the turn needs is unavailable.

    Attributes:
        retry_after: seconds after which to try again.
    """

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CompositionFailed(Unavailable):
    """The app's objects cannot be created; `__cause__` says why."""

    def __init__(self) -> None:
        super().__init__("the app cannot be put together", retry_after=60)


class KeysUnavailable(Unavailable):
    """The token's signing key is unknown, and the issuer's keys cannot be fetched now."""


class SignInError(Unavailable):
    """No token is available for an outbound call; the text names the setting or role to fix."""


class EndpointDown(SignInError):
    """An endpoint on the way to a token does not respond, or not as expected."""


class Throttled(SignInError):
    """An endpoint on the way to a token asks to wait `retry_after` seconds (429)."""

    def __init__(self, message: str, asked: float | None) -> None:
        """
        Args:
            message: the text, which names the endpoint.
            asked: seconds that the endpoint asks to wait; None if it does not say.
        """
        wait = DEFAULT_WAIT_SECONDS if asked is None else min(asked, MAX_WAIT_SECONDS)
        super().__init__(message, math.ceil(wait))


class VaultForbidden(SignInError):
    """The identity lacks a role on the vault, or the role has just been granted."""


class CertificateError(SignInError):
    """The bot's certificate is missing, expired, not allowed, or lacks its private key."""


class CertificateUnknown(CertificateError):
    """Entra does not know the certificate, or not yet."""
