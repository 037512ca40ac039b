"""The alerts search for what the queries find, and need neither a key nor a role."""

import json
import re
from typing import Any

import pytest

from tests.support.bicep.deployment import Deployment, Resource
from tests.support.bicep.functions import Scope
from tests.support.bicep.stand_in import SUBSCRIPTION_ID, TENANT_ID
from tests.support.kusto.analysis import findings
from tests.support.kusto.rows import columns
from tests.support.project import ROOT

MODULES = ROOT / "infra" / "modules"
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w"
GIVEN = {"name": "contoso", "location": "westeurope", "tags": {}, "workspaceId": WORKSPACE}

MADE_UP = "the signing key 'x' is unknown, though the keys were fetched just now"

AGO = re.compile(r"\bago\((\w+)\)")
"""The time that a query covers."""


def deployed(module: str, **parameters: Any) -> list[Resource]:
    """The resources that a module creates."""
    resources: list[Resource] = []

    def send(resource: Resource) -> dict[str, Any]:
        resources.append(resource)
        return resource.body

    scope = Scope(SUBSCRIPTION_ID, TENANT_ID, "rg-contoso")
    Deployment(MODULES / f"{module}.bicep", {**GIVEN, **parameters}, scope, send).run()
    return resources


def rules(email: str = "") -> dict[str, dict[str, Any]]:
    """The properties of the alert rules by name."""
    kind = "Microsoft.Insights/scheduledQueryRules"
    found = [each for each in deployed("alerts", alertEmail=email) if each.type == kind]
    assert all("identity" not in each.body for each in found)
    return {each.name: each.body["properties"] for each in found}


def queries() -> dict[str, str]:
    """The rules' queries by name."""
    return {name: rule["criteria"]["allOf"][0]["query"] for name, rule in rules().items()}


def test_the_rules() -> None:
    """Dead letters, a certificate that ends, and refusals: each asks its query, and its filter."""
    assert set(rules()) == {
        "alert-dead-letters-contoso",
        "alert-certificate-contoso",
        "alert-refusals-contoso",
    }
    for name, file in (
        ("dead-letters", "dead-letters"),
        ("certificate", "sign-in"),
        ("refusals", "refusals"),
    ):
        text = (ROOT / "infra" / "queries" / f"{file}.kql").read_text("utf-8")
        asked = queries()[f"alert-{name}-contoso"]
        assert AGO.sub("", asked).startswith(AGO.sub("", text))
    assert "| where Refusals >= 10 and " in queries()["alert-refusals-contoso"]


def test_a_query_reads_its_window() -> None:
    """A longer time in the query would keep an alert from resolving, and so from the next one.

    Source: Azure Monitor docs, "Create or edit a log search alert rule", override query time range.
    """
    windows = {"30m": "PT30M", "1d": "P1D"}
    for name, rule in rules().items():
        assert [windows.get(each) for each in AGO.findall(queries()[name])] == [rule["windowSize"]]


def test_the_queries_are_correct_with_their_filters() -> None:
    """What the template appends to a query is Kusto too, and a wrong column would be noticed."""
    wrong = {name: query.replace("Refusals >=", "Refused >=") for name, query in queries().items()}
    assert not any(findings(queries()).values())
    assert sum(bool(found) for found in findings(wrong).values()) == 1


@pytest.mark.parametrize(
    ("name", "line", "alerts"),
    [
        ("refusals", "Answered 401: there is no bearer token", False),
        ("refusals", "Answered 401: not a JWT", False),
        ("refusals", f"Answered 503: {MADE_UP}", False),
        ("refusals", "Answered 403: the token is for another bot (audience)", True),
        ("refusals", "Answered 503: the vault does not answer", True),
        ("certificate", "The certificate A expires soon (days left: 12): renew", True),
        ("certificate", "A newer certificate cannot be used yet: B", True),
        ("certificate", "No first token yet: Entra is down", False),
        ("dead-letters", "The activity c/a is dead-lettered: ValueError", True),
        ("dead-letters", "The activity c/a has been processed already", False),
    ],
)
def test_what_somebody_is_woken_for(name: str, line: str, alerts: bool) -> None:
    """What scanners send is no reason, nor is a line that question 4 lists among others."""
    assert (columns(queries()[f"alert-{name}-contoso"], line) is not None) is alerts


def test_a_rule_is_a_cheap_one() -> None:
    """It runs every 15 minutes or less often, and its window leaves no gap."""
    minutes = {"PT15M": 15, "PT30M": 30, "PT6H": 360, "P1D": 1440}
    for rule in rules().values():
        assert minutes[rule["evaluationFrequency"]] >= 15
        assert minutes[rule["windowSize"]] > minutes[rule["evaluationFrequency"]]
        assert rule["scopes"] == [WORKSPACE]
        # Resource Manager refuses a mute duration with a rule that resolves by itself.
        assert ("muteActionsDuration" in rule) is not rule["autoMitigate"]


def test_one_row_is_an_alert() -> None:
    """Each rule is on, and fires as soon as its query finds something once."""
    for rule in rules().values():
        (criterion,) = rule["criteria"]["allOf"]
        assert rule["enabled"] is True
        assert rule["severity"] in {1, 2}
        fires = (criterion["timeAggregation"], criterion["operator"], criterion["threshold"])
        assert fires == ("Count", "GreaterThan", 0)
        assert set(criterion["failingPeriods"].values()) == {1}


def test_a_new_workspace_takes_the_rules() -> None:
    """Azure does not check a query, whose tables are unknown until the bot has logged something."""
    assert all(rule["skipQueryValidation"] is True for rule in rules().values())


@pytest.mark.parametrize("email", ["", "you@example.com"])
def test_an_address_gets_every_alert(email: str) -> None:
    """Every rule uses the one action group, which has the address, or nobody without one."""
    kind = "Microsoft.Insights/actionGroups"
    (group,) = (each for each in deployed("alerts", alertEmail=email) if each.type == kind)
    for rule in rules(email).values():
        assert rule["actions"]["actionGroups"] == [group.id]
    receivers = [each["emailAddress"] for each in group.body["properties"]["emailReceivers"]]
    assert receivers == ([email] if email else [])


def test_the_workbook() -> None:
    """It is named by a GUID, and reads the workspace of this deployment."""
    (workbook,) = deployed("workbook")
    assert len(workbook.name.split("-")) == 5
    properties = workbook.body["properties"]
    assert properties["sourceId"] == WORKSPACE
    assert json.loads(properties["serializedData"])["fallbackResourceIds"] == [WORKSPACE]
