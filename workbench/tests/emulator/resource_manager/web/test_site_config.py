"""The configuration of sites, through azure-mgmt-web and as az reads it."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.emulator.resource_manager.arm_thread import ArmThread, Client, raised, refusal
from tests.emulator.resource_manager.web.bot_app import NAME, PATH, add_site

HTTP = ({"type": "httpTrigger"},)


def test_settings_are_replaced_as_a_whole(azure: ArmThread, client: Client) -> None:
    """A PUT leaves only what it has; the response and the list have the values."""
    add_site(azure)
    apps = client("web").web_apps
    sent = {"properties": {"A": "1", "B": "2"}}
    assert apps.update_application_settings("bot-group", NAME, sent).properties == {
        "A": "1",
        "B": "2",
    }
    apps.update_application_settings("bot-group", NAME, {"properties": {"B": "3"}})
    assert apps.list_application_settings("bot-group", NAME).properties == {"B": "3"}
    response = azure.call("PUT", f"{PATH}/config/appsettings", {"properties": {}})
    assert response.status_code == 200


def test_settings_are_listed_by_post_only(azure: ArmThread) -> None:
    """A GET never has them; a PATCH does not exist; a value must be a text."""
    add_site(azure)
    path = f"{PATH}/config/appsettings"
    azure.call("PUT", path, {"properties": {"A": "hidden"}})
    assert refusal(azure.call("GET", path)) == (405, "MethodNotAllowed")
    assert refusal(azure.call("PATCH", path, {"properties": {}})) == (405, "MethodNotAllowed")
    for visible in (f"{PATH}/config", f"{PATH}/config/web", PATH):
        assert "hidden" not in azure.call("GET", visible).text
    refused = azure.call("PUT", path, {"properties": {"A": {"B": "1"}}})
    assert refusal(refused) == (400, "BadRequest")
    assert azure.call("POST", f"{path}/list").json()["properties"] == {"A": "hidden"}


def test_flex_consumption_refuses_settings_of_older_plans(azure: ArmThread, client: Client) -> None:
    """The refusal names the setting, and nothing is changed; other plans accept it."""
    site_id = add_site(azure)
    sent = {"properties": {"FUNCTIONS_WORKER_RUNTIME": "python"}}
    with pytest.raises(HttpResponseError) as caught:
        client("web").web_apps.update_application_settings("bot-group", NAME, sent)
    status, code, message = raised(caught.value)
    assert (status, code) == (400, "BadRequest")
    assert "FUNCTIONS_WORKER_RUNTIME" in message
    assert azure.arm.app_settings(site_id) == {}
    add_site(azure, "EP1")
    client("web").web_apps.update_application_settings("bot-group", NAME, sent)
    assert azure.arm.app_settings(site_id) == sent["properties"]


def test_the_web_configuration_is_changed(azure: ArmThread, client: Client) -> None:
    """A PATCH changes what it names."""
    add_site(azure)
    apps = client("web").web_apps
    changed = apps.update_configuration("bot-group", NAME, {"properties": {"alwaysOn": True}})
    assert changed.properties.always_on is True
    found = apps.get_configuration("bot-group", NAME).properties
    assert (found.always_on, found.min_tls_version) == (True, "1.2")


def test_publishing_with_a_password_is_forbidden(azure: ArmThread, client: Client) -> None:
    """It is allowed until somebody forbids it."""
    add_site(azure)
    apps = client("web").web_apps
    assert apps.get_scm_allowed("bot-group", NAME).properties.allow is True
    apps.update_scm_allowed("bot-group", NAME, {"properties": {"allow": False}})
    assert apps.get_scm_allowed("bot-group", NAME).properties.allow is False
    assert apps.get_ftp_allowed("bot-group", NAME).properties.allow is True
    policies = apps.list_basic_publishing_credentials_policies("bot-group", NAME)
    assert {each.name: each.properties.allow for each in policies} == {"ftp": True, "scm": False}


def test_publishing_credentials_are_made_once(azure: ArmThread, client: Client) -> None:
    """The profile in XML and the credentials in JSON have the same password."""
    add_site(azure)
    path = f"{PATH}/config/publishingcredentials/list"
    found = azure.call("POST", path).json()["properties"]
    assert found["scmUri"] == f"https://{NAME}.scm.azurewebsites.net"
    stream = client("web").web_apps.list_publishing_profile_xml_with_secrets(
        "bot-group", NAME, {"format": "WebDeploy"}
    )
    profile = b"".join(stream).decode()
    assert f'userPWD="{found["publishingPassword"]}"' in profile
    assert found["publishingPassword"] not in azure.call("GET", PATH).text


@pytest.mark.parametrize(
    "name", ["appsettings", "authsettings", "connectionstrings", "publishingcredentials"]
)
def test_a_configuration_with_secrets_has_no_get(azure: ArmThread, name: str) -> None:
    """Only a POST to `list` returns them, so read access to a site does not show them."""
    add_site(azure)
    path = f"{PATH}/config/{name}"
    assert refusal(azure.call("GET", path)) == (405, "MethodNotAllowed")
    assert azure.call("POST", f"{path}/list").status_code == 200


def test_a_configuration_that_does_not_exist_is_not_found(azure: ArmThread) -> None:
    """Each method refuses the name, so a typo in it is noticed."""
    add_site(azure)
    path = f"{PATH}/config/appsetings"
    for method, sent in (("GET", None), ("PUT", {"properties": {"A": "1"}}), ("PATCH", {})):
        assert refusal(azure.call(method, path, sent)) == (404, "NotFound")
    # Version 2 of the authentication settings is read by GET; there is no POST for it.
    for listed in (path, f"{PATH}/config/web", f"{PATH}/config/authsettingsV2"):
        assert refusal(azure.call("POST", f"{listed}/list")) == (404, "NotFound")


def test_publishing_credentials_cannot_be_written(azure: ArmThread) -> None:
    """They are the service's own; only `web` has a PATCH."""
    add_site(azure)
    for method, name in (("PUT", "publishingcredentials"), ("PATCH", "connectionstrings")):
        refused = azure.call(method, f"{PATH}/config/{name}", {"properties": {}})
        assert refusal(refused) == (405, "MethodNotAllowed")


def test_reading_a_publishing_policy_stores_nothing(azure: ArmThread) -> None:
    """It is a resource only once somebody has written it."""
    add_site(azure)
    before = len(list(azure.arm.resources))
    for name in ("", "/ftp", "/scm"):
        assert azure.call("GET", f"{PATH}/basicPublishingCredentialsPolicies{name}").ok
    assert len(list(azure.arm.resources)) == before


def test_names_of_slot_settings_are_read(azure: ArmThread, client: Client) -> None:
    """az reads and writes them with the settings."""
    add_site(azure)
    apps = client("web").web_apps
    assert (
        apps.list_slot_configuration_names("bot-group", NAME).properties.app_setting_names is None
    )
    sent = {"properties": {"appSettingNames": ["A"]}}
    apps.update_slot_configuration_names("bot-group", NAME, sent)
    found = apps.list_slot_configuration_names("bot-group", NAME)
    assert found.properties.app_setting_names == ["A"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "config/web"), ("POST", "config/appsettings/list")]
)
def test_a_site_must_exist(azure: ArmThread, method: str, path: str) -> None:
    """The refusal names the site."""
    refused = azure.call(method, f"{PATH}/{path}")
    assert refusal(refused) == (404, "ResourceNotFound")
    assert f"Microsoft.Web/sites/{NAME}" in refused.json()["error"]["message"]


def test_functions_and_their_keys(azure: ArmThread, client: Client) -> None:
    """A deployment makes functions known; each has a key of its own, the host has others."""
    site_id = add_site(azure)
    apps = client("web").web_apps
    assert list(apps.list_functions("bot-group", NAME)) == []
    assert refusal(azure.call("GET", f"{PATH}/functions/identity")) == (404, "ResourceNotFound")
    azure.arm.deploy_functions(site_id, dict.fromkeys(("messages", "identity"), HTTP))
    found = {each.name for each in apps.list_functions("bot-group", NAME)}
    assert found == {f"{NAME}/messages", f"{NAME}/identity"}
    function = azure.call("GET", f"{PATH}/functions/identity").json()
    host = f"https://{NAME}.azurewebsites.net"
    assert function["properties"]["invoke_url_template"] == f"{host}/api/identity"

    def key(name: str) -> Any:
        return azure.call("POST", f"{PATH}/functions/{name}/listKeys").json()["default"]

    assert key("identity") == azure.arm.function_key(site_id, "identity") == key("identity")
    assert key("identity") != key("messages")
    hosts = azure.call("POST", f"{PATH}/host/default/listKeys").json()
    assert hosts["functionKeys"]["default"] == azure.arm.host_key(site_id)
    missing = azure.call("POST", f"{PATH}/functions/missing/listKeys")
    assert refusal(missing) == (404, "NotFound")
    azure.arm.deploy_functions(site_id, {"messages": HTTP})
    assert [each.name for each in apps.list_functions("bot-group", NAME)] == [f"{NAME}/messages"]
