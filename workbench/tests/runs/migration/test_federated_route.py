"""The route with a federated credential, end to end, while somebody talks to the bot."""

import pytest

from tests.support.azure.stage import APP, BOT, Stage
from tests.support.azure.talker import Talker

pytestmark = pytest.mark.timeout(600)  # several programs, beside a user who never pauses


def test_federated(stage: Stage) -> None:
    """With a federated credential, the bot keeps its id, and no turn fails."""
    stage.check_old_bot_serves()
    with Talker(stage.thread, BOT) as talker:
        stage.shell.done("migrate", "federated", "--bot", BOT, "--app", APP, "--yes")
        stage.shell.done("migrate", "switch", "--bot", BOT, "--app", APP, "--yes")
        stage.shell.done("migrate", "delete-secret", "--bot", BOT, "--yes")
    stage.summary(talker)
    stage.check_app_serves(talker)
    stage.check_secret_is_gone()


def test_there_and_back(stage: Stage) -> None:
    """The endpoint moves to the new app and back again, and no turn fails."""
    with Talker(stage.thread, BOT) as talker:
        stage.shell.done("migrate", "federated", "--bot", BOT, "--app", APP, "--yes")
        stage.shell.done("migrate", "switch", "--bot", BOT, "--app", APP, "--yes")
        moved = Talker(stage.thread, BOT).say("hello")
        stage.shell.done("migrate", "back", "--bot", BOT, "--yes")
    stage.summary(talker)
    assert not moved.reply.startswith("Old bot")
    assert talker.failed == []
    assert talker.turns[-1].reply.startswith("Old bot")
    assert stage.sign_in_with_secret().status_code == 200
