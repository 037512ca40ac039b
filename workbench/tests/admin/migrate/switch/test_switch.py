"""`switch` and `back`, against the local Azure."""

from collections.abc import Callable

import pytest
from aiohttp import web

from bot_workbench.emulator.faults import Handler
from tests.admin.migrate.migration import APP, BOT, NEW_ENDPOINT, OLD_ENDPOINT, Migration
from tests.support.azure.writes import interfere_with_writes

SWITCH = ("switch", "--bot", BOT, "--app", APP)


def test_switch_and_back(migration: Migration) -> None:
    """The endpoint moves to the new app and back, and the tags remember both."""
    migration.let_new_app_sign_in()
    migration.thread.call(migration.bot().body["tags"].update, {"costCenter": "42"})
    ended = migration.run(*SWITCH)
    assert ended.status == 0, ended.output + ended.errors
    assert migration.endpoint == NEW_ENDPOINT
    tags = migration.tags()
    assert tags.pop("switchedOn")
    remembered = {"previousEndpoint": OLD_ENDPOINT, "newEndpoint": NEW_ENDPOINT}
    assert tags == {"costCenter": "42", **remembered}
    assert f"Way back: bot migrate back --bot {BOT}" in ended.output

    ended = migration.run("back", "--bot", BOT)
    assert ended.status == 0, ended.output + ended.errors
    assert migration.endpoint == OLD_ENDPOINT
    assert migration.tags().items() >= {"costCenter": "42", **remembered}.items()

    ended = migration.run("switch", "--bot", BOT)
    assert ended.status == 0, ended.output + ended.errors
    assert migration.endpoint == NEW_ENDPOINT


def test_a_second_new_app_does_not_replace_the_old_one(migration: Migration) -> None:
    """`back` and `delete-secret` need the app with the secret; the way back is the app between."""
    migration.let_new_app_sign_in()
    assert migration.run(*SWITCH).status == 0
    azure = migration.thread.azure
    migration.new = migration.thread.call(azure.add_function_app, "contoso-second")
    migration.let_new_app_sign_in()
    second = NEW_ENDPOINT.replace(APP, "contoso-second")
    ended = migration.run("switch", "--bot", BOT, "--app", "contoso-second")
    assert ended.status == 0, ended.output + ended.errors
    assert migration.endpoint == second
    remembered = {"previousEndpoint": OLD_ENDPOINT, "newEndpoint": second}
    assert migration.tags().items() >= remembered.items()
    assert f"Way back: bot migrate switch --bot {BOT} --app {APP}" in ended.output

    ended = migration.run("back", "--bot", BOT)
    assert ended.status == 0, ended.output + ended.errors
    assert migration.endpoint == OLD_ENDPOINT
    ended = migration.run(*SWITCH)
    assert ended.status == 0, ended.output + ended.errors
    assert f"Way back: bot migrate back --bot {BOT}" in ended.output
    assert migration.run("switch", "--bot", BOT, "--app", "contoso-second").status == 0
    assert migration.tags().items() >= remembered.items()


def lose_tags(migration: Migration, is_lost: Callable[[int], bool]) -> list[str]:
    """Answer writes of the bot as done, although another program has just dropped its tags.

    Args:
        migration: has the bot.
        is_lost: whether the tags of the n-th write, from 0, are dropped.

    Returns:
        The bot's endpoint after each write so far.
    """
    endpoints: list[str] = []

    async def interfere(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if request.method == "PATCH" and is_lost(len(endpoints)):
            migration.bot().body["tags"] = {}
        endpoints.append(migration.endpoint)
        return answer

    migration.thread.call(interfere_with_writes, migration.thread.azure, interfere)
    return endpoints


def test_without_a_remembered_way_back_the_endpoint_stays(migration: Migration) -> None:
    """Azure answers that the tags are written, and no read shows them."""
    migration.let_new_app_sign_in()
    lose_tags(migration, lambda _: True)
    ended = migration.run(*SWITCH)
    assert ended.status == 1, ended.output + ended.errors
    assert "previousEndpoint was written 3 times, and is not on the Azure Bot" in ended.errors
    assert "The endpoint stays where it is" in ended.errors
    assert "Way back:" not in ended.output
    assert migration.endpoint == OLD_ENDPOINT


def test_tags_that_another_program_overwrites_are_written_again(migration: Migration) -> None:
    """Before the endpoint moves, and after it: each time once."""
    migration.let_new_app_sign_in()
    endpoints = lose_tags(migration, lambda number: number in {0, 2})
    ended = migration.run(*SWITCH)
    assert ended.status == 0, ended.output + ended.errors
    assert endpoints == [OLD_ENDPOINT, OLD_ENDPOINT, NEW_ENDPOINT, NEW_ENDPOINT]
    remembered = {"previousEndpoint": OLD_ENDPOINT, "newEndpoint": NEW_ENDPOINT}
    assert migration.tags().items() >= remembered.items()
    ended = migration.run("back", "--bot", BOT)
    assert ended.status == 0, ended.output + ended.errors
    assert migration.endpoint == OLD_ENDPOINT


def test_a_way_back_that_is_lost_after_the_move_is_printed_whole(migration: Migration) -> None:
    """`back` would refuse, so the command names the endpoint itself."""
    migration.let_new_app_sign_in()
    lose_tags(migration, lambda number: number > 0)
    ended = migration.run(*SWITCH)
    assert ended.status == 1, ended.output + ended.errors
    assert migration.endpoint == NEW_ENDPOINT
    assert f"--endpoint {OLD_ENDPOINT} " in ended.errors
    assert "Way back:" not in ended.output
    ended = migration.run(*SWITCH)
    assert "Way back:" not in ended.output


def test_the_way_back_to_an_app_that_the_account_does_not_see(migration: Migration) -> None:
    """`back` would lead to the old app, not to the one that answered before."""
    migration.let_new_app_sign_in()
    assert migration.run(*SWITCH).status == 0
    azure, first = migration.thread.azure, migration.new.site
    migration.new = migration.thread.call(azure.add_function_app, "contoso-second")
    migration.let_new_app_sign_in()
    migration.thread.call(azure.resource_manager.resources.remove, first.id)
    ended = migration.run("switch", "--bot", BOT, "--app", "contoso-second", "--json")
    assert ended.status == 0, ended.output + ended.errors
    assert ended.json["wayBack"].startswith("az bot update ")
    assert f" --endpoint {NEW_ENDPOINT} " in ended.json["wayBack"]


def test_no_way_back_from_what_was_not_done(migration: Migration) -> None:
    """After a `back`, somebody has moved the endpoint by hand: `back` would undo that."""
    migration.let_new_app_sign_in()
    assert migration.run(*SWITCH).status == migration.run("back", "--bot", BOT).status == 0
    elsewhere = {"endpoint": "https://bot.contoso.com/api/messages"}
    migration.thread.call(migration.bot().properties.update, elsewhere)
    migration.thread.call(migration.new.site.properties.update, {"state": "Stopped"})
    migration.thread.call(
        migration.thread.azure.resource_manager.on_site_change, migration.new.site
    )
    refused = migration.run(*SWITCH)
    assert refused.status == 1
    assert "Way back" not in refused.output


def test_no_way_back_from_where_the_bot_always_was(migration: Migration) -> None:
    """No switch has moved it."""
    migration.let_new_app_sign_in()
    migration.thread.call(migration.bot().properties.update, {"endpoint": NEW_ENDPOINT})
    ended = migration.run(*SWITCH, "--json")
    assert ended.status == 0, ended.output + ended.errors
    assert ended.json["wayBack"] is None


@pytest.mark.parametrize("words", [SWITCH, ("back", "--bot", BOT)])
def test_running_it_again_changes_nothing(migration: Migration, words: tuple[str, ...]) -> None:
    """A command that is done says so, and sends nothing."""
    migration.let_new_app_sign_in()
    migration.run(*SWITCH)
    migration.run(*words)
    before = migration.bot().etag
    ended = migration.run(*words, "--json")
    assert ended.status == 0
    assert not any(step["changes"] for step in ended.json["steps"])
    assert migration.bot().etag == before


def test_switch_refuses_an_app_that_cannot_sign_in(migration: Migration) -> None:
    """Without a proof, the users stay with the old app."""
    ended = migration.run(*SWITCH, "--json")
    assert ended.status == 1
    assert ended.json["result"] == "refused"
    assert "it cannot sign in yet" in ended.json["reason"]
    assert migration.endpoint == OLD_ENDPOINT


def test_switch_gives_a_cold_app_another_look(migration: Migration) -> None:
    """An app that is starting does not stop the switch."""
    migration.let_new_app_sign_in()
    sites = migration.thread.azure.servers["*.azurewebsites.net"]
    migration.thread.call(sites.faults.set, status=503, remaining=2, path="/api/identity")
    ended = migration.run(*SWITCH)
    assert ended.status == 0, ended.output
    assert migration.endpoint == NEW_ENDPOINT


def test_switch_refuses_another_bots_app(migration: Migration) -> None:
    """An app that signs in as another bot would answer the users with 401."""
    other = migration.thread.call(migration.thread.azure.add_old_bot, "other-bot")
    migration.old = other
    migration.let_new_app_sign_in()
    ended = migration.run(*SWITCH, "--json")
    assert ended.status == 1
    assert f"appId ({other.registration.app_id}, not " in ended.json["reason"]
    assert "change the setting MicrosoftAppId" in ended.json["reason"]


@pytest.mark.parametrize(
    ("status", "headers", "reason"),
    [
        (302, {"Location": "https://login.microsoftonline.com/"}, "own authentication"),
        (401, {"WWW-Authenticate": 'Bearer realm="contoso"'}, "own authentication"),
        (403, {}, "AzureBotService"),
        (404, {}, "no /api/messages"),
    ],
)
def test_switch_refuses_an_app_that_lets_no_channel_in(
    migration: Migration, status: int, headers: dict[str, str], reason: str
) -> None:
    """A proof at /api/identity does not say that messages arrive."""
    migration.let_new_app_sign_in()
    code = migration.thread.azure.sites.code(APP)
    passed_on = code.answer

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/api/messages":
            return web.Response(status=status, headers=headers)
        return await passed_on(request)

    migration.thread.call(setattr, code, "answer", answer)
    ended = migration.run(*SWITCH, "--json")
    assert ended.status == 1, ended.output
    assert ended.json["result"] == "refused"
    assert reason in ended.json["reason"]
    assert migration.endpoint == OLD_ENDPOINT


def test_switch_refuses_an_app_without_the_code(migration: Migration) -> None:
    """A web app that has no function cannot prove anything."""
    migration.thread.call(migration.thread.azure.add_old_bot, "other-bot")
    ended = migration.run("switch", "--bot", BOT, "--app", "other-bot-web", "--json")
    assert ended.status == 1
    assert "no /api/identity" in ended.json["reason"]


def test_switch_needs_the_apps_name_once(migration: Migration) -> None:
    """Before the first switch, nothing says where to."""
    ended = migration.run("switch", "--bot", BOT)
    assert ended.status == 2
    assert "--app" in ended.errors


def test_back_needs_a_switch(migration: Migration) -> None:
    """Without a remembered endpoint, the cure is named."""
    ended = migration.run("back", "--bot", BOT)
    assert ended.status == 1
    assert "az bot update" in ended.output
    assert migration.endpoint == OLD_ENDPOINT


def test_back_warns_if_the_old_app_is_gone(migration: Migration) -> None:
    """It moves the endpoint all the same: the user may be about to start the app."""
    migration.let_new_app_sign_in()
    migration.run(*SWITCH)
    resources = migration.thread.azure.resource_manager
    old = migration.old.site
    migration.thread.call(old.body.setdefault("properties", {}).update, {"state": "Stopped"})
    migration.thread.call(resources.resources.remove, old.id)
    migration.thread.call(resources.on_site_change, old)
    ended = migration.run("back", "--bot", BOT)
    assert ended.status == 0
    assert "users get no replies until the old app runs" in ended.output
    assert migration.endpoint == OLD_ENDPOINT


def test_back_refuses_if_no_secret_is_left(migration: Migration) -> None:
    """The old app signs in with the secret, and could answer nobody."""
    migration.let_new_app_sign_in()
    migration.run(*SWITCH)
    migration.thread.call(migration.old.registration.secrets.clear)
    ended = migration.run("back", "--bot", BOT, "--json")
    assert ended.status == 1, ended.output
    assert ended.json["result"] == "refused"
    assert "no secret of the bot is left" in ended.json["reason"]
    assert migration.endpoint == NEW_ENDPOINT


def test_back_accepts_an_old_app_that_proves_itself(migration: Migration) -> None:
    """An old app that has a new credential, too, needs no secret."""
    migration.let_new_app_sign_in()
    migration.run(*SWITCH)
    migration.thread.call(migration.old.registration.secrets.clear)
    migration.thread.call(migration.bot().body["tags"].update, {"previousEndpoint": NEW_ENDPOINT})
    migration.thread.call(migration.bot().properties.update, {"endpoint": OLD_ENDPOINT})
    ended = migration.run("back", "--bot", BOT)
    assert ended.status == 0, ended.output
    assert migration.endpoint == NEW_ENDPOINT


def test_back_works_if_the_directory_cannot_be_read(migration: Migration) -> None:
    """The way back may be urgent, and its user may only change the bot."""
    migration.let_new_app_sign_in()
    migration.run(*SWITCH)
    azure = migration.thread.azure
    migration.thread.call(azure.graph.app_roles.__setitem__, azure.pipeline.object_id, set())
    ended = migration.run("back", "--bot", BOT)
    assert ended.status == 0, ended.output + ended.errors
    assert "cannot be read" in ended.output
    assert migration.endpoint == OLD_ENDPOINT


def test_a_managed_identity_has_no_secret_to_delete(migration: Migration) -> None:
    """After the switch of such a bot, `status` is next."""
    identity = migration.new.identity["clientId"]
    migration.thread.call(
        migration.bot().properties.update,
        {"msaAppType": "UserAssignedMSI", "msaAppId": identity},
    )
    values = {"MicrosoftAppId": identity, "BotCredential": "ManagedIdentity"}
    migration.let_new_app_sign_in(**values, MicrosoftAppType="UserAssignedMSI")
    ended = migration.run(*SWITCH)
    assert ended.status == 0, ended.output
    assert f"migrate status --bot {BOT}" in ended.output
    assert "delete-secret" not in ended.output


def test_an_endpoint_at_a_slot_is_refused_by_name(migration: Migration) -> None:
    """The commands work on apps, not on their slots."""
    azure = migration.thread.azure
    slot = f"{migration.new.site.id}/slots/staging"
    made = migration.thread.call(azure.resource_manager.put, slot, {"location": "westeurope"})
    endpoint = f"https://{made.properties['defaultHostName']}/api/messages"
    migration.thread.call(migration.bot().properties.update, {"endpoint": endpoint})
    ended = migration.run("federated", "--bot", BOT, "--json")
    assert ended.status == 1
    assert f"is the slot staging of {APP}" in ended.json["reason"]


def test_an_app_is_recognised_by_its_host_names_only(migration: Migration) -> None:
    """The plain name of an app whose host name has a hash may be a stranger's."""
    hashed = {"defaultHostName": "x-1.westeurope-01.azurewebsites.net", "hostNames": []}
    migration.thread.call(migration.new.site.properties.update, hashed)
    migration.thread.call(migration.bot().properties.update, {"endpoint": NEW_ENDPOINT})
    ended = migration.run("federated", "--bot", BOT, "--json")
    assert ended.status == 1
    assert "no app that your account sees has the host name" in ended.json["reason"]


def test_an_app_that_is_just_deleted_is_skipped(migration: Migration) -> None:
    """Resource Manager lists it for a while."""
    azure = migration.thread.azure
    sites = azure.servers["management.azure.com"]
    migration.thread.call(
        migration.bot().properties.update, {"endpoint": NEW_ENDPOINT.replace(APP, "www")}
    )
    migration.thread.call(
        migration.new.site.properties.update, {"hostNames": ["www.azurewebsites.net"]}
    )
    path = f"{migration.old.site.id}"
    migration.thread.call(sites.faults.set, status=404, remaining=1, path=path)
    ended = migration.run("federated", "--bot", BOT, "--dry-run")
    assert ended.status == 0, ended.errors


def test_a_dry_run_prints_the_call(migration: Migration) -> None:
    """The exact call and its `az` command, and nothing is changed."""
    migration.let_new_app_sign_in()
    ended = migration.run(*SWITCH, "--dry-run")
    assert ended.status == 0, ended.errors
    assert "# PATCH https://management.azure.com/subscriptions/" in ended.output
    assert "az bot update --subscription" in ended.output
    assert f"previousEndpoint={OLD_ENDPOINT}" in ended.output
    assert migration.endpoint == OLD_ENDPOINT


def test_an_unknown_bot_is_named(migration: Migration) -> None:
    """The message says where it has looked."""
    ended = migration.run("back", "--bot", "nobody", "--json")
    assert ended.status == 2
    assert "no Azure Bot has the name 'nobody'" in ended.json["reason"]


def test_an_unknown_cloud_is_a_wrong_command_line(migration: Migration) -> None:
    """The clouds that there are are listed."""
    ended = migration.run("back", "--bot", BOT, "--cloud", "Moon")
    assert ended.status == 2
    assert "AzureUSGovernment" in ended.errors
