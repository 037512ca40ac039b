"""SignInReport: which credential of an app registration signed in last, and when."""

import datetime
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from admin.azure.clients import AzureClients
from admin.azure.errors import AzureProblem
from admin.migrate.delete_secret.evidence.proof import moment

_IN_THE_PORTAL = (
    "run this command with the role Reports Reader, or look in the portal, Entra ID, Sign-in logs,"
    " Service principal sign-ins"
)
_IN_NO_REPORT = "search the pipelines, programs and machines that may have the secret"


@dataclass(frozen=True)
class SignInReport:
    """The directory's report on the use of credentials. It needs Entra ID P1, the role Reports
    Reader, and some hours until it knows of a sign-in.

    Source: Microsoft Graph beta, "List appCredentialSignInActivities".

    Attributes:
        last_used: when each credential signed in last, by key id (lower-case GUID).
        problem: why a credential that is not in the report may have signed in nevertheless; empty:
            there is no reason.
        cure: what shows more than this report.
    """

    last_used: dict[str, datetime.datetime] = field(default_factory=dict)
    problem: str = ""
    cure: str = ""

    @classmethod
    def read(cls, azure: AzureClients, app_id: str) -> "SignInReport":
        """The report on one app registration.

        Args:
            azure: the clients.
            app_id: the registration's app id (lower-case GUID).
        """
        chosen = quote(f"appId eq '{app_id}'")
        url = f"{azure.cloud.graph}/beta/reports/appCredentialSignInActivities?$filter={chosen}"
        try:
            rows = list(azure.graph.pages(url))
        except AzureProblem as error:
            problem = f"the sign-in report cannot be read ({str(error).rstrip('.')})"
            return cls(problem=problem, cure=_IN_THE_PORTAL)
        used = {}
        for row in rows:
            when = moment((row.get("signInActivity") or {}).get("lastSignInDateTime"))
            if when is not None and str(row.get("appId")).lower() == app_id:
                used[str(row.get("keyId")).lower()] = when
        return cls(used)

    def of_multi_tenant_bot(self) -> "SignInReport":
        """What the report is worth for a bot that signs in outside the directory, at
        `botframework.com`: a sign-in in the report counts, and a missing one proves nothing."""
        problem = (
            "a MultiTenant bot signs in in the tenant botframework.com, and the sign-in report has"
            " the sign-ins in your own tenant only"
        )
        return replace(self, problem=problem, cure=_IN_NO_REPORT)
