"""NewRoles: the app's roles on its storage account are old enough to have an effect."""

import datetime
import math

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.deployment.deployed import Deployed
from bot_workbench.admin.migrate.steps.role_assignment import (
    STORAGE_BLOB_DATA_OWNER,
    STORAGE_QUEUE_DATA_CONTRIBUTOR,
    assigned,
)
from bot_workbench.admin.plan.step import Finding

MIN_AGE_SECONDS = 120.0

ROLES = (STORAGE_BLOB_DATA_OWNER.id, STORAGE_QUEUE_DATA_CONTRIBUTOR.id)


class NewRoles:
    """The newest of the identity's roles on the account is two minutes old.

    The app's platform stores a package with the identity. If its role is younger, the first publish
    can end in 403, and azd does not try again (github.com/Azure/azure-dev, issue 8026). Whether a
    role has an effect can only be tried as the identity, so its age must do.

    The age is Azure's time against this machine's, which may be wrong: no wait is longer than if
    the role were made now.

    Args:
        azure: the clients.
        deployed: has the app, its identity and the account.
    """

    title = "Age of the app's roles on the storage account"

    def __init__(self, azure: AzureClients, deployed: Deployed) -> None:
        self._azure = azure
        self._deployed = deployed
        self._over_at: float | None = None

    def look(self) -> Finding:
        """Read the assignments, the first time; then see whether the time is over.

        Raises:
            AzureProblem: the app, the account or the assignments cannot be read.
        """
        clock = self._azure.clock
        if self._over_at is None:
            self._over_at = clock.now() + min(MIN_AGE_SECONDS - self._age(), MIN_AGE_SECONDS)
        name, left = self._deployed.storage.name, self._over_at - clock.now()
        if left <= 0:
            return Finding(f"the app's identity has had its roles on {name} for two minutes")
        return Finding(
            f"the app's identity got its roles on {name} less than two minutes ago, and Azure may"
            " not apply them yet: to publish now could end in 403 (InaccessibleStorageException)",
            waiting=True,
            seconds=left,
            az=(f"sleep {math.ceil(left)} # until new roles have an effect",),
        )

    def _age(self) -> float:
        """Seconds since the newest assignment; infinite if there is none."""
        principal = self._deployed.identity().principal_id
        found = assigned(self._azure.arm, self._deployed.storage.id, principal)
        made = [
            datetime.datetime.fromisoformat(each["createdOn"])
            for each in found
            if each["roleDefinitionId"].lower().endswith(ROLES)
        ]
        now = self._azure.clock.utc()
        return min(((now - each).total_seconds() for each in made), default=math.inf)
