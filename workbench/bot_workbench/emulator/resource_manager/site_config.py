"""What stands below sites: configuration, publishing, functions and their keys."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from bot_workbench.emulator.resource_manager.errors import error
from bot_workbench.emulator.resource_manager.resource import (
    JsonObject,
    Resource,
    ResourceId,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.resource_type import (
    ArmReply,
    ArmRequest,
    check_parent,
    existing,
    listed,
)
from bot_workbench.emulator.resource_manager.sites import (
    CONFIG,
    SETTINGS,
    SITES,
    find_site,
    given,
    set_settings,
)

APP_SETTINGS = "appsettings"
WEB = "web"
CREDENTIALS = "publishingcredentials"
READ = (WEB, "authsettingsv2", "logs", "slotconfignames")
"""Configurations that a GET returns, in lower case (azure-mgmt-web has these calls)."""

LISTED = (
    APP_SETTINGS,
    CREDENTIALS,
    "authsettings",
    "azurestorageaccounts",
    "backup",
    "connectionstrings",
    "metadata",
    "pushsettings",
)
"""Configurations that a POST to `list` returns, because they hold secrets."""

WEB_DEFAULTS: JsonObject = {
    "alwaysOn": False,
    "ftpsState": "FtpsOnly",
    "http20Enabled": True,
    "linuxFxVersion": "",
    "minTlsVersion": "1.2",
    "numberOfWorkers": 1,
    "publicNetworkAccess": "Enabled",
    "scmType": "None",
}

POLICIES = ("ftp", "scm")
FUNCTION_KEYS = "functionKeys"

Functions = Mapping[str, Sequence[Mapping[str, Any]]]
"""The bindings of each function by its name, as in function.json."""


def put_config(request: ArmRequest) -> ArmReply:
    """Replace a configuration: always 200; a PATCH changes `web`, the others have none.

    App settings are replaced as a whole, and never part of what a GET returns: they hold secrets.
    """
    name, site = _named(request, request.id)
    if name == CREDENTIALS or (request.method == "PATCH" and name != WEB):
        raise error("MethodNotAllowed: configuration", name=request.id.name, method=request.method)
    if name == APP_SETTINGS:
        set_settings(request.tenant, site, request.properties)
    elif name == WEB:
        site.hidden.setdefault(CONFIG, {}).update(given(request.properties))
        request.tenant.changed(site)
    else:
        site.hidden[name] = dict(request.properties)
    return ArmReply(_config_answer(request.id, site))


def get_config(request: ArmRequest) -> ArmReply:
    """A configuration without secrets.

    Raises:
        ArmError: 405, it is returned by a POST to `list` only.
    """
    name, site = _named(request, request.id)
    if name not in READ:
        raise error("MethodNotAllowed: configuration", name=request.id.name, method=request.method)
    return ArmReply(_config_answer(request.id, site))


def list_config(request: ArmRequest) -> ArmReply:
    """The site's `web` configuration, as a list of one."""
    site = existing(request, request.id.parent)
    return listed([_config_answer(ResourceId(f"{request.id.text}/{WEB}"), site)])


def act_on_config(request: ArmRequest) -> ArmReply:
    """`list` returns what a GET does not: settings and strings with their values."""
    config, action = request.id.parent, request.id.name.lower()
    name, site = _named(request, config)
    if action != "list" or name not in LISTED:
        raise error("NotFound: action of configuration", action=action, name=config.name)
    return ArmReply(_config_answer(config, site))


def _named(request: ArmRequest, config: ResourceId) -> tuple[str, Resource]:
    """The configuration's name in lower case, and its site.

    Raises:
        ArmError: 404, there is no such site or configuration.
    """
    site, name = existing(request, config.parent), config.name.lower()
    if name not in READ and name not in LISTED:
        raise error("NotFound: configuration", name=config.name)
    return name, site


def _config_answer(config: ResourceId, site: Resource) -> JsonObject:
    name = config.name.lower()
    properties = dict(site.hidden.get(name, {}))
    if name == APP_SETTINGS:
        properties = dict(site.hidden.get(SETTINGS, {}))
    elif name == WEB:
        properties = {**WEB_DEFAULTS, **site.hidden.get(CONFIG, {}), "appSettings": None}
    elif name == "slotconfignames":
        properties = {"appSettingNames": None, "connectionStringNames": None} | properties
    elif name == CREDENTIALS:
        properties = publishing_credentials(site)
    return {
        "id": config.text,
        "name": config.name,
        "type": f"{site.type}/config",
        "location": site.body.get("location"),
        "properties": properties,
    }


def put_policy(request: ArmRequest) -> ArmReply:
    """Allow or forbid publishing with user name and password, by `ftp` or by `scm`: 200."""
    policy = _policy(request, request.id)
    policy.properties["allow"] = request.properties.get("allow") is not False
    return ArmReply(request.store.add(policy).answer())


def get_policy(request: ArmRequest) -> ArmReply:
    """It is allowed until somebody forbids it."""
    return ArmReply(_policy(request, request.id).answer())


def list_policies(request: ArmRequest) -> ArmReply:
    """Both."""
    ids = [ResourceId(f"{request.id.text}/{name}") for name in POLICIES]
    return listed([_policy(request, each).answer() for each in ids])


def _policy(request: ArmRequest, policy: ResourceId) -> Resource:
    """A policy of a site, which is a resource only once somebody has written it."""
    check_parent(request, policy, reading=True)
    if policy.name.lower() not in POLICIES:
        raise error("NotFound: policy", name=policy.name)
    new = Resource(policy.text, request.type_of(policy).name, {"properties": {"allow": True}})
    return request.store.find(policy.text) or new


PASSWORD = "publishingPassword"  # noqa: S105  # a property's name


def publishing_credentials(site: Resource) -> JsonObject:
    """The properties of `config/publishingcredentials/list`; the password is made once."""
    password = site.hidden.setdefault(PASSWORD, secrets.token_hex(30))
    return {
        "name": site.name,
        "publishingUserName": f"${site.name}",
        PASSWORD: password,
        "scmUri": f"https://{_deployment_host(site)}",
    }


def get_publishing_profile(request: ArmRequest) -> ArmReply:
    """`publishxml`, in the two ways that az reads."""
    site = existing(request, request.id.parent)
    credentials = publishing_credentials(site)
    addresses = {
        "MSDeploy": f"{_deployment_host(site)}:443",
        "FTP": f"ftps://{site.properties['defaultHostName']}/site/wwwroot",
    }
    document = Element("publishData")
    for method, address in addresses.items():
        SubElement(
            document,
            "publishProfile",
            {
                "profileName": f"{site.name} - {method}",
                "publishMethod": method,
                "publishUrl": address,
                "userName": credentials["publishingUserName"],
                "userPWD": credentials[PASSWORD],
                "destinationAppUrl": f"https://{site.properties['defaultHostName']}",
            },
        )
    return ArmReply(xml=tostring(document, "unicode"))


def _deployment_host(site: Resource) -> str:
    names: list[str] = site.properties["enabledHostNames"]
    return names[-1]


def deploy_functions(store: ResourceStore, site_id: str, functions: Functions) -> None:
    """Replace a site's functions, as a deployment of code does.

    Raises:
        KeyError: there is no such site.
    """
    for each in store.of_type(f"{SITES}/functions", site_id):
        store.remove(each.id)
    site = find_site(store, site_id)
    for name, bindings in functions.items():
        properties = {
            "name": name,
            "function_app_id": site.id,
            "invoke_url_template": _url(site.properties["defaultHostName"], name, bindings),
            "config": {"name": name, "bindings": [dict(each) for each in bindings]},
            "isDisabled": False,
            "language": "python",
        }
        function_id = f"{site.id}/functions/{name}"
        store.add(Resource(function_id, f"{SITES}/functions", {"properties": properties}))


def site_key(site: Resource, name: str) -> str:
    """A key of a site, which is made when it is first asked for.

    Args:
        site: the site.
        name: `host` for the default key of all functions, `master`, or `function/NAME` with the
            name in lower case.
    """
    keys: dict[str, str] = site.hidden.setdefault(FUNCTION_KEYS, {})
    return keys.setdefault(name, f"{secrets.token_urlsafe(40)}==")


def list_host_keys(request: ArmRequest) -> ArmReply:
    """`host/default/listKeys`."""
    site = existing(request, request.id.parent.parent)
    keys = {"default": site_key(site, "host")}
    return ArmReply({"masterKey": site_key(site, "master"), "functionKeys": keys, "systemKeys": {}})


def list_function_keys(request: ArmRequest) -> ArmReply:
    """`functions/NAME/listKeys`."""
    function = request.id.parent
    site = existing(request, function.parent)
    is_deployed = bool(request.store.of_type(f"{site.type}/functions", site.id))
    if is_deployed and function.text not in request.store:
        raise error("NotFound: function", name=function.name)
    return ArmReply({"default": site_key(site, f"function/{function.name.lower()}")})


def _url(host: str, name: str, bindings: Sequence[Mapping[str, Any]]) -> str | None:
    """Where a function with an HTTP trigger answers; None for another one."""
    for each in bindings:
        if str(each.get("type")).lower() == "httptrigger":
            return f"https://{host}/api/{each.get('route') or name}"
    return None
