"""The report as rows of one table, each with a mark."""

from collections.abc import Iterable, Iterator

from bot_workbench.admin.migrate.managed_identity.replaced_bot import REPLACED_BY
from bot_workbench.admin.migrate.status.next_step import NextStep
from bot_workbench.admin.migrate.status.parts.app import AppStatus
from bot_workbench.admin.migrate.status.parts.part import Part
from bot_workbench.admin.migrate.status.parts.registration import (
    VALID,
    CertificateStatus,
    CredentialPeriod,
    RegistrationStatus,
)
from bot_workbench.admin.migrate.status.report import CURRENT, StatusReport
from bot_workbench.admin.rows import BAD, OK, PLAIN, UNKNOWN, WARN, Row
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

NOT_DEPLOYED = 404
"""The status of an app that does not have this project's functions."""

NEXT = "Next"
"""The last section: its commands are printed to be pasted."""

SINGLE_TENANT_AUDIENCE = "AzureADMyOrg"


def rows_of(report: StatusReport, step: NextStep) -> list[Row]:
    """All lines, top to bottom."""
    return [
        *_bot(report),
        *_registration(report),
        *(row for app in report.apps for row in _app(report, app)),
        *(Row("Apps", "not found", text, UNKNOWN) for text in report.missing_apps),
        *_vault(report),
        *_roles(report),
        *_next(step),
    ]


def _bot(report: StatusReport) -> Iterator[Row]:
    bot, section = report.bot, "Azure Bot"
    yield Row(section, "name", f"{bot.name} ({bot.sku})")
    yield Row(section, "type", bot.type)
    yield Row(section, "id", bot.app_id)
    yield Row(section, "endpoint", bot.endpoint or "none", PLAIN if bot.endpoint else BAD)
    for name, value in bot.tags.items():
        yield Row(section, f"tag {name}", value)
    yield _list(section, "channels", bot.channels)
    yield _list(section, "OAuth connections", bot.connections)


def _list(section: str, name: str, part: Part[list[str]]) -> Row:
    if part.value is None:
        return Row(section, name, part.problem, UNKNOWN)
    return Row(section, name, ", ".join(part.value) or "none")


def _registration(report: StatusReport) -> Iterator[Row]:
    section, found = "App registration", report.registration.value
    if report.bot.type == USER_ASSIGNED_MSI:
        yield Row(section, "none", "the bot is a managed identity: it can have no secret", OK)
        return
    if found is None:
        yield Row(section, "unknown", report.registration.problem, UNKNOWN)
        return
    yield Row(section, "name", f"{found.name} ({found.audience})")
    for secret in found.secrets:
        hint = f" {secret.hint}..." if secret.hint else ""
        period, used = _period(report, secret.period), _used(found, secret.key_id)
        yield Row(section, f"secret{hint}", f"{secret.name} {secret.key_id}, {period}{used}", BAD)
    if not found.secrets:
        yield Row(section, "secrets", "none", OK)
    for certificate in found.certificates:
        yield from _certificate(report, found, certificate)
    yield from _federated(report, found)


def _used(found: RegistrationStatus, key_id: str) -> str:
    if found.last_sign_ins.value is None:
        return "; last sign-in: the directory does not say"
    when = found.last_sign_ins.value.get(key_id.lower())
    if when:
        return f"; last sign-in {when}"
    # The report has this tenant's sign-ins, and a multi-tenant bot signs in in another one.
    where = " in your own tenant" if found.audience != SINGLE_TENANT_AUDIENCE else ""
    return f"; no sign-in{where} is recorded"


def _period(report: StatusReport, period: CredentialPeriod) -> str:
    state = period.state(report.now)
    ends = f"until {period.ends[:10]}" if period.ends else "without an end"
    return ends if state == VALID else f"{state}, {ends}"


def _certificate(
    report: StatusReport, found: RegistrationStatus, one: CertificateStatus
) -> Iterator[Row]:
    section, thumbprints = "App registration", one.thumbprints
    usable = one.period.state(report.now) == VALID
    mark = BAD if not usable else WARN if one.period.ends_soon(report.now) else OK
    where = [name for name, sha1 in _known_thumbprints(report) if sha1 == thumbprints.sha1]
    nowhere = "no app and no vault has it"
    if report.vault.problem:
        nowhere = "no app has it, and the vault cannot be read"
    matches = f"; same as {' and '.join(where)}" if where else f"; {nowhere}"
    text = f"{_period(report, one.period)}{_used(found, one.key_id)}{matches}"
    yield Row(section, "certificate", f"{one.name or one.key_id}, {text}", mark)
    yield Row(section, "  SHA-1", thumbprints.sha1 or "unknown")
    yield Row(section, "  x5t", thumbprints.x5t or "unknown")
    yield Row(section, "  x5t#S256", thumbprints.x5t_s256 or "unknown")


def _known_thumbprints(report: StatusReport) -> Iterator[tuple[str, str]]:
    for app in report.apps:
        if sha1 := app.answer.facts.get("certificateThumbprint"):
            yield f"{app.id.name}'s /api/identity", str(sha1).upper()
    if vault := report.vault.value:
        for place, (thumbprints, _) in enumerate(vault.versions):
            name = "the vault's newest version" if place == 0 else "an older version in the vault"
            yield name, thumbprints.sha1


def _federated(report: StatusReport, found: RegistrationStatus) -> Iterator[Row]:
    section = "App registration"
    if found.federated.value is None:
        yield Row(section, "federated", found.federated.problem, UNKNOWN)
        return
    for one in found.federated.value:
        text = f"{one.name}: issuer {one.issuer}, subject {one.subject}"
        wrong = report.differences(one)
        if wrong is None:
            yield Row(section, "federated", text)
        elif wrong:
            yield Row(section, "federated", f"{one.name}: {'; '.join(wrong)}", WARN)
        else:
            yield Row(section, "federated", f"{text}, which is the app's identity", OK)


def _app(report: StatusReport, app: AppStatus) -> Iterator[Row]:
    section = f"App {app.id.name} ({app.role})"
    running = app.state.lower() in {"running", ""}
    text = ", ".join(filter(None, (app.host, app.kind, app.state)))
    yield Row(section, "host", text, PLAIN if running else WARN)
    for identity in app.identities:
        ids = f"client {identity.client_id}, principal {identity.principal_id}"
        yield Row(section, "identity", f"{identity.name}: {ids}")
    yield from _settings(section, app)
    facts = app.answer.facts
    if not facts:
        yield _no_proof(section, app)
        return
    thumbprint = facts.get("certificateThumbprint")
    credential = f"{facts.get('kind')}{f' {thumbprint}' if thumbprint else ''}"
    text = f"as {facts.get('appId')}, with {credential}"
    yield _sign_in(section, report, app, text)
    called = facts.get("lastOutboundCall")
    yield Row(section, "last outbound call", called or "none since it started")
    for warning in facts.get("warnings") or ():
        yield Row(section, "warns", str(warning), WARN)


def _sign_in(section: str, report: StatusReport, app: AppStatus, text: str) -> Row:
    """Whether the app signs in as it should: as the bot, or, if the bot's users do not talk to it,
    as the one that replaces the bot."""
    app_id = str(app.answer.facts.get("appId")).lower()
    if app_id == report.bot.app_id.lower():
        return Row(section, "signs in", text, OK)
    new, new_id = report.bot.tags.get(REPLACED_BY), report.replacing_id
    if not new or app.role == CURRENT:
        return Row(section, "signs in", text, BAD)
    if new_id.value is None:
        return Row(section, "signs in", f"{text}; {new_id.problem}", UNKNOWN)
    if app_id != new_id.value.lower():
        return Row(section, "signs in", text, BAD)
    return Row(section, "signs in", f"{text}: the bot {new}", OK)


def _no_proof(section: str, app: AppStatus) -> Row:
    if app.answer.status != NOT_DEPLOYED:
        return Row(section, "signs in", app.answer.problem, WARN)
    settings = app.settings.value
    if settings and settings.bot_secret:
        text = f"with {settings.bot_secret}; it does not run this project's code"
        return Row(section, "signs in", text, BAD)
    return Row(section, "signs in", "unknown: it does not run this project's code", UNKNOWN)


def _settings(section: str, app: AppStatus) -> Iterator[Row]:
    settings = app.settings.value
    if settings is None:
        yield Row(section, "settings", app.settings.problem, UNKNOWN)
        return
    for name, value in settings.shown.items():
        yield Row(section, name, value)
    if settings.secrets:
        yield Row(section, "settings with a secret", ", ".join(settings.secrets), BAD)
    if settings.references:
        yield Row(section, "key vault references", ", ".join(settings.references))


def _vault(report: StatusReport) -> Iterator[Row]:
    section = "Key vault"
    if report.vault.problem:
        yield Row(section, "unknown", report.vault.problem, UNKNOWN)
    if report.vault.value is None:
        return
    vault = report.vault.value
    found = report.registration.value
    registered = {one.thumbprints.sha1 for one in found.certificates} if found else set()
    yield Row(section, "certificate", f"{vault.certificate} in {vault.url}")
    for thumbprints, ends in vault.versions:
        known = thumbprints.sha1 in registered
        text = f"{thumbprints.sha1} (x5t {thumbprints.x5t}) until {ends[:10]}"
        on = "on the app registration" if known else "not on the app registration"
        yield Row(section, "version", f"{text}, {on}", OK if known else WARN)


def _roles(report: StatusReport) -> Iterable[Row]:
    section = "Roles of the app's identity"
    if report.roles.value is None:
        return [Row(section, "unknown", report.roles.problem, UNKNOWN)]
    return [
        Row(section, one.scope.rsplit("/", 1)[-1], f"{one.role} on {_place(one.scope)}")
        for one in report.roles.value
    ]


def _place(scope: str) -> str:
    """A scope without what is before its provider's name; a group or subscription as it is."""
    return scope.rpartition("/providers/")[2] or scope


def _next(step: NextStep) -> Iterator[Row]:
    section = NEXT
    yield Row(section, "why", step.reason, PLAIN if step.command else OK)
    if step.command:
        yield Row(section, "command", step.command)
    if step.way_back:
        yield Row(section, "way back", step.way_back)
