"""AppAnswers: what the app itself answers: health, identity, and a call without a token."""

from dataclasses import dataclass

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import AzureProblem
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.services import IdentityAnswer
from bot_workbench.admin.plan.target import ENDPOINT_PATH

HEALTH_PATH = "/api/health"


@dataclass(frozen=True)
class AppAnswers:
    """The answers.

    Attributes:
        health: the HTTP status of `/api/health`; 0: no answer.
        problem: why there is none; empty: there is.
        identity: the answer of `/api/identity`.
        unauthenticated: the HTTP status of a POST to the endpoint without a token; 0: no answer.
        barrier: what keeps every caller out before the bot is asked, with the cure; else empty.
    """

    health: int
    problem: str
    identity: IdentityAnswer
    unauthenticated: int
    barrier: str


def read_answers(azure: AzureClients, site: JsonObject) -> AppAnswers:
    """Ask the app. A service that does not answer is a finding, and raises nothing.

    Args:
        azure: the clients.
        site: the app.
    """
    host = str(site["properties"]["defaultHostName"])
    endpoint = f"https://{host}{ENDPOINT_PATH}"
    try:
        health = azure.site.respond("GET", f"https://{host}{HEALTH_PATH}", None, None).status_code
    except AzureProblem as error:
        return AppAnswers(0, str(error), IdentityAnswer(problem=str(error)), 0, "")
    return AppAnswers(
        health,
        "",
        azure.site.identity(azure.arm, str(site["id"]), host),
        azure.site.probe(endpoint),
        azure.site.barrier(endpoint),
    )
