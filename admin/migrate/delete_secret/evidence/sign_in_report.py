"""SignInReport: which credential of an app registration signed in last, and when."""

import datetime
from dataclasses import dataclass, field
from urllib.parse import quote

from admin.azure.clients import AzureClients
from admin.azure.errors import AzureProblem
from admin.migrate.delete_secret.evidence.proof import moment


@dataclass(frozen=True)
class SignInReport:
    """The directory's report on the use of credentials. It needs Entra ID P1, the role Reports
    Reader, and some hours until it knows of a sign-in.

    Source: Microsoft Graph beta, "List appCredentialSignInActivities".

    Attributes:
        last_used: when each credential signed in last, by key id (lower-case GUID).
        problem: why there is no report; empty if there is one.
    """

    last_used: dict[str, datetime.datetime] = field(default_factory=dict)
    problem: str = ""

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
            return cls(problem=str(error))
        used = {}
        for row in rows:
            when = moment((row.get("signInActivity") or {}).get("lastSignInDateTime"))
            if when is not None and str(row.get("appId")).lower() == app_id:
                used[str(row.get("keyId")).lower()] = when
        return cls(used)
