"""Resource Graph: the queries that Core Tools send, and no others."""

from typing import Any

import pytest
import requests

from bot_workbench.emulator.certificates import CertificateAuthority
from tests.emulator.resource_manager.arm_thread import ArmThread, refusal
from tests.emulator.resource_manager.web.bot_app import NAME, add_site

PATH = "/providers/Microsoft.ResourceGraph/resources"


def asked(azure: ArmThread, query: str, version: str = "2019-04-01", **body: Any) -> Any:
    """The data of an answer."""
    sent = {"subscriptions": [azure.arm.subscription_id], "query": query, **body}
    answer = azure.call("POST", PATH, sent, version=version)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.mark.parametrize(
    "query",
    [
        f"where type =~ 'Microsoft.Web/sites' and name =~ '{NAME.upper()}' | project id",
        f"where type =~ 'microsoft.web/SITES' and name == '{NAME}' | project id | limit 1",
        f"Resources | where name=~'{NAME}' and type == 'microsoft.web/sites' | project id, name",
        "where type =~ 'Microsoft.Web/sites' and properties.sku =~ 'flexconsumption' | project id",
    ],
)
def test_a_resource_is_found(azure: ArmThread, query: str) -> None:
    """Whatever the case of its name and type, in a table whose first cell is the id."""
    site_id = add_site(azure)
    data = asked(azure, query)
    assert data["columns"][0] == {"name": "id", "type": "string"}
    assert data["rows"][0][0] == site_id
    assert len(data["rows"]) == 1


def test_newer_versions_answer_with_objects(azure: ArmThread) -> None:
    """Unless the query asks for a table."""
    site_id = add_site(azure)
    query = "where type =~ 'Microsoft.Web/sites' | project id"
    assert asked(azure, query, "2024-04-01") == [{"id": site_id}]
    table = asked(azure, query, "2024-04-01", options={"resultFormat": "table"})
    assert table["rows"] == [[site_id]]


def test_all_subscriptions_and_members_inside(azure: ArmThread) -> None:
    """Without subscriptions, all are searched; a member that a resource lacks is an empty text."""
    site_id = add_site(azure)
    query = "where type =~ 'Microsoft.Web/sites' | project id, properties.sku, name.none | take 1"
    (row,) = asked(azure, query, "2024-04-01", subscriptions=None)
    assert row == {"id": site_id, "properties.sku": "FlexConsumption", "name.none": ""}


def test_nothing_is_found(azure: ArmThread) -> None:
    """Neither an unknown name, nor in another subscription, nor what the caller may not read."""
    add_site(azure)
    query = f"where type =~ 'Microsoft.Web/sites' and name =~ '{NAME}' | project id"
    empty: Any = {"columns": [], "rows": []}
    assert asked(azure, query.replace(NAME, "other")) == empty
    other = "11111111-1111-1111-1111-111111111111"
    assert asked(azure, query, subscriptions=[other]) == empty
    stranger = azure.token("22222222-2222-2222-2222-222222222222")
    sent = {"subscriptions": [azure.arm.subscription_id], "query": query}
    answer = azure.call("POST", PATH, sent, token=stranger, version="2019-04-01")
    assert answer.json()["data"] == empty


@pytest.mark.parametrize(
    "query",
    [
        "",
        "where name =~ 'a' or name =~ 'b'",
        "where name contains 'a'",
        "where name =~ 'a",
        "summarize count() by type",
        "where name =~ 'a' | join kind=inner (resources) on id",
        "resourcecontainers | where name =~ 'a'",
    ],
)
def test_any_other_query_is_refused(azure: ArmThread, query: str) -> None:
    """Rather than answered wrongly."""
    answer = azure.call("POST", PATH, {"query": query}, version="2019-04-01")
    assert refusal(answer) == (400, "BadRequest")
    assert answer.json()["error"]["details"][0]["code"] == "InvalidQuery"


def test_null_is_no_body(azure: ArmThread, authority: CertificateAuthority) -> None:
    """Core Tools send `null` with each action; a resource cannot be written so."""
    url = f"{azure.arm.server.url}{add_site(azure)}"
    headers = {"Authorization": f"Bearer {azure.token()}"}
    for method, end, status in (("POST", "/config/appsettings/list", 200), ("PUT", "", 400)):
        answer = requests.request(
            method,
            f"{url}{end}?api-version=2015-08-01",
            data="null",
            headers=headers,
            verify=str(authority.path),
            timeout=60,
        )
        assert answer.status_code == status
