"""Graph shows changes only after a delay that can be set, and Entra has delays of its own."""

import pytest

from emulator.entra.directory import Directory
from emulator.entra.registration import Registration
from emulator.graph.replica import Replica
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
    """Until the delay is over, reading and changing a new application is refused with 404."""
    _, made = await call("POST", "/applications", {"displayName": "new"})
    path = f"/applications/{made['id']}"
    for method, body in (("GET", None), ("PATCH", {"notes": "x"})):
        status, answer = await call(method, path, body)
        assert (status, answer["error"]["code"]) == (404, "Request_ResourceNotFound")
    _, listed = await call("GET", "/applications", filter="displayName eq 'new'")
    assert listed["value"] == []
    clock.advance(LAG)
    assert (await call("GET", path))[0] == 200
    assert (await call("PATCH", path, {"notes": "x"}))[0] == 204


async def test_a_change_is_shown_later(call: GraphCaller, clock: Clock, bot: Registration) -> None:
    """A change holds at once, but what it replaced is shown until the delay is over."""
    path = f"/applications/{bot.object_id}"
    assert (await call("POST", f"{path}/addPassword", {}))[0] == 200
    assert len(bot.secrets) == 1
    clock.advance(LAG / 2)
    assert (await call("PATCH", path, {"notes": "second"}))[0] == 204
    _, read = await call("GET", path)
    assert (read["passwordCredentials"], read["notes"]) == ([], None)
    clock.advance(LAG / 2)
    _, read = await call("GET", path)
    assert (len(read["passwordCredentials"]), read["notes"]) == (1, None)
    clock.advance(LAG / 2)
    _, read = await call("GET", path)
    assert read["notes"] == "second"


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
    _, listed = await call("GET", path)
    assert listed["value"] == []
    clock.advance(LAG)
    _, listed = await call("GET", path)
    assert len(listed["value"]) == 1


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


def test_the_oldest_state_is_shown_first() -> None:
    """With several changes within the delay, each is shown when its own delay is over."""
    clock = Clock(0.0)
    replica = Replica(clock, lambda: 10.0)
    replica.remember("x", None)
    clock.advance(5.0)
    replica.remember("x", {"version": 1})
    assert replica.shown("x", {"version": 2}) is None
    clock.advance(5.0)
    assert replica.shown("x", {"version": 2}) == {"version": 1}
    clock.advance(5.0)
    assert replica.shown("x", {"version": 2}) == {"version": 2}
    assert replica.shown("y", {"version": 2}) == {"version": 2}
