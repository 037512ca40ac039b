"""Graph's rules for federated credentials of an application."""

from typing import Any

import pytest

from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.registration import Registration
from tests.emulator.graph.graph_caller import GraphCaller
from tests.emulator.registered_bot import PRINCIPAL, TENANT, UNKNOWN

JsonObject = dict[str, Any]

ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
BODY = {
    "name": "bot-identity",
    "issuer": ISSUER,
    "subject": PRINCIPAL,
    "description": "The Function App's identity",
    "audiences": ["api://AzureADTokenExchange"],
}


@pytest.fixture
def path(bot: Registration) -> str:
    return f"/applications/{bot.object_id}/federatedIdentityCredentials"


async def test_one_is_added_and_found_by_id_and_name(
    call: GraphCaller, path: str, bot: Registration
) -> None:
    """POST answers 201 with an id; the list, the id and the name show the same credential."""
    status, made = await call("POST", path, BODY)
    assert status == 201
    assert {name: made[name] for name in BODY} == BODY
    (trusted,) = bot.federated_credentials
    assert (trusted.issuer, trusted.subject) == (ISSUER, PRINCIPAL)
    _, listed = await call("GET", path)
    assert listed["value"] == [{"id": made["id"], **BODY}]
    for name in (made["id"], "bot-identity"):
        _, read = await call("GET", f"{path}/{name}")
        assert read["id"] == made["id"]
    assert (await call("GET", f"{path}/{UNKNOWN}"))[0] == 404


async def test_an_application_does_not_list_them(call: GraphCaller, path: str) -> None:
    """Federated credentials are a relationship: the application's own JSON lacks them."""
    await call("POST", path, BODY)
    _, listed = await call("GET", "/applications")
    assert "federatedIdentityCredentials" not in listed["value"][0]


async def test_a_name_is_used_once(call: GraphCaller, path: str, bot: Registration) -> None:
    """The same name is a conflict, with Graph's words."""
    await call("POST", path, BODY)
    status, answer = await call("POST", path, {**BODY, "subject": UNKNOWN})
    assert (status, answer["error"]["code"]) == (409, "Request_MultipleObjectsWithSameKeyValue")
    words = "FederatedIdentityCredential with name bot-identity already exists."
    assert answer["error"]["message"] == words
    assert len(bot.federated_credentials) == 1


async def test_a_subject_is_trusted_once(call: GraphCaller, path: str, bot: Registration) -> None:
    """The same issuer and subject under another name are refused."""
    await call("POST", path, BODY)
    status, answer = await call("POST", path, {**BODY, "name": "another"})
    code = "InvalidFederatedIdentityCredentialValue"
    assert (status, answer["error"]["code"]) == (400, code)
    assert "combination of issuer and subject must be unique" in answer["error"]["message"]
    assert len(bot.federated_credentials) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"name": "ab"},
        {"name": "x" * 121},
        {"name": "with blanks"},
        {"name": None},
        {"issuer": ""},
        {"issuer": "no-url"},
        {"subject": ""},
        {"subject": "x" * 601},
        {"audiences": []},
        {"audiences": ["api://AzureADTokenExchange", "another"]},
        {"audiences": "api://AzureADTokenExchange"},
        {"description": "x" * 601},
    ],
)
async def test_values_are_checked(
    call: GraphCaller, path: str, bot: Registration, change: JsonObject
) -> None:
    """A name has 3 to 120 characters, there is one audience, and no value is empty or too long."""
    status, answer = await call("POST", path, {**BODY, **change})
    code = "InvalidFederatedIdentityCredentialValue"
    assert (status, answer["error"]["code"]) == (400, code)
    assert bot.federated_credentials == []


async def test_there_are_at_most_twenty(call: GraphCaller, path: str, bot: Registration) -> None:
    """The twenty-first is refused."""
    for number in range(20):
        body = {**BODY, "name": f"identity-{number}", "subject": f"subject-{number}"}
        assert (await call("POST", path, body))[0] == 201
    assert (await call("POST", path, BODY))[0] == 400
    assert len(bot.federated_credentials) == 20


async def test_all_but_the_name_is_changed(call: GraphCaller, path: str, bot: Registration) -> None:
    """PATCH changes the subject; a new name is refused, and so is another's subject."""
    await call("POST", path, BODY)
    await call("POST", path, {**BODY, "name": "another", "subject": UNKNOWN})
    one = f"{path}/bot-identity"
    assert await call("PATCH", one, {"subject": "new"}) == (204, {})
    assert (await call("PATCH", one, {"subject": UNKNOWN}))[0] == 400
    assert (await call("PATCH", one, {"name": "renamed"}))[0] == 400
    first = bot.federated_credentials[0]
    assert (first.name, first.subject, first.issuer) == ("bot-identity", "new", ISSUER)


async def test_one_is_removed(call: GraphCaller, path: str, bot: Registration) -> None:
    """DELETE removes it by its name; the same again finds none."""
    await call("POST", path, BODY)
    assert await call("DELETE", f"{path}/bot-identity") == (204, {})
    assert bot.federated_credentials == []
    assert (await call("DELETE", f"{path}/bot-identity"))[0] == 404


async def test_a_new_one_is_known_to_entra_later(
    call: GraphCaller, path: str, directory: Directory, bot: Registration
) -> None:
    """With a delay for federated credentials, Entra does not accept a new one yet."""
    directory.propagation.federated = 60.0
    await call("POST", path, BODY)
    assert not bot.is_known(bot.federated_credentials[0])
