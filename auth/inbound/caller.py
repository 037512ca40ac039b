"""CallerCheck: may this caller deliver this activity?

Source: Bot Connector authentication reference ("Connector to bot", step 4): every check is made,
for every activity.
"""

from dataclasses import dataclass

from auth.errors import CallerForbidden
from auth.inbound.channel_token import ChannelToken, ChannelTokens
from auth.inbound.service_url import ServiceUrls

SERVICE_URL_CLAIM = "serviceurl"


@dataclass(frozen=True)
class ActivityOrigin:
    """What the check needs to know of an activity.

    Attributes:
        channel_id: `channelId`.
        service_url: `serviceUrl`.
        tenant_ids: every tenant (GUID) that the activity says its user is of.
    """

    channel_id: str
    service_url: str
    tenant_ids: frozenset[str]


class CallerCheck:
    """Lets in nobody but the channel, for activities that its token stands for.

    Args:
        tokens: reads the channel's tokens.
        app_id: GUID of the bot, the audience that tokens must have.
        service_urls: where the bot may send replies.
        allowed_tenants: GUIDs of the tenants whose users may talk to the bot; empty: all.
    """

    def __init__(
        self,
        tokens: ChannelTokens,
        app_id: str,
        service_urls: ServiceUrls,
        allowed_tenants: frozenset[str] = frozenset(),
    ) -> None:
        self._tokens = tokens
        self._app_id = app_id
        self._service_urls = service_urls
        self._allowed_tenants = allowed_tenants

    async def authenticate(self, authorization: str) -> ChannelToken:
        """Verify the caller's token and its audience: all that needs no activity.

        Args:
            authorization: the Authorization header; empty if there is none.

        Raises:
            TokenRejected: there is no token, or it is not valid.
            CallerForbidden: the token is valid, but for another bot.
            KeysUnavailable: the token cannot be verified now.
        """
        token = await self._tokens.read(authorization)
        if token.claims.get("aud") != self._app_id:
            raise CallerForbidden("the token is for another bot (audience)")
        return token

    def authorize(self, token: ChannelToken, delivery: ActivityOrigin) -> None:
        """Check that a token entitles its caller to deliver this activity.

        Args:
            token: from `authenticate`.
            delivery: the facts of the activity.

        Raises:
            CallerForbidden: the token is for another service URL or channel, or the bot does not
                reply to this service URL or this tenant.
        """
        if token.claims.get(SERVICE_URL_CLAIM) != delivery.service_url:
            raise CallerForbidden("the token is for another service URL")
        if delivery.channel_id not in token.endorsements:
            raise CallerForbidden(f"the key does not endorse channel {delivery.channel_id!r:.80}")
        self.check_reach(delivery)

    def check_reach(self, delivery: ActivityOrigin) -> None:
        """The part that needs no token: the reply's address, and the user's tenant.

        Raises:
            CallerForbidden: the bot does not answer there, or not to this tenant.
        """
        self._service_urls.check(delivery.service_url)
        if not self._allowed_tenants:
            return
        if not delivery.tenant_ids or not delivery.tenant_ids <= self._allowed_tenants:
            raise CallerForbidden("the user's tenant is not in AllowedTenants")
