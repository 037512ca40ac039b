"""Sites in processes: the old bot and this project's app, with the settings they have in Azure."""

import asyncio
import datetime
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.seeds import OldBot, PreparedFunctionApp
from bot_workbench.emulator.sites.process_site import (
    FAILED_PAGE,
    KEY_HEADER,
    NO_OVERLAP,
    ProcessSite,
    SiteHosting,
    SiteProcess,
)
from bot_workbench.emulator.sites.site import Site, site_of
from tests.emulator.sites.conftest import FUNCTIONS
from tests.support.azure.azure_thread import AzureThread, answer_of
from tests.support.azure.publisher import PACKAGE, Publisher, zipped
from tests.support.azure.talker import Talker
from tests.support.light_sites.light_site import LightSite
from tests.support.light_sites.sign_in import LightSignIn
from tests.support.program import Program
from tests.support.project import ROOT
from tests.support.timing.condition import comes_true, until

HOST = f"https://{FUNCTIONS}.azurewebsites.net"
WITHOUT_SETTINGS = "The bot is not available."
"""The answer of a Function App without a bot's settings to authorized callers."""


def identity(thread: AzureThread, app: PreparedFunctionApp) -> dict[str, object]:
    """What /api/identity answers to a caller with the key that Resource Manager shows."""
    key = thread.azure.resource_manager.function_key(app.site.id, "identity")
    call = answer_of(thread.azure, "GET", f"{HOST}/api/identity", **{"x-functions-key": key})
    status, text = thread.do(call)
    assert status == 200, text
    facts: dict[str, object] = json.loads(text)
    return facts


@contextmanager
def moved(old: OldBot) -> Iterator[None]:
    """The Azure Bot's endpoint is the Function App meanwhile."""
    properties = old.bot.properties
    kept, properties["endpoint"] = properties["endpoint"], f"{HOST}/api/messages"
    try:
        yield
    finally:
        properties["endpoint"] = kept


def write_settings(thread: AzureThread, app: PreparedFunctionApp, **changes: str) -> None:
    """Write settings as a client does, with some that differ."""
    settings = thread.azure.resource_manager.app_settings(app.site.id) | changes
    thread.call(thread.azure.group.set_app_settings, app.site, settings)


def test_the_old_bot_signs_in_with_its_secret(thread: AzureThread, old: OldBot) -> None:
    """BotBuilder's adapter checks the channel's token, signs in with the secret, and replies."""
    said = Talker(thread, "contoso-bot").say("hello")
    assert said.reply == "Old bot: hello"
    calls = thread.azure.channels["contoso-bot"].connector.calls
    assert calls[-1].verified
    assert calls[-1].appid == old.registration.app_id


def test_the_old_bot_fails_without_its_secret(thread: AzureThread, old: OldBot) -> None:
    """When Entra refuses the secret, the turn fails, and the user gets no reply."""
    kept, old.registration.secrets[:] = list(old.registration.secrets), []
    said = Talker(thread, "contoso-bot").say("hello")
    old.registration.secrets[:] = kept
    assert (said.status, said.reply) == (401, "")
    assert Talker(thread, "contoso-bot").say("hello").ok


def test_the_app_answers_at_the_bots_endpoint(
    thread: AzureThread, old: OldBot, functions: PreparedFunctionApp
) -> None:
    """A change of the Azure Bot's endpoint moves the next turn to the Function App."""
    assert Talker(thread, "contoso-bot").say("hello").reply.startswith("Old bot")
    with moved(old):
        said = Talker(thread, "contoso-bot").say("hello")
    assert said.ok
    assert not said.reply.startswith("Old bot")
    facts = identity(thread, functions)
    assert facts["kind"] == "Federated"
    assert facts["authority"] == (f"https://login.microsoftonline.com/{old.registration.tenant_id}")
    assert facts["lastOutboundCall"]


def test_the_light_runtime_proves_the_same_facts(
    thread: AzureThread, functions: PreparedFunctionApp
) -> None:
    """What answers in place of the app says the same as the app, but for the times."""
    azure = thread.azure
    site = site_of(functions.site, azure.resource_manager)
    code = LightSite(site, LightSignIn(azure.entra, lambda _: None), max, azure.directory.clock)
    light, real = thread.do(light_identity(code, site)), identity(thread, functions)
    times = ("expiresOn", "lastOutboundCall", "processStartedOn")
    assert light.keys() == real.keys()
    for name in light.keys() - set(times):
        assert light[name] == real[name], name
    for name in ("expiresOn", "processStartedOn"):
        assert datetime.datetime.fromisoformat(str(light[name])).tzinfo is not None


async def light_identity(code: LightSite, site: Site) -> dict[str, object]:
    """What a LightSite proves."""
    request = make_mocked_request("GET", "/api/identity", {"x-functions-key": site.keys[0]})
    answer = await code.answer(request)
    assert isinstance(answer, web.Response)
    facts: dict[str, object] = json.loads(answer.text or "")
    return facts


@pytest.mark.usefixtures("functions")
def test_the_identity_needs_the_functions_key(thread: AzureThread) -> None:
    """Without the key, or with another one, /api/identity is 401; health needs none."""
    url = f"{HOST}/api/identity"
    assert thread.do(answer_of(thread.azure, "GET", url))[0] == 401
    wrong = {"x-functions-key": "wrong"}
    assert thread.do(answer_of(thread.azure, "GET", url, **wrong))[0] == 401
    assert thread.do(answer_of(thread.azure, "GET", f"{HOST}/api/health"))[0] == 200


def test_the_old_process_answers_until_the_new_one_serves(
    thread: AzureThread, functions: PreparedFunctionApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a settings write, the old process still answers; then a new one does, with them."""
    serves, start = thread.do(new_event()), SiteProcess.start

    async def held(process: SiteProcess) -> None:
        await start(process)
        await serves.wait()

    before = identity(thread, functions)
    monkeypatch.setattr(SiteProcess, "start", held)
    write_settings(thread, functions, AllowedTenants="")
    assert identity(thread, functions)["processStartedOn"] == before["processStartedOn"]
    thread.call(serves.set)
    thread.settle(FUNCTIONS)
    after = identity(thread, functions)
    assert str(after["processStartedOn"]) > str(before["processStartedOn"])
    assert after["lastOutboundCall"] is None


def test_the_old_process_finishes_its_requests(
    thread: AzureThread, old: OldBot, functions: PreparedFunctionApp
) -> None:
    """A turn that runs while the site restarts is finished by the process that has it."""
    server = thread.azure.channels["contoso-bot"].connector.server
    released = thread.do(new_event())
    before = server.requests.total()

    async def held(request: web.Request, handler: Handler) -> web.StreamResponse:
        await released.wait()
        return await handler(request)

    kept, server.around = server.around, held
    with moved(old), ThreadPoolExecutor() as pool:
        turn = pool.submit(Talker(thread, "contoso-bot").say, "hello")
        until(lambda: server.requests.total() > before)
        for _ in range(2):  # the second one takes longer than a process that is stopped lives on
            write_settings(thread, functions)
            thread.settle(FUNCTIONS)
        assert not turn.done()
        server.around = kept
        thread.call(released.set)
        assert turn.result().ok


async def new_event() -> asyncio.Event:
    """An event of the local Azure's loop."""
    return asyncio.Event()


def test_without_overlap_requests_wait(thread: AzureThread, functions: PreparedFunctionApp) -> None:
    """With overlapped recycling off, a request waits for the new process and is not lost."""
    before = identity(thread, functions)
    kept = thread.azure.resource_manager.app_settings(functions.site.id)
    write_settings(thread, functions, **{NO_OVERLAP: "1"})
    try:
        after = identity(thread, functions)
    finally:
        thread.call(thread.azure.group.set_app_settings, functions.site, kept)
        thread.settle(FUNCTIONS)
    assert str(after["processStartedOn"]) > str(before["processStartedOn"])


def test_a_stopped_site(thread: AzureThread, functions: PreparedFunctionApp) -> None:
    """A stopped site is answered 403 by the front end; a started one serves again."""
    for state, status in (("Stopped", 403), ("Running", 200)):
        functions.site.properties["state"] = state
        thread.call(thread.azure.resource_manager.on_site_change, functions.site)
        thread.settle(FUNCTIONS)
        answer = thread.do(answer_of(thread.azure, "GET", f"{HOST}/api/health"))
        assert answer[0] == status
        assert ("This web app is stopped." in answer[1]) == (status == 403)


def test_a_site_that_does_not_exist(thread: AzureThread) -> None:
    """The front end answers 404 for a name that no site has."""
    url = "https://contoso-nothing.azurewebsites.net/"
    assert thread.do(answer_of(thread.azure, "GET", url))[0] == 404


def test_a_site_that_cannot_start(thread: AzureThread, caplog: pytest.LogCaptureFixture) -> None:
    """Without its secret's setting, the old bot cannot start: 503 until the setting is back.

    The emulator's log has the end of the site's.
    """
    old = thread.call(thread.azure.add_old_bot, "contoso-broken")
    settings = thread.azure.resource_manager.app_settings(old.site.id)
    thread.settle(old.site.name)
    without = {name: text for name, text in settings.items() if name != "MicrosoftAppPassword"}
    talker = Talker(thread, "contoso-broken")
    for written, status in ((without, 503), (settings, 201)):
        thread.call(thread.azure.group.set_app_settings, old.site, written)
        thread.settle(old.site.name)
        assert talker.say("hello").status == status
    assert "contoso-broken-web does not start. Its log ends:\n" in caplog.text
    assert "'APP_PASSWORD' is expected" in caplog.text


@pytest.fixture
def hosting(thread: AzureThread, tmp_path: Path) -> SiteHosting:
    """For sites that no resource describes."""
    azure = thread.azure
    names, app = azure.folder / "names.json", azure.folder / "app"
    return SiteHosting(azure.entra, names, azure.authority.path, app, tmp_path)


async def text_of_identity(code: ProcessSite, key: str = "") -> str:
    """The answer of a site's /api/identity to a caller with a key."""
    answer = await code.answer(make_mocked_request("GET", "/api/identity", {KEY_HEADER: key}))
    assert isinstance(answer, web.Response)
    return answer.text or ""


def test_a_site_whose_process_cannot_be_created(
    thread: AzureThread, hosting: SiteHosting, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody expects is logged with its trace, and the site answers 503."""

    async def answered() -> str:
        site = Site("contoso-broken", is_function_app=False)
        code = ProcessSite(site, replace(hosting, logs=hosting.logs / "missing"))
        await code.settled()
        text = await text_of_identity(code)
        await code.stop()
        return text

    assert thread.do(answered()) == FAILED_PAGE
    assert "contoso-broken does not start\nTraceback" in caplog.text


def test_a_key_that_begins_with_a_hyphen(thread: AzureThread, hosting: SiteHosting) -> None:
    """The Function App starts with it, and accepts it: one key in 64 begins so."""

    async def answered() -> str:
        code = ProcessSite(Site("contoso-hyphen", is_function_app=True, keys=("-key",)), hosting)
        text = await text_of_identity(code, "-key")
        await code.stop()
        return text

    assert WITHOUT_SETTINGS in thread.do(answered())


def test_a_change_while_the_process_starts(thread: AzureThread, hosting: SiteHosting) -> None:
    """Without overlap, a process that started with outdated settings answers no request."""

    async def first_answer() -> str:
        old = Site("contoso-changed", is_function_app=True, keys=("old",))
        code = ProcessSite(old, hosting)
        await asyncio.sleep(0)  # it starts now
        code.change(replace(old, settings={NO_OVERLAP: "1"}, keys=("new",)))
        await comes_true(lambda: code.is_running)
        text = await text_of_identity(code, "new")
        await code.stop()
        return text

    assert WITHOUT_SETTINGS in thread.do(first_answer())


def test_a_request_that_waits_for_a_site_that_ends(
    thread: AzureThread, hosting: SiteHosting
) -> None:
    """It is answered, though no process will ever start."""

    async def answered() -> str:
        code = ProcessSite(Site("contoso-ended", is_function_app=True), hosting)
        waiting = asyncio.create_task(text_of_identity(code))
        await asyncio.sleep(0)
        await code.stop()
        return await asyncio.wait_for(waiting, 60)

    assert thread.do(answered()) == FAILED_PAGE


def test_the_functions_key_is_on_no_command_line(
    thread: AzureThread, functions: PreparedFunctionApp
) -> None:
    """Other users of the machine see command lines."""
    listed = subprocess.run(
        ["/bin/ps", "-wweo", "args"], capture_output=True, text=True, check=True
    )
    assert f"{thread.azure.folder}/names.json" in listed.stdout
    manager = thread.azure.resource_manager
    keys = (
        manager.function_key(functions.site.id, "identity"),
        manager.master_key(functions.site.id),
    )
    assert not any(key in listed.stdout for key in keys)


def test_a_process_whose_parent_has_ended_before(tmp_path: Path) -> None:
    """It ends by itself, even if it was never seen by its parent."""
    with Program([sys.executable, "-c", ""]) as parent:
        pass
    options = ["--names", str(tmp_path / "names"), "--log", str(tmp_path / "log")]
    options += ["--parent", str(parent.pid), "http.server", "--bind", "127.0.0.1", "0"]
    command = [sys.executable, "-m", "bot_workbench.emulator.sites", *options]
    assert subprocess.run(command, cwd=ROOT, timeout=60, check=False).returncode == 1


def test_a_process_has_only_its_sites_identities(
    thread: AzureThread, functions: PreparedFunctionApp
) -> None:
    """An identity that is taken from the site cannot be used after the restart."""
    kept = functions.site.body["identity"]
    other = thread.call(thread.azure.group.identity, "contoso-other")
    assigned = {other["id"]: {name: other[name] for name in ("clientId", "principalId")}}
    another = {"type": "UserAssigned", "userAssignedIdentities": assigned}
    for identity, status in ((another, 503), ({"type": "None"}, 503), (kept, 200)):
        functions.site.body["identity"] = identity
        thread.call(thread.azure.resource_manager.on_site_change, functions.site)
        thread.settle(FUNCTIONS)
        assert thread.do(answer_of(thread.azure, "GET", f"{HOST}/api/health"))[0] == status


def test_no_process_outlives_its_site(thread: AzureThread) -> None:
    """A site that is removed ends its process."""
    old = thread.call(thread.azure.add_old_bot, "contoso-removed")
    thread.settle(old.site.name)
    code = thread.azure.sites.code(old.site.name)
    assert isinstance(code, ProcessSite)
    assert code.is_running
    thread.do(thread.azure.sites.remove(old.site.name))
    assert not code.is_running


def test_a_published_package_runs(thread: AzureThread, functions: PreparedFunctionApp) -> None:
    """The next process runs the package's code, and its host's status is there for the master."""
    publisher = Publisher(thread, functions.site)
    publisher.publish(zipped(PACKAGE))
    thread.settle(FUNCTIONS)
    assert publisher.ask("GET", f"{HOST}/api/greet/you").text == "published"
    assert publisher.ask("GET", f"{HOST}/api/health").status_code == 404
    status = f"{HOST}/admin/host/status"
    key = thread.azure.resource_manager.master_key(functions.site.id)
    assert publisher.ask("GET", f"{status}?code={key}").json()["state"] == "Running"
    assert publisher.ask("GET", status).status_code == 401
