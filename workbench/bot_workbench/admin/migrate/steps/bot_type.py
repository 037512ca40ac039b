"""BotType: the Azure Bot is of a type for which a route exists."""

from collections.abc import Mapping

from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target, type_of

NO_REGISTRATION = (
    "a bot of type UserAssignedMSI has no app registration: it signs in with its managed identity,"
    " and has no secret. There is nothing to migrate"
)
"""Why a route to another credential refuses such a bot."""


class BotType:
    """The Azure Bot's type, which no command changes, is none of those that a route refuses.

    Args:
        target: has the bot.
        refusals: why a type is refused, and what to do, by type.
    """

    title = "Type of the Azure Bot"

    def __init__(self, target: Target, refusals: Mapping[str, str]) -> None:
        self._target = target
        self._refusals = refusals

    def look(self) -> Finding:
        """Read the type.

        Raises:
            AzureProblem: the bot cannot be read.
        """
        bot = self._target.bot()
        found = type_of(bot)
        text = f"the bot's type is {found}, and its id {bot['properties']['msaAppId']}"
        return Finding(text, refusal=self._refusals.get(found, ""))
