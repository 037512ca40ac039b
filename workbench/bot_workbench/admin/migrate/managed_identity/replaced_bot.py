"""The old bot: it stays as it is, and a tag says which one replaces it."""

from bot_workbench.admin.migrate.managed_identity.new_bot import NewBot
from bot_workbench.admin.migrate.steps.azure_bot import tag_change, tags_of
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target, type_of
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

REPLACED_BY = "replacedBy"
"""The tag of an Azure Bot that another one replaces: its name."""


def replaceable_bot(old: Target, new: NewBot) -> Finding:
    """Before anything is changed: the new bot can replace the old one, with this app.

    Raises:
        AzureProblem: a bot cannot be read.
    """
    found = f"{old.bot_id.name} has the id {old.app_id}"
    return Finding(found, refusal=_refusal(old, new))


def _refusal(old: Target, new: NewBot) -> str:
    bot, name, app = old.bot(), old.bot_id.name, old.site_id.name
    if name.lower() == new.name.lower():
        return f"the new bot needs another name than {name}: choose one with --new-bot"
    if type_of(bot) == USER_ASSIGNED_MSI:
        return f"{name} already signs in with a managed identity: there is nothing to do"
    replaced_by = tags_of(bot).get(REPLACED_BY, new.name)
    if replaced_by.lower() != new.name.lower():
        return (
            f"{name} is replaced by {replaced_by}, as its tag {REPLACED_BY} says: name that one"
            " with --new-bot, or remove the tag"
        )
    if old.answers_users():
        return (
            f"{app} is the app that answers the users of {name}: with the new id, it could not"
            " answer them any more. Publish the new app beside it (docs/deploy-by-hand.md), and"
            " name that one with --app"
        )
    return new.refusal()


def replaced_bot(old: Target, new: NewBot) -> Finding:
    """The tag of the old bot names the new one.

    Raises:
        AzureProblem: the bot cannot be read.
    """
    found = tags_of(old.bot()).get(REPLACED_BY, "")
    text = f"the tag {REPLACED_BY} is {found or 'missing'}"
    if found.lower() == new.name.lower():
        return Finding(text)
    summary = f"Note in the tag {REPLACED_BY} that {new.name} replaces it"
    return Finding(text, (tag_change(old, REPLACED_BY, new.name, summary),))
