"""The three routes, end to end: a running bot loses its secret while somebody talks to it."""

import json

import pytest

from emulator.channel.bot_channel import BotChannel
from tests.end_to_end.migration.conftest import APP, BOT, VAULT, Stage
from tests.support.azure.talker import Talker

NEW_BOT = "contoso-bot-2"
REFUSED_BY_COMMAND = 1
REFUSED = "AADSTS7000215"


def check_old_bot_serves(stage: Stage) -> None:
    """The bot signs in with its secret, and answers."""
    assert stage.sign_in_with_secret().status_code == 200
    assert Talker(stage.thread, BOT).say("hello").reply == "Old bot: hello"


def check_secret_is_gone(stage: Stage) -> None:
    """No secret is left at the registration, nor in a setting; Entra refuses the old one."""
    assert stage.old.registration.secrets == []
    refused = stage.sign_in_with_secret()
    assert refused.status_code == 401
    assert REFUSED in refused.text
    sites = (stage.old.site, stage.new.site)
    settings = [stage.azure.resource_manager.app_settings(site.id) for site in sites]
    assert not any(stage.secret in each.values() for each in settings)


def check_app_serves(stage: Stage, talker: Talker) -> None:
    """No turn failed, and the new app, which signs in as the same bot, has had the last one."""
    assert talker.failed == []
    assert not talker.turns[-1].reply.startswith("Old bot")
    assert caller_of(stage.azure.channels[BOT]) == stage.old.registration.app_id


def caller_of(channel: BotChannel) -> str:
    """The app id (GUID) that the last call of the connector was signed in with."""
    call = channel.connector.calls[-1]
    assert call.verified
    return call.appid


@pytest.mark.parametrize("app_type", ["SingleTenant", "MultiTenant"])
def test_certificate(stage: Stage) -> None:
    """With a certificate, a bot of either type keeps its id, and no turn fails."""
    check_old_bot_serves(stage)
    route = ("--bot", BOT, "--app", APP, "--vault", VAULT, "--yes")
    with Talker(stage.thread, BOT) as talker:
        stage.shell.done("migrate", "certificate", *route)
        stage.shell.done("migrate", "switch", "--bot", BOT, "--app", APP, "--yes")
        stage.shell.done("migrate", "delete-secret", "--bot", BOT, "--yes")
        report = stage.shell.done("migrate", "status", "--bot", BOT, "--json")
    stage.summary(talker)
    check_app_serves(stage, talker)
    check_secret_is_gone(stage)
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
    check_app_serves(stage, talker)
    (second,) = stage.old.registration.certificates
    assert second != first


def test_federated(stage: Stage) -> None:
    """With a federated credential, the bot keeps its id, and no turn fails."""
    check_old_bot_serves(stage)
    with Talker(stage.thread, BOT) as talker:
        stage.shell.done("migrate", "federated", "--bot", BOT, "--app", APP, "--yes")
        stage.shell.done("migrate", "switch", "--bot", BOT, "--app", APP, "--yes")
        stage.shell.done("migrate", "delete-secret", "--bot", BOT, "--yes")
    stage.summary(talker)
    check_app_serves(stage, talker)
    check_secret_is_gone(stage)


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


def test_managed_identity(stage: Stage) -> None:
    """With a managed identity, a new bot answers under a new id, and the old one until the end."""
    check_old_bot_serves(stage)
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
    assert caller_of(stage.azure.channels[NEW_BOT]) == stage.new.identity["clientId"]
    check_secret_is_gone(stage)
