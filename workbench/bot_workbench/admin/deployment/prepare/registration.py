"""BotRegistration and BotPrincipal: the app registration of a bot with a credential of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import AnswerLost, Forbidden
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.deployment.deployed import Deployed
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.parameters import APP_ID, CREDENTIAL
from bot_workbench.admin.deployment.prepare.missing_registration import (
    LAG_SECONDS,
    missing_registration,
)
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Finding

UNKNOWN_APP_ID = "$BOT_APP_ID"
UNKNOWN_PRINCIPAL_ID = "$BOT_PRINCIPAL_ID"
FILE = "app-registration.json"
PRINCIPAL_FILE = "service-principal.json"


class BotRegistration:
    """The app registration: the reader's own, or one with this environment's tag, which is made.

    The display name is not unique in a directory, so only the tag says whose a registration is.

    Args:
        azure: the clients.
        options: name the environment.
        given: app id (GUID) of the reader's own, or of the one that an earlier run has made; empty:
            none.
    """

    title = "App registration"

    def __init__(self, azure: AzureClients, options: DeploymentOptions, given: str) -> None:
        self._azure = azure
        self._graph = azure.graph
        self._options = options
        self._given = given
        self._known = ""
        self._lost_until = azure.clock.now()
        self._shown_at = azure.clock.now() + LAG_SECONDS

    def look(self) -> Finding:
        """Find the registration.

        Raises:
            AzureProblem: the directory cannot be read.
        """
        if self._given:
            return self._found_given()
        self._known = self._known or self._found_by_tag()
        if self._known:
            name = self._options.environment
            return Finding(f"the app registration {name} ({self._known}) is for this environment")
        if self._azure.clock.now() < self._lost_until:
            text = "Graph's answer was lost, and its list does not show a new app registration yet"
            return Finding(text, waiting=True)
        text = "this environment has no app registration yet"
        return Finding(text, changes=(self._creation(),))

    def app_id(self) -> str:
        """Its app id (GUID); a shell variable while there is none.

        Raises:
            AzureProblem: the directory cannot be read.
        """
        return self._given or self._known or self._found_by_tag() or UNKNOWN_APP_ID

    def _found_by_tag(self) -> str:
        """The oldest with the tag; of several, which killed runs leave, the Azure Bot's."""
        with self._ways_out():
            tagged = self._graph.tagged_applications(self._options.tag)
        found = [str(each["appId"]) for each in tagged]
        if len(found) > 1 and (bot := Deployed(self._azure, self._options).find_bot()):
            return next((each for each in found if each == bot["properties"]["msaAppId"]), found[0])
        return found[0] if found else ""

    def _found_given(self) -> Finding:
        with self._ways_out():
            application = self._graph.application(self._given)
        if application is None:
            # UnchangedBot has seen that a bot, if there is one, has this id.
            bot = Deployed(self._azure, self._options).find_bot()
            return missing_registration(
                self._azure, self._options, self._given, bot, self._shown_at
            )
        return Finding(f"the bot is {application.get('displayName')} ({self._given})")

    def _creation(self) -> Change:
        name = self._options.environment
        body: JsonObject = {
            "displayName": name,
            "signInAudience": "AzureADMyOrg",
            "tags": [self._options.tag],
        }
        change = _post(
            self._graph.url("/applications"),
            body,
            f"Make the app registration {name}, for this tenant only, with the tag"
            f" {self._options.tag}",
            FILE,
            "BOT_APP_ID=$({} --query appId --output tsv)",
        )
        return replace(change, send=partial(self._create, change.url, body))

    def _create(self, url: str, body: JsonObject) -> None:
        """Make it, and keep its id: lists show it only after a while."""
        try:
            with self._ways_out():
                self._known = str(self._graph.send("POST", url, body)["appId"])
        except AnswerLost:
            self._lost_until = self._azure.clock.now() + LAG_SECONDS
            raise

    @contextmanager
    def _ways_out(self) -> Iterator[None]:
        """Say of a missing right what else can be done."""
        try:
            yield
        except Forbidden as error:
            raise Forbidden(error.answer, self._without_role(), needs_role=True) from error

    def _without_role(self) -> str:
        ways = (
            self._options.to_choose(APP_ID, "GUID"),
            self._options.to_choose(CREDENTIAL, CREDENTIAL.default),
        )
        return (
            "Your account needs the role Application Developer (a pipeline:"
            " Application.ReadWrite.OwnedBy). Or let somebody register an app, make you its owner,"
            f" and name it ({ways[0]}), or choose the credential that needs none ({ways[1]})."
        )


class BotPrincipal:
    """The app registration has its service principal in this tenant, as which the bot signs in.

    Args:
        azure: the clients.
        registration: the app registration.
    """

    title = "Service principal"

    def __init__(self, azure: AzureClients, registration: BotRegistration) -> None:
        self._graph = azure.graph
        self._registration = registration
        self._known = ""

    def look(self) -> Finding:
        """Find the service principal.

        Raises:
            AzureProblem: the directory cannot be read.
        """
        app_id = self._registration.app_id()
        if self.object_id() != UNKNOWN_PRINCIPAL_ID:
            return Finding(f"{app_id} has a service principal in this tenant")
        text = "the app registration has no service principal yet"
        return Finding(text, changes=(self._creation(app_id),))

    def object_id(self) -> str:
        """Its object id (GUID), to which roles are assigned; a shell variable while there is none.

        Raises:
            AzureProblem: the directory cannot be read.
        """
        app_id = self._registration.app_id()
        if not self._known and app_id != UNKNOWN_APP_ID:
            found = self._graph.service_principal(app_id)
            self._known = str(found["id"]) if found else ""
        return self._known or UNKNOWN_PRINCIPAL_ID

    def _creation(self, app_id: str) -> Change:
        url = self._graph.url("/servicePrincipals")
        summary = "Make the service principal of the app registration"
        # Conflict: made, and not shown yet. Bad request: Graph does not know the app id yet.
        done = frozenset({"Request_MultipleObjectsWithSameKeyValue", "Request_BadRequest"})
        body: JsonObject = {"appId": app_id}
        line = "BOT_PRINCIPAL_ID=$({} --query id --output tsv)"
        return _post(url, body, summary, PRINCIPAL_FILE, line, done)


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
