"""ReplacedBot: the old bot stays as it is, and a tag says which one replaces it."""

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.managed_identity.new_bot import NewBot
from bot_workbench.admin.migrate.steps.azure_bot import tag_change, tags_of
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target, type_of
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

REPLACED_BY = "replacedBy"
"""The tag of an Azure Bot that another one replaces: its name."""


class ReplaceableBot:
    """The old bot can be replaced by the new one, with this app: before anything is changed.

    Args:
        old: the old bot, and the Function App.
        new: the new bot.
    """

    title = "The old Azure Bot"

    def __init__(self, old: Target, new: NewBot) -> None:
        self._old = old
        self._new = new

    def look(self) -> Finding:
        """Read the old bot.

        Raises:
            AzureProblem: it cannot be read.
        """
        found = f"{self._old.bot_id.name} has the id {self._old.app_id}"
        return Finding(found, refusal=self._refusal(self._old.bot()))

    def _refusal(self, bot: JsonObject) -> str:
        name, app = self._old.bot_id.name, self._old.site_id.name
        if name.lower() == self._new.name.lower():
            return f"the new bot needs another name than {name}: choose one with --new-bot"
        if type_of(bot) == USER_ASSIGNED_MSI:
            return f"{name} already signs in with a managed identity: there is nothing to do"
        replaced_by = tags_of(bot).get(REPLACED_BY, self._new.name)
        if replaced_by.lower() != self._new.name.lower():
            return (
                f"{name} is replaced by {replaced_by}, as its tag {REPLACED_BY} says: name that one"
                " with --new-bot, or remove the tag"
            )
        if self._old.answers_users():
            return (
                f"{app} is the app that answers the users of {name}: with the new id, it could not"
                " answer them any more. Publish the new app beside it (docs/deploy-by-hand.md), and"
                " name that one with --app"
            )
        return self._new.refusal()


class ReplacedBot:
    """The tag of the old bot.

    Args:
        old: the old bot.
        new: the new bot.
    """

    title = "Tag of the old Azure Bot"

    def __init__(self, old: Target, new: NewBot) -> None:
        self._old = old
        self._new = new

    def look(self) -> Finding:
        """Read the tag.

        Raises:
            AzureProblem: the bot cannot be read.
        """
        found = tags_of(self._old.bot()).get(REPLACED_BY, "")
        text = f"the tag {REPLACED_BY} is {found or 'missing'}"
        if found.lower() == self._new.name.lower():
            return Finding(text)
        summary = f"Note in the tag {REPLACED_BY} that {self._new.name} replaces it"
        return Finding(text, (tag_change(self._old, REPLACED_BY, self._new.name, summary),))
