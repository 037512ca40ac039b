"""IdentityCredentials: federated credentials of user-assigned managed identities.

Rules: Entra docs, "Important considerations and restrictions for federated identity credentials".
The service's own words for its refusals are not known.
"""

import re

from bot_workbench.emulator.resource_manager.core.arm_error import bad_request
from bot_workbench.emulator.resource_manager.core.arm_request import ArmRequest
from bot_workbench.emulator.resource_manager.core.resource import (
    JsonObject,
    Resource,
    ResourceStore,
)
from bot_workbench.emulator.resource_manager.core.resource_id import ResourceId
from bot_workbench.emulator.resource_manager.core.resource_type import ResourceType
from bot_workbench.emulator.resource_manager.resources.identities import USER_ASSIGNED_IDENTITIES

FEDERATED_CREDENTIALS = f"{USER_ASSIGNED_IDENTITIES}/federatedIdentityCredentials"
MAX_CREDENTIALS = 20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}")


class IdentityCredentials(ResourceType):
    """Stores them; the local Entra signs nobody in with them."""

    tracked = False
    state = ""

    def __init__(self, store: ResourceStore) -> None:
        super().__init__(FEDERATED_CREDENTIALS, store)

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """Issuer, subject and one audience; an issuer has a subject once."""
        sent = body.get("properties") or {}
        for name in ("issuer", "subject"):
            if not isinstance(sent.get(name), str) or not sent[name]:
                raise bad_request("BadRequest", f"The property '{name}' is required.")
        audiences = sent.get("audiences")
        if not isinstance(audiences, list) or len(audiences) != 1:
            raise bad_request("BadRequest", "The property 'audiences' must have one value.")
        others = [
            each
            for each in self.store.of_type(self.name, request.id.parent.text)
            if each != existing
        ]
        if existing is None:
            _check_new(request.id.name, len(others))
        made = {name: sent[name] for name in ("issuer", "subject", "audiences")}
        for each in others:
            if all(each.properties[name] == made[name] for name in ("issuer", "subject")):
                raise bad_request(
                    "BadRequest",
                    f"Issuer and subject are those of the federated credential '{each.name}'.",
                )
        return {"properties": made}

    def canonical_id(self, resource_id: ResourceId) -> str:
        """Below the identity, whose id this provider writes in its own way."""
        identity = self.store.find(resource_id.parent.text)
        owner = resource_id.parent.text if identity is None else identity.id
        return f"{owner}/federatedIdentityCredentials/{resource_id.name}"


def _check_new(name: str, others: int) -> None:
    if not NAME.fullmatch(name):
        raise bad_request(
            "BadRequest",
            f"The name '{name}' of a federated credential must have 3 to 120 letters, digits, "
            "hyphens and underscores, and start with a letter or digit.",
        )
    if others >= MAX_CREDENTIALS:
        raise bad_request(
            "BadRequest", f"An identity can have at most {MAX_CREDENTIALS} federated credentials."
        )
