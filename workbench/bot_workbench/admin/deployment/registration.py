"""The app registration of a bot with a credential of its own, and the Azure Bot that has its id."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from bot_workbench.admin.azure.arm_client import BOT
from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import AnswerLost, Forbidden
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId
from bot_workbench.admin.azure.services import GraphClient
from bot_workbench.admin.deployment.deployed import Deployed, list_if_registered
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.parameters import APP_ID, APP_TYPE, CREDENTIAL
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Change, Finding
from bot_workbench.admin.plan.target import type_of
from bot_workbench.credential_kinds import (
    MANAGED_IDENTITY,
    MULTI_TENANT,
    SINGLE_TENANT,
    USER_ASSIGNED_MSI,
    CredentialKind,
)

UNKNOWN_APP_ID = "$BOT_APP_ID"
UNKNOWN_PRINCIPAL_ID = "$BOT_PRINCIPAL_ID"

LAG_SECONDS = 120.0
"""The time for which Graph may not show a registration that has just been made."""

BY_DOWN = ", such as by `azd down` on another machine"

TRUSTS_NO_IDENTITY = (
    "the channels' tenant, where a multi-tenant bot signs in, trusts no managed identity; choose"
    " SignInVault or Certificate"
)
"""Why Federated, alone of the credentials that may be combined with a type, refuses one."""

MIGRATION = "To move its users to another bot, read docs/migrate.md"


class BotRegistration:
    """The app registration: the reader's own, or one with this environment's tag, which is made.

    The display name is not unique in a directory, so only the tag says whose a registration is.

    Args:
        azure: the clients.
        options: name the environment.
        given: app id (GUID) of the reader's own, or of the one that an earlier run has made; empty:
            none.
    """

    def __init__(self, azure: AzureClients, options: DeploymentOptions, given: str) -> None:
        self._azure = azure
        self._options = options
        self._given = given
        self._made = ""
        self._principal = ""
        self._lost_until = azure.clock.now()
        self._shown_at = azure.clock.now() + LAG_SECONDS

    def look(self) -> Finding:
        """Find the registration.

        Raises:
            AzureProblem: the directory cannot be read.
        """
        if self._given:
            return self._found_given()
        self._made = self._made or self._found_by_tag()
        if self._made:
            name = self._options.environment
            return Finding(f"the app registration {name} ({self._made}) is for this environment")
        if self._azure.clock.now() < self._lost_until:
            text = "Graph's answer was lost, and its list does not show a new app registration yet"
            return Finding(text, waiting=True)
        text = "this environment has no app registration yet"
        return Finding(text, changes=(self._creation(),))

    def look_for_principal(self) -> Finding:
        """Find the service principal in this tenant, as which the bot signs in.

        Raises:
            AzureProblem: the directory cannot be read.
        """
        app_id = self.app_id()
        if self.principal_id() != UNKNOWN_PRINCIPAL_ID:
            return Finding(f"{app_id} has a service principal in this tenant")
        change = _post(
            self._azure.graph.url("/servicePrincipals"),
            {"appId": app_id},
            "Make the service principal of the app registration",
            "service-principal.json",
            "BOT_PRINCIPAL_ID=$({} --query id --output tsv)",
            # Conflict: made, and not shown yet. Bad request: Graph does not know the app id yet.
            frozenset({"Request_MultipleObjectsWithSameKeyValue", "Request_BadRequest"}),
        )
        return Finding("the app registration has no service principal yet", changes=(change,))

    def app_id(self) -> str:
        """Its app id (GUID); a shell variable while there is none.

        Raises:
            AzureProblem: the directory cannot be read.
        """
        return self._given or self._made or self._found_by_tag() or UNKNOWN_APP_ID

    def principal_id(self) -> str:
        """The service principal's object id (GUID), to which roles are assigned; a shell variable
        while there is none.

        Raises:
            AzureProblem: the directory cannot be read.
        """
        app_id = self.app_id()
        if not self._principal and app_id != UNKNOWN_APP_ID:
            found = self._azure.graph.service_principal(app_id)
            self._principal = str(found["id"]) if found else ""
        return self._principal or UNKNOWN_PRINCIPAL_ID

    def _found_by_tag(self) -> str:
        """The oldest with the tag; of several, which killed runs leave, the Azure Bot's."""
        with self._ways_out():
            tagged = self._azure.graph.tagged_applications(self._options.tag)
        found = [str(each["appId"]) for each in tagged]
        if len(found) > 1 and (bot := Deployed(self._azure, self._options).find_bot()):
            return next((each for each in found if each == bot["properties"]["msaAppId"]), found[0])
        return found[0] if found else ""

    def _found_given(self) -> Finding:
        with self._ways_out():
            application = self._azure.graph.application(self._given)
        if application is not None:
            return Finding(f"the bot is {application.get('displayName')} ({self._given})")
        # `unchanged_bot` has seen that a bot, if there is one, has this id.
        bot = Deployed(self._azure, self._options).find_bot()
        return _missing(self._azure, self._options, self._given, bot, self._shown_at)

    def _creation(self) -> Change:
        name, tag = self._options.environment, self._options.tag
        change = _post(
            self._azure.graph.url("/applications"),
            {"displayName": name, "signInAudience": "AzureADMyOrg", "tags": [tag]},
            f"Make the app registration {name}, for this tenant only, with the tag {tag}",
            "app-registration.json",
            "BOT_APP_ID=$({} --query appId --output tsv)",
        )
        return replace(change, send=partial(self._create, change))

    def _create(self, change: Change) -> None:
        """Make it, and keep its id: lists show it only after a while."""
        try:
            with self._ways_out():
                made = self._azure.graph.send(change.method, change.url, change.body)
        except AnswerLost:
            self._lost_until = self._azure.clock.now() + LAG_SECONDS
            raise
        self._made = str(made["appId"])

    @contextmanager
    def _ways_out(self) -> Iterator[None]:
        """Say of a missing right what else can be done."""
        try:
            yield
        except Forbidden as error:
            own = self._options.to_choose(APP_ID, "GUID")
            other = self._options.to_choose(CREDENTIAL, CREDENTIAL.default)
            cure = (
                "Your account needs the role Application Developer (a pipeline:"
                " Application.ReadWrite.OwnedBy). Or let somebody register an app, make you its"
                f" owner, and name it ({own}), or choose the credential that needs none ({other})."
            )
            raise Forbidden(error.answer, cure, needs_role=True) from error


def _post(
    url: str,
    body: JsonObject,
    summary: str,
    file: str,
    line: str,
    done_codes: frozenset[str] = frozenset(),
) -> Change:
    """A POST to Graph; `az ad` cannot set tags.

    Args:
        url: absolute.
        body: as it is sent.
        summary: for the plan.
        file: holds the body, for the shell lines.
        line: what is done with the `az` command, which replaces its braces.
        done_codes: as in Change.
    """
    call = f"az rest --method POST --url {quoted(url)} --body @{file}"
    return Change(
        method="POST",
        url=url,
        body=body,
        summary=summary,
        az=(
            f"cat > {file} <<JSON",
            json.dumps(body, indent=2),
            "JSON",
            line.format(f"{call} --headers Content-Type=application/json"),
        ),
        service="graph",
        done_codes=done_codes,
    )


def unchanged_bot(
    azure: AzureClients,
    options: DeploymentOptions,
    *,
    credential: CredentialKind,
    app_type: str,
    app_id: Callable[[], str],
    shown_at: float,
) -> Finding:
    """The bot to deploy keeps the type and the app id of the environment's Azure Bot.

    Azure never changes them, gives an app id to one bot only, and has created no multi-tenant bot
    since 31 July 2025. The template would fail after it has changed the app's settings.

    Args:
        azure: the clients.
        options: name the environment.
        credential: how the bot will sign in.
        app_type: of a bot with an app registration.
        app_id: reads the id of the app registration; UNKNOWN_APP_ID while there is none.
        shown_at: seconds of the clock, from which Graph shows a registration that is there.

    Raises:
        AzureProblem: the bots or the directory cannot be read.
    """
    wanted = USER_ASSIGNED_MSI if credential.name == MANAGED_IDENTITY else app_type
    if wanted not in credential.app_types:
        text = f"{credential.name} signs in no {wanted} bot"
        return Finding(text, refusal=f"{text}: {TRUSTS_NO_IDENTITY}")
    bot = Deployed(azure, options).find_bot()
    if bot is None:
        return _new_bot(azure, options, wanted, app_id)
    name, current = bot["name"], str(bot["properties"].get("msaAppId"))
    kept = f"the Azure Bot {name} is {type_of(bot)}, with the app id {current}"
    never = f"{kept}, and Azure never changes that"
    if type_of(bot).lower() != wanted.lower():
        return Finding(
            kept,
            refusal=f"{never}: with the credential {credential.name} it would be {wanted}. Choose"
            " the credential and the type that it was deployed with, or another environment."
            f" {MIGRATION}",
        )
    if wanted == USER_ASSIGNED_MSI or (other := app_id()).lower() == current.lower():
        return Finding(kept)
    if other == UNKNOWN_APP_ID and azure.graph.application(current) is None:
        return _missing(azure, options, current, bot, shown_at)
    found = "none has this environment's tag" if other == UNKNOWN_APP_ID else f"not {other}"
    return Finding(
        kept,
        refusal=f"{never} ({found}): choose its app registration"
        f" ({options.to_choose(APP_ID, current)}), or another environment. {MIGRATION}",
    )


def _new_bot(
    azure: AzureClients, options: DeploymentOptions, wanted: str, app_id: Callable[[], str]
) -> Finding:
    """Azure creates bots of the type, and no other one of the subscription has the app id."""
    new = "there is no Azure Bot of this environment yet"
    if wanted == MULTI_TENANT:
        return Finding(
            new,
            refusal=f"{new}, and Azure creates no new multi-tenant bots: choose SingleTenant"
            f" ({options.to_choose(APP_TYPE, SINGLE_TENANT)})",
        )
    if wanted == USER_ASSIGNED_MSI:
        return Finding(new)
    its_id = app_id().lower()
    bots = f"/subscriptions/{options.subscription}/providers/{BOT}"
    for each in list_if_registered(azure.arm, bots) or ():
        group = ResourceId(each["id"], each["name"]).resource_group
        is_own = group.lower() == f"rg-{options.environment}".lower()
        if not is_own and str(each["properties"].get("msaAppId")).lower() == its_id:
            text = f"the app id {its_id} is that of the Azure Bot {each['name']} in {group}"
            return Finding(
                text,
                refusal=f"{text}, and belongs to one bot only: choose another app registration, or"
                f" delete that bot first. {MIGRATION}",
            )
    return Finding(new)


def _missing(
    azure: AzureClients,
    options: DeploymentOptions,
    app_id: str,
    bot: JsonObject | None,
    shown_at: float,
) -> Finding:
    """A wait while the registration may be new, then a refusal that says why, and leads out.

    Azure never changes the app id of an Azure Bot. So without one, a new registration will do; with
    one, only the deleted registration, or another bot.

    Args:
        azure: the clients.
        options: name the environment.
        app_id: of the registration (GUID), which the directory does not have.
        bot: the environment's Azure Bot with this id; None: there is none.
        shown_at: seconds of the clock, from which Graph shows a registration that is there.

    Raises:
        AzureProblem: the deleted registrations cannot be listed, for another reason than a right.
    """
    missing = text = f"the directory has no app registration {app_id}"
    again = "azd up" if options.azd else options.command_line()
    fresh = options.to_forget(APP_ID)
    if bot is not None:
        text = f"{text}, the app id of the Azure Bot {bot['name']}, which Azure never changes"
    try:
        deleted = azure.graph.deleted_application(app_id)
        long_ago = " more than 30 days ago"
    except Forbidden:  # the right to list what was deleted is another than that to register
        deleted = None
        long_ago = " (the portal restores it for 30 days: App registrations, Deleted applications)"
    if deleted is not None:
        back = (
            f"To get it back, restore it (`{restoration(azure.graph, deleted)}`), and run"
            f" `{again}`, which makes its service principal anew"
        )
        new = "" if bot else f"To get a new one, {fresh}, and run `{again}`. "
        return Finding(
            missing, refusal=f"{text}: it was deleted{'' if bot else BY_DOWN}. {new}{back}"
        )
    if azure.clock.now() < shown_at:
        return Finding(f"{missing}, or does not show it yet", waiting=True)
    elsewhere = "it is in another tenant than the one that you are signed in to, or was deleted"
    if bot is None:
        refusal = f"{text}: {elsewhere}{BY_DOWN}. To get a new one, {fresh}, and run `{again}`"
        return Finding(missing, refusal=refusal)
    group, name = quoted(f"rg-{options.environment}"), quoted(str(bot["name"]))
    other = "`azd env new NAME`" if options.azd else "another --environment"
    return Finding(
        missing,
        refusal=f"{text}: {elsewhere}{long_ago}. If nothing brings it back, deploy another"
        f" environment ({other}); or delete the Azure Bot (`az bot delete --resource-group {group}"
        f" --name {name}`), {fresh}, and run `{again}`, which makes another bot, for users to"
        " add anew",
    )


def restoration(graph: GraphClient, application: JsonObject) -> str:
    """The command that restores an app registration that was deleted in the last 30 days.

    It does not restore the service principal, which `prepare` makes anew; the portal restores both.
    Source: Microsoft Graph v1.0, "Restore deleted item"; Entra docs, "Restore an enterprise
    application".

    Args:
        graph: the client.
        application: with its `id`.
    """
    url = graph.url(f"/directory/deletedItems/{application['id']}/restore")
    return f"az rest --method POST --url {quoted(url)}"
