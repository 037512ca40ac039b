"""Evidence: what Azure, the directory and the deployed bot say at one moment."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property

from bot_workbench.admin.azure.errors import AzureProblem, NotFound, UnknownName
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.rest_client import json_of
from bot_workbench.admin.azure.services import IdentityAnswer
from bot_workbench.admin.migrate.delete_secret.secret_holders import SecretHolders
from bot_workbench.admin.migrate.steps.azure_bot import tags_of
from bot_workbench.admin.migrate.steps.identity import identities_of
from bot_workbench.admin.migrate.switch import PREVIOUS_ENDPOINT
from bot_workbench.admin.plan.settings import setting
from bot_workbench.admin.plan.target import Target, endpoint_of, type_of
from bot_workbench.credential_kinds import MULTI_TENANT

UNUSED_SINCE = "secretUnusedSince"
"""The tag of the Azure Bot that remembers when its app was last restarted without the secret."""

MAX_AGE = datetime.timedelta(hours=1)
"""An older restart proves nothing: the settings may have had the secret again since."""

_IN_THE_PORTAL = (
    "run this command with the role Reports Reader, or look in the portal, Entra ID, Sign-in logs,"
    " Service principal sign-ins"
)
_IN_NO_REPORT = "search the pipelines, programs and machines that may have the secret"


@dataclass(frozen=True)
class SignIns:
    """The directory's report on the use of an app registration's credentials.

    Attributes:
        last_used: when each credential signed in last, by key id (lower-case GUID).
        problem: why a credential that is not in the report may have signed in nevertheless; empty:
            there is no reason.
        cure: what shows more than this report.
    """

    last_used: Mapping[str, datetime.datetime]
    problem: str
    cure: str


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
        return self.old.bot() if self.replaced else self.live_bot

    @cached_property
    def now(self) -> datetime.datetime:
        """The time, by Azure's clock: this machine's may be wrong."""
        date = self._live_bot[1]
        return parsedate_to_datetime(date) if date else datetime.datetime.now(datetime.UTC)

    @property
    def live_bot(self) -> JsonObject:
        """The Azure Bot whose app gives the proof."""
        return self._live_bot[0]

    @cached_property
    def _live_bot(self) -> tuple[JsonObject, str]:
        response = self.live.azure.arm.exchange("GET", self.live.bot_id.id, None, None)
        return json_of(response), response.headers.get("Date", "")

    @property
    def app_id(self) -> str:
        """The id (GUID) of the app registration whose secrets are deleted."""
        return str(self.bot["properties"]["msaAppId"]).lower()

    @property
    def unused_since(self) -> datetime.datetime | None:
        """Since when no process of the app can know the secret; None: not yet, or too long ago."""
        since = moment(tags_of(self.bot).get(UNUSED_SINCE))
        return since if since is not None and since > self.now - MAX_AGE else None

    @cached_property
    def site(self) -> JsonObject | None:
        """The app of `--app` or of the live bot's endpoint; None if there is none."""
        try:
            return self.live.site()
        except UnknownName:  # the one of --app
            raise
        except NotFound:
            return None

    @cached_property
    def settings(self) -> dict[str, str]:
        """The app's settings, with their secret values."""
        return self.live.settings()

    @property
    def identity_client_id(self) -> str:
        """The client id (GUID) of the identity that the app's settings name; empty: none."""
        return setting(self.settings, "AZURE_CLIENT_ID").lower()

    @cached_property
    def identity(self) -> JsonObject | None:
        """The app's identity: clientId, principalId and tenantId; None if it is not assigned."""
        for identity in identities_of(self.site or {}):
            if identity.client_id.lower() == self.identity_client_id:
                properties: JsonObject = self.live.azure.arm.get(identity.id)["properties"]
                return properties
        return None

    @cached_property
    def answer(self) -> IdentityAnswer:
        """The answer of the app's `/api/identity`."""
        return self.live.proof()

    def fact(self, name: str) -> str:
        """A fact of that answer; empty if it has none of this name."""
        return str(self.answer.facts.get(name) or "")

    @property
    def called(self) -> datetime.datetime | None:
        """When a call of the app to a channel succeeded last; None: not since the start."""
        return moment(self.fact("lastOutboundCall"))

    @property
    def started(self) -> datetime.datetime | None:
        """When the process that answered loaded the app; None: it does not say."""
        return moment(self.fact("processStartedOn"))

    @cached_property
    def registration(self) -> JsonObject | None:
        """The app registration; None if the directory has none."""
        return self.old.azure.graph.application(self.app_id)

    @property
    def secrets(self) -> list[JsonObject]:
        """The registration's secrets: key ids, hints, names and ends; never values."""
        return list((self.registration or {}).get("passwordCredentials") or ())

    @cached_property
    def federated(self) -> list[JsonObject]:
        """The registration's federated credentials."""
        object_id = str((self.registration or {}).get("id"))
        return self.old.azure.graph.federated_credentials(object_id)

    @cached_property
    def sign_ins(self) -> SignIns:
        """When each secret was last used, where the directory says so."""
        reported: dict[str, str] = {}
        problem = cure = ""
        try:
            reported = self.old.azure.graph.last_sign_ins(self.app_id)
        except AzureProblem as error:
            problem = f"the sign-in report cannot be read ({str(error).rstrip('.')})"
            cure = _IN_THE_PORTAL
        if type_of(self.bot) == MULTI_TENANT:
            problem = (
                "a MultiTenant bot signs in in the tenant botframework.com, and the sign-in report"
                " has the sign-ins in your own tenant only"
            )
            cure = _IN_NO_REPORT
        times = {key_id: moment(text) for key_id, text in reported.items()}
        return SignIns({key_id: when for key_id, when in times.items() if when}, problem, cure)

    @cached_property
    def holders(self) -> SecretHolders:
        """The other resources in the subscriptions that have a secret of this registration."""
        hints = tuple(str(secret.get("hint") or "") for secret in self.secrets)
        return SecretHolders(self.old.azure.arm, self.app_id, hints)

    @cached_property
    def old_site(self) -> JsonObject | None:
        """The app that answered before: behind the tag `previousEndpoint`, or the replaced bot's
        endpoint. None if there is none, or it cannot be read."""
        previous = tags_of(self.bot).get(PREVIOUS_ENDPOINT, "")
        endpoint = endpoint_of(self.bot) if self.replaced else previous
        return self.holders.site_at(endpoint) if endpoint else None


def moment(text: object) -> datetime.datetime | None:
    """An ISO 8601 time with its offset (UTC without one); None if it is none."""
    try:
        found = datetime.datetime.fromisoformat(str(text or ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
