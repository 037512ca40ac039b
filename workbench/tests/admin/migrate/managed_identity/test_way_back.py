"""The way back of `managed-identity` deletes only a bot that the command has made."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot_workbench.emulator.seeds import ResourceGroup
from tests.admin.migrate.managed_identity.test_managed_identity import (
    COMMAND,
    FAST,
    NEW_BOT,
    new_bot,
)
from tests.admin.migrate.managed_identity.test_refusals import (
    identity_bot,
    wrong_endpoint,
    wrong_id,
    wrong_type,
)
from tests.admin.migrate.migration import BOTS, OTHER_APP_ID, Migration

DELETION = "az bot delete"


def in_another_group(migration: Migration) -> None:
    """A bot of that name is in another group."""
    group = migration.thread.call(
        ResourceGroup, migration.thread.azure.resource_manager, "contoso-production"
    )
    body = {
        "location": "global",
        "kind": "azurebot",
        "properties": {
            "displayName": NEW_BOT,
            "msaAppId": OTHER_APP_ID,
            "msaAppType": "SingleTenant",
            "msaAppTenantId": migration.old.registration.tenant_id,
            "endpoint": "https://fabrikam.azurewebsites.net/api/messages",
        },
    }
    migration.thread.call(group.put, BOTS, NEW_BOT, body)


def of_another_old_bot(migration: Migration) -> None:
    """The bot of that name has been made for another one."""
    wrong_id(migration)
    tag(migration, OTHER_APP_ID)


def made_by_hand(migration: Migration) -> None:
    """The bot of that name is the identity, but nothing says who has made it."""
    identity_bot(migration, NEW_BOT)


def made_for_another_bot(migration: Migration) -> None:
    """The bot of that name is the identity, and was made for another old bot."""
    identity_bot(migration, NEW_BOT)
    tag(migration, OTHER_APP_ID)


def nothing(_: Migration) -> None:
    """No bot has the name."""


def tag(migration: Migration, value: str) -> None:
    """Set the tag `replaces` of the new bot."""
    made = new_bot(migration)
    assert made is not None
    migration.thread.call(made.body.setdefault("tags", {}).update, {"replaces": value})


REFUSED = (wrong_type, wrong_id, wrong_endpoint, in_another_group, of_another_old_bot)
TAKEN = (made_by_hand, made_for_another_bot)


@pytest.mark.parametrize("words", [(), FAST, ("--dry-run",)], ids=["text", "json", "dry run"])
@pytest.mark.parametrize("arrange", [*REFUSED, *TAKEN, nothing], ids=lambda each: each.__name__)
def test_none_for_a_bot_of_somebody_else(
    migration: Migration, arrange: Callable[[Migration], None], words: tuple[str, ...]
) -> None:
    """Whoever pastes what is printed deletes no bot that this command has not made."""
    arrange(migration)
    if arrange is nothing:
        words = (*words, "--dry-run")
    ended = migration.run(*COMMAND, *words)
    assert (ended.status == 1) == (arrange in REFUSED), ended.output + ended.errors
    assert DELETION not in ended.output + ended.errors


def test_a_resumed_run_finds_the_tag(migration: Migration) -> None:
    """A run that has nothing left to do, or is refused later, still says how to go back."""
    first = migration.run(*COMMAND, *FAST).json["wayBack"]
    assert DELETION in first
    assert migration.run(*COMMAND, *FAST).json["wayBack"] == first
    assert f"# Way back: {first}" in migration.run(*COMMAND, "--dry-run").output
    migration.thread.call(
        migration.bot().properties.update, {"endpoint": "https://x.azurewebsites.net/api/messages"}
    )
    migration.thread.call(migration.bot().body["tags"].update, {"replacedBy": "third-bot"})
    refused = migration.run(*COMMAND, *FAST)
    assert refused.status == 1
    assert refused.json["wayBack"] == first


def test_none_once_delete_secret_has_begun(migration: Migration) -> None:
    """The new bot may be the only one that can answer."""
    assert DELETION in migration.run(*COMMAND, *FAST).json["wayBack"]
    unused = {"secretUnusedSince": "2026-12-01T10:00:00Z"}
    migration.thread.call(migration.bot().body["tags"].update, unused)
    assert DELETION not in migration.run(*COMMAND, *FAST).output
    assert DELETION not in migration.run(*COMMAND, "--dry-run").output


def test_the_command_asks_again(migration: Migration, tmp_path: Path) -> None:
    """It may be pasted when another bot has the name."""
    command = migration.run(*COMMAND, *FAST).json["wayBack"]
    az = tmp_path / "az"
    log = tmp_path / "log"
    az.write_text(f'#!/bin/sh\necho "$@" >> {log}\ncase "$*" in *show*) echo "$TAG";; esac\n')
    az.chmod(0o755)
    for value, deletes in ((migration.old.registration.app_id, True), (OTHER_APP_ID, False)):
        log.unlink(missing_ok=True)
        environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TAG": value}
        subprocess.run(["/bin/bash", "-c", command], env=environ, check=False)
        assert ("bot delete" in log.read_text()) == deletes
