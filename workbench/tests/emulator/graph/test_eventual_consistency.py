"""Graph shows changes only after a delay that can be set, and Entra has delays of its own."""

import pytest
from cryptography import x509

from bot_workbench.emulator.entra.credentials import TrustedSubject
from bot_workbench.emulator.entra.directory import Directory, Propagation
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.graph.replica import Replica
from tests.emulator.graph.graph_caller import GraphCaller
from tests.support.timing.clock import Clock

LAG = 30.0


@pytest.fixture
def clock(directory: Directory) -> Clock:
    """The directory's clock; Graph is half a minute behind."""
    clock = Clock()
    directory.clock = clock
    directory.propagation.graph = LAG
    return clock


async def test_a_new_application_is_not_found_for_a_while(call: GraphCaller, clock: Clock) -> None:
    """Until the delay is over, every second request does not find a new application: 404."""
    _, made = await call("POST", "/applications", {"displayName": "new"})
    path = f"/applications/{made['id']}"
    for method, body in (("GET", None), ("PATCH", {"notes": "x"})):
        status, answer = await call(method, path, body)
        assert (status, answer["error"]["code"]) == (404, "Request_ResourceNotFound")
        assert (await call("GET", path))[0] == 200
    _, listed = await call("GET", "/applications", filter="displayName eq 'new'")
    assert listed["value"] == []
    clock.advance(LAG)
    for _ in range(2):
        assert (await call("GET", path))[0] == 200
    assert (await call("PATCH", path, {"notes": "x"}))[0] == 204


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("alternate", [False, True], ids=["by id", "by appId"])
async def test_reads_go_back_in_time(call: GraphCaller, bot: Registration, alternate: bool) -> None:
    """Two servers answer in turn, and one of them does not know of a change yet."""
    await call("POST", f"/applications/{bot.object_id}/addPassword", {})
    path = f"(appId='{bot.app_id}')" if alternate else f"/{bot.object_id}"
    reads = [await call("GET", f"/applications{path}") for _ in range(4)]
    assert [len(read["passwordCredentials"]) for _, read in reads] == [0, 1, 0, 1]


@pytest.mark.usefixtures("clock")
async def test_all_servers_may_be_behind(
    call: GraphCaller, directory: Directory, bot: Registration
) -> None:
    """Then no read shows a change before the delay is over."""
    directory.propagation.alternates = False
    path = f"/applications/{bot.object_id}"
    await call("POST", f"{path}/addPassword", {})
    assert await two_reads(call, path) == [(0, None), (0, None)]


async def two_reads(call: GraphCaller, path: str) -> list[tuple[int, str | None]]:
    """How many secrets, and which notes, two reads in a row show of an application."""
    reads = [await call("GET", path) for _ in range(2)]
    return [(len(read["passwordCredentials"]), read["notes"]) for _, read in reads]


async def test_a_change_is_shown_later(call: GraphCaller, clock: Clock, bot: Registration) -> None:
    """A change holds at once, but what it replaced is still shown until the delay is over."""
    path = f"/applications/{bot.object_id}"
    assert (await call("POST", f"{path}/addPassword", {}))[0] == 200
    assert len(bot.secrets) == 1
    clock.advance(LAG / 2)
    assert (await call("PATCH", path, {"notes": "second"}))[0] == 204
    assert await two_reads(call, path) == [(0, None), (1, "second")]
    clock.advance(LAG / 2)
    assert await two_reads(call, path) == [(1, None), (1, "second")]
    clock.advance(LAG / 2)
    assert await two_reads(call, path) == [(1, "second"), (1, "second")]


async def test_a_refused_change_is_no_change(
    call: GraphCaller, clock: Clock, bot: Registration
) -> None:
    """After a refusal the current state is shown, not an earlier one."""
    path = f"/applications/{bot.object_id}"
    assert (await call("PATCH", path, {"displayName": ""}))[0] == 400
    bot.display_name = "changed elsewhere"
    _, read = await call("GET", path)
    assert read["displayName"] == "changed elsewhere"
    assert clock.now


async def test_a_deleted_application_is_shown_for_a_while(
    call: GraphCaller, clock: Clock, bot: Registration
) -> None:
    """A list still has it, while a change of it is refused."""
    path = f"/applications/{bot.object_id}"
    assert (await call("DELETE", path))[0] == 204
    _, listed = await call("GET", "/applications")
    assert [each["id"] for each in listed["value"]] == [bot.object_id]
    assert (await call("PATCH", path, {"notes": "x"}))[0] == 404
    clock.advance(LAG)
    _, listed = await call("GET", "/applications")
    assert listed["value"] == []


async def test_federated_credentials_are_shown_later(
    call: GraphCaller, clock: Clock, bot: Registration
) -> None:
    """Their list follows the same delay."""
    path = f"/applications/{bot.object_id}/federatedIdentityCredentials"
    body = {
        "name": "bot-identity",
        "issuer": "https://login.microsoftonline.com/x/v2.0",
        "subject": "x",
        "audiences": ["api://AzureADTokenExchange"],
    }
    assert (await call("POST", path, body))[0] == 201
    found = [len((await call("GET", path))[1]["value"]) for _ in range(3)]
    assert found == [0, 1, 0]
    clock.advance(LAG)
    found = [len((await call("GET", path))[1]["value"]) for _ in range(2)]
    assert found == [1, 1]


async def test_secrets_have_delays_at_entra(
    call: GraphCaller, directory: Directory, bot: Registration
) -> None:
    """A new secret is known later, and a deleted one refused later, if a test says so."""
    directory.propagation.secret = directory.propagation.deleted_secret = LAG
    path = f"/applications/{bot.object_id}"
    clock = Clock()
    bot.clock = clock
    _, made = await call("POST", f"{path}/addPassword", {})
    assert bot.known_secrets() == []
    clock.advance(LAG)
    assert [each.key_id for each in bot.known_secrets()] == [made["keyId"]]
    assert (await call("POST", f"{path}/removePassword", {"keyId": made["keyId"]}))[0] == 204
    assert (bot.secrets, len(bot.known_secrets())) == ([], 1)
    clock.advance(LAG)
    assert bot.known_secrets() == []


async def test_what_is_deleted_is_accepted_for_a_while(
    call: GraphCaller, directory: Directory, bot: Registration, certificate: x509.Certificate
) -> None:
    """Entra accepts a removed certificate and a removed federated credential, if a test says so."""
    directory.propagation.deleted_certificate = LAG
    directory.propagation.deleted_federated = LAG
    clock = Clock()
    bot.clock = clock
    bot.register(certificate)
    key = bot.key_credential(certificate)
    trusted = TrustedSubject("https://login.microsoftonline.com/x/v2.0", "x", name="identity")
    bot.trust(trusted)
    path = f"/applications/{bot.object_id}"
    changed = {"subject": "y"}
    federated = f"{path}/federatedIdentityCredentials/{trusted.key_id}"
    assert (await call("PATCH", path, {"keyCredentials": []}))[0] == 204
    assert (await call("PATCH", federated, changed))[0] == 204
    assert (await call("DELETE", federated))[0] == 204
    assert (bot.certificates, bot.federated_credentials) == ([], [])
    assert bot.known_certificates() == [certificate]
    assert bot.key_credential(certificate) == key
    assert [each.subject for each in bot.trusted_subjects()] == ["x", "y"]
    clock.advance(LAG)
    assert (bot.known_certificates(), bot.trusted_subjects()) == ([], [])


def test_the_oldest_state_is_shown_first() -> None:
    """With several changes within the delay, each is shown when its own delay is over."""
    clock = Clock(0.0)
    replica = Replica(clock, Propagation(graph=10.0))
    replica.remember("x", None)
    clock.advance(5.0)
    replica.remember("x", {"version": 1})
    assert replica.shown("x", {"version": 2}) is None
    assert replica.shown("x", {"version": 2}) is None
    clock.advance(5.0)
    assert replica.shown("x", {"version": 2}) == {"version": 1}
    replica.start_request()
    assert replica.shown("x", {"version": 2}) == {"version": 2}
    clock.advance(5.0)
    assert replica.shown("x", {"version": 2}) == {"version": 2}
    assert replica.shown("y", {"version": 2}) == {"version": 2}
