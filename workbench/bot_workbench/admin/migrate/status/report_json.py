"""The report as one JSON object of a stable shape; `status --help` describes it."""

from dataclasses import asdict

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.status.next_step import NextStep
from bot_workbench.admin.migrate.status.parts.app import AppStatus
from bot_workbench.admin.migrate.status.parts.registration import (
    CredentialPeriod,
    FederatedStatus,
    RegistrationStatus,
)
from bot_workbench.admin.migrate.status.report import StatusReport
from bot_workbench.admin.migrate.thumbprints import Thumbprints


def report_json(report: StatusReport, step: NextStep) -> JsonObject:
    """The object. What could not be read is null, and `unknown` says why."""
    found, roles = report.registration, report.roles.value
    return {
        "bot": _bot(report),
        "registration": _registration(report, found.value) if found.value else None,
        "apps": [_app(app) for app in report.apps],
        "vault": _vault(report),
        "roles": None if roles is None else [asdict(one) for one in roles],
        "unknown": _unknown(report),
        "secretless": report.is_secretless,
        "next": {
            "reason": step.reason,
            "command": step.command or None,
            "wayBack": step.way_back or None,
        },
    }


def _unknown(report: StatusReport) -> dict[str, str]:
    problems = {
        "registration": report.registration.problem,
        "channels": report.bot.channels.problem,
        "connections": report.bot.connections.problem,
        "vault": report.vault.problem,
        "roles": report.roles.problem,
        "apps": "; ".join(report.missing_apps),
        "replacing bot": report.replacing_id.problem,
    }
    if found := report.registration.value:
        problems["federatedCredentials"] = found.federated.problem
        problems["lastSignIns"] = found.last_sign_ins.problem
    for app in report.apps:
        problems[f"settings of {app.id.name}"] = app.settings.problem
        problems[f"identity of {app.id.name}"] = app.answer.problem
    return {name: problem for name, problem in problems.items() if problem}


def _bot(report: StatusReport) -> JsonObject:
    bot = report.bot
    return {
        "name": bot.name,
        "id": bot.id,
        "type": bot.type,
        "appId": bot.app_id,
        "tenantId": bot.tenant_id or None,
        "endpoint": bot.endpoint or None,
        "sku": bot.sku,
        "tags": bot.tags,
        "channels": bot.channels.value,
        "connections": bot.connections.value,
    }


def _registration(report: StatusReport, found: RegistrationStatus) -> JsonObject:
    used = found.last_sign_ins.value
    federated = found.federated.value
    return {
        "objectId": found.object_id,
        "name": found.name,
        "audience": found.audience,
        "secrets": [
            {
                "keyId": one.key_id,
                "name": one.name or None,
                "hint": one.hint or None,
                **_period(report, one.period),
                "lastSignIn": used.get(one.key_id.lower()) if used else None,
            }
            for one in found.secrets
        ],
        "certificates": [
            {
                "keyId": one.key_id,
                "name": one.name or None,
                **_thumbprints(one.thumbprints),
                **_period(report, one.period),
                "lastSignIn": used.get(one.key_id.lower()) if used else None,
            }
            for one in found.certificates
        ],
        "federatedCredentials": None
        if federated is None
        else [_federated(report, one) for one in federated],
    }


def _period(report: StatusReport, period: CredentialPeriod) -> JsonObject:
    return {"starts": period.starts, "ends": period.ends, "state": period.state(report.now)}


def _thumbprints(found: Thumbprints) -> JsonObject:
    return {"sha1": found.sha1, "x5t": found.x5t, "x5tS256": found.x5t_s256 or None}


def _federated(report: StatusReport, one: FederatedStatus) -> JsonObject:
    return {
        "name": one.name,
        "issuer": one.issuer,
        "subject": one.subject,
        "audiences": list(one.audiences),
        "differences": report.differences(one),
    }


def _app(app: AppStatus) -> JsonObject:
    settings = app.settings.value
    return {
        "name": app.id.name,
        "id": app.id.id,
        "role": app.role,
        "kind": app.kind,
        "state": app.state,
        "host": app.host,
        "identities": [
            {"id": one.id, "principalId": one.principal_id, "clientId": one.client_id}
            for one in app.identities
        ],
        "settings": None
        if settings is None
        else {
            "shown": settings.shown,
            "secrets": list(settings.secrets),
            "keyVaultReferences": list(settings.references),
        },
        "identity": app.answer.facts or None,
    }


def _vault(report: StatusReport) -> JsonObject | None:
    vault = report.vault.value
    if vault is None:
        return None
    return {
        "url": vault.url,
        "certificate": vault.certificate,
        "versions": [{**_thumbprints(one), "ends": ends or None} for one, ends in vault.versions],
    }
