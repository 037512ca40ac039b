"""A service that fails, or that the account may not use: a finding, or exit 3, and no traceback."""

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from bot_workbench.admin.azure.retries import RetryLimits
from bot_workbench.admin.doctor import command
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.seeds import CERTIFICATES_OFFICER, assign_role
from bot_workbench.emulator.server import Server
from tests.admin.doctor.examined_bot import CERTIFICATE, READER, ExaminedBot
from tests.admin.doctor.harms import WEBSITE_CONTRIBUTOR, delete_vault, unassign_caller
from tests.admin.migrate.migration import BOT, VAULT
from tests.support.project import ROOT

ARM, GRAPH, SITES = "management.azure.com", "graph.microsoft.com", "*.azurewebsites.net"
LOGS = "api.loganalytics.azure.com"
VAULTS = "a key vault"

AUTHORIZATION = "Microsoft.Authorization"
ASSIGNMENTS = f"{AUTHORIZATION}/roleAssignments"
READING_ROLES = {
    "Microsoft.Web/sites": WEBSITE_CONTRIBUTOR,
    "Microsoft.KeyVault/vaults": READER,
    "Microsoft.OperationalInsights/workspaces": "73c42c96-874c-492b-b04d-ab87d138a893",
}
"""Beside Reader on the resource group, the roles by the type of what they are on."""

LOG_ANALYTICS_READER = READING_ROLES["Microsoft.OperationalInsights/workspaces"]
DOCTOR_ROLE = "5f1d3c0a-7f3e-4b51-9d43-2f0c9a6f7c11"
"""A GUID for the custom role."""

Around = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]

FAULTS: dict[str, dict[str, object]] = {
    "429": {"status": 429, "retry_after": 30},
    "500": {"status": 500},
    "503 page": {"status": 503, "html": True},
    "403": {"status": 403},
    "404 page": {"status": 404, "html": True},
    "silent": {"silent": True},
    "cut": {"cut": True},
    "no JSON": {"status": 200, "html": True},
    "a list": {"status": 200, "body": "[1]"},
    "a text": {"status": 200, "body": '"text"'},
    "strange": {"status": 200, "body": '{"value": [{"id": 7}], "properties": [1], "tables": 3}'},
    "nulls": {"status": 200, "body": '{"value": [null], "id": null, "properties": null}'},
}

EXPECTED: dict[str, set[int]] = {ARM: {1, 3}, GRAPH: {1}, SITES: {1}, LOGS: {1}, VAULTS: {1}}


@pytest.fixture
def credential() -> str:
    """A bot that uses every service."""
    return CERTIFICATE


READ_SECONDS = 2.0
"""A silent service costs two of these; another one that is late by less is not taken for silent."""


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """One retry. Only where a service is silent does an answer have a short time to come."""
    call = getattr(request.node, "callspec", None)
    is_silent = call is not None and call.params.get("fault") == "silent"
    seconds = READ_SECONDS if is_silent else command.LIMITS.read_seconds
    monkeypatch.setattr(command, "LIMITS", RetryLimits(retries=1, read_seconds=seconds))


def server_of(bot: ExaminedBot, name: str) -> Server:
    """The server of a service."""
    if name == VAULTS:
        return bot.azure.vaults[f"{VAULT}.vault.azure.net"].server
    return bot.azure.servers[name]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("service", EXPECTED)
def test_a_service_fails(bot: ExaminedBot, service: str, fault: str) -> None:
    """Every request to one service: what needs it is not looked at, and the rest is."""
    server_of(bot, service).faults.set(**FAULTS[fault])
    ended = bot.run("--bot", BOT, "--json")
    assert ended.status in EXPECTED[service], ended.output + ended.errors
    report = json.loads(ended.output)
    if ended.status == 3:
        assert report["error"]
        return
    assert report["findings"], report
    if service != ARM:
        assert report["facts"]["bot"].startswith(BOT)
        assert report["app"]["name"]


@pytest.mark.parametrize("service", [GRAPH, LOGS, VAULTS])
def test_a_service_that_fails_is_asked_twice(bot: ExaminedBot, service: str) -> None:
    """The doctor's limits are each client's, not the longer ones of commands that change Azure."""
    server = server_of(bot, service)
    server.faults.set(status=500)
    asked = Counter(server.requests)
    bot.run("--bot", BOT)
    assert {*(server.requests - asked).values()} == {1 + command.LIMITS.retries}


def requests_of(bot: ExaminedBot) -> list[str]:
    """The paths at Resource Manager of a healthy run, each once."""
    seen: dict[str, None] = {}

    async def listen(request: web.Request, handler: Handler) -> web.StreamResponse:
        seen[request.path] = None
        return await handler(request)

    bot.azure.servers[ARM].around = listen
    assert bot.findings() == []
    bot.azure.servers[ARM].around = None
    return list(seen)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", ["500", "403", "nulls", "strange"])
def test_each_read_fails(bot: ExaminedBot, fault: str) -> None:
    """One path at a time: something is found, or the bot cannot be read, and nothing breaks. No
    cure is the half of a command."""
    paths = requests_of(bot)
    assert len(paths) > 15
    for path in paths:
        bot.azure.servers[ARM].faults.set(path=path, **FAULTS[fault])
        ended = bot.run("--bot", BOT, "--json")
        # Whoever may not read roles at the subscription reads them at the group, and above it.
        is_elsewhere = fault == "403" and path.split("/")[3:5] == ["providers", AUTHORIZATION]
        assert ended.status in ({0} if is_elsewhere else {1, 3}), path
        report = json.loads(ended.output)
        assert report
        assert not [one for one in report.get("findings", ()) if one["cure"] != one["cure"].strip()]


def test_the_account_lacks_roles(bot: ExaminedBot) -> None:
    """A reader of the group sees what Reader allows, and learns which roles are missing."""
    unassign_caller(bot)
    found = bot.findings()
    assert {each["code"] for each in found} == {"not-looked-at"}
    text = json.dumps(found)
    assert "Website Contributor on the app" in text


def test_the_documented_roles_see_everything(bot: ExaminedBot) -> None:
    """Those that the help names, and Application.Read.All: nothing is left out."""
    unassign_caller(bot)
    caller, group = bot.azure.pipeline.object_id, bot.azure.group
    for kind, role in READING_ROLES.items():
        bot.call(assign_role, group, bot.found(kind), role, caller)
    bot.azure.graph.app_roles[caller] = {"Application.Read.All"}
    vault = bot.found("Microsoft.KeyVault/vaults")
    for each in bot.azure.resource_manager.resources.within(vault.id):
        officer = str(each.properties.get("roleDefinitionId")).endswith(CERTIFICATES_OFFICER)
        if officer:
            bot.remove(each)
    assert bot.findings() == []


def test_the_identity_of_a_pipeline_sees_everything(bot: ExaminedBot) -> None:
    """With the roles of docs/pipelines.md, on the group alone; and it cannot publish."""
    page = (ROOT / "docs" / "pipelines.md").read_text("utf-8")
    [actions] = re.findall(r"^ACTIONS='(.*)'$", page, re.M)
    manager, caller = bot.azure.resource_manager, bot.azure.pipeline.object_id
    unassign_caller(bot)
    group = manager.resources.find(bot.azure.group.id)
    assert group is not None
    role = f"{group.id}/providers/Microsoft.Authorization/roleDefinitions/{DOCTOR_ROLE}"
    properties = {
        "roleName": "Bot Doctor",
        "assignableScopes": [group.id],
        "permissions": [{"actions": json.loads(actions)}],
    }
    bot.call(manager.put, role, {"properties": properties})
    for assigned in (DOCTOR_ROLE, READER, LOG_ANALYTICS_READER):
        bot.call(assign_role, bot.azure.group, group, assigned, caller)
    bot.azure.graph.app_roles[caller] = {"Application.Read.All"}
    vault = bot.found("Microsoft.KeyVault/vaults")
    for each in bot.azure.resource_manager.resources.within(vault.id):
        if str(each.properties.get("roleDefinitionId")).endswith(CERTIFICATES_OFFICER):
            bot.remove(each)
    assert bot.findings() == []
    site = bot.found("Microsoft.Web/sites").id
    for right in ("write", "publish/action"):
        assert not manager.access.is_allowed(caller, f"Microsoft.Web/sites/{right}", site)


def test_the_vault_cannot_be_read(bot: ExaminedBot) -> None:
    """Without Key Vault Reader, the certificate's versions are not looked at, and the rest is."""
    for each in bot.azure.resource_manager.resources.of_type(ASSIGNMENTS):
        if str(each.properties["roleDefinitionId"]).endswith(CERTIFICATES_OFFICER):
            bot.remove(each)
    (found,) = bot.findings()
    assert found["code"] == "not-looked-at"
    assert "Key Vault Reader" in found["cure"]


def test_deleted_vaults_cannot_be_listed(bot: ExaminedBot) -> None:
    """Reader on the resource group is not enough: the vault is missing, and may be recovered."""
    delete_vault(bot)
    subscription = f"/subscriptions/{bot.azure.resource_manager.subscription_id}"
    body = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    server_of(bot, ARM).faults.set(
        path=f"{subscription}/providers/Microsoft.KeyVault/deletedVaults",
        status=403,
        body=json.dumps(body),
    )
    (found,) = bot.findings()
    assert found["code"] == "vault-missing"
    assert f"\naz keyvault recover --name {VAULT}" in found["cure"]
    assert "Set CertificateVaultUrl to" in found["cure"]


def test_the_workspace_is_somebody_elses(bot: ExaminedBot) -> None:
    """A shared workspace may be in another subscription: only the log is not looked at."""
    path = bot.found("Microsoft.OperationalInsights/workspaces").id
    body = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    server_of(bot, ARM).faults.set(path=str(path), status=403, body=json.dumps(body))
    (found,) = bot.findings()
    assert found["code"] == "not-looked-at"
    assert "not looked at: the last 24 hours" in found["problem"]
    assert "Log Analytics Reader on the workspace" in found["cure"]


def test_the_vault_has_a_firewall(bot: ExaminedBot) -> None:
    """No role opens it: the cure is the firewall's."""
    body = {"error": {"code": "Forbidden", "innererror": {"code": "ForbiddenByFirewall"}}}
    server_of(bot, VAULTS).faults.set(status=403, body=json.dumps(body))
    (found,) = bot.findings()
    assert found["code"] == "not-looked-at"
    assert "az keyvault network-rule add" in found["cure"]
    assert "Reader" not in found["cure"]


def test_a_policy_forbids_a_read(bot: ExaminedBot) -> None:
    """No role helps: the cure is the policy's."""
    body = json.dumps({"error": {"code": "RequestDisallowedByPolicy", "message": "no"}})
    server_of(bot, GRAPH).faults.set(status=403, body=body)
    (found,) = bot.findings()
    assert "policy's owner" in found["cure"]
    assert "Directory Readers" not in found["problem"] + found["cure"]


def test_the_account_cannot_query_logs(bot: ExaminedBot) -> None:
    """Log Analytics refuses: the finding names the role."""
    bot.azure.servers[LOGS].faults.set(status=403, body='{"error": {"code": "Insufficient"}}')
    (found,) = bot.findings()
    assert found["code"] == "not-looked-at"
    assert "not looked at: the last 24 hours" in found["problem"]
    assert "It needs Log Analytics Reader on the workspace." in found["problem"]
    assert "Log Analytics Reader" in found["cure"]


def test_nobody_is_signed_in(bot: ExaminedBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 3, and what to do."""
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    monkeypatch.setenv("PATH", "/nowhere")
    ended = bot.run("--bot", BOT)
    assert ended.status == 3
    assert "az login" in ended.errors
