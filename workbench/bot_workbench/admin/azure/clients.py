"""AzureClients: one client for each service, with one sign-in and one request id."""

import math
import os
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from uuid import uuid4

from azure.core.credentials import TokenCredential

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.clock import Clock, Deadline
from bot_workbench.admin.azure.cloud import ManagementCloud
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.rest_client import RestClient
from bot_workbench.admin.azure.retries import DEFAULT_LIMITS, RetryLimits
from bot_workbench.admin.azure.services import GraphClient, LogsClient, SiteClient, VaultClient
from bot_workbench.admin.azure.sign_in import Caller, KeptTokens, caller, credential_chain

SITE_RETRIES = 2
CANNOT_SIGN_IN = frozenset({503})
"""The answer of a bot that cannot sign in: the steps decide how long to wait for it."""


class AzureClients(AbstractContextManager["AzureClients"]):
    """The clients of one command.

    Args:
        cloud: the cloud.
        credential: signs in; None: what the environment offers.
        clock: waits.
        limits: on repeated requests.
        timeout_seconds: how long the command waits at most, for sign-ins and answers, too.

    Attributes:
        deadline: when this time is over.
        arm: Azure Resource Manager.
        graph: Microsoft Graph.
        vault: the key vaults.
        site: the Function Apps.
        logs: Log Analytics.
        request_id: `x-ms-client-request-id` of all requests (GUID).
    """

    def __init__(
        self,
        cloud: ManagementCloud,
        credential: TokenCredential | None = None,
        clock: Clock | None = None,
        limits: RetryLimits = DEFAULT_LIMITS,
        timeout_seconds: float = math.inf,
    ) -> None:
        self.cloud = cloud
        self.clock = clock or Clock()
        self.deadline = Deadline(self.clock, self.clock.now() + timeout_seconds)
        self.request_id = str(uuid4())
        chain = KeptTokens(
            credential or credential_chain(os.environ, cloud.authority, self.deadline)
        )
        self._credential = chain
        rest = (self.deadline, self.request_id)
        self.arm = ArmClient(
            cloud.resource_manager,
            "Azure Resource Manager",
            chain,
            cloud.resource_manager_audience,
            *rest,
            limits,
        )
        self.graph = GraphClient(cloud.graph, "Microsoft Graph", chain, cloud.graph, *rest, limits)
        self.vault = VaultClient(
            f"https://{cloud.vault_suffix}",
            "the key vault",
            chain,
            cloud.vault_audience,
            *rest,
            limits,
        )
        self.logs = LogsClient(
            cloud.logs, "Log Analytics", chain, cloud.logs_audience, *rest, limits
        )
        of_site = replace(limits, retries=SITE_RETRIES)
        self.site = SiteClient("", "the app", None, "", *rest, of_site, CANNOT_SIGN_IN)
        self._by_service: dict[str, RestClient] = {
            "arm": self.arm,
            "graph": self.graph,
            "vault": self.vault,
        }

    def send(self, service: str, method: str, url: str, body: JsonObject | None) -> JsonObject:
        """Send a write to "arm", "graph" or "vault", and return its answer.

        Raises:
            AzureProblem: it was refused, or what became of it is not known.
        """
        return self._by_service[service].send(method, url, body)

    @cached_property
    def caller(self) -> Caller:
        """Who is signed in.

        Raises:
            NotSignedIn: nobody is.
        """
        return caller(self._credential, self.cloud.resource_manager_audience)

    def __exit__(self, *_: object) -> None:
        """Close all connections."""
        for client in (*self._by_service.values(), self.site, self.logs):
            client.close()
