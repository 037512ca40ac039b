"""CallerCheck: decides who may deliver an activity; ServiceUrls: where replies may go.

A bot calls another bot with its own token from Entra, whose audience is the other bot's app id.
Sources: Bot Connector authentication reference ("Connector to bot", step 4), whose checks apply to
every activity; Microsoft Entra's access token claims reference; botframework-connector's
SkillValidation.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from auth.errors import CallerForbidden, ServiceUrlRefused, TokenRejected

if TYPE_CHECKING:  # settings use this module, long before the keys' imports are due
    from auth.inbound.bearer_token import BearerToken, BearerTokens

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

# Nothing else is allowed in the authority (user info, a backslash, an encoded dot, white space):
# parsers disagree about these, and no channel sends them.
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PORT = "[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
PLAIN_URL = re.compile(
    rf"https?://(?:{_LABEL}(?:\.{_LABEL})*|\[::1\])(?::(?:{_PORT}))?"
    r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?"
)
"""An http(s) URL that all parsers read in the same way."""


def is_secure_url(url: str, *, loopback: bool) -> bool:
    """Whether a bearer token may be sent to a URL: only if it is a plain https URL.

    Args:
        url: any text.
        loopback: whether to allow http on this machine too (development only).
    """
    if not PLAIN_URL.fullmatch(url):
        return False
    parts = urlsplit(url)
    return parts.scheme == "https" or (loopback and parts.hostname in LOOPBACK_HOSTS)


@dataclass(frozen=True)
class ServiceUrls:
    """The allowed service URLs: https, on a known host or a subdomain of one.

    Only the host name is checked, not the address that it resolves to, because private links and
    test environments map these names.

    Args:
        hosts: lower-case host names; their subdomains are allowed too.
        loopback: whether to allow http and https on this machine too (development only).
    """

    hosts: tuple[str, ...]
    loopback: bool = False

    def check(self, url: str) -> None:
        """Check that the bot may call a service URL.

        Raises:
            ServiceUrlRefused: the bot must not call this URL.
        """
        _check_service_url(self, url)

    def check_of_bot(self, url: str) -> None:
        """Check that the bot may call the service URL of another bot in AllowedCallers.

        The token that is sent there is valid for that bot only, so any host is allowed.

        Raises:
            ServiceUrlRefused: the bot must not call this URL.
        """
        if not is_secure_url(url, loopback=self.loopback):
            raise ServiceUrlRefused("the other bot's service URL is not a plain https URL")


@functools.lru_cache(maxsize=64)  # a channel has few service URLs; exceptions are not cached
def _check_service_url(urls: ServiceUrls, url: str) -> None:
    if not PLAIN_URL.fullmatch(url):
        raise ServiceUrlRefused("the service URL is not a plain http(s) URL")
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if host in LOOPBACK_HOSTS:
        if not urls.loopback:
            raise ServiceUrlRefused("the service URL is on loopback outside of development")
    elif parts.scheme != "https":
        raise ServiceUrlRefused("the service URL is not https")
    elif not _is_within(host, urls.hosts):
        raise ServiceUrlRefused(
            f"the service URL's host {host} is not a channel's;"
            " add it to AllowedServiceHosts if you trust it"
        )


def _is_within(host: str, allowed: Iterable[str]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in allowed)


APP_ID_CLAIMS = {"1.0": "appid", "2.0": "azp"}
"""The claim that names the caller's app id, by the token's version (`ver`)."""

DELEGATED_CLAIM = "scp"
"""Present only in tokens that an app gets on behalf of a user. The user may have the token too, so
it does not prove that the bot itself is the caller."""


@dataclass(frozen=True)
class BotCallers:
    """Which bots may call this one.

    Args:
        app_ids: lower-case GUIDs of the allowed bots; empty allows none.
        versions: the accepted issuers, each with the version of its tokens. Both belong to the
            tenant that this bot signs in to. Other tenants are refused: Microsoft supports skills
            within one tenant only, and an administrator of another tenant can get tokens of that
            tenant in the name of any multi-tenant app.
    """

    app_ids: frozenset[str]
    versions: Mapping[str, str]

    def sent(self, claims: Mapping[str, Any]) -> bool:
        """Whether a verified token comes from Entra, and not from the channel."""
        return claims.get("iss") in self.versions

    def app_id(self, claims: Mapping[str, Any]) -> str:
        """The caller's app id (lower-case GUID) in a token from Entra; empty if it has none."""
        claim = APP_ID_CLAIMS[self.versions[claims["iss"]]]
        return str(claims.get(claim, "")).lower()

    def check(self, claims: Mapping[str, Any]) -> None:
        """Check that a verified token from Entra belongs to a bot that may call this one.

        Raises:
            TokenRejected: the token's version is not its issuer's.
            CallerForbidden: the caller is not in AllowedCallers, or calls on behalf of a user.
        """
        if claims.get("ver") != self.versions[claims["iss"]]:
            raise TokenRejected("the token's version is not its issuer's")
        if DELEGATED_CLAIM in claims:
            raise CallerForbidden("the token is a user's, not a bot's")
        if self.app_id(claims) not in self.app_ids:
            raise CallerForbidden(f"the bot {self.app_id(claims)!r:.80} is not in AllowedCallers")


SERVICE_URL_CLAIM = "serviceurl"


@dataclass(frozen=True)
class ActivityOrigin:
    """The properties of an activity that the caller check needs.

    Attributes:
        channel_id: the activity's `channelId`.
        service_url: the activity's `serviceUrl`.
        tenant_ids: every tenant (GUID) that the activity names as the user's.
    """

    channel_id: str
    service_url: str
    tenant_ids: frozenset[str]


class CallerCheck:
    """Accepts only authenticated requests from the channel, for activities that the token covers.

    Other bots are accepted if AllowedCallers lists them. Their tokens cover every activity.

    Args:
        tokens: verifies the callers' tokens.
        app_id: the bot's app id (GUID), which is the audience of valid tokens.
        service_urls: the URLs that the bot may send replies to.
        bots: the other bots that may call this one.
        allowed_tenants: GUIDs of the tenants whose users may use the bot; empty allows every
            tenant.
    """

    def __init__(
        self,
        tokens: "BearerTokens",
        app_id: str,
        service_urls: ServiceUrls,
        bots: BotCallers,
        allowed_tenants: frozenset[str] = frozenset(),
    ) -> None:
        self._tokens = tokens
        self._app_id = app_id
        self._service_urls = service_urls
        self._bots = bots
        self._allowed_tenants = allowed_tenants

    async def authenticate(self, authorization: str) -> "BearerToken":
        """Verify the caller's token and its audience: the checks that need no activity.

        Args:
            authorization: the value of the Authorization header; empty if there is none.

        Raises:
            TokenRejected: there is no token, or the token is not valid.
            CallerForbidden: the token is valid, but it is for another bot, or its caller is a bot
                that is not in AllowedCallers.
            KeysUnavailable: the token cannot be verified now.
        """
        token = await self._tokens.read(authorization)
        if token.claims.get("aud") != self._app_id:
            raise CallerForbidden("the token is for another bot (audience)")
        if self._bots.sent(token.claims):
            self._bots.check(token.claims)
        return token

    async def authenticate_bot(self, authorization: str) -> "BearerToken":
        """Verify another bot's token, where the channel's token is not accepted.

        Raises:
            TokenRejected: the token is the channel's, or `authenticate` rejects it.
            CallerForbidden, KeysUnavailable: as in `authenticate`.
        """
        token = await self.authenticate(authorization)
        if not self._bots.sent(token.claims):
            raise TokenRejected("the token is the channel's, not another bot's")
        return token

    def authorize(self, token: "BearerToken", origin: ActivityOrigin) -> None:
        """Check that a token allows its caller to deliver this activity.

        Args:
            token: the token that `authenticate` returned.
            origin: where the activity comes from.

        Raises:
            CallerForbidden: the token is for another service URL or channel, or the bot does not
                accept this service URL or tenant.
        """
        if self._bots.sent(token.claims):
            self._service_urls.check_of_bot(origin.service_url)
            self._check_tenants(origin)
            return
        if token.claims.get(SERVICE_URL_CLAIM) != origin.service_url:
            raise CallerForbidden("the token is for another service URL")
        if origin.channel_id not in token.endorsements:
            raise CallerForbidden(f"the key does not endorse channel {origin.channel_id!r:.80}")
        self.check_reach(origin)

    def check_reach(self, origin: ActivityOrigin) -> None:
        """Check the service URL and the user's tenant; these checks need no token.

        Raises:
            CallerForbidden: the bot does not accept this service URL or tenant.
        """
        self._service_urls.check(origin.service_url)
        self._check_tenants(origin)

    def _check_tenants(self, origin: ActivityOrigin) -> None:
        if not self._allowed_tenants:
            return
        if not origin.tenant_ids or not origin.tenant_ids <= self._allowed_tenants:
            raise CallerForbidden("the user's tenant is not in AllowedTenants")
