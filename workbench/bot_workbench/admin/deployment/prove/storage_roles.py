"""StorageRoles: the app's identity may use its storage account, and does."""

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.deployment.deployed import Deployed
from bot_workbench.admin.migrate.steps.role_assignment import (
    STORAGE_BLOB_DATA_OWNER,
    STORAGE_QUEUE_DATA_CONTRIBUTOR,
    allowing,
)
from bot_workbench.admin.plan.setting_names import storage_account
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.template import DEPLOY_AGAIN


class StorageRoles:
    """The identity has the roles on the account, and the host has used the one for blobs.

    The host keeps the functions' keys in the account. Azure hands them out only after the host has
    read them, with the identity: so a key shows that the role for blobs is effective. Only a queued
    turn or a notification shows that of queues.

    Args:
        arm: the client.
        deployed: has the app and its identity.
    """

    title = "Roles on the storage account"

    def __init__(self, arm: ArmClient, deployed: Deployed) -> None:
        self._arm = arm
        self._deployed = deployed

    def look(self) -> Finding:
        """Read the assignments, then ask the host for a key.

        Raises:
            AzureProblem: the app or the assignments cannot be read.
        """
        target = self._deployed.target
        name = storage_account(target.settings())
        if not name:
            text = f"the settings of {target.site_id.name} name no storage account"
            return Finding(text, refusal=f"{text}: {DEPLOY_AGAIN}")
        group = target.site_id.id.partition("/providers/")[0]
        account = f"{group}/providers/Microsoft.Storage/storageAccounts/{name}"
        principal = self._deployed.identity().principal_id
        for role in (STORAGE_BLOB_DATA_OWNER, STORAGE_QUEUE_DATA_CONTRIBUTOR):
            if not allowing(self._arm, account, principal, role):
                text = f"the app's identity lacks {role.name} on {name}"
                return Finding(text, refusal=f"{text}: {DEPLOY_AGAIN}")
        proof = target.proof()
        if not proof.facts:
            return Finding(f"the host gives no key yet: {proof.problem}", waiting=True)
        return Finding(f"the app's identity has its roles on {name}, and has read its keys there")
