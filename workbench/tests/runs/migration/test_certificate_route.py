"""The route with a certificate, end to end, while somebody talks to the bot."""

import json

import pytest

from tests.support.azure.stage import APP, BOT, VAULT, Stage
from tests.support.azure.talker import Talker

pytestmark = pytest.mark.timeout(600)  # several programs, beside a user who never pauses


@pytest.mark.parametrize("app_type", ["SingleTenant", "MultiTenant"])
def test_certificate(stage: Stage) -> None:
    """With a certificate, a bot of either type keeps its id, and no turn fails."""
    stage.check_old_bot_serves()
    route = ("--bot", BOT, "--app", APP, "--vault", VAULT, "--yes")
    with Talker(stage.thread, BOT) as talker:
        stage.shell.done("migrate", "certificate", *route)
        stage.shell.done("migrate", "switch", "--bot", BOT, "--app", APP, "--yes")
        stage.shell.done("migrate", "delete-secret", "--bot", BOT, "--yes")
        report = stage.shell.done("migrate", "status", "--bot", BOT, "--json")
    stage.summary(talker)
    stage.check_app_serves(talker)
    stage.check_secret_is_gone()
    assert json.loads(report.output)["secretless"]


def test_certificate_rotation(stage: Stage) -> None:
    """A bot that signs in with a certificate gets the next version of it, and no turn fails."""
    route = ("--bot", BOT, "--app", APP, "--vault", VAULT, "--yes")
    stage.shell.done("migrate", "certificate", *route)
    stage.shell.done("migrate", "switch", "--bot", BOT, "--app", APP, "--yes")
    (first,) = stage.old.registration.certificates
    with Talker(stage.thread, BOT) as talker:
        stage.shell.done("migrate", "certificate", "rotate", "--bot", BOT, "--restart", "--yes")
    stage.summary(talker)
    stage.check_app_serves(talker)
    (second,) = stage.old.registration.certificates
    assert second != first
