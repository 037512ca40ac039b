"""EndpointMoved: the Azure Bot's endpoint, and the one before in its tags."""

import json
import shlex
from dataclasses import dataclass

from admin.migrate.change import Change
from admin.migrate.step import Finding
from admin.migrate.target import Target

PREVIOUS_ENDPOINT = "previousEndpoint"
"""The tag that remembers where the endpoint was before."""


@dataclass
class EndpointMoved:
    """The bot's endpoint is the one given, and the tags remember the one before.

    Args:
        target: the bot.
        endpoint: URL.
    """

    target: Target
    endpoint: str
    title: str = "Endpoint of the Azure Bot"

    def look(self) -> Finding:
        """Compare the endpoint.

        Raises:
            AzureProblem: the bot cannot be read.
        """
        bot = self.target.bot()
        now = str(bot["properties"].get("endpoint") or "")
        if now.lower() == self.endpoint.lower():
            return Finding(f"the endpoint is {now}")
        return Finding(f"the endpoint is {now or 'empty'}", (self._change(bot, now),))

    def _change(self, bot: dict[str, object], now: str) -> Change:
        tags = bot.get("tags")
        kept = dict(tags) if isinstance(tags, dict) else {}
        body = {
            "tags": {**kept, PREVIOUS_ENDPOINT: now},
            "properties": {"endpoint": self.endpoint},
        }
        arm, resource = self.target.azure.arm, self.target.bot_id
        url = arm.url(resource.id)
        return Change(
            method="PATCH",
            url=url,
            body=body,
            summary=f"Move the endpoint to {self.endpoint}, and remember {now} in the bot's tags",
            az=(
                "az rest --method patch --headers Content-Type=application/json --output none \\",
                f"  --url {shlex.quote(url)} \\",
                f"  --body {shlex.quote(json.dumps(body))}",
            ),
        )
