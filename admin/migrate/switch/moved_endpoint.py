"""MovedEndpoint: where the Azure Bot sends its users' messages, and where it did before."""

import datetime

from admin.azure.json_object import JsonObject
from admin.migrate.steps.bot_tag import repeated, tags_of
from admin.plan.change import Change
from admin.plan.shell import az, quoted
from admin.plan.step import Finding
from admin.plan.target import Target, endpoint_of

PREVIOUS_ENDPOINT = "previousEndpoint"
"""The tag of an Azure Bot that remembers the old app's endpoint, for `back`."""

NEW_ENDPOINT = "newEndpoint"
"""The tag that remembers the new app's endpoint, for `switch`."""

SWITCHED_ON = "switchedOn"
"""The tag that says when the endpoint moved last (ISO 8601, UTC)."""


def leaves_new_app(bot: JsonObject, endpoint: str) -> bool:
    """Whether a switch to an endpoint leads from one new app to another. Then the tag
    PREVIOUS_ENDPOINT stays: `back` and `delete-secret` need the app that has the secret.

    Args:
        bot: the Azure Bot.
        endpoint: URL.
    """
    tags, now = tags_of(bot), endpoint_of(bot).lower()
    old, new = (tags.get(name, "").lower() for name in (PREVIOUS_ENDPOINT, NEW_ENDPOINT))
    return bool(old) and now == new and endpoint.lower() not in {old, new}


class MovedEndpoint:
    """The bot's endpoint is the one given, and its tags remember the old app's and the new app's,
    in one call.

    Args:
        target: has the bot.
        endpoint: URL.
        remember: the tag that gets the endpoint of before.
        named: the tag that gets the given endpoint.
    """

    title = "Endpoint of the Azure Bot"

    def __init__(
        self,
        target: Target,
        endpoint: str,
        *,
        remember: str = PREVIOUS_ENDPOINT,
        named: str = NEW_ENDPOINT,
    ) -> None:
        self._target = target
        self._endpoint = endpoint
        self._remember = remember
        self._named = named

    def look(self) -> Finding:
        """Compare the endpoint.

        Raises:
            AzureProblem: the bot cannot be read.
        """
        bot = self._target.bot()
        now = endpoint_of(bot)
        if now.lower() == self._endpoint.lower():
            return Finding(f"the endpoint is {now}, and the tags remember {self._remembered(bot)}")
        return Finding(f"the endpoint is {now or 'empty'}", (self._change(bot, now),))

    def _remembered(self, bot: JsonObject) -> str:
        tags = tags_of(bot)
        found = [name for name in (PREVIOUS_ENDPOINT, NEW_ENDPOINT) if tags.get(name)]
        return ", ".join(f"{name} {tags[name]}" for name in found) or "no other"

    def _change(self, bot: JsonObject, now: str) -> Change:
        before = tags_of(bot)
        keeps_old = leaves_new_app(bot, self._endpoint)
        remembered = before[PREVIOUS_ENDPOINT] if keeps_old else now
        tags = {**before, self._remember: remembered, self._named: self._endpoint}
        tags[SWITCHED_ON] = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        resource = self._target.bot_id
        options = {**resource.az_options, "--endpoint": self._endpoint}
        pairs = " ".join(quoted(f"{name}={value}") for name, value in tags.items())
        return Change(
            method="PATCH",
            url=self._target.azure.arm.url(resource.id),
            body={"tags": tags, "properties": {**repeated(bot), "endpoint": self._endpoint}},
            summary=f"Move the endpoint to {self._endpoint}, and remember"
            f" {remembered or 'the empty one'} in the tag {self._remember}",
            az=(f"{az('bot update', options)} --tags {pairs}",),
        )
