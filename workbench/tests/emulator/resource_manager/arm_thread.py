"""ArmThread: Resource Manager and Entra on an event loop of their own, and clients for them."""

import asyncio
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import requests
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.botservice import AzureBotService
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.web import WebSiteManagementClient

from bot_workbench.emulator.certificates import CertificateAuthority
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.resource_manager.control_plane import ResourceManager
from bot_workbench.emulator.resource_manager.resource import ResourceId
from bot_workbench.emulator.resource_manager.resource_type import OWN

AUDIENCE = "https://management.azure.com"
SCOPES = [f"{AUDIENCE}/.default"]
GROUP = "bot-group"
Client = Callable[[str], Any]
"""Returns an SDK client by its name in `CLIENTS`."""

CLIENTS: dict[str, Any] = {
    "authorization": AuthorizationManagementClient,
    "bots": AzureBotService,
    "identities": ManagedServiceIdentityClient,
    "resources": ResourceManagementClient,
    "vaults": KeyVaultManagementClient,
    "web": WebSiteManagementClient,
}


class ArmThread:
    """Runs the servers in a thread, because the SDKs' clients block.

    Attributes:
        arm: the Resource Manager of the running test.
        object_id: GUID of the application that the clients sign in as; Owner of the subscription.
    """

    arm: ResourceManager

    def __init__(self, authority: CertificateAuthority) -> None:
        self._authority = authority
        registration = Registration(str(uuid.uuid4()), str(uuid.uuid4()), "SingleTenant")
        self._tls = authority.server_context()
        self.entra = Entra(registration, self._tls)
        self._secret = self.entra.directory.add_secret(registration)
        self.object_id = registration.service_principal_id
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="resource manager")

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self.entra.server.start())
        registration = self.entra.registration
        self.credential = ClientSecretCredential(
            registration.tenant_id,
            registration.app_id,
            self._secret,
            authority=self.entra.server.url,
            disable_instance_discovery=True,
            connection_verify=str(self._authority.path),
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.credential.close()
        self._do(self.entra.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextmanager
    def resource_manager(self) -> Iterator[None]:
        """Run a new Resource Manager, with one resource group."""
        self.arm = ResourceManager(self.entra, self._tls)
        self.arm.access.owners.add(self.object_id)
        self.arm.put(self.group_id, {"location": "westeurope"})
        self._do(self.arm.server.start())
        try:
            yield
        finally:
            self._do(self.arm.server.stop())

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    @property
    def group_id(self) -> str:
        """The id of the group that tests put resources in."""
        return f"/subscriptions/{self.arm.subscription_id}/resourceGroups/{GROUP}"

    def resource_id(self, type_name: str, name: str) -> str:
        """The id of a resource in the tests' group."""
        return f"{self.group_id}/providers/{type_name}/{name}"

    def newest_version(self, type_name: str) -> str:
        """The newest stable version of a type in any case, or of the type above an action."""
        types, name = self.arm.tenant.types, type_name.lower()
        while name and name not in types:
            name = name.rpartition("/")[0]
        return (types[name].versions if name else OWN)[0]

    def client(self, name: str) -> Any:
        """An unmodified client of `CLIENTS` that retries nothing; the caller closes it."""
        return CLIENTS[name](
            self.credential,
            self.arm.subscription_id,
            base_url=self.arm.server.url,
            credential_scopes=SCOPES,
            retry_total=0,
            polling_interval=0,
        )

    def token(self, object_id: str = "", claims: Mapping[str, object] | None = None) -> str:
        """A token of any principal for Resource Manager, with other claims if wanted."""
        tenant_id = self.entra.registration.tenant_id
        standard = {
            "aud": AUDIENCE,
            "iss": f"https://sts.windows.net/{tenant_id}/",
            "oid": object_id or self.object_id,
            "appid": self.entra.registration.app_id,
        }
        return self.entra.issuer.sign({**standard, **(claims or {})})

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        version: str | None = None,
    ) -> requests.Response:
        """A call without an SDK.

        Args:
            method: GET, PUT and so on.
            path: with a slash at its start: the whole; without: in the tests' group.
            body: JSON.
            token: of the caller; None: the subscription's owner; empty: no Authorization header.
            version: the api-version; None: the provider's newest; empty: none.
        """
        url = self.arm.server.url + (path if path[0] == "/" else f"{self.group_id}/{path}")
        if version is None:
            version = self.newest_version(ResourceId(url.partition("?")[0]).type)
        mark = "&" if "?" in url else "?"
        bearer = self.token() if token is None else token
        return requests.request(
            method,
            f"{url}{mark}api-version={version}" if version else url,
            json=body,
            headers={"Authorization": f"Bearer {bearer}"} if bearer else {},
            verify=str(self._authority.path),
            timeout=60,
        )


def refusal(response: requests.Response) -> tuple[int, str]:
    """Status and code of an error response."""
    return response.status_code, response.json()["error"]["code"]


def raised(error: HttpResponseError) -> tuple[int | None, str, str]:
    """Status, code and message of an error that an SDK raises."""
    found: Any = error.error
    return error.status_code, found.code, found.message
