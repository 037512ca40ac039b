"""The channels, and which of them vouch for their users.

On Web Chat and Direct Line the client itself writes `from` and `channelData` into an activity, so
whoever talks there may claim any user id, any object id in Entra and any tenant. Direct Line's
enhanced authentication binds the user id to a token, but an activity does not tell whether it is
on. In Teams Microsoft signs users in, and the service writes all of these.

Sources: Microsoft reference "Direct Line enhanced authentication" (impersonation); Teams platform
reference "Get Teams-specific context for your bot" (`aadObjectId`, `channelData.tenant`).
"""

from botframework.connector import Channels

TEAMS = Channels.ms_teams.value

CHANNELS = tuple(sorted((each.value for each in Channels), key=lambda each: each != TEAMS))
"""In which an id is looked for, one after the other: Teams first."""

_VOUCHING = frozenset({TEAMS})


def vouches_for_users(channel_id: str) -> bool:
    """Whether a channel itself says who its users are: `from`, members, and their tenant.

    Elsewhere the bot knows conversations, but nobody in them.
    """
    return channel_id in _VOUCHING
