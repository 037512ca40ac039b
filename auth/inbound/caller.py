"""CallerCheck: decides whether a caller may deliver an activity.

Source: Bot Connector authentication reference ("Connector to bot", step 4). Its checks apply to
every activity.
"""

from dataclasses import dataclass

from auth.errors import CallerForbidden, TokenRejected
from auth.inbound.bearer_token import BearerToken, BearerTokens
from auth.inbound.bot_callers import BotCallers
from auth.inbound.service_url import ServiceUrls

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
        tokens: BearerTokens,
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

    async def authenticate(self, authorization: str) -> BearerToken:
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

    async def authenticate_bot(self, authorization: str) -> BearerToken:
        """Verify another bot's token, where the channel's token is not accepted.

        Raises:
            TokenRejected: the token is the channel's, or `authenticate` rejects it.
            CallerForbidden, KeysUnavailable: as in `authenticate`.
        """
        token = await self.authenticate(authorization)
        if not self._bots.sent(token.claims):
            raise TokenRejected("the token is the channel's, not another bot's")
        return token

    def authorize(self, token: BearerToken, origin: ActivityOrigin) -> None:
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
