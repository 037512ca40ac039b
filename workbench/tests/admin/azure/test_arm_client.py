"""ArmClient: api-versions and long-running operations, against a service on the wire."""

from collections.abc import Iterator

import pytest

from bot_workbench.admin.azure.arm_client import API_VERSIONS, ArmClient
from bot_workbench.admin.azure.clock import Deadline
from bot_workbench.admin.azure.errors import AnswerLost, Refused
from tests.admin.azure.scripted_service import Answer, ScriptedService
from tests.admin.moved_clock import MovedClock

SITE = "/subscriptions/1/resourceGroups/g/providers/Microsoft.Web/sites/s"


@pytest.fixture
def arm(service: ScriptedService, clock: MovedClock) -> Iterator[ArmClient]:
    """A client of the scripted service."""
    made = ArmClient(service.url, "Azure Resource Manager", None, "", Deadline(clock), "request-1")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("path", "provider"),
    [
        (SITE, "Microsoft.Web"),
        (SITE.lower(), "Microsoft.Web"),
        ("/subscriptions/1/providers/MICROSOFT.botservice/x", "Microsoft.BotService"),
        ("/subscriptions/1/providers/Microsoft.Unknown/x", ""),
        (f"{SITE}/providers/Microsoft.Authorization/roleAssignments", "Microsoft.Authorization"),
        ("/subscriptions/1/resources?$filter=name eq 'x'", ""),
    ],
)
def test_each_provider_has_its_api_version(arm: ArmClient, path: str, provider: str) -> None:
    """The last provider of a path decides."""
    assert arm.url(path).endswith(f"api-version={API_VERSIONS[provider]}")
    assert arm.url(f"{path}{'&' if '?' in path else '?'}api-version=x").endswith("=x")


@pytest.mark.parametrize("status", [200, 201, 202])
def test_an_operation_is_followed_to_its_end(
    arm: ArmClient, service: ScriptedService, clock: MovedClock, status: int
) -> None:
    """Azure-AsyncOperation is polled, as often as the service asks."""
    where = {"Azure-AsyncOperation": f"{service.url}/operation?api-version=1", "Retry-After": "7"}
    service.answers += [
        Answer(status, {}, where),
        Answer(200, {"status": "InProgress"}, {"Retry-After": "5"}),
        Answer(200, {"status": "Succeeded"}),
    ]
    arm.send("PUT", SITE, {})
    assert clock.waits == [7, 5]
    assert [one.method for one in service.asked] == ["PUT", "GET", "GET"]


@pytest.mark.parametrize("state", ["Provisioning", "Deleting", "Accepted"])
def test_only_three_states_end_an_operation(
    arm: ArmClient, service: ScriptedService, clock: MovedClock, state: str
) -> None:
    """Providers have words of their own for what still runs; no wait is shorter than a second."""
    where = {"Azure-AsyncOperation": f"{service.url}/operation?api-version=1", "Retry-After": "0"}
    service.answers += [
        Answer(202, {}, where),
        Answer(200, {"status": state}, {"Retry-After": "-1"}),
        Answer(202, {"status": "Succeeded", "x": 1}),
    ]
    assert arm.send("PUT", SITE, {})["x"] == 1
    assert clock.waits == [1, 1]


@pytest.mark.parametrize("result", [{"x": 1}, {"status": "Active"}, {"status": "Failed"}])
def test_a_location_is_followed(
    arm: ArmClient, service: ScriptedService, result: dict[str, object]
) -> None:
    """202 with Location is polled until the answer is not 202, whatever status a result has."""
    where = {"Location": f"{service.url}/result?api-version=1"}
    running = [Answer(202, None, where), Answer(202, {"status": "Succeeded"}, where)]
    service.answers += [*running, Answer(200, result)]
    assert arm.send("POST", SITE) == result


def test_a_location_of_a_finished_write_is_not_followed(
    arm: ArmClient, service: ScriptedService
) -> None:
    """201 with Location names the new object; it is no operation."""
    service.answers.append(Answer(201, {"x": 1}, {"Location": f"{service.url}/new"}))
    assert arm.send("PUT", SITE, {}) == {"x": 1}


def test_a_failed_operation_is_a_refusal(arm: ArmClient, service: ScriptedService) -> None:
    """Its message is Azure's."""
    where = {"Azure-AsyncOperation": f"{service.url}/operation?api-version=1"}
    failed = {"status": "Failed", "error": {"code": "Quota", "message": "no cores"}}
    service.answers += [Answer(202, {}, where), Answer(200, failed)]
    with pytest.raises(Refused, match="failed: no cores"):
        arm.send("PUT", SITE, {})


def test_an_endless_operation_ends_the_wait(arm: ArmClient, service: ScriptedService) -> None:
    """After a quarter of an hour, the step looks for itself."""
    where = {"Azure-AsyncOperation": f"{service.url}/operation?api-version=1", "Retry-After": "30"}
    service.answers += [Answer(202, {}, where)] + [Answer(200, {"status": "Running"}, where)] * 31
    with pytest.raises(AnswerLost, match="still running"):
        arm.send("PUT", SITE, {})
