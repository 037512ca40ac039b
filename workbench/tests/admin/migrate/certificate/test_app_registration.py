"""AppRegistration: stale reads are noticed, and nothing that was seen is lost."""

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.admin.azure.clock import Deadline
from bot_workbench.admin.azure.errors import Conflict, Refused
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.services import GraphClient
from bot_workbench.admin.migrate.certificate.app_registration import (
    READS,
    AppRegistration,
    NoRegistration,
    UnsettledRegistration,
    registered_certificate,
)
from bot_workbench.admin.migrate.certificate.certificates import PublicCertificate
from bot_workbench.admin.plan.step import Step
from bot_workbench.emulator.certificates import self_signed
from tests.admin.azure.scripted_service import Answer, ScriptedService
from tests.admin.moved_clock import MovedClock

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = PublicCertificate("bot-certificate", self_signed("bot", KEY))


def registration(*key_ids: str) -> Answer:
    """Graph's answer with these certificates, whose thumbprints are not known."""
    entries: list[JsonObject] = [
        {"keyId": each, "key": None, "endDateTime": "2099-01-01T00:00:00Z"} for each in key_ids
    ]
    if "new" in key_ids:
        entries[key_ids.index("new")]["key"] = PUBLIC.der
    return Answer(body={"id": "object", "appId": "app", "keyCredentials": entries})


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedService]:
    """Graph, whose answers the test has written down."""
    monkeypatch.setenv("NO_PROXY", "*")
    with ScriptedService() as running:
        yield running


@pytest.fixture
def graph(service: ScriptedService) -> Iterator[GraphClient]:
    """A client of it."""
    client = GraphClient(
        service.url, "Microsoft Graph", None, "", Deadline(MovedClock()), "request-1"
    )
    yield client
    client.close()


@pytest.fixture
def step(graph: GraphClient) -> Step:
    """The step that adds the certificate."""
    found = AppRegistration(graph, "app")
    return registered_certificate(found, lambda: PUBLIC, vault="v", name="bot-certificate")


def sent(service: ScriptedService) -> list[list[JsonObject]]:
    """The collections that were sent."""
    return [each.body["keyCredentials"] for each in service.asked if each.method == "PATCH"]


def test_reads_that_differ_are_not_used(graph: GraphClient, service: ScriptedService) -> None:
    """Another replica answers: it is waited until all agree."""
    service.answers += [registration("a", "b"), registration("a"), registration("a", "b")]
    found = AppRegistration(graph, "app")
    with pytest.raises(UnsettledRegistration, match="differ"):
        found.read()
    service.answers += [registration("a", "b")] * READS
    assert found.read().key_ids == {"a", "b"}


def test_a_read_that_lacks_what_was_seen_is_not_used(
    graph: GraphClient, service: ScriptedService
) -> None:
    """What one answer has shown is missed in all later ones, unless the caller deletes it."""
    found = AppRegistration(graph, "app")
    service.answers += [registration("a", "b")] * READS
    found.read()
    service.answers += [registration("a")] * READS
    with pytest.raises(UnsettledRegistration, match="b: either its answer is old, or somebody"):
        found.read()
    service.answers += [registration("a")] * READS
    assert found.read(leaving={"b"}).key_ids == {"a"}


def test_a_missing_registration_is_said(graph: GraphClient, service: ScriptedService) -> None:
    """It is in another tenant, or deleted."""
    service.answers += [Answer(404, {"error": {"code": "Request_ResourceNotFound"}})]
    with pytest.raises(NoRegistration):
        AppRegistration(graph, "app").read()


def test_a_certificate_added_meanwhile_is_kept(step: Step, service: ScriptedService) -> None:
    """Between the look and the write somebody adds one: nothing is sent, and the next look knows
    both."""
    service.answers += [registration("a")] * READS
    (change,) = step.look().changes
    assert change.send is not None
    service.answers += [registration("a", "theirs")]
    with pytest.raises(Conflict, match="just changed"):
        change.send()
    assert sent(service) == []
    service.answers += [registration("a", "theirs")] * (READS + 1) + [Answer(204)]
    (change,) = step.look().changes
    assert change.send is not None
    change.send()
    (collection,) = sent(service)
    assert [entry.get("keyId") for entry in collection] == ["a", "theirs", None]
    assert collection[-1]["key"] == PUBLIC.der


def test_a_certificate_removed_meanwhile_is_no_refusal(
    step: Step, service: ScriptedService
) -> None:
    """Graph refuses an entry without its key that is not there any more: it is looked at again."""
    refusal = Answer(400, {"error": {"code": "KeyCredentialsInvalidValue", "message": "invalid"}})
    service.answers += [registration("a")] * READS
    (change,) = step.look().changes
    assert change.send is not None
    service.answers += [registration("a"), refusal, registration("theirs")]
    with pytest.raises(Conflict, match="just changed"):
        change.send()
    service.answers += [registration("a"), refusal, registration("a")]
    with pytest.raises(Refused, match="KeyCredentialsInvalidValue"):
        change.send()


def test_after_the_write_stale_reads_are_never_sent(step: Step, service: ScriptedService) -> None:
    """However long Graph shows the state before, the change is not made from it again."""
    service.answers += [registration("a")] * (READS + 1) + [Answer(204)]
    (change,) = step.look().changes
    assert change.send is not None
    change.send()
    for _ in range(20):
        service.answers += [registration("a")] * READS
        finding = step.look()
        assert finding.waiting
        assert finding.changes == ()
    service.answers += [registration("a", "new")] * READS
    assert not step.look().waiting


def test_a_lost_certificate_is_noticed(step: Step, service: ScriptedService) -> None:
    """After the write, every certificate that was there before must still be there."""
    service.answers += [registration("a", "b")] * (READS + 1) + [Answer(204)]
    (change,) = step.look().changes
    assert change.send is not None
    change.send()
    service.answers += [registration("a", "new")] * READS
    finding = step.look()
    assert finding.waiting
    assert "no longer returns the certificate b" in finding.text


def test_an_early_end_is_noted(step: Step, service: ScriptedService) -> None:
    """`az ad app credential reset` without --years ends an entry after a year."""
    entry = {"keyId": "1", "key": PUBLIC.der, "endDateTime": "2027-01-01T00:00:00Z"}
    body = {"id": "object", "keyCredentials": [entry]}
    service.answers += [Answer(body=body)] * READS
    finding = step.look()
    assert not finding.changes
    assert "until 2027-01-01 only" in finding.notes[0]
