"""SiteClient: what a deployed bot says of itself, at its `/api/identity`."""

from dataclasses import dataclass, field

from admin.azure.arm_client import ArmClient
from admin.azure.errors import AzureProblem, Refused
from admin.azure.http.rest_client import RestClient, json_of
from admin.azure.json_object import JsonObject


@dataclass(frozen=True)
class SignInProof:
    """A deployed bot's answer.

    Attributes:
        facts: the answer of `/api/identity`; empty if the bot cannot sign in.
        problem: why there are no facts, with what to do; empty if there are.
    """

    facts: JsonObject = field(default_factory=dict)
    problem: str = ""


class SiteClient(RestClient):
    """Function Apps, by their host names. No request is repeated here: a step looks again."""

    def identity(self, arm: ArmClient, site_id: str, host: str) -> SignInProof:
        """Ask a bot who it is.

        Args:
            arm: has the function's key.
            site_id: the Function App's resource id.
            host: its host name, without "https://".
        """
        try:
            keys = json_of(
                arm.exchange("POST", f"{site_id}/functions/identity/listkeys", None, None)
            )
            headers = {"x-functions-key": str(keys.get("default", ""))}
            return SignInProof(self.get(f"https://{host}/api/identity", headers))
        except Refused as error:
            return SignInProof(problem=f"{error} Does the app run this project's code?")
        except AzureProblem as error:
            return SignInProof(problem=str(error))
