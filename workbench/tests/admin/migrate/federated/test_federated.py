"""`migrate federated`, from a bot with a secret to the app's proof."""

import pytest

from bot_workbench.emulator.entra.credentials import TrustedSubject
from tests.admin.migrate.migration import APP, BOT
from tests.admin.migrate.route import FEDERATED, Route

AUDIENCE = "api://AzureADTokenExchange"


def issuer(route: Route) -> str:
    """The issuer of the identity's tokens."""
    return f"https://login.microsoftonline.com/{route.registration.tenant_id}/v2.0"


def subject(route: Route) -> str:
    """The identity's principal id."""
    return str(route.migration.new.identity["principalId"])


def trust(route: Route, name: str = "bot-identity", **values: str) -> TrustedSubject:
    """Add a federated credential for the identity, with other values where they are given."""
    made = TrustedSubject(
        values.get("issuer", issuer(route)),
        values.get("subject", subject(route)),
        values.get("audience", AUDIENCE),
        name=name,
    )
    route.call(route.registration.federated_credentials.append, made)
    return made


def test_the_bot_signs_in_with_its_identity(route: Route) -> None:
    """The registration trusts the identity, nothing else is touched, and the app proves it."""
    ended = route.done(*FEDERATED)
    (made,) = route.registration.federated_credentials
    assert (made.issuer, made.subject, made.audience) == (issuer(route), subject(route), AUDIENCE)
    assert made.name == "bot-identity"
    assert (
        route.settings().items()
        >= {
            "MicrosoftAppType": "SingleTenant",
            "MicrosoftAppId": route.registration.app_id,
            "MicrosoftAppTenantId": route.registration.tenant_id,
            "BotCredential": "Federated",
            "AZURE_CLIENT_ID": route.migration.new.identity["clientId"],
        }.items()
    )
    assert f"Next: bot migrate switch --bot {BOT} --app {APP}" in ended.output
    route.untouched()
    assert route.added() == []


def test_running_it_again_changes_nothing(route: Route) -> None:
    """Each step finds that it is done."""
    route.done(*FEDERATED)
    ended = route.done(*FEDERATED, "--json")
    assert [step["changes"] for step in ended.json["steps"]] == [[]] * len(ended.json["steps"])
    assert len(route.registration.federated_credentials) == 1


def test_an_equal_credential_of_any_name_is_enough(route: Route) -> None:
    """Entra compares the values, not the name."""
    made = trust(route, "made-by-hand")
    ended = route.done(*FEDERATED)
    assert route.registration.federated_credentials == [made]
    assert "as 'made-by-hand'" in ended.output


def test_a_taken_name_is_not_used_again(route: Route) -> None:
    """A name cannot be changed, and the other credential may be in use."""
    other = trust(route, subject="11111111-2222-3333-4444-555555555555")
    route.done(*FEDERATED)
    assert [each.name for each in route.registration.federated_credentials] == [
        other.name,
        "bot-identity-2",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", "https://login.microsoftonline.com/{tenant}/v2.0/"),
        ("audience", "api://AzureADTokenExchangeChina"),
        ("subject", "{SUBJECT}"),
    ],
)
def test_a_credential_with_a_wrong_value_is_refused(route: Route, name: str, value: str) -> None:
    """Entra accepts wrong values and refuses the sign-in: the text compares letter by letter."""
    tenant, upper = route.registration.tenant_id, subject(route).upper()
    wrong = value.format(tenant=tenant, SUBJECT=upper)
    trust(route, "by-hand", **{name: wrong})
    reason = route.refused(*FEDERATED)
    assert wrong in reason
    assert "must be" in reason
    assert "federated-credential delete" in reason
    assert len(route.registration.federated_credentials) == 1


def test_a_full_registration_is_refused(route: Route) -> None:
    """A registration has at most twenty."""
    for number in range(20):
        trust(route, f"other-{number}", subject=f"repo:contoso/bot:ref:{number}")
    assert "20 are allowed" in route.refused(*FEDERATED)


@pytest.mark.parametrize("route", ["MultiTenant"], indirect=True)
def test_a_multi_tenant_bot_is_refused(route: Route) -> None:
    """It signs in at the channels' tenant; the text names the certificate route."""
    reason = route.refused(*FEDERATED)
    assert "channels' tenant" in reason
    assert "bot migrate certificate --bot" in reason


def test_a_bot_without_a_registration_is_refused(route: Route) -> None:
    """A bot of type UserAssignedMSI has no secret."""
    route.call(route.migration.bot().properties.update, {"msaAppType": "UserAssignedMSI"})
    assert "no app registration" in route.refused(*FEDERATED)


def test_an_identity_of_another_tenant_is_refused(route: Route) -> None:
    """A registration trusts identities of its own tenant only."""
    identity = route.azure.resource_manager.resources.find(route.migration.new.identity["id"])
    assert identity is not None
    other = "99999999-2222-3333-4444-555555555555"
    route.call(identity.properties.update, {"tenantId": other})
    reason = route.refused(*FEDERATED)
    assert other in reason
    assert "migrate certificate" in reason
    assert route.registration.federated_credentials == []


def test_a_registration_in_another_tenant_is_refused(route: Route) -> None:
    """The text says where to sign in."""
    route.call(route.azure.directory.registrations.pop, route.registration.app_id.lower())
    ended = route.run(*FEDERATED)
    assert ended.status == 1
    assert "az login --tenant" in ended.errors


@pytest.mark.parametrize("route", ["SingleTenant"], indirect=True)
def test_several_identities_need_a_name(route: Route) -> None:
    """The one that the app already uses is taken; otherwise the user decides."""
    second = route.call(route.azure.group.identity, "second")
    assigned = route.migration.new.site.body["identity"]["userAssignedIdentities"]
    values = {name: second[name] for name in ("principalId", "clientId")}
    route.call(assigned.update, {second["id"]: values})
    assert "--identity" in route.refused(*FEDERATED)
    route.done(*FEDERATED, "--identity", "second")
    assert route.settings()["AZURE_CLIENT_ID"] == second["clientId"]
    ended = route.done(*FEDERATED, "--json")
    assert [step["changes"] for step in ended.json["steps"]] == [[]] * len(ended.json["steps"])


def test_a_dry_run_changes_nothing(route: Route) -> None:
    """It prints each call and its `az` command."""
    settings = route.settings()
    output = route.done(*FEDERATED, "--dry-run").output
    assert "az ad app federated-credential create" in output
    assert f'"subject": "{subject(route)}"' in output
    assert route.registration.federated_credentials == []
    assert route.settings() == settings


def test_an_identity_that_is_not_made_yet_is_a_variable(route: Route) -> None:
    """In a dry run, its ids are assigned by the lines that create it."""
    route.call(route.migration.new.site.body.pop, "identity")
    output = route.done(*FEDERATED, "--identity", "contoso-signer", "--dry-run").output
    assert '"subject": "$IDENTITY_PRINCIPAL_ID"' in output
    assert output.index("IDENTITY_PRINCIPAL_ID=") < output.index("federated-credential create")
    route.done(*FEDERATED, "--identity", "contoso-signer")
    (made,) = route.registration.federated_credentials
    assert made.subject != subject(route)


@pytest.mark.parametrize("intermittent", [False, True])
def test_a_late_acceptance_is_waited_for(route: Route, intermittent: bool) -> None:
    """Entra refuses a new credential for a while (AADSTS70021), even after a success."""
    route.registration.intermittent = intermittent
    route.azure.directory.propagation.federated = 200
    ended = route.done(*FEDERATED)
    assert "3 of 3 processes" in ended.output
    route.untouched()


@pytest.mark.parametrize("alternates", [True, False])
@pytest.mark.parametrize("seconds", [20, 50])
def test_graph_that_shows_changes_late_makes_no_second_credential(
    route: Route, seconds: float, alternates: bool
) -> None:
    """A list that is older than the write is no reason to add it again under another name."""
    route.azure.directory.propagation.graph = seconds
    route.azure.directory.propagation.alternates = alternates
    for _ in range(3):
        route.run(*FEDERATED, "--timeout", "0")
    route.done(*FEDERATED)
    assert len(route.registration.federated_credentials) == 1


@pytest.mark.parametrize(
    "faults",
    [
        {"cut": True, "handled": True, "remaining": 2},
        {"status": 429, "retry_after": 5, "remaining": 2},
        {"status": 503, "retry_after": 5, "remaining": 2},
        {"status": 500, "handled": True, "remaining": 2},
    ],
)
@pytest.mark.parametrize("path", ["federatedIdentityCredentials", "/config/appsettings?"])
def test_faults_leave_one_credential(route: Route, faults: dict[str, object], path: str) -> None:
    """Lost answers, throttling and outages end in the same state."""
    server = route.azure.graph.server if path.startswith("fed") else None
    server = server or route.azure.resource_manager.server
    route.call(server.faults.set, path=path, **faults)
    route.done(*FEDERATED)
    assert len(route.registration.federated_credentials) == 1
    route.untouched()
