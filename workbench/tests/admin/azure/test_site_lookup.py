"""SiteLookup: the app behind an endpoint, against a service on the wire."""

from collections import Counter
from collections.abc import Iterator

import pytest

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.clock import Deadline
from bot_workbench.admin.azure.errors import NotFound
from bot_workbench.admin.azure.resources import SiteLookup
from tests.admin.azure.scripted_service import Answer, ScriptedService
from tests.admin.moved_clock import MovedClock

ID = "/subscriptions/1/resourceGroups/g/providers/Microsoft.Web/sites"


@pytest.fixture
def sites(service: ScriptedService, clock: MovedClock) -> Iterator[SiteLookup]:
    """The apps of the scripted service, as an account sees them."""
    arm = ArmClient(service.url, "Azure Resource Manager", None, "", Deadline(clock), "request-1")
    yield SiteLookup(arm)
    arm.close()


def site(name: str, *hosts: str) -> Answer:
    """One app."""
    properties = {"defaultHostName": f"{name}.azurewebsites.net", "hostNames": [*hosts]}
    return Answer(200, {"id": f"{ID}/{name}", "name": name, "properties": properties})


def test_the_apps_are_listed_once_and_each_is_read_once(
    sites: SiteLookup, service: ScriptedService
) -> None:
    """Those whose names the host begins with are read first; the others only if need be."""
    listed = [{"id": f"{ID}/{name}", "name": name} for name in ("one", "two")]
    service.answers += [
        Answer(200, {"value": [{"subscriptionId": "1"}]}),
        Answer(200, {"value": listed}),
        site("two"),
        site("one", "Bot.contoso.com"),
    ]
    assert sites.at("https://two.azurewebsites.net/api/messages").name == "two"
    assert len(service.asked) == 3
    assert sites.at("https://BOT.contoso.com/api/messages").name == "one"
    assert sites.at("https://one.azurewebsites.net/api/messages").name == "one"
    with pytest.raises(NotFound, match=r"has the host name 'www\.contoso\.com'"):
        sites.at("https://www.contoso.com/api/messages")
    assert set(Counter(asked.path for asked in service.asked).values()) == {1}


@pytest.mark.parametrize("endpoint", ["", "contoso-bot", "http://[", "https:///api/messages"])
def test_an_endpoint_without_a_host_is_named(
    sites: SiteLookup, service: ScriptedService, endpoint: str
) -> None:
    """A tag may hold anything; nothing is looked for."""
    with pytest.raises(NotFound, match="names no host: name the Function App with --app"):
        sites.at(endpoint)
    assert not service.asked
