"""RestClient: retries, lost answers, pages and errors, against a service on the wire."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.rest import HttpRequest
from requests import ConnectionError
from requests.adapters import HTTPAdapter

from bot_workbench.admin.azure.clock import Deadline
from bot_workbench.admin.azure.errors import (
    AnswerLost,
    AzureProblem,
    Conflict,
    Forbidden,
    NotFound,
    NotReachable,
    NotSignedIn,
    Refused,
)
from bot_workbench.admin.azure.rest_client import RestClient
from bot_workbench.admin.azure.retries import (
    CONNECT_SECONDS,
    MAX_RETRIES,
    MAX_RETRY_AFTER_SECONDS,
    DeadlineTransport,
)
from bot_workbench.admin.exit_status import ExitStatus
from tests.admin.azure.scripted_service import LOST, Answer, ScriptedService
from tests.admin.moved_clock import MovedClock
from tests.support.wire.host_addresses import closed_port


@pytest.fixture
def client(service: ScriptedService, clock: MovedClock) -> Iterator[RestClient]:
    """A client of the scripted service."""
    made = RestClient(service.url, "Microsoft Graph", None, "", Deadline(clock), "request-1")
    yield made
    made.close()


def error_body(code: str, message: str) -> dict[str, object]:
    """An error as ARM and Graph write it."""
    return {"error": {"code": code, "message": message}}


def test_a_request_has_our_name_and_one_id(client: RestClient, service: ScriptedService) -> None:
    """Azure's support finds all requests of a command by one id."""
    service.answers += [Answer(body={"x": 1}), Answer(body={})]
    client.get("/a")
    client.send("PATCH", "/b", {"x": 1})
    assert {one.headers["x-ms-client-request-id"] for one in service.asked} == {"request-1"}
    assert all(one.headers["User-Agent"].startswith("secretless-bot") for one in service.asked)
    assert service.asked[1].headers["Content-Type"] == "application/json"
    assert service.asked[1].body == {"x": 1}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "POST", "DELETE"])
def test_throttled_requests_wait_as_long_as_asked(
    client: RestClient, service: ScriptedService, clock: MovedClock, method: str
) -> None:
    """After 429, any request is sent again, after the seconds of Retry-After."""
    service.answers += [Answer(429, headers={"Retry-After": "17"}), Answer(body={"done": True})]
    assert client.send(method, "/a") == {"done": True}
    assert clock.waits == [17]


def test_an_absurd_retry_after_is_cut(
    client: RestClient, service: ScriptedService, clock: MovedClock
) -> None:
    """A service cannot stop a command for an hour."""
    service.answers += [Answer(503, headers={"Retry-After": "3600"}), Answer(body={"x": 1})]
    client.get("/a")
    assert clock.waits == [MAX_RETRY_AFTER_SECONDS]


def test_a_read_survives_faults(
    client: RestClient, service: ScriptedService, clock: MovedClock
) -> None:
    """A GET is repeated after lost connections and server errors, with growing waits."""
    service.answers += [LOST, Answer(500), Answer(502), Answer(504), Answer(body={"x": 1})]
    assert client.get("/a") == {"x": 1}
    assert clock.waits == sorted(clock.waits)
    assert sum(clock.waits) > 1


@pytest.mark.parametrize(
    "path", ["/x/config/appsettings/list", "/x/listKeys?api-version=1", "/t/oauth2/v2.0/token"]
)
def test_a_post_that_reads_is_a_read(
    client: RestClient, service: ScriptedService, path: str
) -> None:
    """Resource Manager returns secret values to POST only, and Entra its tokens: these are repeated
    as a GET is."""
    service.answers += [LOST, Answer(502), Answer(body={"x": 1})]
    assert client.send("POST", path) == {"x": 1}


def test_nothing_is_repeated_after_the_deadline(
    service: ScriptedService, clock: MovedClock
) -> None:
    """No request is repeated if it would have to wait until after the deadline."""
    client = RestClient(service.url, "Microsoft Graph", None, "", Deadline(clock, 20), "request-1")
    service.answers += [Answer(429, headers={"Retry-After": "17"})] * 3
    with pytest.raises(NotReachable, match="429"):
        client.send("PATCH", "/a", {})
    assert clock.waits == [17]
    service.answers.clear()
    service.answers += [LOST, LOST, LOST, LOST, Answer(body={"x": 1})]
    with pytest.raises(NotReachable, match="did not answer"):
        client.get("/a")
    assert clock.now() < 20
    clock.sleep(20)
    service.answers.clear()
    service.answers += [LOST, Answer(body={"x": 1})]
    with pytest.raises(NotReachable, match="did not answer"):
        client.get("/a")
    assert client.get("/a") == {"x": 1}  # one that is sent late is still sent once
    client.close()


@pytest.mark.parametrize(("method", "problem"), [("GET", NotReachable), ("PATCH", AnswerLost)])
def test_a_trickling_answer_is_not_waited_for(
    service: ScriptedService,
    clock: MovedClock,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    problem: type[AzureProblem],
) -> None:
    """Each byte arrives in time, and the answer does not."""
    monkeypatch.setattr("bot_workbench.admin.azure.clock.MIN_ANSWER_SECONDS", 0.25)
    client = RestClient(service.url, "Microsoft Graph", None, "", Deadline(clock, 0), "request-1")
    service.answers.append(Answer(body={"x": "y" * 50}, pause=0.1))
    with pytest.raises(problem, match="did not answer: the answer was not complete after"):
        client.send(method, "/a")
    client.close()


def test_an_answer_is_due_at_the_deadline(clock: MovedClock) -> None:
    """At most when it always is; a request that is sent late has ten seconds."""
    due = Deadline(clock, 50)
    assert due.answer_seconds(120) == 50
    assert due.answer_seconds(20) == 20
    clock.sleep(45)
    assert due.answer_seconds(120) == 10
    clock.sleep(45)
    assert due.answer_seconds(120) == 10
    assert Deadline(clock).answer_seconds(120) == 120


def test_each_request_has_the_time_that_is_left(clock: MovedClock) -> None:
    """To connect and to be answered, whatever azure-core's own policies ask for."""
    seen: list[object] = []

    class Network(HTTPAdapter):
        def send(self, *_: object, **options: Any) -> Any:
            seen.append(options["timeout"])
            raise ConnectionError

    with DeadlineTransport(Deadline(clock, 18), read_seconds=120) as transport:
        transport.session.mount("https://", Network())
        for _ in range(2):
            with pytest.raises(ServiceRequestError):
                transport.send(
                    HttpRequest("GET", "https://contoso.example"),
                    connection_timeout=300,
                    read_timeout=300,
                )
            clock.sleep(6)
    assert seen == [(min(CONNECT_SECONDS, 18), 18), (min(CONNECT_SECONDS, 12), 12)]


def test_retries_end(client: RestClient, service: ScriptedService) -> None:
    """A service that stays down is reported after the last attempt."""
    service.answers += [Answer(503)] * (MAX_RETRIES + 1)
    with pytest.raises(NotReachable, match="503"):
        client.get("/a")
    assert len(service.asked) == MAX_RETRIES + 1


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST", "DELETE"])
@pytest.mark.parametrize("answer", [LOST, Answer(500), Answer(502), Answer(504)])
def test_a_write_of_unknown_fate_is_not_repeated(
    client: RestClient, service: ScriptedService, method: str, answer: Answer
) -> None:
    """Who sent a write looks first what became of it."""
    service.answers += [answer, Answer(body={})]
    with pytest.raises(AnswerLost):
        client.send(method, "/a", {})
    assert len(service.asked) == 1


def test_an_unreachable_service_is_named(clock: MovedClock) -> None:
    """The message has the service and its host, and no traceback of urllib3's words only."""
    with closed_port() as (ip, port):
        client = RestClient(
            f"http://{ip}:{port}", "Microsoft Graph", None, "", Deadline(clock), "1"
        )
        text = r"^Microsoft Graph \(127\.0\.0\.1\) cannot be reached"
        with pytest.raises(NotReachable, match=text):
            client.get("/a")
        client.close()
    assert len(clock.waits) >= MAX_RETRIES - 1


@pytest.mark.parametrize(
    ("status", "kind", "exit_status"),
    [
        (400, Refused, ExitStatus.FOUND),
        (401, NotSignedIn, ExitStatus.UNREACHABLE),
        (403, Forbidden, ExitStatus.UNREACHABLE),
        (404, NotFound, ExitStatus.FOUND),
        (409, Conflict, ExitStatus.FOUND),
        (412, Conflict, ExitStatus.FOUND),
    ],
)
def test_refusals_are_translated_once(
    client: RestClient,
    service: ScriptedService,
    status: int,
    kind: type[AzureProblem],
    exit_status: ExitStatus,
) -> None:
    """Each status is one error, with Azure's own message in one line."""
    service.answers.append(Answer(status, error_body("Bad_Thing", "It is\nnot allowed")))
    with pytest.raises(kind) as caught:
        client.send("PATCH", "/a", {})
    assert type(caught.value) is kind
    assert "Bad_Thing: It is not allowed." in str(caught.value)
    assert caught.value.exit_status is exit_status
    assert "\n" not in str(caught.value)


def test_forbidden_names_the_role(client: RestClient, service: ScriptedService) -> None:
    """Who lacks a role reads which."""
    service.answers.append(Answer(403, error_body("Authorization_RequestDenied", "No")))
    with pytest.raises(Forbidden, match="an owner of the app registration"):
        client.get("/a")


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        ({"code": "RequestDisallowedByPolicy"}, "Azure Policy"),
        ({"code": "Forbidden", "innererror": {"code": "ForbiddenByFirewall"}}, "network-rule add"),
        (
            {"code": "Forbidden", "innererror": {"code": "ForbiddenByConnection"}},
            "private endpoint",
        ),
    ],
)
def test_what_no_role_helps_against_names_none(
    client: RestClient, service: ScriptedService, error: dict[str, object], cure: str
) -> None:
    """A policy and a firewall refuse whoever asks."""
    service.answers.append(Answer(403, {"error": {**error, "message": "No"}}))
    with pytest.raises(Forbidden, match=cure) as caught:
        client.get("/a")
    assert "Your account needs" not in str(caught.value)


def test_an_error_of_app_service_keeps_its_message(
    client: RestClient, service: ScriptedService
) -> None:
    """App Service writes the names with capitals, and no "error" around them."""
    service.answers.append(Answer(409, {"Code": "Conflict", "Message": "A restart is under way"}))
    with pytest.raises(Conflict, match="Conflict: A restart is under way") as caught:
        client.send("PUT", "/a", {})
    assert caught.value.code == "Conflict"


@pytest.mark.parametrize(
    "body",
    ["<html>Bad gateway</html>", "", [1], {"error": "plain"}, {}, {"error": None}, {"error": [1]}],
)
def test_odd_error_bodies_are_no_second_error(
    client: RestClient, service: ScriptedService, body: object
) -> None:
    """A proxy's page in place of JSON is still a refusal."""
    service.answers.append(Answer(400, body))
    with pytest.raises(Refused, match="400"):
        client.get("/a")


@pytest.mark.parametrize("page", ["<html>Sign in to the network</html>", "", "[1]"])
def test_a_page_is_no_answer(client: RestClient, service: ScriptedService, page: str) -> None:
    """What a proxy answers in Azure's place is not taken for an empty object."""
    service.answers.append(Answer(200, page))
    with pytest.raises(NotReachable, match="without a JSON object"):
        client.get("/a")


def test_find_says_none_for_what_is_missing(client: RestClient, service: ScriptedService) -> None:
    """404 is an answer, not a failure."""
    service.answers.append(Answer(404, error_body("NotFound", "no")))
    assert client.find("/a") is None


def test_a_proxys_404_is_no_missing_object(client: RestClient, service: ScriptedService) -> None:
    """A proxy's 404 does not mean that the object is missing."""
    service.answers += [Answer(404, "<html>Not found</html>"), Answer(404)]
    with pytest.raises(NotReachable, match="is there a proxy in between"):
        client.find("/a")
    assert client.find("/a") is None


@pytest.mark.parametrize("link", ["nextLink", "@odata.nextLink"])
def test_lists_are_read_to_their_end(
    client: RestClient, service: ScriptedService, link: str
) -> None:
    """ARM and Graph page their lists, each with a link of its own name."""
    # A next link is absolute and https; here the second page is below the base URL.
    service.answers += [
        Answer(body={"value": [{"n": 1}], link: "/second?$skiptoken=x"}),
        Answer(body={"value": [{"n": 2}]}),
    ]
    assert list(client.pages("/first")) == [{"n": 1}, {"n": 2}]
    assert [one.path for one in service.asked] == ["/first", "/second?$skiptoken=x"]


def test_nothing_is_logged(
    client: RestClient, service: ScriptedService, caplog: pytest.LogCaptureFixture
) -> None:
    """Bodies hold secret values: no record of any level has one."""
    caplog.set_level(logging.DEBUG)
    service.answers.append(Answer(body={"properties": {"MicrosoftAppPassword": "s3cret-value"}}))
    client.send("PUT", "/a", {"properties": {"MicrosoftAppPassword": "s3cret-value"}})
    assert "s3cret-value" not in caplog.text
