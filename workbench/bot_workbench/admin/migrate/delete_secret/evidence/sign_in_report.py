"""SignInReport: which credential of an app registration signed in last, and when."""

import datetime
from dataclasses import dataclass, field, replace

from bot_workbench.admin.azure.errors import AzureProblem
from bot_workbench.admin.azure.services import GraphClient
from bot_workbench.admin.migrate.delete_secret.evidence.proof import moment

_IN_THE_PORTAL = (
    "run this command with the role Reports Reader, or look in the portal, Entra ID, Sign-in logs,"
    " Service principal sign-ins"
)
_IN_NO_REPORT = "search the pipelines, programs and machines that may have the secret"


@dataclass(frozen=True)
class SignInReport:
    """The directory's report on the use of credentials.

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
    def read(cls, graph: GraphClient, app_id: str) -> "SignInReport":
        """The report on one app registration.

        Args:
            graph: the client.
            app_id: the registration's app id (lower-case GUID).
        """
        try:
            found = graph.last_sign_ins(app_id)
        except AzureProblem as error:
            problem = f"the sign-in report cannot be read ({str(error).rstrip('.')})"
            return cls(problem=problem, cure=_IN_THE_PORTAL)
        times = {key_id: moment(text) for key_id, text in found.items()}
        return cls({key_id: when for key_id, when in times.items() if when})

    def of_multi_tenant_bot(self) -> "SignInReport":
        """The report's worth for a bot that signs in outside the directory, at
        `botframework.com`: a sign-in in the report counts, and a missing one proves nothing."""
        problem = (
            "a MultiTenant bot signs in in the tenant botframework.com, and the sign-in report has"
            " the sign-ins in your own tenant only"
        )
        return replace(self, problem=problem, cure=_IN_NO_REPORT)
