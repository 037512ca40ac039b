"""Texts of Azure with control characters: each command shows them, and sends none."""

import pytest
from aiohttp import web

from bot_workbench.emulator.faults import Handler
from tests.admin.migrate.migration import APP, BOT, VAULT, Migration
from tests.admin.test_console import HOSTILE, forbidden
from tests.support.azure.writes import management_servers, writes

TAG = HOSTILE.replace("\x00", "").replace("\ud800", "")
"""No word of a shell can have NUL, and no URL half of a surrogate pair."""

COMMANDS = (
    f"status --bot {BOT} --app {APP}",
    f"federated --bot {BOT} --app {APP}",
    f"certificate --bot {BOT} --app {APP} --vault {VAULT}",
    f"switch --bot {BOT} --app {APP}",
    f"back --bot {BOT}",
    f"managed-identity --bot {BOT} --new-bot contoso-bot-2 --app {APP}",
    f"delete-secret --bot {BOT} --app {APP}",
)


def harm(migration: Migration, *, leads_nowhere: bool) -> None:
    """Let names, tags and settings be those of somebody who wants to do harm."""
    bot, group = migration.bot(), migration.thread.azure.group
    tags = {f"name {TAG}": TAG, "previousEndpoint": f"https://{TAG}.example.com/api/messages"}
    texts = {"displayName": TAG, "description": TAG, "iconUrl": TAG}
    settings = {"BotCredential": TAG, f"SECRET{TAG}": TAG}
    if leads_nowhere:
        tags["replacedBy"] = TAG
        texts["endpoint"] = f"https://{TAG}/api/messages"
        settings["MicrosoftAppId"] = TAG
    migration.thread.call(bot.body["tags"].update, tags)
    migration.thread.call(bot.properties.update, texts)
    migration.thread.call(group.set_app_settings, migration.new.site, settings)


@pytest.mark.parametrize("leads_nowhere", [False, True])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.partition(" --")[0])
def test_hostile_names(migration: Migration, command: str, *, leads_nowhere: bool) -> None:
    """Tags, names, settings: as a script, as text and as JSON."""
    harm(migration, leads_nowhere=leads_nowhere)
    changes = not command.startswith("status")
    timeout = ["--timeout", "2"] if changes else []
    for option in [*(["--dry-run"] if changes else []), "", "--json"]:
        ended = migration.run(*command.split(), *option.split(), *timeout)
        assert forbidden(ended.output + ended.errors) == []


@pytest.mark.parametrize("option", ["", "--json"])
def test_hostile_message(migration: Migration, option: str) -> None:
    """The message of an answer that refuses."""

    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not writes(request):
            return await handler(request)
        error = {"code": "Refused", "message": TAG}
        return web.json_response({"error": error}, status=400)

    for server in management_servers(migration.thread.azure):
        migration.thread.call(setattr, server, "around", refuse)
    ended = migration.run("federated", "--bot", BOT, "--app", APP, *option.split())
    assert ended.status == 1
    assert forbidden(ended.output + ended.errors) == []
    assert r"\x1b]52" in ended.errors
