"""Authorization headers with tokens of other bots, and what is wrong with each."""

from collections.abc import Callable
from typing import Any

from bot_workbench.emulator.entra.registration import CHANNEL_TENANT, issuer_of
from tests.support.credentials.bot_token_press import CALLER, BotTokenPress
from tests.support.credentials.forged_tokens import FOREIGN_TENANT, with_claims

BotForge = Callable[[BotTokenPress], str]
"""Makes an Authorization header."""


def with_second_version(**changes: Any) -> BotForge:
    """A token of version 2.0 with these claims changed; None leaves a claim out."""
    return lambda press: f"Bearer {press.token(press.second_version(**changes))}"


def of_second_issuer(**changes: Any) -> BotForge:
    """A token of version 1.0, but for the issuer."""

    def forge(press: BotTokenPress) -> str:
        claims = press.claims(**{"iss": press.second_version()["iss"], **changes})
        return f"Bearer {press.token(claims)}"

    return forge


def channel_key(press: BotTokenPress) -> str:
    """A token that the channel has signed in Entra's name."""
    key = press.cloud.channel.issuer.keys[-1]
    return f"Bearer {press.token(header={'kid': key.kid}, key=key.private_key)}"


def second_issuer_of(tenant: str) -> BotForge:
    """A token of version 2.0 of another tenant."""
    return lambda press: with_second_version(iss=press.cloud.entra.authority.issuer(tenant))(press)


GOOD: dict[str, BotForge] = {
    "version 1.0": with_claims(),
    "version 2.0": with_second_version(),
    "app id in capitals": with_claims(appid=CALLER.upper()),
    "more claims": with_claims(roles=["x"], idtyp="app", azp="x"),
}

INVALID: dict[str, BotForge] = {
    "the channel's key": channel_key,
    "version 1.0 of a foreign tenant": with_claims(iss=issuer_of(FOREIGN_TENANT)),
    "version 2.0 of a foreign tenant": second_issuer_of(FOREIGN_TENANT),
    "version 1.0 of the channels' tenant": with_claims(iss=issuer_of(CHANNEL_TENANT)),
    "version 2.0 of the channels' tenant": second_issuer_of(CHANNEL_TENANT),
    "version 1.0 of common": with_claims(iss=issuer_of("common")),
    "version 2.0 of organizations": second_issuer_of("organizations"),
    "version 2.0 with a slash": lambda press: with_second_version(
        iss=f"{press.second_version()['iss']}/"
    )(press),
    "version 1.0 without a slash": lambda press: with_claims(iss=press.claims()["iss"].rstrip("/"))(
        press
    ),
    "version 1.0 says 2.0": with_claims(ver="2.0", azp=CALLER),
    "version 2.0 says 1.0": with_second_version(ver="1.0", appid=CALLER),
    "version 1.0 of the other issuer": of_second_issuer(),
    "no version": with_claims(ver=None),
    "version a number": with_claims(ver=1.0),
    "version a list": with_claims(ver=["1.0"]),
}
"""Tokens that are answered 401."""

FORBIDDEN_BOTS: dict[str, BotForge] = {
    "another caller": with_claims(appid=FOREIGN_TENANT),
    "another caller, version 2.0": with_second_version(azp=FOREIGN_TENANT),
    "the bot itself": lambda press: with_claims(appid=press.cloud.registration.app_id)(press),
    "no caller": with_claims(appid=None),
    "an empty caller": with_claims(appid=""),
    "a list of callers": with_claims(appid=[CALLER]),
    "the caller in the claim of the other version": with_claims(appid=None, azp=CALLER),
    "the same for version 2.0": with_second_version(azp=None, appid=CALLER),
    "for a user": with_claims(scp="access_as_user"),
    "for a user, without a scope": with_claims(scp=""),
    "for the channel": with_claims(aud="https://api.botframework.com"),
    "for another bot": with_claims(aud=CALLER),
    "for the bot's URI": lambda press: with_claims(aud=f"api://{press.cloud.registration.app_id}")(
        press
    ),
    "for several": lambda press: with_claims(aud=[press.cloud.registration.app_id])(press),
    "for nobody": with_claims(aud=None),
}
"""Tokens that are answered 403."""
