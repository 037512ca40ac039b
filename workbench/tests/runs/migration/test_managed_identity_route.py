"""The route with a managed identity, end to end, while somebody talks to both bots."""

import pytest

from tests.support.azure.stage import APP, BOT, Stage
from tests.support.azure.talker import Talker

pytestmark = pytest.mark.timeout(600)  # several programs, beside a user who never pauses

NEW_BOT = "contoso-bot-2"
REFUSED_BY_COMMAND = 1


def test_managed_identity(stage: Stage) -> None:
    """With a managed identity, a new bot answers under a new id, and the old one until the end."""
    stage.check_old_bot_serves()
    route = ("--bot", BOT, "--new-bot", NEW_BOT, "--app", APP, "--yes")
    with Talker(stage.thread, BOT) as old_talker:
        stage.shell.done("migrate", "managed-identity", *route)
        with Talker(stage.thread, NEW_BOT) as new_talker:
            stage.shell.done("migrate", "managed-identity", *route)
            assert Talker(stage.thread, BOT).say("hello").reply == "Old bot: hello"
    with Talker(stage.thread, NEW_BOT) as last_talker:
        stage.stop(stage.old.site)
        delete = ("migrate", "delete-secret", "--bot", BOT, "--app", APP, "--yes")
        assert stage.shell.run(*delete).status == REFUSED_BY_COMMAND  # it was used just now
        stage.pass_days(2)
        stage.shell.done(*delete)
    stage.summary(old_talker, new_talker, last_talker)
    for talker in (old_talker, new_talker, last_talker):
        assert talker.failed == []
    assert all(turn.reply.startswith("Old bot") for turn in old_talker.turns)
    assert stage.caller_of(NEW_BOT) == stage.new.identity["clientId"]
    stage.check_secret_is_gone()
