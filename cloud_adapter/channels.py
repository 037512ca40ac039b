"""The channels, and which of them vouch for their users.

On Web Chat and Direct Line the client itself writes `from` and `channelData` into an activity, so
it can claim any user id, any Entra object id and any tenant. Direct Line's enhanced authentication
binds the user id to a token, but an activity does not show whether it is on. In Teams, Microsoft
signs users in, and the service sets all of these.

Sources: Microsoft reference "Direct Line enhanced authentication" (impersonation); Teams platform
reference "Get Teams-specific context for your bot" (`aadObjectId`, `channelData.tenant`).
"""

from botframework.connector import Channels

TEAMS = Channels.ms_teams.value

CHANNELS = tuple(sorted((each.value for each in Channels), key=lambda each: each != TEAMS))
"""In the order in which an id is looked up: Teams first."""

_VOUCHING = frozenset({TEAMS})


def vouches_for_users(channel_id: str) -> bool:
    """Whether a channel itself sets who its users are: `from`, the members, and their tenant.

    For other channels, the bot stores conversations but no users.
    """
    return channel_id in _VOUCHING
