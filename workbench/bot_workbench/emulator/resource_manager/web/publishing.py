"""The publishing of code to a site with a user name and password."""

import secrets
from xml.etree.ElementTree import Element, SubElement, tostring

from bot_workbench.emulator.resource_manager.core.resource import JsonObject, Resource

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


def publishing_profile(site: Resource) -> str:
    """The XML of `publishxml`, in the two ways that az reads."""
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
    return tostring(document, "unicode")


def _deployment_host(site: Resource) -> str:
    names: list[str] = site.properties["enabledHostNames"]
    return names[-1]
