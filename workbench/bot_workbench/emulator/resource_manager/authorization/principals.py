"""Principals: who can have a role, and since when the directory has known them."""

import math

from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.resource_manager.resources.identities import Identities

USER, SERVICE_PRINCIPAL = "User", "ServicePrincipal"


class Principals:
    """Looks principals up.

    Args:
        directory: has users and service principals.
        identities: has the times at which managed identities were created.
    """

    def __init__(self, directory: Directory, identities: Identities) -> None:
        self._directory = directory
        self._identities = identities

    def kind(self, principal_id: str) -> str:
        """USER or SERVICE_PRINCIPAL, for an object id (GUID); empty if there is no such object."""
        if principal_id == self._directory.user.object_id:
            return USER
        return SERVICE_PRINCIPAL if self._directory.service_principal(principal_id) else ""

    def age(self, principal_id: str) -> float | None:
        """Seconds since a principal was created; infinite if that is not known.

        Returns:
            None if there is no such object.
        """
        age = self._identities.age(principal_id)
        return math.inf if age is None and self.kind(principal_id) else age
