"""RefusedCaller: the messaging endpoint refuses whoever is not a channel."""

from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target, endpoint_of

UNAUTHORIZED = 401


class RefusedCaller:
    """An activity without a token is refused with 401, by the bot and not by what is before it.

    Args:
        target: has the bot.
    """

    title = "Refusal of unauthenticated calls"

    def __init__(self, target: Target) -> None:
        self._target = target

    def look(self) -> Finding:
        """Send an empty activity without a token.

        Raises:
            AzureProblem: the bot cannot be read.
        """
        endpoint = endpoint_of(self._target.bot())
        site = self._target.azure.site
        status = site.probe(endpoint)
        if barrier := site.barrier(endpoint):
            text = f"the channels cannot reach {endpoint}"
            return Finding(text, refusal=f"{text}: {barrier}")
        if status == UNAUTHORIZED:
            return Finding(f"{endpoint} refuses a call without a token with 401")
        if 200 <= status < 300:
            text = f"{endpoint} accepts a call without a token (it answers {status})"
            return Finding(
                text,
                refusal=f"{text}: anybody can talk to the bot as if they were Teams. Stop the app"
                f" (`az functionapp stop`), and remove every setting DANGEROUSLY_... from it",
            )
        answer = f"answers {status}" if status else "gives no answer"
        return Finding(f"{endpoint} {answer} to a call without a token, not 401 yet", waiting=True)
