"""Publishing: what `func azure functionapp publish` asks, and what becomes of the package."""

import asyncio
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import web

from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.local_azure import PUBLISHING, RESOURCE_MANAGER, SITES
from bot_workbench.emulator.resource_manager.resource import Resource
from bot_workbench.emulator.seeds import FUNCTIONS
from bot_workbench.emulator.sites.publishing import DEPLOYING, FAILED, SUCCESS
from tests.support.azure.azure_thread import AzureThread
from tests.support.azure.publisher import (
    APP,
    CODE,
    HASH,
    MANAGEMENT,
    PACKAGE,
    SCM,
    Publisher,
    V,
    zipped,
)
from tests.support.func.func import call_func
from tests.support.timing.condition import until


class Row(NamedTuple):
    """One request of Core Tools.

    Attributes:
        method: HTTP method.
        url: with what earlier answers had in braces.
        body: what is sent.
        reads: the paths of what Core Tools read in the answer.
    """

    method: str
    url: str
    reads: tuple[str, ...] = ()
    body: Any = None


ROWS = (
    Row("GET", f"{MANAGEMENT}/subscriptions?api-version=2018-09-01", ("value.0.subscriptionId",)),
    Row(
        "POST",
        f"{MANAGEMENT}/providers/Microsoft.ResourceGraph/resources?api-version=2019-04-01",
        ("data.rows.0.0",),
        {
            "subscriptions": ["{subscription}"],
            "query": f"where type =~ 'Microsoft.Web/sites' and name =~ '{APP}' | project id",
        },
    ),
    Row(
        "GET",
        f"{MANAGEMENT}{{id}}?{V}",
        (
            *("name", "kind", "location", "properties.defaultHostName"),
            *("properties.enabledHostNames.1", "properties.sku"),
            "properties.functionAppConfig.runtime.name",
        ),
    ),
    Row(
        "POST",
        f"{MANAGEMENT}{{id}}/config/PublishingCredentials/list?{V}",
        ("properties.publishingUserName", "properties.publishingPassword"),
        "null",
    ),
    Row("GET", f"{MANAGEMENT}{{id}}/config/web?{V}", ("properties.scmType",)),
    Row(
        "POST",
        f"{MANAGEMENT}{{id}}/config/AppSettings/list?{V}",
        ("properties.AzureWebJobsStorage__accountName",),
        "null",
    ),
    Row("POST", f"{MANAGEMENT}{{id}}/config/ConnectionStrings/list?{V}", ("properties",), "null"),
    Row(
        "GET",
        f"{MANAGEMENT}/providers/Microsoft.Web/functionAppStacks?api-version=2020-10-01",
        ("value.0.name", "value.0.properties.majorVersions.0.minorVersions.0.value"),
    ),
    Row(
        "POST",
        f"{SCM}/api/publish?isAsync=true&author=me&Deployer=core_tools&RemoteBuild=True",
        (),
        zipped(PACKAGE),
    ),
    Row("GET", f"{SCM}/api/deployments", ("0.id", "0.status")),
    Row("GET", f"{SCM}/api/deployments/{{deployment}}", ("status",)),
    Row("GET", f"{SCM}/api/deployments/{{deployment}}/log", ("0.log_time", "0.message")),
    Row("POST", f"{MANAGEMENT}{{id}}/host/default/listKeys?{V}", ("masterKey",), "null"),
    Row("GET", f"https://{APP}.azurewebsites.net/admin/host/status?code={{key}}"),
    Row(
        "GET",
        f"{MANAGEMENT}{{id}}/functions?{V}",
        (
            *("value.0.properties.name", "value.0.properties.config.bindings.0.type"),
            "value.0.properties.invoke_url_template",
        ),
    ),
    Row("GET", f"{MANAGEMENT}{{id}}/functions?{V}", ("value.0.properties.name",)),
)
"""In this order, for an app with requirements.txt (azure-functions-core-tools 4.14)."""


@pytest.fixture
def published(tmp_path: Path) -> Iterator[Publisher]:
    """A new Function App in a local Azure of its own."""
    with AzureThread(tmp_path) as thread:
        yield Publisher(thread, thread.call(thread.azure.add_function_app, APP).site)


def value_at(answer: Any, path: str) -> Any:
    """What an answer has at a path of names and places."""
    for part in path.split("."):
        answer = answer[int(part)] if part.isdecimal() else answer[part]
    return answer


def test_func_finds_what_it_reads(published: Publisher) -> None:
    """Each request of `func azure functionapp publish`, in order, has the answer that it needs."""
    known = {"subscription": published.manager.subscription_id}
    answers: list[Any] = []
    for row in ROWS:
        body = row.body
        if isinstance(body, dict):
            body = json.loads(json.dumps(body).replace("{subscription}", known["subscription"]))
        url = row.url.format(**known)
        if url.endswith(known.get("deployment", "-")):
            until(functools.partial(published.has_ended, url))
        answer = published.ask(row.method, url, body)
        assert answer.ok, f"{row}: {answer.text}"
        answers.append(answer.json())
        for path in row.reads:
            assert value_at(answers[-1], path) is not None, (row, path)
        if "ResourceGraph" in url:
            known["id"] = answers[-1]["data"]["rows"][0][0]
        elif url.endswith("/deployments"):
            known["deployment"] = answers[-1][0]["id"]
        elif "listKeys" in url:
            known["key"] = answers[-1]["masterKey"]
    assert answers[8] == known["deployment"]
    assert answers[2]["properties"]["enabledHostNames"][1] == SCM.removeprefix("https://")


def test_the_stand_in_sends_the_same(published: Publisher, tmp_path: Path) -> None:
    """The program that the runbooks call sends these requests in this order, and no others."""
    sent: list[tuple[str, str]] = []

    async def recorded(request: web.Request, handler: Handler) -> web.StreamResponse:
        sent.append((request.method, f"https://{request.host}{request.path}"))
        return await handler(request)

    for name in (RESOURCE_MANAGER, PUBLISHING, SITES):
        published.thread.azure.servers[name].around = recorded
    for name, text in PACKAGE.items():
        (tmp_path / name).write_text(text)
    (tmp_path / ".funcignore").write_text("package.sha256\n*.json.gz\ncloud\n")
    done = call_func(published, "publish", APP, "--python", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "hello - [httpTrigger]" in done.stdout
    expected = [
        (row.method, row.url.partition("?")[0].format(id=published.site.id, deployment="ID"))
        for row in ROWS
    ]
    deployment = published.ask("GET", f"{SCM}/api/deployments").json()[0]["id"]
    once = dict.fromkeys((method, url.replace(deployment, "ID")) for method, url in sent)
    assert list(once) == list(dict.fromkeys(expected))
    assert sent.count(expected[-1]) == 2


def test_a_site_serves_what_was_published(published: Publisher) -> None:
    """Its functions and the hash of its package are those of the package, not of the seed."""
    assert set(published.functions()) == set(FUNCTIONS)
    ended = published.publish(zipped(PACKAGE), "?Deployer=core_tools&author=me")
    assert (ended["status"], ended["status_text"]) == (SUCCESS, "")
    assert (ended["deployer"], ended["author"], ended["remoteBuild"]) == ("core_tools", "me", False)
    functions = published.functions()
    assert list(functions) == ["hello", "orders"]
    host = f"https://{APP}.azurewebsites.net"
    assert functions["hello"]["invoke_url_template"] == f"{host}/api/greet/{{name}}"
    assert functions["orders"]["invoke_url_template"] is None
    assert functions["orders"]["config"]["bindings"][0]["type"] == "queueTrigger"
    assert published.package == HASH


def test_what_azure_builds_has_no_hash(published: Publisher) -> None:
    """A remote build says so in the log; without requirements, nothing is installed."""
    files = {name: PACKAGE[name] for name in ("host.json", "function_app.py")}
    ended = published.publish(zipped(files), "?RemoteBuild=true")
    assert (ended["status"], ended["remoteBuild"]) == (SUCCESS, True)
    log = "\n".join(each["message"] for each in published.ask("GET", ended["log_url"]).json())
    assert "Could not find requirements.txt" in log
    assert published.package == "built in Azure"


def test_a_restart_keeps_the_package(published: Publisher) -> None:
    """Other settings do not bring the seed's code back."""
    published.publish(zipped(PACKAGE))
    azure = published.thread.azure
    published.thread.call(azure.group.set_app_settings, published.site, {"BotTurns": "Inline"})
    assert published.package == HASH


def test_an_app_that_cannot_be_imported_has_no_functions(published: Publisher) -> None:
    """The deployment succeeds, as in Azure."""
    ended = published.publish(zipped(PACKAGE | {"function_app.py": "import missing\n"}))
    assert ended["status"] == SUCCESS
    assert published.functions() == {}


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        (b"", "no zip file"),
        (b"host.json", "no zip file"),
        (zipped({"function_app.py": CODE}), "Cannot find required host.json"),
        (zipped({f"app/{name}": text for name, text in PACKAGE.items()}), "host.json"),
    ],
)
def test_a_faulty_package_is_refused(published: Publisher, package: bytes, reason: str) -> None:
    """The deployment fails, its text and its log say why, and the site stays as it is."""
    ended = published.publish(package)
    assert (ended["status"], ended["complete"], ended["active"]) == (FAILED, True, False)
    assert reason in ended["status_text"]
    log = published.ask("GET", ended["log_url"]).json()
    assert reason in log[-1]["message"]
    assert set(published.functions()) == set(FUNCTIONS)
    assert published.package == "built in Azure"


def test_a_deployment_always_ends(published: Publisher) -> None:
    """A fault of the stand-in's own fails it, and does not block the next one."""

    async def index(_: Resource, __: Path) -> Any:
        raise OSError("no space left")

    publishing = published.thread.azure.publishing
    kept, publishing.index = publishing.index, index
    assert published.publish(zipped(PACKAGE))["status_text"] == "no space left"
    publishing.index = kept
    assert published.publish(zipped(PACKAGE))["status"] == SUCCESS


def test_one_deployment_at_a_time(published: Publisher) -> None:
    """While a package is deployed, clients see it, and a second one is refused with 409."""
    released = asyncio.Event()

    async def index(_: Resource, __: Path) -> Any:
        await released.wait()
        return {}

    published.thread.azure.publishing.index = index
    sent = published.ask("POST", f"{SCM}/api/publish?RemoteBuild=true", zipped(PACKAGE))
    latest = f"{SCM}/api/deployments/latest"
    try:
        until(lambda: published.ask("GET", latest).json()["status"] == DEPLOYING)
        assert published.ask("GET", latest).json()["id"] == sent.json()
        assert published.ask("POST", f"{SCM}/api/publish", zipped(PACKAGE)).status_code == 409
    finally:
        published.thread.call(released.set)
    until(lambda: published.ask("GET", latest).json()["status"] == SUCCESS)


def test_who_may_publish(published: Publisher) -> None:
    """Whoever has a token and the right, and nobody with a password; az's is for App Service."""
    package, url = zipped(PACKAGE), f"{SCM}/api/publish"
    az = f"Bearer {published.token(audience='https://appservice.azure.com')}"
    assert published.ask("GET", f"{SCM}/api/deployments", authorization=az).json() == []

    def status(authorization: str) -> int:
        answers = [
            published.ask(method, at, body, authorization=authorization).status_code
            for method, at, body in (
                ("POST", url, package),
                ("GET", f"{SCM}/api/deployments", None),
                ("GET", f"{SCM}/api/deployments/latest/log", None),
            )
        ]
        assert len(set(answers)) == 1
        return answers[0]

    assert status("") == 401
    assert status("Bearer token") == 401
    assert status("Basic JGNvbnRvc286cGFzc3dvcmQ=") == 401
    assert status(f"Bearer {published.token(audience='https://graph.microsoft.com')}") == 401
    assert status(f"Bearer {published.token('5b0bdf2c-32c8-4ee1-8b54-18f4d1ff5e5e')}") == 403


def test_only_zips_for_sites_on_flex_consumption(published: Publisher) -> None:
    """The Azure CLI's `functionapp deploy` fails with 415; a site that does not exist is a 404."""
    as_json = published.ask("POST", f"{SCM}/api/publish?type=zip", {"package": 1})
    assert as_json.status_code == 415
    assert published.ask("POST", f"{SCM}/api/zipdeploy", zipped(PACKAGE)).status_code == 404
    assert published.ask("GET", f"{SCM}/api/deployments/latest").status_code == 404
    other = SCM.replace(APP, "nobody")
    assert published.ask("POST", f"{other}/api/publish", zipped(PACKAGE)).status_code == 404
    published.thread.call(published.site.properties.update, {"sku": "Dynamic"})
    assert published.ask("POST", f"{SCM}/api/publish", zipped(PACKAGE)).status_code == 404
