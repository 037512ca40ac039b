"""Graph's service principals: of applications and of managed identities."""

import pytest

from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.registration import Registration
from tests.emulator.graph.graph_caller import GraphCaller
from tests.emulator.registered_bot import APP_ID, MANAGED_IDENTITY, PRINCIPAL, TENANT, UNKNOWN

RESOURCE_ID = "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/x"


@pytest.fixture
def identity(directory: Directory) -> str:
    """Principal id of a managed identity."""
    directory.add_identity(
        PRINCIPAL, MANAGED_IDENTITY, display_name="bot-identity", resource_id=RESOURCE_ID
    )
    return PRINCIPAL


async def test_an_application_has_one(call: GraphCaller, bot: Registration) -> None:
    """The filter that `az` sends finds it by the app id, among its names."""
    condition = f"servicePrincipalNames/any(c:c eq '{APP_ID}')"
    _, found = await call("GET", "/servicePrincipals", filter=condition)
    (listed,) = found["value"]
    assert (listed["id"], listed["appId"]) == (bot.service_principal_id, APP_ID)
    assert (listed["servicePrincipalType"], listed["appOwnerOrganizationId"]) == (
        "Application",
        TENANT,
    )
    for path in (f"/servicePrincipals/{listed['id']}", f"/servicePrincipals(appId='{APP_ID}')"):
        _, read = await call("GET", path)
        assert read["id"] == listed["id"]


async def test_a_managed_identity_is_one(call: GraphCaller, identity: str) -> None:
    """It is found by its principal id and its client id, and is no application."""
    _, read = await call("GET", f"/servicePrincipals/{identity}")
    assert (read["appId"], read["servicePrincipalType"]) == (MANAGED_IDENTITY, "ManagedIdentity")
    assert read["alternativeNames"] == ["isExplicit=True", RESOURCE_ID]
    _, found = await call("GET", "/servicePrincipals", filter=f"appId eq '{MANAGED_IDENTITY}'")
    assert [each["id"] for each in found["value"]] == [identity]
    _, applications = await call("GET", "/applications")
    assert MANAGED_IDENTITY not in [each["appId"] for each in applications["value"]]


@pytest.mark.parametrize("path", [f"/{UNKNOWN}", f"(appId='{UNKNOWN}')"])
async def test_an_unknown_one_is_not_found(call: GraphCaller, path: str) -> None:
    """Neither id nor app id of something else is found."""
    assert (await call("GET", f"/servicePrincipals{path}"))[0] == 404


async def test_one_is_made_for_a_new_application(call: GraphCaller, directory: Directory) -> None:
    """POST makes it once; without an application there is none."""
    _, made = await call("POST", "/applications", {"displayName": "new"})
    body = {"appId": made["appId"], "accountEnabled": True}
    status, principal = await call("POST", "/servicePrincipals", body)
    assert status == 201
    registration = directory.find(made["appId"])
    assert registration
    assert registration.service_principal_id == principal["id"] != ""
    assert (await call("POST", "/servicePrincipals", body))[0] == 409
    status, answer = await call("POST", "/servicePrincipals", {"appId": UNKNOWN})
    assert status == 400
    assert UNKNOWN in answer["error"]["message"]


async def test_objects_are_read_by_their_ids(
    call: GraphCaller, directory: Directory, bot: Registration, identity: str
) -> None:
    """getByIds returns objects of several kinds with their types, and leaves out unknown ids."""
    ids = [bot.object_id, identity, directory.user.object_id, UNKNOWN]
    body = {"ids": ids}
    _, found = await call("POST", "/directoryObjects/getByIds", body)
    assert {(each["@odata.type"], each["id"]) for each in found["value"]} == {
        ("#microsoft.graph.application", bot.object_id),
        ("#microsoft.graph.servicePrincipal", identity),
        ("#microsoft.graph.user", directory.user.object_id),
    }
    narrowed = {**body, "types": ["user", "group", "servicePrincipal"]}
    _, found = await call("POST", "/directoryObjects/getByIds", narrowed)
    assert {each["id"] for each in found["value"]} == set(ids[1:3])


async def test_the_user_is_found_by_name(call: GraphCaller, directory: Directory) -> None:
    """The directory has one user, found by principal name, by filter and by id."""
    user = directory.user
    _, found = await call("GET", "/users", filter=f"userPrincipalName eq '{user.name}'")
    assert [each["id"] for each in found["value"]] == [user.object_id]
    for name in (user.name, user.object_id):
        assert (await call("GET", f"/users/{name}"))[0] == 200
    assert (await call("GET", f"/users/{UNKNOWN}"))[0] == 404


async def test_it_can_be_disabled(
    call: GraphCaller, bot: Registration, directory: Directory
) -> None:
    """As the portal does under Enterprise applications, with what users then need."""
    path = f"/servicePrincipals(appId='{APP_ID}')"
    _, before = await call("GET", path)
    assert (before["accountEnabled"], before["appRoleAssignmentRequired"]) == (True, False)
    directory.disabled.add(bot.service_principal_id)
    directory.assignment_required.add(bot.service_principal_id)
    _, after = await call("GET", path)
    assert (after["accountEnabled"], after["appRoleAssignmentRequired"]) == (False, True)
