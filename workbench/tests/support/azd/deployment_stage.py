"""DeploymentStage: a subscription, an azd environment, and the template of this project."""

import datetime
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot_workbench.admin.azure.cloud import PUBLIC
from bot_workbench.admin.deployment.options import PIPELINES
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.local_azure import RESOURCE_MANAGER
from bot_workbench.emulator.resource_manager.catalog import DEPLOYMENTS
from bot_workbench.emulator.resource_manager.resource import Resource
from bot_workbench.emulator.seeds import FUNCTIONS
from tests.support.azd import program
from tests.support.azd.azd import Azd
from tests.support.azure.azure_thread import AzureThread
from tests.support.bicep.deployment import Deployment
from tests.support.bicep.deployment import Resource as BicepResource
from tests.support.bicep.functions import Scope
from tests.support.project import ROOT

ENVIRONMENT, LOCATION = "contoso-bot", "westeurope"
TAGS = {"azd-env-name": ENVIRONMENT, "azd-project-name": "serverless-bot"}
"""Of azd's deployments."""
SITES = "Microsoft.Web/sites"


class DeploymentStage:
    """The parts on which a deployment works.

    Args:
        thread: has the local Azure.
        folder: for azd.
        values: further values of azd's environment.

    Roles are an hour old when they are made, so that no hook waits for them.

    Attributes:
        thread: as given.
        azd: the environment.
    """

    def __init__(self, thread: AzureThread, folder: Path, **values: str) -> None:
        self.thread = thread
        self._manager = thread.azure.resource_manager
        self._manager.tenant.utc = an_hour_ago
        self.azd = Azd(
            folder,
            {
                "AZURE_ENV_NAME": ENVIRONMENT,
                "AZURE_LOCATION": LOCATION,
                "AZURE_SUBSCRIPTION_ID": self._manager.subscription_id,
                **values,
            },
        )

    @property
    def group(self) -> str:
        """The resource group's id."""
        return f"/subscriptions/{self._manager.subscription_id}/resourceGroups/rg-{ENVIRONMENT}"

    def provision(self) -> dict[str, Any]:
        """Deploy the template with azd's values, store its outputs, and return them."""
        scope = Scope(self._manager.subscription_id, self.thread.azure.directory.tenant_id)
        main = ROOT / "infra" / "main.bicep"
        parameters = self.azd.parameters()
        outputs = Deployment(main, parameters, scope, self._send).run()
        self.record(f"{ENVIRONMENT}-{time.time_ns()}", parameters, TAGS)
        self.azd.set(**{name: str(value) for name, value in outputs.items()})
        return outputs

    def record(self, name: str, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Leave a deployment in the subscription's history.

        Args:
            name: azd's have the environment's name and the time.
            parameters: the values that it gave to the template.
            tags: azd's name the environment; those of `az` have none.
        """
        deployments = f"/subscriptions/{self._manager.subscription_id}/providers/{DEPLOYMENTS}"
        sent = {parameter: {"value": value} for parameter, value in parameters.items()}
        body = {"location": LOCATION, "tags": dict(tags), "properties": {"parameters": sent}}
        self.thread.call(self._manager.put, f"{deployments}/{name}", body)

    def history(self) -> list[Resource]:
        """The recorded deployments, oldest first."""
        return list(self._manager.resources.of_type(DEPLOYMENTS))

    def refuse(self, ending: str, status: int, code: str, message: str) -> None:
        """Let Resource Manager refuse the reads of one path.

        Args:
            ending: of the path.
            status: the HTTP status.
            code: of the error.
            message: of the error.
        """

        async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.method == "GET" and request.path.endswith(ending):
                error = {"code": code, "message": message}
                return web.json_response({"error": error}, status=status)
            return await handler(request)

        self.thread.azure.servers[RESOURCE_MANAGER].around = around

    def deploy(self) -> None:
        """Deploy the code: the app's functions are there."""
        self.thread.call(self._manager.deploy_functions, self.one(SITES).id, FUNCTIONS)

    def delete(self) -> None:
        """Delete the group, as `azd down` does, which then forgets the template's outputs.

        It also deploys nothing, with the environment's tag (voidSubscriptionDeploymentState in
        azd's source, August 2026): the deployments before stay in the history.
        """
        self.thread.call(self._manager.resources.remove, self.group)
        self.record(f"{ENVIRONMENT}-{time.time_ns()}", {}, TAGS)
        outputs = ("AZURE_RESOURCE_GROUP", "AZURE_TENANT_ID")
        names = [name for name in self.azd.values if name in outputs]
        made = ("BOT_NAME", "BOT_APP_NAME", "BOT_ENDPOINT", "BOT_ID", "BOT_IDENTITY_NAME")
        self.azd.forget(*names, *made, "BOT_VAULT_NAME")

    def azd_account(self, *, is_user: bool = False) -> dict[str, str]:
        """The variables of a command that only azd signs in.

        Args:
            is_user: as the directory's user, who gets the rights of the pipeline; else, as the
                pipeline.
        """
        azure = self.thread.azure
        user = {"oid": azure.directory.user.object_id, "idtyp": "user", "scp": "all"}
        claims = user if is_user else {"oid": azure.pipeline.object_id}
        self._manager.access.owners.add(claims["oid"])
        issuer = f"https://sts.windows.net/{azure.directory.tenant_id}/"
        claims |= {"iss": issuer, "appid": azure.pipeline.registration.app_id}
        tokens = {
            f"{audience}/.default": azure.entra.issuer.sign({**claims, "aud": audience})
            for audience in (PUBLIC.resource_manager_audience, PUBLIC.graph, PUBLIC.vault_audience)
        }
        return {"AZURE_CLIENT_ID": "", program.TOKENS: json.dumps(tokens)}

    def all(self, kind: str) -> list[Resource]:
        """The group's resources of a type."""
        return list(self._manager.resources.of_type(kind, self.group))

    def one(self, kind: str) -> Resource:
        """The group's only resource of a type."""
        (found,) = self.all(kind)
        return found

    def _send(self, resource: BicepResource) -> Mapping[str, Any]:
        if not resource.is_existing:
            try:
                self.thread.call(self._manager.put, resource.id, resource.body)
            except KeyError:  # a site's settings, which are a part of the site
                return resource.body
        found = self._manager.resources.find(resource.id)
        assert found is not None, resource.id
        answer: Mapping[str, Any] = found.answer()
        return answer


def an_hour_ago() -> datetime.datetime:
    """When the roles were made, so that `finish` need not wait until they have an effect."""
    return datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)


@contextmanager
def deployment_stage(
    folder: Path, monkeypatch: pytest.MonkeyPatch, waited: Callable[[], float]
) -> Iterator[DeploymentStage]:
    """A subscription without a deployment, which this process's clients and azd reach.

    Args:
        folder: for the local Azure and azd.
        monkeypatch: sets this process's environment, in which no pipeline is seen.
        waited: returns the seconds that the commands have waited, by which Entra's time is ahead.
    """
    with AzureThread(folder) as thread:
        thread.set_environment(monkeypatch)
        thread.azure.directory.clock = lambda: time.time() + waited()
        for name in PIPELINES:
            monkeypatch.delenv(name, raising=False)
        made = DeploymentStage(thread, folder)
        made.azd.set_environment(monkeypatch)
        yield made
