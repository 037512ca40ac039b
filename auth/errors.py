"""The one tree of errors. Each branch means one HTTP status at the edge.

    BotError
    ├── SettingsError            503  the settings are wrong; lists every problem
    ├── BadRequest               400  the body is not an activity
    │   ├── BodyTooLarge         413
    │   └── UnsupportedBody      415
    ├── TokenRejected            401  no bearer token, or not a valid one
    ├── CallerForbidden          403  a valid token that does not entitle to this
    │   └── ServiceUrlRefused         the activity's service URL is not a channel's
    ├── Unavailable              503  try again later, with Retry-After
    │   ├── CompositionFailed         a module cannot be imported, or an object not be created
    │   ├── KeysUnavailable           the channel's signing keys cannot be fetched now
    │   ├── StorageUnavailable        Azure Storage cannot be reached, or refuses
    │   ├── StateConflict             another turn has changed the same property meanwhile
    │   ├── ConversationBusy          another turn of the same conversation goes on
    │   └── SignInError               no outbound token: its text names the cure
    │       ├── EndpointDown          an endpoint does not answer, or not as it should
    │       ├── Throttled             an endpoint asks to wait
    │       ├── VaultForbidden        the identity lacks a role on the vault
    │       └── CertificateError      the bot's certificate cannot be used
    │           └── CertificateUnknown  Entra does not know it, or not yet
    ├── TurnRepeated                  the turn was made before: it is not made again
    └── ConnectorError                the connector refused a call (in cloud_adapter)
        └── CallRefused               the bot's code asked for an unsafe call: it is not sent

The texts are for the log. A caller never sees them.
"""

import math
from collections.abc import Sequence

USUAL_WAIT = 10.0
"""Seconds to wait for an endpoint that asks to, but does not say for how long."""

LONGEST_WAIT = 120.0
"""Seconds: what an endpoint asks for beyond that is cut."""


class BotError(Exception):
    """Base of every error that this project raises on purpose."""


class SettingsError(BotError):
    """The settings are wrong.

    Attributes:
        problems: each with the setting's name and the cure.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("The settings are wrong:\n" + "\n".join(f"- {text}" for text in problems))
        self.problems = tuple(problems)


class BadRequest(BotError):
    """The body is not an activity that a turn can be made of."""


class BodyTooLarge(BadRequest):
    """The body is over the limit."""


class UnsupportedBody(BadRequest):
    """The content type is not JSON."""


class TokenRejected(BotError):
    """The caller has no bearer token, or one that is not valid."""


class CallerForbidden(BotError):
    """The caller's token is valid, but does not entitle it to this activity."""


class ServiceUrlRefused(CallerForbidden):
    """The service URL is not one that the bot may call."""


class Unavailable(BotError):
    """Something the turn needs cannot be had now.

    Attributes:
        retry_after: seconds after which a new attempt makes sense.
    """

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CompositionFailed(Unavailable):
    """The app cannot be put together; `__cause__` says why."""

    def __init__(self) -> None:
        super().__init__("the app cannot be put together", retry_after=60)


class KeysUnavailable(Unavailable):
    """The token's signing key is not known, and the channel's keys cannot be fetched now."""


class SignInError(Unavailable):
    """No token for an outbound call: the text names the setting or the role to fix."""


class EndpointDown(SignInError):
    """An endpoint on the way to a token is silent, broken, or not what it should be."""


class Throttled(SignInError):
    """An endpoint on the way to a token refuses for now (429), for `retry_after` seconds."""

    def __init__(self, message: str, asked: float | None) -> None:
        """
        Args:
            message: names the endpoint.
            asked: seconds that the endpoint asks for, if it does.
        """
        wait = USUAL_WAIT if asked is None else min(asked, LONGEST_WAIT)
        super().__init__(message, math.ceil(wait))


class VaultForbidden(SignInError):
    """The vault does not let the identity in: it lacks a role, or was given it a moment ago."""


class CertificateError(SignInError):
    """The bot's certificate cannot be used: missing, expired, not pinned, or without its key."""


class CertificateUnknown(CertificateError):
    """Entra does not know the certificate, or does not know it yet."""
