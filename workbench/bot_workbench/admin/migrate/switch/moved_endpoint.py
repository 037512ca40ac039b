"""Where the Azure Bot sends its users' messages, and the tags that remember where it did before."""

import datetime
from dataclasses import replace
from functools import partial

from bot_workbench.admin.azure.errors import Refused
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.steps.bot_tag import repeated, tag_change, tags_of
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import az, on_one_line, quoted
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target, endpoint_of

PREVIOUS_ENDPOINT = "previousEndpoint"
"""The tag of an Azure Bot that remembers the old app's endpoint, for `back`."""

NEW_ENDPOINT = "newEndpoint"
"""The tag that remembers the new app's endpoint, for `switch`."""

SWITCHED_ON = "switchedOn"
"""The tag that says when the endpoint moved last (ISO 8601, UTC)."""

MAX_WRITES = 3
"""The number of times that tags are written which reads do not show."""


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


class RememberedEndpoint:
    """The bot's tags remember the old app's endpoint, as a read shows, before the endpoint moves.

    Whoever writes a resource's tags replaces all of them, and Azure has no conditional write for
    them: another program's write at the same time may drop the tag, and with it the way back.

    Args:
        target: has the bot.
        endpoint: to where the endpoint moves next (URL).
    """

    title = "Tags of the Azure Bot"

    def __init__(self, target: Target, endpoint: str) -> None:
        self._target = target
        self._endpoint = endpoint
        self._writes = 0

    def look(self) -> Finding:
        """Read the tag.

        Raises:
            AzureProblem: the bot cannot be read.
        """
        bot = self._target.bot()
        now, tagged = endpoint_of(bot), tags_of(bot).get(PREVIOUS_ENDPOINT, "")
        if now.lower() == self._endpoint.lower():
            return Finding(f"the endpoint has moved, and the tags remember {_remembered(bot)}")
        wanted = old_endpoint(bot, self._endpoint)
        if not wanted:
            return Finding("the bot has no endpoint yet, so there is no way back to remember")
        if tagged == wanted:
            return Finding(f"the tag {PREVIOUS_ENDPOINT} remembers {wanted}")
        summary = f"Remember {wanted} in the tag {PREVIOUS_ENDPOINT}"
        change = tag_change(self._target, PREVIOUS_ENDPOINT, wanted, summary)
        return Finding(
            f"the tag {PREVIOUS_ENDPOINT} remembers {tagged or 'nothing'}",
            changes=(replace(change, send=partial(self._send, change)),),
        )

    def _send(self, change: Change) -> None:
        """Write the tag.

        Raises:
            Refused: it was written before, and was not there afterwards.
            AzureProblem: it cannot be written.
        """
        if self._writes == MAX_WRITES:
            raise Refused(
                f"the tag {PREVIOUS_ENDPOINT} was written {MAX_WRITES} times, and is not on the"
                " Azure Bot: another program or an Azure Policy removes it. Without it, `back`"
                " would not know the old endpoint. The endpoint stays where it is"
            )
        self._writes += 1
        self._target.azure.arm.send(change.method, change.url, change.body)


def old_endpoint(bot: JsonObject, endpoint: str) -> str:
    """The value of the tag PREVIOUS_ENDPOINT when a switch moves the endpoint; may be empty.

    Args:
        bot: the Azure Bot before the move.
        endpoint: where it moves to (URL).
    """
    keeps_old = leaves_new_app(bot, endpoint)
    return tags_of(bot)[PREVIOUS_ENDPOINT] if keeps_old else endpoint_of(bot)


def _remembered(bot: JsonObject) -> str:
    tags = tags_of(bot)
    found = [name for name in (PREVIOUS_ENDPOINT, NEW_ENDPOINT) if tags.get(name)]
    return ", ".join(f"{name} {tags[name]}" for name in found) or "no other"


class MovedEndpoint:
    """The bot's endpoint is the one given, and its tags remember the old app's and the new app's,
    in one call. Tags that a read does not show afterwards are sent again.

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
        self._planned: dict[str, str] = {}
        self._before = ""
        self._writes = 0

    def look(self) -> Finding:
        """Compare the endpoint, and the tags with those that were sent.

        Raises:
            AzureProblem: the bot cannot be read.
        """
        bot = self._target.bot()
        now, tags = endpoint_of(bot), tags_of(bot)
        if now.lower() != self._endpoint.lower():
            self._planned, self._before = self._tags(bot), now
            remembered = self._planned[self._remember] or "the empty one"
            summary = (
                f"Move the endpoint to {self._endpoint}, and remember {remembered} in the tag"
                f" {self._remember}"
            )
            return Finding(f"the endpoint is {now or 'empty'}", (self._change(bot, summary),))
        lost = [name for name, value in self._planned.items() if tags.get(name, "") != value]
        if lost:
            names = ", ".join(lost)
            return Finding(
                f"the endpoint is {now}, but the tags no longer remember {names}: another program"
                " has written them",
                (self._change(bot, f"Remember {names} in the tags again"),),
            )
        return Finding(f"the endpoint is {now}, and the tags remember {_remembered(bot)}")

    def _tags(self, bot: JsonObject) -> dict[str, str]:
        switched = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        is_back = self._remember != PREVIOUS_ENDPOINT
        return {
            self._remember: endpoint_of(bot) if is_back else old_endpoint(bot, self._endpoint),
            self._named: self._endpoint,
            SWITCHED_ON: switched,
        }

    def _change(self, bot: JsonObject, summary: str) -> Change:
        tags = {**tags_of(bot), **self._planned}
        resource = self._target.bot_id
        options = {**resource.az_options, "--endpoint": self._endpoint}
        pairs = " ".join(quoted(f"{name}={value}") for name, value in tags.items())
        change = Change(
            method="PATCH",
            url=self._target.azure.arm.url(resource.id),
            body={"tags": tags, "properties": {**repeated(bot), "endpoint": self._endpoint}},
            summary=summary,
            az=(f"{az('bot update', options)} --tags {pairs}",),
        )
        return replace(change, send=partial(self._send, change))

    def _send(self, change: Change) -> None:
        """Write the endpoint and the tags.

        Raises:
            Refused: they were written before, and the tags were not there afterwards.
            AzureProblem: they cannot be written.
        """
        if self._writes == MAX_WRITES:
            way_back = az(
                "bot update", {**self._target.bot_id.az_options, "--endpoint": self._before}
            )
            raise Refused(
                f"the endpoint is {self._endpoint}, but its tags were written {MAX_WRITES} times,"
                " and are not on the Azure Bot: another program or an Azure Policy removes them, so"
                " that `back` does not know the old endpoint. The way back is"
                f" `{on_one_line(way_back)}`"
            )
        self._writes += 1
        self._target.azure.arm.send(change.method, change.url, change.body)
