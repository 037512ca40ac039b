"""The old bot: BotBuilder's adapter with a secret; its sign-in and caller check are real."""

from collections.abc import Iterator

import pytest

from bot_workbench.emulator.seeds import OldBot
from tests.support.azure.azure_thread import AzureThread, answer_of
from tests.support.azure.talker import Talker

BOTS = {"SingleTenant": "contoso-single", "MultiTenant": "contoso-multi"}


@pytest.fixture(scope="module")
def thread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureThread]:
    """A local Azure that runs an old bot of each type."""
    with AzureThread(tmp_path_factory.mktemp("azure"), in_processes=True) as thread:
        for app_type, name in BOTS.items():
            old: OldBot = thread.call(thread.azure.add_old_bot, name, app_type)
            thread.settle(old.site.name)
        yield thread


@pytest.mark.parametrize("app_type", BOTS)
def test_it_signs_in_at_its_types_tenant(thread: AzureThread, app_type: str) -> None:
    """A bot of either type replies with a token that the connector accepts from that type."""
    name = BOTS[app_type]
    assert Talker(thread, name).say("hello").reply == "Old bot: hello"
    channel = thread.azure.channels[name]
    assert channel.channel.registration.app_type == app_type
    assert channel.connector.calls[-1].verified


@pytest.mark.parametrize("app_type", BOTS)
def test_entra_knows_that_it_was_the_secret(thread: AzureThread, app_type: str) -> None:
    """The sign-in reports name the secret as what the bot signs in with."""
    name = BOTS[app_type]
    Talker(thread, name).say("hello")
    app_id = thread.azure.channels[name].channel.registration.app_id
    registration = thread.azure.directory.find(app_id)
    assert registration is not None
    last = [each for each in thread.azure.directory.sign_ins if each.app_id == app_id][-1]
    assert last.credential.kind == "clientSecret"
    assert last.credential.key_id == registration.secrets[0].key_id


def test_it_refuses_strangers(thread: AzureThread) -> None:
    """A caller without the channel's token gets no turn."""
    url = f"https://{BOTS['SingleTenant']}-web.azurewebsites.net/api/messages"
    json_type = {"Content-Type": "application/json"}
    sent = thread.do(answer_of(thread.azure, "POST", url, body={"type": "message"}, **json_type))
    assert sent[0] == 401


def test_its_secret_is_in_no_log(thread: AzureThread) -> None:
    """Not even a failed sign-in writes the secret to the log."""
    name = BOTS["SingleTenant"]
    app_id = thread.azure.channels[name].channel.registration.app_id
    registration = thread.azure.directory.find(app_id)
    assert registration is not None
    kept, registration.secrets[:] = list(registration.secrets), []
    assert not Talker(thread, name).say("hello").ok
    registration.secrets[:] = kept
    site = thread.azure.group.resource_id("Microsoft.Web/sites", f"{name}-web")
    secret = thread.azure.resource_manager.app_settings(site)["MicrosoftAppPassword"]
    log = (thread.azure.folder / f"{name}-web.log").read_text()
    assert "AADSTS7000215" in log
    assert secret not in log
