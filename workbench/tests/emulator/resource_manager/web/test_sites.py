"""Sites and their identities, through azure-mgmt-web."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from bot_workbench.emulator.resource_manager.built_in_roles import READER
from tests.emulator.resource_manager.arm_thread import ArmThread, Client, raised, refusal
from tests.emulator.resource_manager.authorization.test_access import (
    SOMEBODY,
    WEBSITE_CONTRIBUTOR,
    assign,
)
from tests.emulator.resource_manager.web.bot_app import (
    NAME,
    PATH,
    add_site,
    identity_id,
    site_body,
)


def assigned(site: Any) -> set[str]:
    """Names of the user-assigned identities of a site."""
    return {each.rpartition("/")[2] for each in site["identity"]["userAssignedIdentities"]}


def user_assigned(*ids: str) -> dict[str, Any]:
    """An `identity` with these."""
    return {"type": "UserAssigned", "userAssignedIdentities": {each: {} for each in ids}}


def test_a_site_is_created_read_listed_and_deleted(azure: ArmThread, client: Client) -> None:
    """It has a host name, the tier of its plan, and no settings in what a GET returns."""
    apps = client("web").web_apps
    config = {"appSettings": [{"name": "A", "value": "secret"}], "linuxFxVersion": "Python|3.13"}
    body = site_body(azure, siteConfig=config)
    made = apps.begin_create_or_update("bot-group", NAME, body).result(timeout=60)
    assert made.properties.default_host_name == f"{NAME}.azurewebsites.net"
    assert made.properties.sku == "FlexConsumption"
    assert made.properties.https_only is True
    assert made.properties.state == "Running"
    read = apps.get("bot-group", NAME.upper())
    assert (read.id, read.kind, read.tags) == (made.id, "functionapp,linux", {"for": "a bot"})
    assert "secret" not in azure.call("GET", PATH).text
    assert azure.arm.app_settings(made.id) == {"A": "secret"}
    assert [each.name for each in apps.list_by_resource_group("bot-group")] == [NAME]
    assert [each.name for each in apps.list()] == [NAME]
    apps.delete("bot-group", NAME)
    assert list(apps.list()) == []


def test_a_put_without_settings_keeps_them(azure: ArmThread) -> None:
    """A client that reads a site and puts it back, as `az functionapp identity assign` does,
    changes no setting."""
    site_id = add_site(azure)
    azure.call("PUT", f"{PATH}/config/appsettings", {"properties": {"A": "1"}})
    site = azure.call("GET", PATH).json()
    site["identity"] = user_assigned(identity_id(azure))
    assert azure.call("PUT", PATH, site).status_code == 200
    assert azure.arm.app_settings(site_id) == {"A": "1"}


def test_an_unknown_property_of_a_site_is_not_shown(azure: ArmThread) -> None:
    """App Service ignores it, so a typo shows in the answer."""
    made = azure.call("PUT", PATH, site_body(azure, httpOnly=True)).json()
    assert "httpOnly" not in made["properties"]
    assert made["properties"]["httpsOnly"] is True


@pytest.mark.parametrize(("value", "text"), [(None, ""), (False, "false"), (0, "0"), ("", "")])
def test_a_setting_is_stored_as_a_text(azure: ArmThread, value: object, text: str) -> None:
    """In `siteConfig`, a value that is not a text becomes one; none is an empty one."""
    site_id = add_site(azure)
    body = site_body(azure, siteConfig={"appSettings": [{"name": "A", "value": value}]})
    assert azure.call("PUT", PATH, body).status_code == 200
    assert azure.arm.app_settings(site_id) == {"A": text}


@pytest.mark.parametrize("setting", [{"value": "1"}, {"name": "A", "value": {"b": "1"}}])
def test_a_site_refuses_a_faulty_setting(azure: ArmThread, setting: dict[str, Any]) -> None:
    """Each one in `siteConfig` needs a name, and a value that is a text."""
    body = site_body(azure, siteConfig={"appSettings": [setting]})
    assert refusal(azure.call("PUT", PATH, body)) == (400, "BadRequest")


def test_identities_get_their_ids(azure: ArmThread, client: Client) -> None:
    """Azure fills in principal and client id; a system-assigned identity has a principal id."""
    bot = identity_id(azure)
    body = site_body(azure) | {"identity": user_assigned(bot)}
    body["identity"]["type"] = "SystemAssigned, UserAssigned"
    apps = client("web").web_apps
    made = apps.begin_create_or_update("bot-group", NAME, body).result(timeout=60)
    identity = azure.arm.resources.find(bot)
    assert identity is not None
    found = made.identity.user_assigned_identities[bot]
    assert found.principal_id == identity.properties["principalId"]
    assert found.client_id == identity.properties["clientId"]
    assert made.identity.principal_id
    assert made.identity.tenant_id == azure.arm.tenant_id
    again = apps.begin_create_or_update("bot-group", NAME, body).result(timeout=60)
    assert again.identity.principal_id == made.identity.principal_id


def test_a_system_assigned_identity_has_a_service_principal(azure: ArmThread) -> None:
    """The directory has it as long as the site has the identity."""
    add_site(azure)
    kind = {"identity": {"type": "SystemAssigned"}}
    principal_id = azure.call("PATCH", PATH, kind).json()["identity"]["principalId"]
    directory = azure.entra.directory
    principal = directory.service_principal(principal_id)
    assert principal is not None
    assert principal.resource_id.endswith(f"/sites/{NAME}")
    own = f"{PATH}/providers/Microsoft.ManagedIdentity/identities/default"
    ids = azure.call("GET", own).json()["properties"]
    assert (ids["principalId"], ids["clientId"]) == (principal_id, principal.app_id)
    assign(azure, READER, principal_id=principal_id)
    azure.call("PATCH", PATH, {"identity": {"type": "None"}})
    assert directory.service_principal(principal_id) is None
    assert refusal(azure.call("GET", own)) == (404, "ResourceNotFound")


def test_the_map_has_the_identities_own_ids(azure: ArmThread) -> None:
    """Whatever case a client sends, the keys are as the identity's provider writes them."""
    bot = identity_id(azure)
    add_site(azure)
    site = azure.call("PATCH", PATH, {"identity": user_assigned(bot.upper())}).json()
    assert list(site["identity"]["userAssignedIdentities"]) == [bot]


def test_a_patch_adds_an_identity(azure: ArmThread) -> None:
    """A PATCH adds to the map, and a null removes; a PUT replaces the map."""
    first, second = identity_id(azure, "first"), identity_id(azure, "second")
    add_site(azure)
    azure.call("PATCH", PATH, {"identity": user_assigned(first)})
    site = azure.call("PATCH", PATH, {"identity": user_assigned(second)}).json()
    assert assigned(site) == {"first", "second"}
    removal = {"type": "UserAssigned", "userAssignedIdentities": {first.upper(): None}}
    assert assigned(azure.call("PATCH", PATH, {"identity": removal}).json()) == {"second"}
    site = azure.call("PUT", PATH, site_body(azure) | {"identity": user_assigned(first)}).json()
    assert assigned(site) == {"first"}


def test_a_patch_may_replace_the_identities(azure: ArmThread) -> None:
    """With the switch, a PATCH replaces the map: what the service does is not documented."""
    azure.arm.tenant.patch_replaces_identities = True
    first, second = identity_id(azure, "first"), identity_id(azure, "second")
    add_site(azure)
    azure.call("PATCH", PATH, {"identity": user_assigned(first)})
    site = azure.call("PATCH", PATH, {"identity": user_assigned(second)}).json()
    assert assigned(site) == {"second"}


def test_a_patch_leaves_the_rest(azure: ArmThread) -> None:
    """Identities, tags and properties that a PATCH does not name, or names as null, stay."""
    add_site(azure)
    azure.call("PATCH", PATH, {"identity": user_assigned(identity_id(azure))})
    site = azure.call("PATCH", PATH, {"properties": {"httpsOnly": None}}).json()
    assert site["properties"]["httpsOnly"] is True
    site = azure.call("PATCH", PATH, {"properties": {"httpsOnly": False}}).json()
    assert assigned(site) == {"bot"}
    assert site["tags"] == {"for": "a bot"}
    assert site["properties"]["httpsOnly"] is False
    assert site["properties"]["sku"] == "FlexConsumption"


def test_an_identity_that_does_not_exist_is_refused(azure: ArmThread) -> None:
    """The refusal is 404, and the site keeps what it had."""
    add_site(azure)
    missing = azure.resource_id("Microsoft.ManagedIdentity/userAssignedIdentities", "missing")
    refused = azure.call("PATCH", PATH, {"identity": user_assigned(missing)})
    assert refusal(refused) == (404, "ResourceNotFound")
    for identity in ({"type": "UserAssigned"}, {"type": "Contoso"}):
        assert azure.call("PATCH", PATH, {"identity": identity}).status_code == 400
    assert "identity" not in azure.call("GET", PATH).json()


def test_assigning_needs_a_right_on_the_identity(azure: ArmThread) -> None:
    """Who may write the site, but not assign the identity, gets `LinkedAuthorizationFailed`."""
    bot = identity_id(azure)
    add_site(azure)
    assign(azure, WEBSITE_CONTRIBUTOR)
    assign(azure, READER, bot)
    change = {"identity": user_assigned(bot)}
    refused = azure.call("PATCH", PATH, change, token=azure.token(SOMEBODY))
    assert refusal(refused) == (403, "LinkedAuthorizationFailed")
    assert azure.call("PATCH", PATH, {"tags": {}}, token=azure.token(SOMEBODY)).status_code == 200


def test_a_name_is_unique_in_all_of_azure(azure: ArmThread, client: Client) -> None:
    """A site of the name in another group is a conflict."""
    add_site(azure)
    azure.arm.put(azure.group_id.replace("bot-group", "other"), {"location": "westeurope"})
    with pytest.raises(HttpResponseError) as caught:
        client("web").web_apps.begin_create_or_update("other", NAME, site_body(azure))
    assert raised(caught.value) == (
        409,
        "Conflict",
        f"Website with given name {NAME} already exists.",
    )


def test_a_plan_must_exist(azure: ArmThread) -> None:
    """A site on a plan that does not exist is refused."""
    body = site_body(azure)
    body["properties"]["serverFarmId"] += "-missing"
    assert refusal(azure.call("PUT", PATH, body)) == (404, "NotFound")


def test_a_site_is_stopped_and_started(azure: ArmThread, client: Client) -> None:
    """The state follows; each call, each write of settings and a delete call the hook."""
    seen: list[str] = []

    def changed(site: Any) -> None:
        is_there = site.id in azure.arm.resources
        seen.append(site.properties["state"] if is_there else "gone")

    site_id = add_site(azure)
    azure.arm.on_site_change = changed
    apps = client("web").web_apps
    apps.stop("bot-group", NAME)
    assert apps.get("bot-group", NAME).properties.state == "Stopped"
    apps.start("bot-group", NAME)
    apps.restart("bot-group", NAME)
    apps.update_application_settings("bot-group", NAME, {"properties": {"A": "1"}})
    apps.delete("bot-group", NAME)
    assert seen == ["Stopped", "Running", "Running", "Running", "gone"]
    assert site_id not in azure.arm.resources


def test_triggers_are_read_again_on_request(azure: ArmThread, client: Client) -> None:
    """`syncfunctiontriggers` is accepted, and other actions are not."""
    add_site(azure)
    client("web").web_apps.sync_function_triggers("bot-group", NAME)
    assert azure.call("POST", f"{PATH}/explode").status_code == 404


def test_slots_have_hosts_and_settings_of_their_own(azure: ArmThread, client: Client) -> None:
    """A slot is NAME-SLOT, with its own settings; the site's stay as they are."""
    site_id = add_site(azure, "EP1")
    apps = client("web").web_apps
    body = site_body(azure, "EP1")
    made = apps.begin_create_or_update_slot("bot-group", NAME, "staging", body).result(timeout=60)
    assert made.properties.default_host_name == f"{NAME}-staging.azurewebsites.net"
    assert made.name == f"{NAME}/staging"
    apps.update_application_settings_slot(
        "bot-group", NAME, "staging", {"properties": {"MicrosoftAppPassword": "old"}}
    )
    listed = apps.list_application_settings_slot("bot-group", NAME, "staging")
    assert listed.properties == {"MicrosoftAppPassword": "old"}
    assert azure.arm.app_settings(site_id) == {}
    assert [each.name for each in apps.list_slots("bot-group", NAME)] == [f"{NAME}/staging"]
