"""The members of a conversation, as Teams lists them."""

from collections.abc import Mapping
from typing import Any

from bot_workbench.emulator.teams.directory.person import Person


def teams_member(account: Mapping[str, Any], tenant_id: str) -> dict[str, Any] | None:
    """A member of a conversation as Teams lists it; None: it is the bot, which Teams does not list.

    Args:
        account: the account; its own properties win.
        tenant_id: the tenant (GUID).
    """
    if account.get("role") == "bot":
        return None
    own = {name: value for name, value in account.items() if name != "role"}
    if not own.get("name") or not own.get("aadObjectId"):
        return own  # a bot has named only the user's id
    person = Person(own["id"], own["name"], own["aadObjectId"], tenant_id)
    return {**person.member(), **own}
