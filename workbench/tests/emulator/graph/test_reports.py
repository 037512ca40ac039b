"""Graph's reports of sign-ins: which credential was used, and when."""

import aiohttp
import pytest

from bot_workbench.emulator.entra.credentials import (
    CERTIFICATE,
    CLIENT_SECRET,
    FEDERATED,
    UsedCredential,
)
from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import MULTI_TENANT_AUDIENCE, Registration
from bot_workbench.emulator.graph.graph import Graph
from bot_workbench.emulator.graph.requests.caller import WRITE_ALL
from bot_workbench.emulator.graph.requests.entity_type import ENTITY_TYPES
from tests.emulator.graph.graph_caller import GraphCaller
from tests.emulator.registered_bot import APP_ID, BOT_FRAMEWORK, PRINCIPAL, TENANT
from tests.support.timing.clock import Clock

ACTIVITIES = "/reports/appCredentialSignInActivities"
SIGN_INS = "/auditLogs/signIns"
OF_APPLICATIONS = "signInEventTypes/any(t: t eq 'servicePrincipal')"


@pytest.fixture
def clock(directory: Directory) -> Clock:
    clock = Clock()
    directory.clock = clock
    return clock


@pytest.fixture
def secret(directory: Directory, bot: Registration, clock: Clock) -> str:
    """Key id of a secret that the application signed in with, twice."""
    directory.add_secret(bot)
    key_id = bot.secrets[0].key_id
    for _ in range(2):
        directory.record_sign_in(APP_ID, UsedCredential(CLIENT_SECRET, key_id), BOT_FRAMEWORK)
        clock.advance(60.0)
    return key_id


async def test_the_last_use_of_a_secret_is_reported(
    call: GraphCaller, bot: Registration, secret: str
) -> None:
    """One line for the secret, with the moment of its last use."""
    status, answer = await call("GET", ACTIVITIES, version="beta", filter=f"appId eq '{APP_ID}'")
    assert status == 200
    (activity,) = answer["value"]
    assert (activity["keyId"], activity["keyType"]) == (secret, "clientSecret")
    assert activity["appObjectId"] == bot.object_id
    assert activity["servicePrincipalObjectId"] == bot.service_principal_id
    assert activity["signInActivity"]["lastSignInDateTime"] == "2027-01-15T08:01:00Z"
    assert activity["expirationDateTime"] == "2028-01-15T08:00:00Z"


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("path", [ACTIVITIES, SIGN_INS])
async def test_a_sign_in_in_another_tenant_is_not_reported(
    entra: Entra, http: aiohttp.ClientSession, call: GraphCaller, path: str
) -> None:
    """A multi-tenant bot that signs in in the channels' tenant leaves no trace in its own."""
    made = entra.directory.add_application("old-bot", audience=MULTI_TENANT_AUDIENCE)
    form = {
        "grant_type": "client_credentials",
        "client_id": made.app_id,
        "client_secret": entra.directory.add_secret(made),
        "scope": f"{BOT_FRAMEWORK}/.default",
    }
    condition = {"filter": OF_APPLICATIONS} if path == SIGN_INS else {}
    found = []
    for tenant in ("botframework.com", TENANT):
        url = f"{entra.server.url}/{tenant}/oauth2/v2.0/token"
        async with http.post(url, data=form) as response:
            assert response.status == 200, await response.text()
        _, answer = await call("GET", path, version="beta", **condition)
        found.append(len(answer["value"]))
    assert found == [0, 1]


async def test_activities_are_found_by_key_id(
    call: GraphCaller, directory: Directory, secret: str
) -> None:
    """The filter by key id leaves out the other credentials."""
    directory.record_sign_in(APP_ID, UsedCredential(CERTIFICATE, "another"), BOT_FRAMEWORK)
    _, answer = await call("GET", ACTIVITIES, version="beta", filter=f"keyId eq '{secret}'")
    assert [each["keyId"] for each in answer["value"]] == [secret]
    _, answer = await call("GET", ACTIVITIES, version="beta")
    assert len(answer["value"]) == 2


async def test_each_sign_in_is_listed_with_its_credential(
    call: GraphCaller, directory: Directory, secret: str
) -> None:
    """The newest first; a federated sign-in names its credential in a property of its own."""
    directory.record_sign_in(APP_ID, UsedCredential(FEDERATED, "federated"), BOT_FRAMEWORK)
    condition = f"{OF_APPLICATIONS} and appId eq '{APP_ID}'"
    _, answer = await call("GET", SIGN_INS, version="beta", filter=condition)
    newest, *others = answer["value"]
    assert newest["clientCredentialType"] == "federatedIdentityCredential"
    assert newest["federatedCredentialId"] == "federated"
    assert newest["servicePrincipalCredentialKeyId"] is None
    assert {each["servicePrincipalCredentialKeyId"] for each in others} == {secret}
    assert {each["clientCredentialType"] for each in others} == {"clientSecret"}


async def test_sign_ins_are_found_by_their_moment(
    call: GraphCaller, directory: Directory, secret: str
) -> None:
    """A filter by date finds the later one of two."""
    condition = f"{OF_APPLICATIONS} and createdDateTime ge 2027-01-15T08:01:00Z"
    _, answer = await call("GET", SIGN_INS, version="beta", filter=condition)
    assert len(answer["value"]) == 1
    assert len(directory.sign_ins) == 2
    assert secret


@pytest.mark.usefixtures("secret")
async def test_sign_ins_of_applications_must_be_asked_for(call: GraphCaller) -> None:
    """Without the filter, and in v1.0, only interactive sign-ins are listed: there are none."""
    _, answer = await call("GET", SIGN_INS, version="beta")
    assert answer["value"] == []
    _, answer = await call("GET", SIGN_INS, filter=OF_APPLICATIONS)
    assert answer["value"] == []


@pytest.mark.usefixtures("secret")
async def test_reports_come_late(graph: Graph, call: GraphCaller, clock: Clock) -> None:
    """With a delay, the last sign-ins are not in the reports yet."""
    graph.report_delay = 3600.0
    _, answer = await call("GET", ACTIVITIES, version="beta")
    assert answer["value"] == []
    clock.advance(3600.0)
    _, answer = await call("GET", ACTIVITIES, version="beta")
    assert len(answer["value"]) == 1


@pytest.mark.parametrize("path", [ACTIVITIES, SIGN_INS])
async def test_reports_need_a_licence(graph: Graph, call: GraphCaller, path: str) -> None:
    """Without Entra ID P1 the directory has no reports of sign-ins: 403."""
    graph.licensed = False
    status, answer = await call("GET", path, version="beta")
    code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    assert (status, answer["error"]["code"]) == (403, code)


@pytest.mark.parametrize("path", [ACTIVITIES, SIGN_INS])
async def test_reports_need_a_permission(graph: Graph, call: GraphCaller, path: str) -> None:
    """Changing applications does not include reading the reports."""
    graph.app_roles[PRINCIPAL] = {WRITE_ALL}
    status, answer = await call("GET", path, version="beta")
    code = "Authentication_MSGraphPermissionMissing"
    assert (status, answer["error"]["code"]) == (403, code)


async def test_activities_are_a_beta(call: GraphCaller) -> None:
    """The v1.0 of Graph does not have the report."""
    assert (await call("GET", ACTIVITIES))[0] == 400


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize(
    "path", ["/applications", "/servicePrincipals", "/users", ACTIVITIES, SIGN_INS]
)
async def test_what_is_shown_can_be_selected(call: GraphCaller, path: str) -> None:
    """Every property of a list's objects is one of their type's."""
    condition = {"filter": OF_APPLICATIONS} if path == SIGN_INS else {}
    _, answer = await call("GET", path, version="beta", **condition)
    names = {name for each in answer["value"] for name in each}
    assert names
    assert names <= ENTITY_TYPES[path.rpartition("/")[2]].properties
