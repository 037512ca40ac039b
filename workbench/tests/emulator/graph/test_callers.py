"""Who may call Graph: tokens, app roles, users; and the shape of every refusal."""

import datetime
import uuid
from typing import Any

import aiohttp
import pytest

from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import Registration, issuer_of
from bot_workbench.emulator.graph.graph import PUBLIC_GRAPH, Graph
from bot_workbench.emulator.graph.requests.caller import WRITE_OWNED
from tests.emulator.graph.graph_caller import GraphCaller, app_token
from tests.emulator.registered_bot import PRINCIPAL, TENANT, UNKNOWN


async def test_a_request_needs_a_token(graph: Graph, http: aiohttp.ClientSession) -> None:
    """Without a token the answer is 401, with a challenge."""
    async with http.get(f"{graph.server.url}/v1.0/applications") as response:
        answer = await response.json()
        assert response.status == 401
        assert "login.microsoftonline.com" in response.headers["WWW-Authenticate"]
    error = answer["error"]
    assert (error["code"], error["message"]) == (
        "InvalidAuthenticationToken",
        "Access token is empty.",
    )


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"aud": "https://vault.azure.net"}, "Access token validation failure. Invalid audience."),
        ({"iss": issuer_of(UNKNOWN)}, "Access token validation failure."),
        ({"iat": 1, "nbf": 1, "exp": 2}, "Lifetime validation failed, the token is expired."),
    ],
    ids=["audience", "issuer", "expired"],
)
async def test_a_token_must_be_for_graph(
    entra: Entra,
    graph: Graph,
    http: aiohttp.ClientSession,
    claims: dict[str, Any],
    message: str,
) -> None:
    """A token for something else, of another tenant, or expired is refused with its reason."""
    token = entra.issuer.sign(
        {"aud": PUBLIC_GRAPH, "iss": issuer_of(TENANT), "oid": PRINCIPAL, **claims}
    )
    status, answer = await GraphCaller(graph, http, token)("GET", "/applications")
    assert (status, answer["error"]["message"]) == (401, message)


async def test_what_is_no_token_is_refused(graph: Graph, http: aiohttp.ClientSession) -> None:
    """Text that is not a JWT is refused."""
    assert (await GraphCaller(graph, http, "made-up")("GET", "/applications"))[0] == 401


@pytest.mark.parametrize("resource", [f"{PUBLIC_GRAPH}/", "00000003-0000-0000-c000-000000000000"])
async def test_graph_has_several_names(
    entra: Entra, graph: Graph, call: GraphCaller, resource: str
) -> None:
    """`az` asks for a token with a slash at the end, others by Graph's app id."""
    caller = GraphCaller(graph, call.http, app_token(entra, PRINCIPAL, resource))
    assert (await caller("GET", "/applications"))[0] == 200


async def test_a_refusal_has_graphs_shape(graph: Graph, call: GraphCaller) -> None:
    """A refusal names its moment, its request and the client's own id."""
    client_request_id = str(uuid.uuid4())
    url = f"{graph.server.url}/v1.0/applications/{UNKNOWN}"
    headers = {
        "Authorization": f"Bearer {call.token}",
        "client-request-id": client_request_id,
    }
    async with call.http.get(url, headers=headers) as response:
        answer = await response.json()
        request_id = response.headers["request-id"]
    assert answer.keys() == {"error"}
    inner = answer["error"]["innerError"]
    assert (inner["request-id"], inner["client-request-id"]) == (request_id, client_request_id)
    datetime.datetime.strptime(inner["date"], "%Y-%m-%dT%H:%M:%S").astimezone()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/applications"),
        ("POST", "/applications"),
        ("GET", "/applications/{id}"),
        ("PATCH", "/applications/{id}"),
        ("DELETE", "/applications/{id}"),
        ("POST", "/applications/{id}/addPassword"),
        ("POST", "/applications/{id}/removePassword"),
        ("GET", "/applications/{id}/federatedIdentityCredentials"),
        ("POST", "/applications/{id}/federatedIdentityCredentials"),
        ("GET", "/applications/{id}/federatedIdentityCredentials/x"),
        ("PATCH", "/applications/{id}/federatedIdentityCredentials/x"),
        ("DELETE", "/applications/{id}/federatedIdentityCredentials/x"),
        ("GET", "/servicePrincipals"),
        ("POST", "/servicePrincipals"),
        ("GET", "/servicePrincipals/x"),
        ("POST", "/directoryObjects/getByIds"),
        ("GET", "/users"),
        ("GET", "/users/x"),
    ],
)
async def test_each_operation_needs_a_permission(
    graph: Graph, call: GraphCaller, bot: Registration, method: str, path: str
) -> None:
    """A principal without app roles is refused everywhere."""
    graph.app_roles.clear()
    body: dict[str, Any] | None = {} if method in ("POST", "PATCH") else None
    status, answer = await call(method, path.format(id=bot.object_id), body)
    error = answer["error"]
    assert (status, error["code"]) == (403, "Authorization_RequestDenied")
    assert error["message"] == "Insufficient privileges to complete the operation."


async def test_reading_is_not_writing(graph: Graph, call: GraphCaller, bot: Registration) -> None:
    """Application.Read.All reads, and changes nothing."""
    graph.app_roles[PRINCIPAL] = {"Application.Read.All"}
    path = f"/applications/{bot.object_id}"
    assert (await call("GET", path))[0] == 200
    assert (await call("PATCH", path, {"notes": "x"}))[0] == 403
    assert (await call("POST", "/applications", {"displayName": "x"}))[0] == 403


async def test_an_owner_changes_its_own_applications_only(
    graph: Graph, call: GraphCaller, bot: Registration
) -> None:
    """With OwnedBy a principal changes what it registered or owns, and nothing else."""
    graph.app_roles[PRINCIPAL] = {WRITE_OWNED}
    foreign = f"/applications/{bot.object_id}/addPassword"
    assert (await call("POST", foreign, {}))[0] == 403
    _, made = await call("POST", "/applications", {"displayName": "own"})
    assert (await call("POST", f"/applications/{made['id']}/addPassword", {}))[0] == 200
    bot.owners.add(PRINCIPAL)
    assert (await call("POST", foreign, {}))[0] == 200


async def test_a_user_may_do_everything(
    entra: Entra, graph: Graph, http: aiohttp.ClientSession, bot: Registration
) -> None:
    """A user's token needs no app role."""
    user = GraphCaller(graph, http, entra.user_token(PUBLIC_GRAPH, "a client"))
    assert (await user("POST", f"/applications/{bot.object_id}/addPassword", {}))[0] == 200
    status, me = await user("GET", "/me")
    assert (status, me["userPrincipalName"]) == (200, "admin@contoso.onmicrosoft.com")
    assert me["id"] == entra.directory.user.object_id


async def test_a_service_principal_is_no_user(call: GraphCaller) -> None:
    """`/me` of a service principal is refused, as `az ad signed-in-user show` shows."""
    status, answer = await call("GET", "/me")
    assert (status, answer["error"]["code"]) == (400, "BadRequest")
    words = "/me request is only valid with delegated authentication flow."
    assert answer["error"]["message"] == words


async def test_unknown_paths_and_broken_bodies_are_refused(graph: Graph, call: GraphCaller) -> None:
    """Graph answers 400 to a path that it does not have, and to a body that is no JSON object."""
    status, answer = await call("GET", "/unknown")
    assert (status, answer["error"]["code"]) == (400, "BadRequest")
    url = f"{graph.server.url}/v1.0/applications"
    headers = {"Authorization": f"Bearer {call.token}"}
    for body in (b"{", b"[]"):
        async with call.http.post(url, data=body, headers=headers) as response:
            assert response.status == 400


async def test_faults_can_be_injected(graph: Graph, call: GraphCaller) -> None:
    """429 with Retry-After, as of any server of the local cloud."""
    body = '{"error": {"code": "TooManyRequests", "message": "Slow down."}}'
    graph.server.faults.set(status=429, retry_after=1, body=body, remaining=1)
    status, answer = await call("GET", "/applications")
    assert (status, answer["error"]["code"]) == (429, "TooManyRequests")
    assert (await call("GET", "/applications"))[0] == 200
