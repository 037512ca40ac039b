"""BotEndpoint and TeamsChannel: the Azure Bot leads to this app, and Teams accepts it."""

from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import ENDPOINT_PATH, Target, endpoint_of
from bot_workbench.admin.plan.template import DEPLOY_AGAIN

TEAMS = "MsTeamsChannel"


class BotEndpoint:
    """The endpoint of the Azure Bot is the app's.

    Args:
        target: has the bot and the app.
    """

    title = "Endpoint of the Azure Bot"

    def __init__(self, target: Target) -> None:
        self._target = target

    def look(self) -> Finding:
        """Compare the endpoint with the app's host names.

        Raises:
            AzureProblem: the bot or the app cannot be read.
        """
        endpoint = endpoint_of(self._target.bot())
        text = f"the endpoint of the Azure Bot is {endpoint or 'not set'}"
        if self._target.answers_to(endpoint) and endpoint.endswith(ENDPOINT_PATH):
            return Finding(text)
        app = self._target.site_id.name
        return Finding(text, refusal=f"{text}, which is not {app}'s: {DEPLOY_AGAIN}")


class TeamsChannel:
    """The Teams channel is on, and its terms are accepted: else, Teams shows an invalid bot.

    Args:
        target: has the bot.
    """

    title = "Teams channel"

    def __init__(self, target: Target) -> None:
        self._target = target

    def look(self) -> Finding:
        """Read the channel.

        Raises:
            AzureProblem: it cannot be read.
        """
        found = self._target.azure.arm.find(f"{self._target.bot_id.id}/channels/{TEAMS}")
        if found is None:
            return _refused("the Azure Bot has no Teams channel")
        properties = found["properties"].get("properties") or {}
        if not properties.get("isEnabled"):
            return _refused("the Teams channel is off")
        if not properties.get("acceptedTerms"):
            return _refused("the terms of the Teams channel are not accepted")
        return Finding("the Teams channel is on, and its terms are accepted")


def _refused(text: str) -> Finding:
    return Finding(text, refusal=f"{text}, so Teams does not reach the bot: {DEPLOY_AGAIN}")
