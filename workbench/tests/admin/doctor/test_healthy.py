"""The doctor finds nothing where nothing is wrong, and changes nothing."""

import pytest
from aiohttp import web

from bot_workbench.credential_kinds import KINDS
from bot_workbench.emulator.faults import Handler
from tests.admin.doctor.examined_bot import ExaminedBot
from tests.admin.migrate.migration import APP, BOT
from tests.support.azure.small_pages import use_small_pages

READING_POSTS = ("/config/appsettings/list", "/functions/identity/listkeys", "/query")
"""POSTs to Resource Manager and Log Analytics that only read."""

KNOCKS = ("/api/messages",)
"""POSTs of an empty body without a token, which the bot refuses."""


@pytest.mark.parametrize("credential", KINDS)
def test_a_healthy_bot(bot: ExaminedBot) -> None:
    """Each credential: no finding, exit 0, and the facts."""
    ended = bot.run("--bot", BOT, "--json")
    assert ended.json["findings"] == []
    assert ended.status == 0
    assert ended.json["app"]["name"] == APP
    facts = ended.json["facts"]
    assert facts["health"] == "200"
    assert facts["turns"] == "12"
    assert facts["refused"] == "3"
    assert bot.app_id in facts["signs in"]


@pytest.mark.parametrize("credential", KINDS)
def test_lists_come_in_many_pages(bot: ExaminedBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them is read to its end: a role, a channel or a version on a later page is there."""
    before = bot.run("--bot", BOT, "--json")
    read = use_small_pages(bot.azure, monkeypatch)
    assert bot.run("--bot", BOT, "--json") == before
    assert read >= {"basicpublishingcredentialspolicies", "channels", "roleassignments"}


def test_settings_of_the_host_are_no_secrets(bot: ExaminedBot) -> None:
    """Names that only sound like secrets."""
    bot.set_settings(AzureWebJobsSecretStorageType="files")
    assert bot.findings() == []


@pytest.mark.parametrize("words", [(), ("--app", APP), ("--resource-group", "contoso-bots")])
def test_the_bot_is_found(bot: ExaminedBot, words: tuple[str, ...]) -> None:
    """As the only one, or by its app."""
    ended = bot.run(*words, "--json")
    assert ended.status == 0, ended.output + ended.errors
    assert ended.json["bot"]["name"] == BOT


def test_it_only_reads(bot: ExaminedBot) -> None:
    """Every request is a GET, a POST that only asks, or a POST to the
    endpoint that the bot refuses."""
    sent: list[tuple[str, str]] = []

    async def listen(request: web.Request, handler: Handler) -> web.StreamResponse:
        sent.append((request.method, request.path.lower()))
        return await handler(request)

    vaults = [vault.server for vault in bot.azure.vaults.values()]
    for name, server in bot.azure.servers.items():
        if name != "login.microsoftonline.com":  # a sign-in is a POST
            server.around = listen
    for server in vaults:
        server.around = listen
    assert bot.run().status == 0
    assert len(sent) > 20
    others = {path for method, path in sent if method != "GET"}
    assert all(path.endswith((*READING_POSTS, *KNOCKS)) for path in others), others
    assert {method for method, _ in sent} == {"GET", "POST"}
