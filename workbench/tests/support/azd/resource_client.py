"""ResourceClient: creates a template's resources by HTTP, as Resource Manager's own engine does."""

import json
from collections.abc import Mapping
from typing import Any

from bot_workbench.emulator.local_azure import RESOURCE_MANAGER
from tests.support.azure.azure_thread import AzureThread, answer_of
from tests.support.bicep.deployment import Resource

CREATED = (200, 201)
AUDIENCE = f"https://{RESOURCE_MANAGER}"


class ResourceClient:
    """Sends each resource as the local Azure's pipeline, which owns the subscription.

    Args:
        thread: has the local Azure.
    """

    def __init__(self, thread: AzureThread) -> None:
        self._thread = thread

    def send(self, resource: Resource) -> Mapping[str, Any]:
        """Create a resource, or read one that exists, in the version that the template names.

        Raises:
            AssertionError: Resource Manager refuses it.
        """
        if resource.is_existing:
            return self._answer("GET", resource, None, (200,))
        written = self._answer("PUT", resource, resource.body, CREATED)
        if written.get("properties", {}).get("provisioningState", "Succeeded") == "Succeeded":
            return written
        return self._answer("GET", resource, None, (200,))

    def _answer(
        self, method: str, resource: Resource, body: object, statuses: tuple[int, ...]
    ) -> Mapping[str, Any]:
        url = f"https://{RESOURCE_MANAGER}{resource.id}?api-version={resource.api_version}"
        call = answer_of(
            self._thread.azure, method, url, body=body, Authorization=f"Bearer {self._token()}"
        )
        status, text = self._thread.do(call)
        assert status in statuses, f"{method} {resource.id}: {status} {text}"
        answer: Mapping[str, Any] = json.loads(text)
        return answer

    def _token(self) -> str:
        azure = self._thread.azure
        claims = {
            "aud": AUDIENCE,
            "iss": f"https://sts.windows.net/{azure.directory.tenant_id}/",
            "oid": azure.pipeline.object_id,
            "appid": azure.pipeline.registration.app_id,
        }
        return azure.entra.issuer.sign(claims)
