"""Situations in which deleting the secret would strand the bot: `delete-secret` refuses.

In each, the secret is still there afterwards, no setting was changed, and the app not restarted.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot_workbench.admin.migrate.delete_secret.secret_holders import PASSWORD
from bot_workbench.emulator.entra.credentials import KeyCredential
from bot_workbench.emulator.entra.registration import MULTI_TENANT
from tests.admin.migrate.delete_secret.deletion import SECRET, Deletion
from tests.admin.migrate.migration import APP, BOT, OLD_ENDPOINT, OTHER_APP_ID

Arrange = Callable[[Deletion], None]


def endpoint_at_the_old_app(deletion: Deletion) -> None:
    """The users still talk to the old app."""
    deletion.call(deletion.migration.bot().properties.update, {"endpoint": OLD_ENDPOINT})


def endpoint_at_no_app(deletion: Deletion) -> None:
    """The users talk to an app that nobody knows."""
    endpoint = {"endpoint": "https://elsewhere.contoso.com/api/messages"}
    deletion.call(deletion.migration.bot().properties.update, endpoint)


def app_stopped(deletion: Deletion) -> None:
    """The app does not answer."""
    deletion.set_state(deletion.migration.new.site, "Stopped")


def app_cannot_sign_in(deletion: Deletion) -> None:
    """The app answers 503."""
    deletion.call(deletion.registration.federated_credentials.clear)
    deletion.set_settings(deletion.migration.new.site, Some="change")
    deletion.talk()


def other_app_id(deletion: Deletion) -> None:
    """The app signs in as another bot."""
    deletion.change_proof(appId=OTHER_APP_ID)


def other_app_id_in_the_settings(deletion: Deletion) -> None:
    """The app's next process signs in as another bot."""
    deletion.call(setattr, deletion.code, "restart_seconds", 1e6)
    deletion.set_settings(deletion.migration.new.site, MicrosoftAppId=OTHER_APP_ID)


def unknown_credential(deletion: Deletion) -> None:
    """The app signs in with something else, such as the secret."""
    deletion.change_proof(kind="Secret")


def identity_of_another_bot(deletion: Deletion) -> None:
    """A managed identity is no credential of an app registration."""
    deletion.change_proof(kind="ManagedIdentity")


def multi_tenant_with_federated(deletion: Deletion) -> None:
    """The channels' tenant trusts no managed identity."""
    deletion.change_proof(appType=MULTI_TENANT)


def token_for_another_cloud(deletion: Deletion) -> None:
    """The channels do not accept the token."""
    deletion.change_proof(audience="https://api.botframework.us")


def older_code(deletion: Deletion) -> None:
    """The app does not say when it started."""
    deletion.change_proof(processStartedOn=None)


def no_outbound_call(deletion: Deletion) -> None:
    """The app has not called a channel."""
    deletion.call(setattr, deletion.code, "last_outbound_call", None)


def old_outbound_call(deletion: Deletion) -> None:
    """The app's last call is eleven minutes old."""
    deletion.talk(minutes_ago=11)


def outbound_call_in_the_future(deletion: Deletion) -> None:
    """A clock is wrong."""
    deletion.talk(minutes_ago=-5)


def certificate_not_registered(deletion: Deletion) -> None:
    """The certificate has been removed since the app's last token."""
    certificate = deletion.use_certificate(credential="Certificate").certificate
    deletion.call(deletion.registration.withdraw, certificate)


def certificate_unknown(deletion: Deletion) -> None:
    """The app does not say which certificate it uses."""
    deletion.use_certificate()
    deletion.change_proof(certificateThumbprint=None)


def certificate_expires_soon(deletion: Deletion) -> None:
    """The certificate ends in some days."""
    made = deletion.use_certificate(ends_in_days=6)
    key = KeyCredential.of(made.certificate)
    deletion.call(deletion.registration.add_key, replace(key, end=key.end.replace(year=2099)))


def registered_key_ended(deletion: Deletion) -> None:
    """The key on the registration ends before the certificate."""
    made = deletion.use_certificate()
    key = KeyCredential.of(made.certificate)
    ended = replace(key, end=key.start.replace(microsecond=0))
    deletion.call(deletion.registration.add_key, ended)


def registered_key_not_started(deletion: Deletion) -> None:
    """The key on the registration starts later."""
    made = deletion.use_certificate()
    key = KeyCredential.of(made.certificate)
    deletion.call(deletion.registration.add_key, replace(key, start=key.end))


def federated_subject_in_capitals(deletion: Deletion) -> None:
    """Entra compares letter by letter."""
    deletion.trust(subject=deletion.migration.new.identity["principalId"].upper())


def federated_other_identity(deletion: Deletion) -> None:
    """The registration trusts another identity."""
    deletion.trust(subject=OTHER_APP_ID)


def federated_issuer_with_a_slash(deletion: Deletion) -> None:
    """The issuer has a slash at its end."""
    issuer = deletion.registration.federated_credentials[0].issuer
    deletion.trust(issuer=f"{issuer}/")


def federated_other_audience(deletion: Deletion) -> None:
    """The audience is another cloud's."""
    deletion.trust(audience="api://AzureADTokenExchangeUSGov")


def federated_missing(deletion: Deletion) -> None:
    """The registration has no federated credential any more."""
    deletion.sign_in()
    deletion.call(deletion.registration.federated_credentials.clear)


def identity_not_assigned(deletion: Deletion) -> None:
    """The app has lost its identity."""
    deletion.sign_in()
    assigned = deletion.migration.new.site.body["identity"]["userAssignedIdentities"]
    deletion.call(assigned.clear)


def secret_used_since(deletion: Deletion) -> None:
    """Somebody has signed in with the secret since the endpoint moved."""
    deletion.switched(minutes_ago=10)
    deletion.record_sign_in()


def connection_with_the_secret(deletion: Deletion) -> None:
    """An OAuth connection signs users in with the secret."""
    connection = deletion.resource(f"{deletion.migration.old.bot.id}/connections/graph")
    deletion.call(connection.properties.update, {"clientId": deletion.registration.app_id})


def another_app_with_the_secret(deletion: Deletion) -> None:
    """A third app has the secret in its settings."""
    other = deletion.call(deletion.azure.add_old_bot, "fabrikam-bot")
    deletion.set_settings(other.site, MicrosoftAppId=deletion.registration.app_id)


def registration_unknown(deletion: Deletion) -> None:
    """The registration is in another tenant."""
    deletion.sign_in()
    directory = deletion.azure.directory
    deletion.call(directory.registrations.pop, deletion.registration.app_id)


REFUSALS: dict[Arrange, tuple[str, str]] = {
    endpoint_at_the_old_app: ("contoso-bot-web does not run this project's code", "switch"),
    endpoint_at_no_app: ("the endpoint of contoso-bot is at elsewhere.contoso.com", "--app"),
    app_stopped: ("gives no proof of its sign-in", "Start the app"),
    app_cannot_sign_in: ("cannot sign in: its /api/identity answers 503", "Its log says why"),
    other_app_id: (f"signs in as {OTHER_APP_ID}", "Set MicrosoftAppId"),
    other_app_id_in_the_settings: (f"contoso-functions is {OTHER_APP_ID}", "Set MicrosoftAppId"),
    unknown_credential: ("signs in with the credential Secret", "certificate, or federated"),
    identity_of_another_bot: ("the credential ManagedIdentity", "certificate, or federated"),
    multi_tenant_with_federated: ("the bot's type is MultiTenant", "command certificate"),
    token_for_another_cloud: ("is for https://api.botframework.us", "ChannelService"),
    older_code: ("older than this command", "Deploy this version"),
    no_outbound_call: ("has not called a channel", "Write to the bot"),
    old_outbound_call: ("was 11 minutes ago, and at most 10 count", "Write to the bot"),
    outbound_call_in_the_future: ("5 minutes in the future", "Correct the clock"),
    certificate_not_registered: ("is not on the app registration", "command certificate"),
    certificate_unknown: ("does not say which", "Deploy this version"),
    certificate_expires_soon: ("the certificate with which the app signs in expires", "rotate"),
    registered_key_ended: ("the app registration accepts the certificate until", "rotate"),
    registered_key_not_started: ("does not accept the certificate yet", "Wait"),
    federated_subject_in_capitals: ("subject is", "command federated"),
    federated_other_identity: (f"subject is '{OTHER_APP_ID}'", "command federated"),
    federated_issuer_with_a_slash: ("issuer is", "command federated"),
    federated_other_audience: ("audiences is ['api://AzureADTokenExchangeUSGov']", "federated"),
    federated_missing: ("has no federated credential", "command federated"),
    identity_not_assigned: ("no identity of the app has the client id", "command federated"),
    secret_used_since: ("UTC, after the bot had stopped using it", "--ignore-other-use"),
    connection_with_the_secret: ("the OAuth connection graph of contoso-bot", "Federated"),
    another_app_with_the_secret: ("the setting MicrosoftAppPassword of fabrikam-bot-web", "Move"),
    registration_unknown: ("no app registration", "az login --tenant"),
}
"""What has to be the case, and a part of the reason and of the cure."""


@pytest.mark.parametrize("arrange", REFUSALS, ids=lambda arrange: arrange.__name__)
def test_refused(deletion: Deletion, arrange: Arrange) -> None:
    """The command says why and what to do, in a line each, and changes nothing."""
    arrange(deletion)
    before = deletion.state()
    ended = deletion.run("--json", "--timeout", "5")
    reason, cure = REFUSALS[arrange]
    assert ended.status == 1, ended.output + ended.errors
    assert ended.json["result"] == "refused"
    said = ended.json["reason"].splitlines()
    assert len(said) == 2
    assert reason in said[0]
    assert cure in said[1]
    assert deletion.state() == before
    assert len(deletion.key_ids) == 1
    assert SECRET not in ended.output + ended.errors


def test_another_app_than_the_endpoints(deletion: Deletion) -> None:
    """The app of --app must be the one that the users reach."""
    endpoint_at_the_old_app(deletion)
    before = deletion.state()
    ended = deletion.run("--json", "--app", APP, "--timeout", "5")
    assert ended.status == 1
    assert f"is at {BOT}-web.azurewebsites.net, not {APP}" in ended.json["reason"]
    # No full stop is pasted with the command.
    assert f"`bot migrate switch --bot {BOT} --app {APP}`" in ended.json["reason"]
    assert deletion.state() == before


def test_a_bot_without_registration(deletion: Deletion) -> None:
    """A managed identity has no secret."""
    bot = deletion.migration.bot()
    deletion.call(bot.properties.update, {"msaAppType": "UserAssignedMSI"})
    ended = deletion.run("--json", "--timeout", "5")
    assert ended.status == 1
    assert "signs in with a managed identity, which has no secret" in ended.json["reason"]
    assert len(deletion.key_ids) == 1


def test_a_registration_that_cannot_be_read(deletion: Deletion) -> None:
    """What cannot be read cannot be checked: the account's role is missing."""
    before = deletion.state()
    body = '{"error": {"code": "Authorization_RequestDenied", "message": "Not allowed."}}'
    faults = deletion.azure.graph.server.faults
    deletion.call(faults.set, status=403, body=body, path="/applications")
    ended = deletion.run("--timeout", "5")
    assert ended.status == 3
    assert "Your account needs: an owner of the app registration" in ended.errors
    assert deletion.state() == before


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("fabrikam-bot-web/config/appsettings/list", "fabrikam-bot-web"),
        ("sites/fabrikam-bot-web", "fabrikam-bot-web"),
        ("fabrikam-bot/connections", "fabrikam-bot"),
    ],
)
def test_settings_that_cannot_be_read(deletion: Deletion, path: str, name: str) -> None:
    """Whether another app or bot has the secret is then unknown, and a note names it."""
    deletion.call(deletion.azure.add_old_bot, "fabrikam-bot")
    body = '{"error": {"code": "AuthorizationFailed", "message": "Not allowed."}}'
    faults = deletion.azure.resource_manager.server.faults
    deletion.call(faults.set, status=403, body=body, path=path)
    ended = deletion.run("--dry-run")
    assert ended.status == 0, ended.output + ended.errors
    assert f"the settings of {name} cannot be read: check" in ended.output


def test_an_app_that_has_just_been_deleted(deletion: Deletion) -> None:
    """Azure lists it for some minutes more: it has no settings to check."""
    other = deletion.call(deletion.azure.add_old_bot, "fabrikam-bot")
    body = '{"error": {"code": "ResourceNotFound", "message": "Not found."}}'
    faults = deletion.azure.resource_manager.server.faults
    deletion.call(faults.set, status=404, body=body, path=f"sites/{other.site.name}")
    ended = deletion.run("--dry-run")
    assert ended.status == 0, ended.output + ended.errors
    assert "cannot be read" not in ended.output


def test_what_is_not_searched(deletion: Deletion) -> None:
    """A note says so."""
    assert "not searched: Container Apps, virtual machines" in deletion.run("--dry-run").output


def test_the_registration_goes_during_the_question(deletion: Deletion) -> None:
    """A registration that cannot be found is not one without secrets."""

    def gone(_: str) -> bool:
        registrations = deletion.azure.directory.registrations
        deletion.call(registrations.pop, deletion.registration.app_id)
        return True

    with deletion.conversation():
        status, reason = deletion.run_asked(gone)
    assert status == 1
    assert f"has no app registration {deletion.registration.app_id}" in reason
    assert PASSWORD in deletion.settings_of(deletion.migration.old.site)
