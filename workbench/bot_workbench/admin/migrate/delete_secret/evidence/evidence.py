"""Evidence: what Azure, the directory and the deployed bot say at one moment."""

import datetime
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property

from bot_workbench.admin.azure.errors import NotFound, UnknownName
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import answers_at
from bot_workbench.admin.azure.rest_client import json_of
from bot_workbench.admin.migrate.delete_secret.evidence.proof import Proof
from bot_workbench.admin.migrate.delete_secret.evidence.secret_search import SecretSearch
from bot_workbench.admin.migrate.delete_secret.evidence.secret_users import SecretUsers
from bot_workbench.admin.migrate.delete_secret.evidence.sign_in_report import SignInReport
from bot_workbench.admin.migrate.steps.azure_bot import tags_of
from bot_workbench.admin.migrate.steps.identity import identities_of
from bot_workbench.admin.migrate.switch import PREVIOUS_ENDPOINT
from bot_workbench.admin.plan.settings import setting
from bot_workbench.admin.plan.target import Target, endpoint_of, type_of
from bot_workbench.credential_kinds import MULTI_TENANT


@dataclass(frozen=True)
class Answer:
    """An answer of `/api/identity`.

    Attributes:
        proof: None if the bot gave none.
        problem: why there is no proof; empty if there is.
        status: the HTTP status of a refusal; 0: there was no answer, or a proof.
    """

    proof: Proof | None = None
    problem: str = ""
    status: int = 0


class Evidence:
    """The facts of a bot. Each one is read when it is first needed, and then kept: for another
    moment, make another Evidence.

    Args:
        old: the bot whose secrets are deleted.
        live: the bot whose app gives the proof: the same, or the one that replaces it.

    Attributes:
        old, live: see there.
    """

    def __init__(self, old: Target, live: Target) -> None:
        self.old = old
        self.live = live

    @property
    def replaced(self) -> bool:
        """Whether another Azure Bot, with another id, replaces the bot."""
        return self.old is not self.live

    @cached_property
    def bot(self) -> JsonObject:
        """The Azure Bot whose secrets are deleted."""
        return self.live_bot if not self.replaced else self.old.bot()

    @cached_property
    def now(self) -> datetime.datetime:
        """The time, by Azure's clock: this machine's may be wrong."""
        date = self._live_bot[1]
        return parsedate_to_datetime(date) if date else datetime.datetime.now(datetime.UTC)

    @cached_property
    def live_bot(self) -> JsonObject:
        """The Azure Bot whose app gives the proof."""
        return self._live_bot[0]

    @cached_property
    def _live_bot(self) -> tuple[JsonObject, str]:
        response = self.live.azure.arm.exchange("GET", self.live.bot_id.id, None, None)
        return json_of(response), response.headers.get("Date", "")

    @cached_property
    def app_id(self) -> str:
        """The id (GUID) of the app registration whose secrets are deleted."""
        return str(self.bot["properties"]["msaAppId"]).lower()

    @cached_property
    def live_app_id(self) -> str:
        """The id (GUID) as which the live bot has to sign in."""
        return str(self.live_bot["properties"]["msaAppId"]).lower()

    @cached_property
    def endpoint(self) -> str:
        """Where the channels send the live bot's messages (URL)."""
        return endpoint_of(self.live_bot)

    @cached_property
    def site(self) -> JsonObject | None:
        """The app of `--app` or of the endpoint; None if there is none."""
        try:
            return self.live.site()
        except UnknownName:  # the one of --app
            raise
        except NotFound:
            return None

    @cached_property
    def at_endpoint(self) -> bool:
        """Whether the endpoint is that app's."""
        return answers_at(self.site or {}, self.endpoint)

    @cached_property
    def settings(self) -> dict[str, str]:
        """The app's settings, with their secret values."""
        return self.live.settings()

    @cached_property
    def identity_client_id(self) -> str:
        """The client id (GUID) of the identity that the app's settings name; empty: none."""
        return setting(self.settings, "AZURE_CLIENT_ID").lower()

    @cached_property
    def identity(self) -> JsonObject | None:
        """The app's identity: clientId, principalId and tenantId; None if it is not assigned."""
        for identity in identities_of(self.site or {}):
            if identity.client_id.lower() == self.identity_client_id:
                found = self.live.azure.arm.get(identity.id)
                properties: JsonObject = found["properties"]
                return properties
        return None

    @cached_property
    def answer(self) -> Answer:
        """The answer of the app's `/api/identity`."""
        found = self.live.proof()
        if found.facts:
            return Answer(Proof.from_facts(found.facts))
        return Answer(None, found.problem, found.status)

    @cached_property
    def registration(self) -> JsonObject | None:
        """The app registration; None if the directory has none."""
        return self.old.azure.graph.application(self.app_id)

    @cached_property
    def secrets(self) -> list[JsonObject]:
        """The registration's secrets: key ids, hints, names and ends; never values."""
        return list((self.registration or {}).get("passwordCredentials") or ())

    @cached_property
    def federated(self) -> list[JsonObject]:
        """The registration's federated credentials."""
        object_id = str((self.registration or {}).get("id"))
        return self.old.azure.graph.federated_credentials(object_id)

    @cached_property
    def sign_ins(self) -> SignInReport:
        """When each secret was last used, where the directory says so."""
        report = SignInReport.read(self.old.azure.graph, self.app_id)
        return report.of_multi_tenant_bot() if type_of(self.bot) == MULTI_TENANT else report

    @cached_property
    def users(self) -> SecretUsers:
        """The other resources in the subscriptions that have a secret of this registration."""
        hints = tuple(str(secret.get("hint") or "") for secret in self.secrets)
        return SecretUsers(self.old.azure.arm, SecretSearch(self.app_id, hints))

    @cached_property
    def old_site(self) -> JsonObject | None:
        """The app that answered before: behind the tag `previousEndpoint`, or the replaced bot's
        endpoint. None if there is none, or it cannot be read."""
        previous = tags_of(self.bot).get(PREVIOUS_ENDPOINT, "")
        endpoint = endpoint_of(self.bot) if self.replaced else previous
        return self.users.site_at(endpoint) if endpoint else None
