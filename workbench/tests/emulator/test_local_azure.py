"""The local Azure: unmodified clients find it by its environment, and its parts know each other."""

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import requests
from aiohttp import web
from azure.core.exceptions import HttpResponseError
from azure.identity import WorkloadIdentityCredential
from azure.keyvault.certificates import CertificateClient, CertificatePolicy
from azure.mgmt.botservice import AzureBotService
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.web import WebSiteManagementClient

from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.key_vault.inventory import Retention
from bot_workbench.emulator.local_azure import LocalAzure
from bot_workbench.emulator.resource_manager.resource import Resource
from bot_workbench.emulator.seeds import CERTIFICATES_OFFICER, OldBot, assign_role
from tests.support.azure.azure_thread import AzureThread, answer_of
from tests.support.azure.talker import Talker
from tests.support.light_sites.light_site import light_site

VAULT = "Microsoft.KeyVault/vaults"


@pytest.fixture
def thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureThread]:
    """A local Azure without running code, which this process's clients reach."""
    with AzureThread(tmp_path) as thread:
        thread.set_environment(monkeypatch)
        yield thread


@pytest.fixture
def old(thread: AzureThread) -> OldBot:
    """An old bot."""
    old: OldBot = thread.call(thread.azure.add_old_bot)
    return old


@pytest.fixture
def credential(thread: AzureThread) -> Iterator[WorkloadIdentityCredential]:
    """The pipeline's, from the environment alone."""
    assert thread.azure.environ["AZURE_FEDERATED_TOKEN_FILE"]
    credential = WorkloadIdentityCredential()
    with credential:
        yield credential


def test_the_pipeline_reads_the_bot_with_real_clients(
    thread: AzureThread, old: OldBot, credential: WorkloadIdentityCredential
) -> None:
    """azure-identity signs in with the pipeline's token; the management clients find the bot."""
    subscription = thread.azure.resource_manager.subscription_id
    with (
        AzureBotService(credential, subscription) as bots,
        WebSiteManagementClient(credential, subscription) as sites,
    ):
        (bot,) = bots.bots.list()
        settings = sites.web_apps.list_application_settings("contoso-bots", "contoso-bot-web")
    assert bot.properties is not None
    assert bot.properties.msa_app_id == old.registration.app_id
    assert bot.properties.endpoint == "https://contoso-bot-web.azurewebsites.net/api/messages"
    assert (settings.properties or {})["MicrosoftAppPassword"]
    assert not thread.azure.proxy.refused


def test_the_secret_is_in_the_settings_only(thread: AzureThread, old: OldBot) -> None:
    """The directory knows the secret's hint; its value is in the web app's settings."""
    secret = thread.azure.resource_manager.app_settings(old.site.id)["MicrosoftAppPassword"]
    (stored,) = old.registration.secrets
    assert stored.has(secret)
    assert stored.hint == secret[:3]
    assert secret not in str(old.bot.answer()) + str(old.site.answer())


def test_the_pipeline_reads_graph(old: OldBot, credential: WorkloadIdentityCredential) -> None:
    """The pipeline's app role lets it read app registrations at Graph."""
    token = credential.get_token("https://graph.microsoft.com/.default").token
    answer = requests.get(
        "https://graph.microsoft.com/v1.0/applications",
        params={"$filter": f"appId eq '{old.registration.app_id}'"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    (found,) = answer.json()["value"]
    assert found["displayName"] == "contoso-bot"


def test_a_vault_serves_as_soon_as_it_is_created(
    thread: AzureThread, credential: WorkloadIdentityCredential
) -> None:
    """A vault listens under its own name, with the permissions that roles give."""
    thread.call(lambda: thread.azure.add_function_app("contoso-functions", vault="contoso-vault"))
    policy = CertificatePolicy("Self", subject="CN=bot", key_type="RSA", key_size=2048)
    with CertificateClient("https://contoso-vault.vault.azure.net", credential) as client:
        client.begin_create_certificate("bot-certificate", policy).result()
        made = client.get_certificate("bot-certificate")
    assert made.policy is not None
    assert made.policy.subject == "CN=bot"


def test_a_vault_without_a_role_refuses(
    thread: AzureThread, credential: WorkloadIdentityCredential
) -> None:
    """Owning the subscription gives no permission in a vault."""
    add_vault(thread, "contoso-other", has_roles=True)
    assert refusal(credential, "contoso-other") == (403, "ForbiddenByRbac")


def test_a_vault_with_access_policies_ignores_roles(
    thread: AzureThread, credential: WorkloadIdentityCredential
) -> None:
    """A role gives no permission in a vault whose access control is not role-based."""
    vault = add_vault(thread, "contoso-policies", has_roles=False)
    officer = thread.azure.pipeline.object_id
    thread.call(assign_role, thread.azure.group, vault, CERTIFICATES_OFFICER, officer)
    assert refusal(credential, vault.name) == (403, "AccessDenied")
    thread.call(vault.properties.update, {"enableRbacAuthorization": True})
    assert refusal(credential, vault.name) == (404, "")


def add_vault(thread: AzureThread, name: str, *, has_roles: bool) -> Resource:
    """A vault with role assignments or with access policies."""
    properties = {
        "tenantId": thread.azure.directory.tenant_id,
        "sku": {"name": "standard"},
        "enableRbacAuthorization": has_roles,
    }
    made: Resource = thread.call(thread.azure.group.put, VAULT, name, {"properties": properties})
    return made


def refusal(credential: WorkloadIdentityCredential, vault: str) -> tuple[int | None, str]:
    """The status and the inner code with which a vault refuses to show a certificate."""
    url = f"https://{vault}.vault.azure.net"
    with (
        CertificateClient(url, credential) as client,
        pytest.raises(HttpResponseError) as refused,
    ):
        client.get_certificate("bot-certificate")
    inner = getattr(refused.value.error, "innererror", None) or {}
    return refused.value.status_code, str(inner.get("code", ""))


def test_a_slot_is_a_site_of_its_own(thread: AzureThread) -> None:
    """A deployment slot has a host name, until it is deleted; its site is not touched."""
    app = thread.call(thread.azure.add_function_app)
    manager = thread.azure.resource_manager
    slot = thread.call(
        lambda: manager.put(f"{app.site.id}/slots/staging", dict(app.site.body, kind="functionapp"))
    )
    assert health(thread, "contoso-functions-staging") == 503
    thread.call(manager.resources.remove, slot.id)
    thread.call(manager.on_site_change, slot)
    assert health(thread, "contoso-functions-staging") == 404
    assert health(thread, "contoso-functions") == 503


def health(thread: AzureThread, site: str) -> int:
    """What a site without a bot's settings answers: 503."""
    url = f"https://{site}.azurewebsites.net/api/health"
    status: int = thread.do(answer_of(thread.azure, "GET", url))[0]
    return status


def test_a_deleted_vault_can_be_recovered(
    thread: AzureThread, credential: WorkloadIdentityCredential
) -> None:
    """A deleted vault cannot be reached; once it is there again, it has what it had."""
    # A name of its own: the client remembers for each name which tenant to sign in at.
    vault, host = add_vault(thread, "contoso-kept", has_roles=True), "contoso-kept.vault.azure.net"
    officer = thread.azure.pipeline.object_id
    thread.call(assign_role, thread.azure.group, vault, CERTIFICATES_OFFICER, officer)
    thread.azure.vaults[host].inventory.add_version("bot-certificate")
    manager = thread.azure.resource_manager
    thread.call(manager.resources.remove, vault.id)
    assert thread.azure.names.port(host) is None
    sent = {**vault.properties, "createMode": "recover"}
    thread.call(manager.put, vault.id, {"location": "westeurope", "properties": sent})
    thread.call(assign_role, thread.azure.group, vault, CERTIFICATES_OFFICER, officer)
    with CertificateClient(f"https://{host}", credential) as client:
        assert client.get_certificate("bot-certificate").name == "bot-certificate"


def test_a_vault_keeps_deleted_certificates_as_its_resource_says(thread: AzureThread) -> None:
    """Retention and purge protection are those of the vault's resource."""
    vault = add_vault(thread, "contoso-strict", has_roles=True)
    retention = thread.azure.vaults["contoso-strict.vault.azure.net"].inventory.retention
    assert retention() == Retention()
    changed = {**vault.properties, "enablePurgeProtection": True}
    thread.call(thread.azure.group.put, VAULT, "contoso-strict", {"properties": changed})
    assert retention() == Retention(is_protected=True)


def test_a_purged_vault_leaves_nothing_behind(
    thread: AzureThread, credential: WorkloadIdentityCredential
) -> None:
    """A new vault of the same name is empty."""
    vault = add_vault(thread, "contoso-purged", has_roles=True)
    host = "contoso-purged.vault.azure.net"
    thread.azure.vaults[host].inventory.add_version("bot-certificate")
    manager = thread.azure.resource_manager
    thread.call(manager.resources.remove, vault.id)
    with KeyVaultManagementClient(credential, manager.subscription_id) as client:
        client.vaults.begin_purge_deleted(vault.name, "westeurope").result(timeout=60)
    add_vault(thread, "contoso-purged", has_roles=True)
    assert thread.azure.vaults[host].inventory.versions == {}


def test_a_bot_that_is_created_again_at_once(thread: AzureThread, old: OldBot) -> None:
    """Its new channel opens while the former one closes."""
    azure, bot = thread.azure, old.bot
    former = thread.do(azure.channel(bot.name))

    def replaced() -> None:
        azure.resource_manager.resources.remove(bot.id)
        azure.resource_manager.put(bot.id, bot.body)

    thread.call(replaced)
    opened = thread.do(azure.channel(bot.name))
    assert opened is not former
    assert azure.names.port(opened.host) == opened.connector.server.port


def test_a_new_bot_has_a_channel(thread: AzureThread, old: OldBot) -> None:
    """An Azure Bot that a client creates has a channel, which delivers to its endpoint."""
    app = thread.call(thread.azure.add_function_app)
    identity = app.identity
    settings = {
        "MicrosoftAppType": "UserAssignedMSI",
        "MicrosoftAppId": identity["clientId"],
        "MicrosoftAppTenantId": thread.azure.directory.tenant_id,
    }
    thread.call(thread.azure.group.set_app_settings, app.site, settings)
    properties = {
        "displayName": "contoso-bot-2",
        "endpoint": "https://contoso-functions.azurewebsites.net/api/messages",
        "msaAppId": identity["clientId"],
        "msaAppType": "UserAssignedMSI",
        "msaAppTenantId": thread.azure.directory.tenant_id,
        "msaAppMSIResourceId": identity["id"],
    }
    body = {"location": "global", "kind": "azurebot", "sku": {"name": "F0"}}
    bots = "Microsoft.BotService/botServices"
    thread.call(
        lambda: thread.azure.group.put(bots, "contoso-bot-2", body | {"properties": properties})
    )
    assert Talker(thread, "contoso-bot-2").say("hello").status == 200
    assert Talker(thread, "contoso-bot").say("hello").status == 200
    assert old.bot.properties["msaAppId"] != identity["clientId"]


@pytest.mark.parametrize("start_fails", [True, False])
async def test_a_failure_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_fails: bool
) -> None:
    """If one server cannot start or stop, all the others are stopped, and the error is raised."""
    azure = LocalAzure(tmp_path, light_site)
    stop = azure.graph.server.stop

    async def fail() -> None:
        await stop()
        raise OSError("not possible")

    monkeypatch.setattr(azure.graph.server, "start" if start_fails else "stop", fail)
    with pytest.raises(OSError, match="not possible"):
        async with azure:
            assert not start_fails
    ports = (azure.proxy.port, azure.entra.server.port)
    with socket.socket() as first, socket.socket() as second:
        refused = [
            each.connect_ex(("127.0.0.1", port))
            for each, port in zip((first, second), ports, strict=True)
        ]
    monkeypatch.undo()
    await azure.stop()
    assert 0 not in refused


async def test_no_request_outlives_the_sites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that is still running when everything stops creates no site afterwards."""
    azure = LocalAzure(tmp_path, light_site)
    arrived, stopped = asyncio.Event(), asyncio.Event()
    stop_sites = azure.sites.stop

    async def held(request: web.Request, handler: Handler) -> web.StreamResponse:
        arrived.set()
        await stopped.wait()
        azure.add_function_app()
        return await handler(request)

    async def stop() -> None:
        await stop_sites()
        stopped.set()

    monkeypatch.setattr(azure.sites, "stop", stop)
    async with azure:
        azure.resource_manager.server.around = held
        request = asyncio.create_task(answer_of(azure, "GET", "https://management.azure.com/"))
        await arrived.wait()
    await asyncio.gather(request, return_exceptions=True)
    assert azure.sites.codes == {}


def test_nothing_else_is_reachable(thread: AzureThread) -> None:
    """The proxy refuses every name that has no stand-in."""
    with pytest.raises(requests.exceptions.ProxyError):
        requests.get("https://pypi.org/", timeout=60)
    assert thread.azure.proxy.refused == {"pypi.org:443": 1}


def test_the_pipelines_token_expires_in_a_day(thread: AzureThread) -> None:
    """The token file can be read by its owner only, and its token lives for a day."""
    file = Path(thread.azure.environ["AZURE_FEDERATED_TOKEN_FILE"])
    assert file.stat().st_mode & 0o077 == 0
    claims = jwt.decode(file.read_text(), options={"verify_signature": False})
    assert 23 * 3600 < claims["exp"] - time.time() <= 24 * 3600


def test_a_deleted_bot_has_no_channel(thread: AzureThread, old: OldBot) -> None:
    """The channel goes with the Azure Bot."""
    assert "contoso-bot" in thread.azure.channels
    thread.call(thread.azure.resource_manager.resources.remove, old.bot.id)
    thread.call(thread.azure.resource_manager.on_bot_change, old.bot)
    assert "contoso-bot" not in thread.azure.channels
