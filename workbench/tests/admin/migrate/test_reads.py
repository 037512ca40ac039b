"""Lists that come in many pages are read to their end, and throttled reads waited for."""

import pytest

from bot_workbench.emulator.entra.credentials import TrustedSubject
from bot_workbench.emulator.resource_manager.resource_type import Subscription
from tests.admin.migrate.delete_secret.deletion import NEW_BOT, Deletion
from tests.admin.migrate.migration import APP, BOT, OTHER_APP_ID, Migration
from tests.support.azure.small_pages import use_small_pages

STATUS = ("status", "--bot", BOT, "--app", APP, "--json")
MOVE = ("managed-identity", "--bot", BOT, "--new-bot", NEW_BOT, "--app", APP, "--json", "--dry-run")
DELETION = ("delete-secret", "--bot", BOT, "--json", "--dry-run")


@pytest.fixture
def full(migration: Migration) -> Migration:
    """A bot with several of everything that a command lists."""
    migration.let_new_app_sign_in()
    azure, thread = migration.thread.azure, migration.thread
    thread.call(azure.resource_manager.tenant.subscriptions.append, Subscription())
    connection = {
        "serviceProviderId": "30dd229c-58e3-4a48-bdfd-91ec48eb906c",
        "clientId": OTHER_APP_ID,
        "clientSecret": "a secret",
    }
    body = {"location": "global", "properties": connection}
    thread.call(azure.resource_manager.put, f"{migration.old.bot.id}/connections/last", body)
    for number in range(3):
        trusted = TrustedSubject("https://issuer.example", f"s-{number}", name=f"other-{number}")
        thread.call(migration.old.registration.trust, trusted)
        slot = f"{migration.old.site.id}/slots/slot-{number}"
        thread.call(azure.resource_manager.put, slot, {"location": "westeurope"})
    migration.put_other_bot("another-bot", msaAppId=OTHER_APP_ID)
    return migration


STATUS_LISTS = {
    "channels",
    "connections",
    "federatedidentitycredentials",
    "resources",
    "roleassignments",
    "subscriptions",
}
MOVE_LISTS = {"channels", "connections", "resources", "subscriptions"}
DELETION_LISTS = {"connections", "resources", "slots", "subscriptions"}


@pytest.mark.parametrize(
    ("words", "lists"),
    [(STATUS, STATUS_LISTS), (MOVE, MOVE_LISTS)],
    ids=["status", "managed-identity"],
)
def test_a_command_reads_every_page(
    full: Migration, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], lists: set[str]
) -> None:
    """It prints what it prints when each list comes in one page."""
    before = full.run(*words)
    read = use_small_pages(full.thread.azure, monkeypatch)
    assert full.run(*words) == before
    assert read >= lists


def test_delete_secret_reads_every_page(full: Migration, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks for the secret in all apps and their slots, and in the bot's connections."""
    Deletion(full).switch()
    read = use_small_pages(full.thread.azure, monkeypatch)
    assert full.run(*DELETION).json["result"] == "planned"
    assert read >= DELETION_LISTS


@pytest.mark.parametrize("words", [STATUS, MOVE], ids=["status", "managed-identity"])
def test_throttled_reads_are_waited_for(full: Migration, words: tuple[str, ...]) -> None:
    """Resource Manager refuses each read for which the caller has waited less than a second."""
    before, azure = full.run(*words), full.thread.azure
    throttle = azure.resource_manager.read_throttle
    throttle.size, throttle.refill, throttle.clock = 1, 1, azure.directory.clock
    start = throttle.clock()
    assert full.run(*words) == before
    assert throttle.clock() - start > 5
