"""LogsClient: it asks in a POST's body, and reads the first row by its columns."""

import pytest

from bot_workbench.admin.azure.clock import Deadline
from bot_workbench.admin.azure.errors import NotReachable
from bot_workbench.admin.azure.services import LogsClient
from tests.admin.azure.scripted_service import LOST, Answer, ScriptedService
from tests.admin.moved_clock import MovedClock

COLUMNS = [{"name": "Turns", "type": "long"}, {"name": "Failed", "type": "long"}]


def table(*rows: list[object]) -> dict[str, object]:
    """An answer of one table."""
    return {"tables": [{"name": "PrimaryResult", "columns": COLUMNS, "rows": list(rows)}]}


@pytest.fixture
def client(service: ScriptedService, clock: MovedClock) -> LogsClient:
    """A client of the scripted service."""
    return LogsClient(service.url, "Log Analytics", None, "", Deadline(clock), "request-1")


def test_a_row(service: ScriptedService, client: LogsClient) -> None:
    """By the names of the columns; query and timespan are in the body."""
    service.answers.append(Answer(200, table([4, 1], [9, 9])))
    assert client.row("ws", "AppRequests | count", "P1D") == {"Turns": 4, "Failed": 1}
    (asked,) = service.asked
    assert (asked.method, asked.path) == ("POST", "/v1/workspaces/ws/query")
    assert asked.body == {"query": "AppRequests | count", "timespan": "P1D"}


def test_a_lost_answer(service: ScriptedService, client: LogsClient) -> None:
    """A query only reads: it is asked again."""
    service.answers.extend([LOST, Answer(500), Answer(200, table([4, 1]))])
    assert client.row("ws", "AppRequests | count", "P1D") == {"Turns": 4, "Failed": 1}


def test_no_row(service: ScriptedService, client: LogsClient) -> None:
    """An empty result is an empty row."""
    service.answers.append(Answer(200, table()))
    assert client.row("ws", "AppRequests", "P1D") == {}


@pytest.mark.parametrize(
    "body", [{"tables": []}, {"tables": 7}, {"tables": [{}]}, {"rows": []}, table([1])]
)
def test_another_shape(service: ScriptedService, client: LogsClient, body: object) -> None:
    """An answer that is no table is a service that cannot be used."""
    service.answers.append(Answer(200, body))
    with pytest.raises(NotReachable, match="no table"):
        client.row("ws", "AppRequests", "P1D")
