"""`migrate certificate`, from a bot with a secret to the app's proof."""

import copy

import pytest

from bot_workbench.admin.plan.target import ENVIRONMENT_TAG
from bot_workbench.emulator.resource_manager.resource import Resource
from tests.admin.migrate.migration import APP, BOT
from tests.admin.migrate.route import CERTIFICATE, NAME, Route

CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2"


def roles_of_identity(route: Route) -> set[tuple[str, str]]:
    """The roles (GUID) of the app's identity in the vault, each with the object's path."""
    vault = route.migration.new.vault
    assert vault is not None
    return {
        (
            each.properties["roleDefinitionId"].rsplit("/", 1)[-1],
            each.properties["scope"].removeprefix(vault.id),
        )
        for each in route.azure.resource_manager.resources.of_type(
            "Microsoft.Authorization/roleAssignments"
        )
        if each.properties["principalId"] == route.migration.new.identity["principalId"]
        if each.properties["scope"].startswith(vault.id)
    }


def state(route: Route) -> tuple[object, ...]:
    """All that the command may change."""
    return (
        route.settings(),
        route.registered(),
        route.versions(),
        roles_of_identity(route),
        copy.deepcopy(route.migration.bot().body),
    )


def test_the_bot_signs_in_with_a_certificate(route: Route) -> None:
    """Everything is made, nothing else is touched, and the app proves it."""
    ended = route.done(*CERTIFICATE)
    (made,) = route.versions()
    assert route.added() == [made]
    assert f"thumbprint {made}" in ended.output
    assert f"Next: bot migrate switch --bot {BOT} --app {APP}" in ended.output
    assert roles_of_identity(route) == {
        ("21090545-7ca7-4776-b22c-e363652d74d2", f"/certificates/{NAME}"),
        ("12338af0-0e69-4776-bea7-57ae8d297424", f"/keys/{NAME}"),
    }
    assert (
        route.settings().items()
        >= {
            "MicrosoftAppType": "SingleTenant",
            "MicrosoftAppId": route.registration.app_id,
            "MicrosoftAppTenantId": route.registration.tenant_id,
            "BotCredential": "SignInVault",
            "AZURE_CLIENT_ID": route.migration.new.identity["clientId"],
            "CertificateVaultUrl": "https://contoso-vault.vault.azure.net",
            "CertificateName": NAME,
        }.items()
    )
    route.untouched()


def test_the_certificate_can_only_sign(route: Route) -> None:
    """It is RSA, cannot leave the vault, signs only, and is renewed before it ends."""
    route.done(*CERTIFICATE)
    policy = route.inventory.policies[NAME]
    properties = policy["x509_props"]
    version = route.inventory.versions[NAME][-1]
    assert not version.exportable
    assert version.private_key.key_size >= 2048
    assert properties["key_usage"] == ["digitalSignature"]
    assert properties["ekus"] == [CLIENT_AUTHENTICATION]
    assert properties["validity_months"] <= 12
    assert policy["lifetime_actions"][0]["action"]["action_type"] == "AutoRenew"
    (entry,) = [key for key in route.registered() if key not in route.others]
    assert entry.display_name.startswith(f"{NAME} ")
    assert entry.end <= version.certificate.not_valid_after_utc


def test_running_it_again_changes_nothing(route: Route) -> None:
    """Each step finds that it is done."""
    route.done(*CERTIFICATE)
    before = state(route)
    ended = route.done(*CERTIFICATE, "--json")
    assert [step["changes"] for step in ended.json["steps"]] == [[]] * len(ended.json["steps"])
    assert state(route) == before


def test_a_dry_run_changes_nothing(route: Route) -> None:
    """It prints each call and its `az` command, which keeps what is there."""
    before = state(route)
    ended = route.done(*CERTIFICATE, "--dry-run")
    assert state(route) == before
    assert "--append --cert" in ended.output
    assert ended.output.count("az role assignment create") == 2
    assert "az ad app credential reset" in ended.output
    for line in ended.output.splitlines():
        assert "credential reset" not in line or "--append" in line
    assert route.others[0].key_id in ended.output


def test_the_roles_of_a_template_are_left_to_it(route: Route) -> None:
    """It made the vault and the identity: only it gives its identity a role there."""
    resources, vault = route.azure.resource_manager.resources, route.migration.new.vault
    identity = resources.find(str(route.migration.new.identity["id"]))
    for each in (vault, identity):
        assert each is not None
        route.call(each.body.update, {"tags": {ENVIRONMENT_TAG: "contoso"}})
    reason = route.refused(*CERTIFICATE)
    assert "`azd provision --no-state`" in reason
    assert "with the credential SignInVault" in reason
    assert roles_of_identity(route) == set()


def test_certificate_lets_the_app_read_the_key(route: Route) -> None:
    """The private key can leave the vault, and the identity may read the secret."""
    route.done(*CERTIFICATE, "--credential", "Certificate")
    assert route.inventory.versions[NAME][-1].exportable
    assert roles_of_identity(route) == {
        ("4633458b-17de-408a-b874-0445c86b69e6", f"/secrets/{NAME}")
    }
    assert route.settings()["BotCredential"] == "Certificate"


@pytest.mark.parametrize("route", ["MultiTenant"], indirect=True)
def test_a_multi_tenant_bot_needs_no_tenant(route: Route) -> None:
    """Its home tenant is not a setting, because it signs in at the channels' tenant."""
    route.done(*CERTIFICATE)
    assert route.settings()["MicrosoftAppType"] == "MultiTenant"
    assert "MicrosoftAppTenantId" not in route.settings()


def test_a_pin_is_extended(route: Route) -> None:
    """If the app allows certificates by their thumbprints, the new one is allowed too."""
    route.set_settings(CertificateThumbprint="AA" * 20)
    route.done(*CERTIFICATE)
    assert route.settings()["CertificateThumbprint"] == f"{'AA' * 20},{route.versions()[0]}"
    route.done(*CERTIFICATE)
    assert route.settings()["CertificateThumbprint"].count(",") == 1


def test_an_app_without_an_identity_gets_one(route: Route) -> None:
    """It is created and assigned, and has no more than the two roles."""
    site = route.migration.new.site
    route.call(site.body.pop, "identity")
    ended = route.run(*CERTIFICATE, "--identity", "contoso-signer", "--dry-run")
    assert 'AZURE_CLIENT_ID=$IDENTITY_CLIENT_ID"' in ended.output
    assert '--assignee-object-id "$IDENTITY_PRINCIPAL_ID"' in ended.output
    route.done(*CERTIFICATE, "--identity", "contoso-signer")
    (identity,) = (
        each
        for each in route.azure.resource_manager.resources.of_type(
            "Microsoft.ManagedIdentity/userAssignedIdentities"
        )
        if each.name == "contoso-signer"
    )
    assert route.settings()["AZURE_CLIENT_ID"] == identity.properties["clientId"]


def test_a_live_app_is_changed_only_after_a_question(route: Route) -> None:
    """An app that answers users could not sign in until Entra accepts the new credential."""
    words = ("certificate", "--bot", BOT, "--vault", "contoso-vault")
    route.done("federated", "--bot", BOT, "--app", APP)
    route.done("switch", "--bot", BOT, "--app", APP, "--yes")
    ended = route.run(*words, "--json")
    assert ended.status == 1
    assert ended.json["result"] == "declined"
    assert route.settings()["BotCredential"] == "Federated"
    assert f"{APP} answers the bot" in route.done(*words, "--dry-run").output
    ended = route.done(*words, "--yes")
    assert route.settings()["BotCredential"] == "SignInVault"
    assert "Next: bot migrate delete-secret" in ended.output


def test_the_endpoints_app_is_taken_if_none_is_named(route: Route) -> None:
    """An old app that runs other code is refused, with what to deploy."""
    reason = route.refused("certificate", "--bot", BOT, "--vault", "contoso-vault")
    assert "contoso-bot-web" in reason
    assert "does not run this project's code" in reason
    assert "--app" in reason


def test_a_bot_without_a_registration_is_refused(route: Route) -> None:
    """A bot of type UserAssignedMSI has no secret."""
    bot: Resource = route.migration.bot()
    route.call(bot.properties.update, {"msaAppType": "UserAssignedMSI"})
    assert "no app registration" in route.refused(*CERTIFICATE)


def test_a_registration_in_another_tenant_is_refused(route: Route) -> None:
    """The text says who can do it, and where."""
    route.call(route.azure.directory.registrations.pop, route.registration.app_id.lower())
    reason = route.refused(*CERTIFICATE)
    assert "az login --tenant" in reason
    assert "owner of the app registration" in reason
    assert "Application Administrator" in reason


def test_somebody_without_permission_is_refused(route: Route) -> None:
    """403 of Graph names the role, and everything before it stays."""
    route.call(route.azure.graph.app_roles.clear)
    ended = route.run(*CERTIFICATE)
    assert ended.status == 3
    assert "an owner of the app registration, or Application Administrator" in ended.errors
    assert route.added() == []


@pytest.mark.parametrize(
    ("made", "words", "reason"),
    [
        ({"enabled": False}, (), "it is disabled"),
        ({"ends_in_days": -1, "starts_in_days": -9}, (), "it expired on"),
        ({"starts_in_days": 2}, (), "it is not valid before"),
        ({"exportable": False}, ("--credential", "Certificate"), "cannot be exported"),
    ],
)
def test_an_unusable_certificate_is_refused(
    route: Route, made: dict[str, object], words: tuple[str, ...], reason: str
) -> None:
    """A certificate of that name which the bot could not use is not registered."""
    route.call(route.inventory.add_version, NAME, **made)
    assert reason in route.refused(*CERTIFICATE, *words)
    assert route.added() == []


def test_a_deleted_certificate_is_refused(route: Route) -> None:
    """Its name is reserved until it is recovered or purged."""
    route.call(route.inventory.add_version, NAME)
    route.call(route.inventory.delete, NAME)
    assert f"certificate recover --vault-name contoso-vault --name {NAME}" in route.refused(
        *CERTIFICATE
    )


def test_a_usable_certificate_is_taken(route: Route) -> None:
    """No second version is made; that its key can be exported is said."""
    route.call(route.inventory.add_version, NAME)
    ended = route.done(*CERTIFICATE)
    assert len(route.versions()) == 1
    assert route.added() == route.versions()
    assert "private key can be exported" in ended.output


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("certificate", "--app", APP), "--bot"),
        (("certificate", "--bot", BOT), "--vault"),
        ((*CERTIFICATE, "--name", "bot/certificate"), "--name"),
        ((*CERTIFICATE, "--credential", "Federated"), "SignInVault"),
        ((*CERTIFICATE, "--file", "nowhere.pem"), "cannot be read"),
        (("certificate", "rotate"), "--bot"),
    ],
)
def test_a_wrong_command_line_does_nothing(route: Route, words: tuple[str, ...], text: str) -> None:
    """Exit status 2, and what is wrong."""
    before = state(route)
    ended = route.run(*words)
    assert ended.status == 2, ended.output + ended.errors
    assert text in ended.errors
    assert state(route) == before
