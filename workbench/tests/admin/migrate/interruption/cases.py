"""The commands that are interrupted: each with what was done before it. A new one is one line."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.admin.migrate.migration import APP, BOT, VAULT, Migration

NEW_BOT = "contoso-bot-2"

FEDERATED = f"federated --bot {BOT} --app {APP}"
CERTIFICATE = f"certificate --bot {BOT} --app {APP} --vault {VAULT}"
ROTATE = f"certificate rotate --bot {BOT} --app {APP}"
IDENTITY = f"managed-identity --bot {BOT} --new-bot {NEW_BOT} --app {APP}"
SWITCH = f"switch --bot {BOT} --app {APP}"
BACK = f"back --bot {BOT}"
DELETE = f"delete-secret --bot {BOT} --yes"
DELETE_OLD = f"delete-secret --bot {BOT} --app {APP} --yes"


def days_pass(migration: Migration) -> None:
    """The old app is stopped, and has signed in two days ago for the last time."""
    directory, site = migration.thread.azure.directory, migration.old.site
    site.properties["state"] = "Stopped"
    migration.thread.call(migration.thread.azure.resource_manager.on_site_change, site)
    old = [replace(each, when=each.when - 2 * 86400) for each in directory.sign_ins]
    directory.sign_ins[:] = old


@dataclass(frozen=True)
class Case:
    """A command to interrupt.

    Attributes:
        command: its words after `migrate`.
        before: the commands that were run before it, or what else has happened.
        recycled: whether Azure recycles the app all the time, so that it keeps no token.
        bot: the Azure Bot that users talk to.
    """

    command: str
    before: tuple[str | Callable[[Migration], None], ...] = ()
    recycled: bool = False
    bot: str = BOT


CASES = {
    "federated": Case(FEDERATED),
    "certificate": Case(CERTIFICATE),
    "certificate rotate": Case(ROTATE, (CERTIFICATE, SWITCH), recycled=True),
    "managed-identity": Case(IDENTITY),
    "switch": Case(SWITCH, (FEDERATED,)),
    "back": Case(BACK, (FEDERATED, SWITCH)),
    "delete-secret, federated": Case(DELETE, (FEDERATED, SWITCH)),
    "delete-secret, certificate": Case(DELETE, (CERTIFICATE, SWITCH)),
    "delete-secret, managed-identity": Case(DELETE_OLD, (IDENTITY, days_pass), bot=NEW_BOT),
}
"""The commands by the names that the table shows."""
