"""PacedIdentity: the bot, where whoever sends decides itself when a call is tried again."""

from botframework.connector.auth import AuthenticationConstants, ClaimsIdentity


class PacedIdentity(ClaimsIdentity):  # type: ignore[misc]  # untyped SDK base
    """The claims are those of the SDK's own proactive turns.

    Calls of such a turn are made once. A service that asks one of them to wait means all of them:
    the sender pauses as a whole, and nothing waits a second time beneath it.

    Args:
        app_id: GUID of the bot.
    """

    def __init__(self, app_id: str) -> None:
        names = (AuthenticationConstants.AUDIENCE_CLAIM, AuthenticationConstants.APP_ID_CLAIM)
        super().__init__(dict.fromkeys(names, app_id), True)
