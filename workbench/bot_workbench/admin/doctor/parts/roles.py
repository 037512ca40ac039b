"""RolePart: what the app's identity may do, and what it must be able to do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId
from bot_workbench.admin.doctor.background_read import BackgroundRead
from bot_workbench.admin.doctor.diagnosis import CERTIFICATE, IDENTITY, STORAGE_ACCOUNT, Subject
from bot_workbench.admin.doctor.parts.identities import (
    AUTHENTICATION,
    storage_identities,
    telemetry_identity,
)
from bot_workbench.admin.doctor.parts.logs import Monitoring
from bot_workbench.admin.doctor.parts.resources import NamedResource, VaultPart
from bot_workbench.admin.migrate.steps.assigned_identity import AppIdentity
from bot_workbench.admin.migrate.steps.assigned_roles import AssignedRole, read_assigned_roles
from bot_workbench.admin.migrate.steps.role_assignment import (
    STORAGE_BLOB_DATA_OWNER,
    STORAGE_QUEUE_DATA_CONTRIBUTOR,
    Role,
    RoleAssignment,
    vault_roles,
)
from bot_workbench.admin.plan.setting_names import credential_kind, setting
from bot_workbench.admin.plan.template import DEPLOY_AGAIN

METRICS_PUBLISHER = Role(
    "Monitoring Metrics Publisher",
    "3913510d-42f4-4e42-8a64-420c390055eb",
    frozenset({"Microsoft.Insights/Telemetry/Write"}),
)

TEMPLATES = f"The template assigns it: {DEPLOY_AGAIN}"


@dataclass(frozen=True)
class MissingRole:
    """A role that the identity needs.

    Attributes:
        text: who lacks what, for people.
        cure: the command that assigns it; or, if the template does that, how to deploy it again.
        stops: whether the bot cannot sign in without it.
        needs: what must be there before it can be assigned.
    """

    text: str
    cure: str
    stops: bool
    needs: frozenset[Subject]


@dataclass(frozen=True)
class RolePart:
    """The roles of the app's identity.

    Attributes:
        missing: those that it needs and does not have.
        assigned: those that it has, in the app's subscription.
    """

    missing: tuple[MissingRole, ...]
    assigned: tuple[AssignedRole, ...]


def read_roles(
    arm: ArmClient,
    site: JsonObject,
    identity: AppIdentity | None,
    settings: Mapping[str, str],
    storage: BackgroundRead[NamedResource],
    vault: BackgroundRead[VaultPart],
    monitoring: BackgroundRead[Monitoring],
) -> RolePart:
    """Compare the roles of the app's identities with what the settings make these need.

    Raises:
        AzureProblem: the assignments cannot be read.
    """
    if identity is None:
        return RolePart((), ())
    writer = telemetry_identity(site, setting(settings, AUTHENTICATION))
    needed = [
        *(
            each
            for one in storage_identities(site, identity, settings)
            for each in _on_storage(arm, storage, one)
        ),
        *_on_vault(arm, vault, identity, settings),
        *_on_monitoring(arm, monitoring, writer),
    ]
    app, missing = ResourceId(str(site["id"]), str(site["name"])), []
    for target, assignment in needed:
        found, needs = assignment.look(), frozenset({IDENTITY, target} if target else {IDENTITY})
        cures = [TEMPLATES] if found.refusal else [each.az[-1] for each in found.changes]
        missing += [MissingRole(found.text, cure, target == CERTIFICATE, needs) for cure in cures]
    return RolePart(
        tuple(missing),
        tuple(read_assigned_roles(arm, app, identity.principal_id)),
    )


Needed = Iterator[tuple[Subject | None, RoleAssignment]]
"""Each with what it is on; None: on nothing that could be missing."""


def _on_storage(
    arm: ArmClient, storage: BackgroundRead[NamedResource], identity: AppIdentity
) -> Needed:
    account = storage.require()
    for role in (STORAGE_BLOB_DATA_OWNER, STORAGE_QUEUE_DATA_CONTRIBUTOR) if account.id else ():
        yield STORAGE_ACCOUNT, _assignment(arm, account.id, role, identity)


def _on_vault(
    arm: ArmClient,
    vault: BackgroundRead[VaultPart],
    identity: AppIdentity,
    settings: Mapping[str, str],
) -> Needed:
    found = vault.require()
    kind = credential_kind(settings)
    if not found.vault.id or not found.certificate or kind is None or not kind.has_certificate:
        return
    for each in vault_roles(
        arm,
        vault_id=found.vault.id,
        certificate=found.certificate,
        kind=kind,
        principal_id=lambda: identity.principal_id,
        whose=_whose(identity),
        identity_id=lambda: identity.id,
    ):
        yield CERTIFICATE, each


def _on_monitoring(
    arm: ArmClient, monitoring: BackgroundRead[Monitoring], identity: AppIdentity | None
) -> Needed:
    found = monitoring.require()
    if found.component and identity:
        yield None, _assignment(arm, str(found.component["id"]), METRICS_PUBLISHER, identity)


def _assignment(arm: ArmClient, scope: str, role: Role, identity: AppIdentity) -> RoleAssignment:
    return RoleAssignment(
        arm,
        scope=scope,
        role=role,
        principal_id=lambda: identity.principal_id,
        whose=_whose(identity),
        identity_id=lambda: identity.id,
    )


def _whose(identity: AppIdentity) -> str:
    return f"the identity {identity.name}"
