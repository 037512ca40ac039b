"""Log Analytics: the query API refuses whom Azure refuses, and answers in its shapes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bot_workbench.emulator.log_analytics.log_analytics import QueryResult
from bot_workbench.emulator.resource_manager.resource import Resource
from bot_workbench.emulator.seeds import assign_role
from tests.support.azure.azure_thread import AzureThread, answer_of

HOST = "https://api.loganalytics.azure.com"
AUDIENCES = ("https://api.loganalytics.io", "https://api.loganalytics.azure.com/")
QUERY = "AppRequests | summarize Turns = count()"
UNKNOWN = "11111111-2222-3333-4444-555555555555"
LOG_ANALYTICS_READER = "73c42c96-874c-492b-b04d-ab87d138a893"


@pytest.fixture
def thread(tmp_path: Path) -> Iterator[AzureThread]:
    """A local Azure."""
    with AzureThread(tmp_path) as thread:
        yield thread


@pytest.fixture
def workspace(thread: AzureThread) -> Resource:
    """A workspace that has a result."""
    result = QueryResult({"Turns": "long"}, ((7,),))
    thread.azure.log_analytics.results["AppRequests"] = result
    kind = "Microsoft.OperationalInsights/workspaces"
    made: Resource = thread.call(thread.azure.group.put, kind, "contoso-logs", {})
    return made


def token(thread: AzureThread, audience: str, principal: str = "") -> str:
    """A token of the pipeline, or of another principal, for an audience."""
    entra, object_id = thread.azure.entra, principal or thread.azure.pipeline.object_id
    tenant = entra.directory.tenant_id
    made: tuple[str, int] = thread.call(
        entra.app_token, audience, "a client", object_id, tenant_id=tenant
    )
    return made[0]


def ask(
    thread: AzureThread, workspace: str, bearer: str, method: str = "GET", body: object = None
) -> tuple[int, Any]:
    """Status and JSON."""
    url = f"{HOST}/v1/workspaces/{workspace}/query"
    asked = f"?query={quote(QUERY)}&timespan=P1D" if method == "GET" else ""
    status, text = thread.do(
        answer_of(
            thread.azure, method, f"{url}{asked}", body=body, Authorization=f"Bearer {bearer}"
        )
    )
    return status, json.loads(text)


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_query_is_answered(
    thread: AzureThread, workspace: Resource, audience: str, method: str
) -> None:
    """By GET and by POST: one table with columns and rows."""
    body = {"query": QUERY, "timespan": "PT12H"} if method == "POST" else None
    identity = workspace.properties["customerId"]
    status, answer = ask(thread, identity, token(thread, audience), method, body)
    assert status == 200
    assert answer == {
        "tables": [
            {
                "name": "PrimaryResult",
                "columns": [{"name": "Turns", "type": "long"}],
                "rows": [[7]],
            }
        ]
    }
    assert thread.azure.log_analytics.queries == [("contoso-logs", QUERY)]


@pytest.mark.parametrize("audience", ["https://management.azure.com", "https://vault.azure.net"])
def test_another_audience_is_refused(
    thread: AzureThread, workspace: Resource, audience: str
) -> None:
    """401, as for a token that nobody has signed, and for none."""
    identity = workspace.properties["customerId"]
    for bearer in (token(thread, audience), "eyJhbGciOiJub25lIn0.e30.", ""):
        status, answer = ask(thread, identity, bearer)
        assert status == 401
        assert answer["error"]["code"] in {"InvalidTokenError", "AuthorizationRequiredError"}


def test_a_role_is_needed(thread: AzureThread, workspace: Resource) -> None:
    """403 without one, 200 with Log Analytics Reader, 404 for a workspace that nobody has."""
    identity = workspace.properties["customerId"]
    group = thread.azure.group
    made = thread.call(group.identity, "reader")
    bearer = token(thread, AUDIENCES[0], made["principalId"])
    status, answer = ask(thread, identity, bearer)
    assert (status, answer["error"]["code"]) == (403, "InsufficientAccessError")
    thread.call(assign_role, group, workspace, LOG_ANALYTICS_READER, made["principalId"])
    assert ask(thread, identity, bearer)[0] == 200
    assert ask(thread, UNKNOWN, bearer)[0] == 404


@pytest.mark.parametrize(
    "body", [None, [], {}, {"query": ""}, {"query": QUERY, "timespan": "yesterday"}]
)
def test_a_bad_query_is_refused(thread: AzureThread, workspace: Resource, body: object) -> None:
    """400."""
    identity = workspace.properties["customerId"]
    status, answer = ask(thread, identity, token(thread, AUDIENCES[0]), "POST", body)
    assert (status, answer["error"]["code"]) == (400, "BadArgumentError")


def test_another_method_is_refused(thread: AzureThread, workspace: Resource) -> None:
    """405."""
    identity = workspace.properties["customerId"]
    status, answer = ask(thread, identity, token(thread, AUDIENCES[0]), "PUT", {"query": QUERY})
    assert (status, answer["error"]["code"]) == (405, "MethodNotAllowedError")
