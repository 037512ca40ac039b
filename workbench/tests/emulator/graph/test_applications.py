"""Graph's applications: found, read, registered, changed, with their secrets."""

import datetime
from typing import Any

import pytest

from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.registration import Registration
from tests.emulator.graph.graph_caller import GraphCaller
from tests.emulator.registered_bot import APP_ID, UNKNOWN

COLLECTIONS = ("/applications", "/servicePrincipals", "/users")
ONE = f"/applications(appId='{APP_ID}')"


async def test_an_application_is_found_by_its_app_id(call: GraphCaller, bot: Registration) -> None:
    """The filter that `az` sends finds the application, and its object id reads it."""
    _, found = await call("GET", "/applications", filter=f"appId eq '{APP_ID}'")
    (listed,) = found["value"]
    assert (listed["id"], listed["displayName"]) == (bot.object_id, "contoso-bot")
    assert found["@odata.context"].endswith("/v1.0/$metadata#applications")
    status, read = await call("GET", f"/applications/{bot.object_id}")
    assert status == 200
    assert read["@odata.context"].endswith("#applications/$entity")
    assert {name: value for name, value in read.items() if name != "@odata.context"} == listed


@pytest.mark.parametrize("quote", ["'", "%27"])
async def test_an_application_is_read_by_its_app_id(
    call: GraphCaller, bot: Registration, quote: str
) -> None:
    """`(appId='...')` is another name of the object, also in capitals."""
    path = f"/applications(appId={quote}{APP_ID.upper()}{quote})"
    status, read = await call("GET", path)
    assert (status, read["id"]) == (200, bot.object_id)


async def test_a_missing_application_is_not_found(call: GraphCaller) -> None:
    """An unknown id is refused with 404 and Graph's words."""
    for path in (f"/applications/{UNKNOWN}", f"/applications(appId='{UNKNOWN}')"):
        status, answer = await call("GET", path)
        assert (status, answer["error"]["code"]) == (404, "Request_ResourceNotFound")
        assert answer["error"]["message"].startswith(f"Resource '{UNKNOWN}' does not exist or one")


async def test_only_selected_properties_are_returned(call: GraphCaller, bot: Registration) -> None:
    """`$select` leaves out everything else."""
    _, read = await call("GET", f"/applications/{bot.object_id}", select="id,appId")
    assert read.keys() == {"@odata.context", "id", "appId"}


@pytest.mark.parametrize("path", [*COLLECTIONS, ONE, f"{ONE}/federatedIdentityCredentials"])
async def test_an_unknown_property_cannot_be_selected(call: GraphCaller, path: str) -> None:
    """The refusal names it and the type."""
    status, answer = await call("GET", path, select="id,appID")
    assert (status, answer["error"]["code"]) == (400, "BadRequest")
    assert "named 'appID' on type 'microsoft.graph." in answer["error"]["message"]


@pytest.mark.parametrize("path", COLLECTIONS)
@pytest.mark.parametrize(
    ("condition", "operator"), [("displayName ne 'a'", "ne"), ("not (displayName eq 'a')", "not")]
)
async def test_an_advanced_query_needs_its_header(
    call: GraphCaller, path: str, condition: str, operator: str
) -> None:
    """Graph refuses `ne` and `not` for directory objects in a plain query, and names them."""
    status, answer = await call("GET", path, filter=condition)
    assert (status, answer["error"]["code"]) == (400, "Request_UnsupportedQuery")
    assert answer["error"]["message"].startswith(f"Operator '{operator}' is not supported")


async def test_lists_have_pages(call: GraphCaller, directory: Directory) -> None:
    """A page has at most `$top` items, and a link to the next one with the same filter."""
    names = [f"page-{number}" for number in range(3)]
    for name in names:
        directory.add_application(name)
    query = {"filter": "startswith(displayName,'page-')", "top": "2"}
    _, first = await call("GET", "/applications", **query)
    assert [each["displayName"] for each in first["value"]] == names[:2]
    headers = {"Authorization": f"Bearer {call.token}"}
    async with call.http.get(first["@odata.nextLink"], headers=headers) as response:
        last = await response.json()
    assert [each["displayName"] for each in last["value"]] == names[2:]
    assert "@odata.nextLink" not in last


async def test_an_application_is_registered_without_a_service_principal(
    call: GraphCaller, directory: Directory
) -> None:
    """POST answers 201 with the application, which can sign in once it has a service principal."""
    body = {"displayName": "new", "signInAudience": "AzureADMultipleOrgs", "keyCredentials": []}
    status, made = await call("POST", "/applications", body)
    assert status == 201
    assert (made["displayName"], made["signInAudience"]) == ("new", "AzureADMultipleOrgs")
    registration = directory.find(made["appId"])
    assert registration
    assert (registration.app_type, registration.service_principal_id) == ("MultiTenant", "")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"displayName": ""},
        {"displayName": "new", "signInAudience": "Everybody"},
        {"displayName": "new", "api": {"requestedAccessTokenVersion": 3}},
        {"displayName": "new", "keyCredentials": "none"},
    ],
)
async def test_what_cannot_be_registered_leaves_nothing_behind(
    call: GraphCaller, directory: Directory, body: dict[str, Any]
) -> None:
    """A refused registration makes no application."""
    before = dict(directory.registrations)
    status, answer = await call("POST", "/applications", body)
    assert (status, answer["error"]["code"]) == (400, "Request_BadRequest")
    assert directory.registrations == before


async def test_properties_are_changed_one_by_one(call: GraphCaller, bot: Registration) -> None:
    """PATCH sets the given properties and leaves the others."""
    path = f"/applications/{bot.object_id}"
    body = {
        "notes": "migrated",
        "api": {"requestedAccessTokenVersion": 2},
        "displayName": "renamed",
    }
    assert await call("PATCH", path, body) == (204, {})
    _, read = await call("GET", path)
    assert (read["notes"], read["displayName"]) == ("migrated", "renamed")
    assert read["api"]["requestedAccessTokenVersion"] == bot.token_version == 2
    assert read["signInAudience"] == "AzureADMyOrg"


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("", {"api": "x"}),
        ("", {"api": {"requestedAccessTokenVersion": "2"}}),
        ("", {"displayName": 5}),
        ("", {"identifierUris": [{}]}),
        ("", {"identifierUris": [None]}),
        ("", {"signInAudience": []}),
        ("", {"passwordCredentials": "none"}),
        ("/addPassword", {"passwordCredential": "x"}),
        ("/addPassword", {"passwordCredential": {"endDateTime": 5}}),
        ("/removePassword", {"keyId": 5}),
    ],
)
async def test_values_have_types(
    call: GraphCaller, bot: Registration, action: str, body: dict[str, Any]
) -> None:
    """A value of another type is refused by its property's name, and changes nothing."""
    path = f"/applications/{bot.object_id}"
    _, before = await call("GET", path)
    status, answer = await call("POST" if action else "PATCH", f"{path}{action}", body)
    assert (status, answer["error"]["code"]) == (400, "Request_BadRequest")
    assert f"'{next(iter(body))}'" in answer["error"]["message"]
    assert (await call("GET", path))[1] == before


async def test_a_failure_has_graphs_shape(call: GraphCaller, bot: Registration) -> None:
    """What the stand-in cannot process is answered with an error that clients can read."""
    last = {"passwordCredential": {"startDateTime": "9999-12-31T00:00:00Z"}}
    status, answer = await call("POST", f"/applications/{bot.object_id}/addPassword", last)
    assert (status, answer["error"]["code"]) == (500, "InternalServerError")
    assert answer["error"]["innerError"]["request-id"]


@pytest.mark.parametrize("name", ["unknown", "appId", "id", "createdDateTime"])
async def test_other_properties_are_refused(
    call: GraphCaller, bot: Registration, name: str
) -> None:
    """A property that Graph does not have, or nobody can set, is refused by its name."""
    path = f"/applications/{bot.object_id}"
    status, answer = await call("PATCH", path, {"notes": "x", name: "y"})
    assert (status, answer["error"]["code"]) == (400, "Request_BadRequest")
    assert f"'{name}'" in answer["error"]["message"]
    _, read = await call("GET", path)
    assert read["notes"] is None


async def test_an_identifier_uri_belongs_to_one_application(
    call: GraphCaller, directory: Directory, bot: Registration
) -> None:
    """Another application's URI is refused; one's own finds the application."""
    directory.add_application("other").identifier_uris.append("api://other")
    path = f"/applications/{bot.object_id}"
    status, answer = await call("PATCH", path, {"identifierUris": ["api://other"]})
    assert (status, answer["error"]["code"]) == (400, "Request_BadRequest")
    assert bot.identifier_uris == []
    uri = f"api://botid-{APP_ID}"
    assert (await call("PATCH", path, {"identifierUris": [uri]}))[0] == 204
    _, found = await call("GET", "/applications", filter=f"identifierUris/any(s:s eq '{uri}')")
    assert [each["id"] for each in found["value"]] == [bot.object_id]


async def test_a_deleted_application_is_gone(
    call: GraphCaller, directory: Directory, bot: Registration
) -> None:
    """DELETE removes the application and its service principal."""
    path = f"/applications/{bot.object_id}"
    assert await call("DELETE", path) == (204, {})
    assert (await call("GET", path))[0] == 404
    assert directory.service_principal(bot.service_principal_id) is None


async def test_a_secret_is_shown_once(call: GraphCaller, bot: Registration) -> None:
    """addPassword returns the value; later only its hint, its name and its dates are shown."""
    path = f"/applications/{bot.object_id}"
    body = {"passwordCredential": {"displayName": "made by az"}}
    status, made = await call("POST", f"{path}/addPassword", body)
    assert status == 200
    value = made["secretText"]
    assert made["hint"] == value[:3]
    _, read = await call("GET", path, select="passwordCredentials")
    (shown,) = read["passwordCredentials"]
    assert shown["secretText"] is None
    names = ("keyId", "hint", "displayName", "startDateTime", "endDateTime")
    assert [shown[name] for name in names] == [made[name] for name in names]
    start, end = (datetime.datetime.fromisoformat(made[name]) for name in names[3:])
    assert (end - start).days == 730
    assert value not in repr(bot)


async def test_a_secret_ends_after_it_starts(call: GraphCaller, bot: Registration) -> None:
    """An end before the start is refused."""
    dates = {"startDateTime": "2027-01-02T00:00:00Z", "endDateTime": "2027-01-01T00:00:00Z"}
    path = f"/applications/{bot.object_id}/addPassword"
    assert (await call("POST", path, {"passwordCredential": dates}))[0] == 400
    assert bot.secrets == []


async def test_a_secret_is_removed_by_its_key_id(
    call: GraphCaller, directory: Directory, bot: Registration
) -> None:
    """removePassword deletes one secret; the same again finds none."""
    directory.add_secret(bot, name="old")
    directory.add_secret(bot, name="other")
    old, other = bot.secrets
    path = f"/applications/{bot.object_id}/removePassword"
    assert await call("POST", path, {"keyId": old.key_id}) == (204, {})
    assert bot.secrets == [other]
    status, answer = await call("POST", path, {"keyId": old.key_id})
    assert status == 400
    assert answer["error"]["message"] == "No password credential found with keyId."


async def test_secrets_cannot_be_patched(
    call: GraphCaller, directory: Directory, bot: Registration
) -> None:
    """PATCH neither adds nor removes a secret; the unchanged collection passes."""
    directory.add_secret(bot)
    path = f"/applications/{bot.object_id}"
    _, read = await call("GET", path)
    unchanged = read["passwordCredentials"]
    for changed in ([], [*unchanged, {"displayName": "new"}], [{**unchanged[0], "hint": "?"}]):
        status, answer = await call("PATCH", path, {"passwordCredentials": changed})
        assert status == 400
        assert "must be generated with service actions" in answer["error"]["message"]
    assert (await call("PATCH", path, {"passwordCredentials": unchanged}))[0] == 204
    assert len(bot.secrets) == 1


async def test_a_deleted_application_can_be_seen(call: GraphCaller, bot: Registration) -> None:
    """For 30 days, it is among the deleted items, and nowhere else."""
    path = "/directory/deletedItems/microsoft.graph.application"
    assert (await call("GET", path))[1]["value"] == []
    assert (await call("DELETE", f"/applications/{bot.object_id}"))[0] == 204
    _, found = await call("GET", path, select="id,appId,displayName")
    assert found["value"] == [
        {"id": bot.object_id, "appId": bot.app_id, "displayName": bot.display_name}
    ]
    assert (await call("GET", "/applications"))[1]["value"] == []
