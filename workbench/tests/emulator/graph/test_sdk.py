"""Requests as msgraph-sdk 1.65.0 for Python sends them, row by row: the SDK itself is too large."""

import base64
import json
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.graph.graph import Graph
from tests.emulator.graph.graph_caller import GraphCaller
from tests.emulator.registered_bot import APP_ID, UNKNOWN

KEY = "CERTIFICATE"
"""Stands for a certificate in a row."""

ONE = "//applications/OBJECT"
BY_APP_ID = f"//applications(appId='{APP_ID}')"
FEDERATED = f"{ONE}/federatedIdentityCredentials"
OBJECTS = "https://graph.microsoft.com/v1.0/directoryObjects"
PRINCIPAL = f"//servicePrincipals(appId='{APP_ID}')"
TRUST = {
    "audiences": ["api://AzureADTokenExchange"],
    "issuer": "https://login.microsoftonline.com/x/v2.0",
    "name": "fed-one",
    "subject": "one",
}


class Row(NamedTuple):
    """A request and its answer.

    Attributes:
        method, path: the path starts with a slash too many: the SDK's base URL ends with one.
        status: of the answer.
        body: of the request.
        shown: what the answer has.
    """

    method: str
    path: str
    status: int
    body: dict[str, Any] | None = None
    shown: dict[str, Any] | None = None


def typed(name: str, **members: Any) -> dict[str, Any]:
    """An object with the annotation of its type."""
    return {"@odata.type": f"#microsoft.graph.{name}", **members}


ROWS = (
    Row("PATCH", ONE, 204, typed("application", notes="one", tags=["bot"])),
    Row("PATCH", BY_APP_ID, 204, typed("application", displayName="two")),
    Row("GET", BY_APP_ID, 200, shown={"notes": "one", "tags": ["bot"], "displayName": "two"}),
    Row(
        "PATCH",
        ONE,
        204,
        typed(
            "application",
            keyCredentials=[
                typed(
                    "keyCredential",
                    displayName="one",
                    key=KEY,
                    type="AsymmetricX509Cert",
                    usage="Verify",
                )
            ],
            web=typed("webApplication", redirectUris=[]),
        ),
    ),
    Row(
        "POST",
        f"{ONE}/addPassword",
        200,
        {"passwordCredential": typed("passwordCredential", displayName="three")},
        {"displayName": "three"},
    ),
    Row("POST", f"{ONE}/addPassword", 200, {}),
    Row("POST", FEDERATED, 201, TRUST, {"name": "fed-one"}),
    Row("GET", f"{FEDERATED}(name='fed-one')", 200, shown={"subject": "one"}),
    Row(
        "PATCH",
        f"{FEDERATED}/fed-one",
        204,
        typed("federatedIdentityCredential", subject="two"),
    ),
    Row("GET", f"{FEDERATED}/fed-one", 200, shown={"subject": "two"}),
    Row("DELETE", f"{FEDERATED}/fed-one", 204),
    Row("PATCH", PRINCIPAL, 204, typed("servicePrincipal", accountEnabled=False)),
    Row("PATCH", PRINCIPAL, 204, typed("servicePrincipal", appRoleAssignmentRequired=True)),
    Row("GET", PRINCIPAL, 200, shown={"accountEnabled": False, "appRoleAssignmentRequired": True}),
    Row("PATCH", PRINCIPAL, 204, typed("servicePrincipal", accountEnabled=True)),
    Row("GET", PRINCIPAL, 200, shown={"accountEnabled": True}),
    Row("PATCH", PRINCIPAL, 400, typed("servicePrincipal", homepage="https://bot.example")),
    Row("PATCH", PRINCIPAL, 400, typed("servicePrincipal", displayName="another")),
    Row("PATCH", PRINCIPAL, 204, typed("servicePrincipal", appId=APP_ID)),
    Row("POST", f"{ONE}/owners/$ref", 204, {"@odata.id": f"{OBJECTS}/OWNER"}),
    Row("POST", f"{ONE}/owners/$ref", 400, {"@odata.id": f"{OBJECTS}/OWNER"}),
    Row("POST", f"{ONE}/owners/$ref", 404, {"@odata.id": f"{OBJECTS}/{UNKNOWN}"}),
    Row("GET", f"{ONE}/owners", 200),
    Row("DELETE", f"{ONE}/owners/OWNER/$ref", 204),
    Row("DELETE", f"{ONE}/owners/OWNER/$ref", 404),
    Row("DELETE", PRINCIPAL, 204),
    Row("GET", PRINCIPAL, 404),
    Row("DELETE", BY_APP_ID, 204),
    Row("GET", "//directory/deletedItems/graph.application", 200),
    Row("POST", "//directory/deletedItems/OBJECT/restore", 200, shown={"appId": APP_ID}),
)


async def test_rows(
    call: GraphCaller, directory: Directory, bot: Registration, certificate: x509.Certificate
) -> None:
    """Each request finds what those before it have left."""
    texts = {
        KEY: base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(),
        "OBJECT": bot.object_id,
        "OWNER": directory.user.object_id,
    }

    def filled(text: str) -> str:
        for name, value in texts.items():
            text = text.replace(name, value)
        return text

    for row in ROWS:
        body = json.loads(filled(json.dumps(row.body)))
        status, answer = await call(row.method, filled(row.path), body)
        assert status == row.status, (row, answer)
        assert answer.items() >= (row.shown or {}).items(), row


async def test_what_was_read_can_be_sent_again(
    call: GraphCaller, directory: Directory, bot: Registration, certificate: x509.Certificate
) -> None:
    """The SDK leaves out what is null, the key among it, and writes dates with an offset."""
    directory.add_secret(bot)
    key = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    entry = {"key": key, "type": "AsymmetricX509Cert", "usage": "Verify"}
    path = ONE.replace("OBJECT", bot.object_id)
    assert (await call("PATCH", path, {"keyCredentials": [entry]}))[0] == 204
    _, read = await call("GET", path)
    body = typed("application")
    for name, kind in (
        ("keyCredentials", "keyCredential"),
        ("passwordCredentials", "passwordCredential"),
    ):
        body[name] = [
            typed(kind)
            | {
                key: value.replace("Z", "+00:00") if key.endswith("DateTime") else value
                for key, value in each.items()
                if value is not None
            }
            for each in read[name]
        ]
    assert (await call("PATCH", path, body))[0] == 204
    assert await call("GET", path) == (200, read)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (typed("nothing"), "'microsoft.graph.nothing' could not be resolved by the model"),
        (typed("user"), "'microsoft.graph.user' was found, but it is not assignable"),
        ({"keyCredentials": [typed("passwordCredential")]}, "'microsoft.graph.keyCredential'"),
        ({"web": typed("nothing")}, "'microsoft.graph.nothing' could not be resolved"),
    ],
)
async def test_other_types_are_refused(
    call: GraphCaller, bot: Registration, body: dict[str, Any], reason: str
) -> None:
    """A type that Graph does not have, or that is another one's, also inside of a body."""
    status, answer = await call("PATCH", ONE.replace("OBJECT", bot.object_id), body)
    assert (status, answer["error"]["code"]) == (400, "Request_BadRequest")
    assert reason in answer["error"]["message"]
    assert answer["error"]["innerError"]["request-id"]


async def test_a_managed_identity_goes_with_its_resource(
    call: GraphCaller, directory: Directory
) -> None:
    """Nobody deletes its service principal in Graph."""
    directory.add_identity(UNKNOWN, APP_ID)
    status, answer = await call("DELETE", f"/servicePrincipals/{UNKNOWN}")
    assert (status, answer["error"]["code"]) == (403, "Authorization_RequestDenied")


async def test_owners_are_added_and_listed(
    call: GraphCaller, directory: Directory, bot: Registration
) -> None:
    """The list has users and service principals, each with its type."""
    path, user = ONE.replace("OBJECT", bot.object_id), directory.user.object_id
    made = directory.add_application("pipeline").service_principal_id
    for owner in (user, made):
        reference = {"@odata.id": f"{OBJECTS}/{owner}"}
        assert (await call("POST", f"{path}/owners/$ref", reference))[0] == 204
    _, found = await call("GET", f"{path}/owners")
    assert {(each["@odata.type"], each["id"]) for each in found["value"]} == {
        ("#microsoft.graph.user", user),
        ("#microsoft.graph.servicePrincipal", made),
    }
    assert bot.owners == {user, made}


async def test_every_refusal_is_a_graph_error(call: GraphCaller, graph: Graph) -> None:
    """Of another version, and a fault that was switched on: the CLI crashes on another shape."""
    answers = [await call("GET", "/applications", version="v2.0")]
    graph.server.faults.set(status=429, retry_after=1)
    answers.append(await call("GET", "/applications"))
    assert [(status, each["error"]["code"]) for status, each in answers] == [
        (400, "BadRequest"),
        (429, "TooManyRequests"),
    ]
    assert all(each["error"]["innerError"]["request-id"] for _, each in answers)


async def test_lists_are_counted(call: GraphCaller, directory: Directory) -> None:
    """In advanced queries, which also have more operators; else a list has neither."""
    directory.add_application("another")
    path, condition = "//applications", "displayName ne 'another'"
    _, all_ = await call("GET", path)
    status, found = await call(
        "GET", path, consistency="eventual", count="true", filter=condition, top="1"
    )
    assert (status, found["@odata.count"]) == (200, len(all_["value"]) - 1)
    assert "@odata.count" not in all_
    for query in ({"count": "true"}, {"filter": condition}):
        status, _ = await call("GET", path, **query)
        assert status == 400
