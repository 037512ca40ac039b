"""`migrate certificate` and `migrate certificate rotate`: the options, and the plans."""

import datetime
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.admin.azure.errors import NotFound, Refused
from bot_workbench.admin.azure.resources import host_of
from bot_workbench.admin.migrate.certificate.app_registration import (
    AppRegistration,
    NoRegistration,
    UnsettledRegistration,
    registered_certificate,
    withdrawn_certificates,
)
from bot_workbench.admin.migrate.certificate.certificates import (
    CertificateFile,
    CertificatePolicy,
    PublicCertificate,
    read_certificate_file,
)
from bot_workbench.admin.migrate.certificate.key_vault import (
    BotVault,
    creation,
    unfinished_creation,
    vault_access,
    vault_certificate,
)
from bot_workbench.admin.migrate.steps.function_app import (
    app_settings,
    bot_settings,
    credential_plan,
    first_steps,
    question_if_live,
    restart_change,
)
from bot_workbench.admin.migrate.steps.identity import AssignedIdentity, identity_in_use
from bot_workbench.admin.migrate.steps.proof import proven_sign_in
from bot_workbench.admin.migrate.steps.roles import vault_roles
from bot_workbench.admin.plan.options import BotOption, IdentityOption, Options, with_options
from bot_workbench.admin.plan.run import execute
from bot_workbench.admin.plan.settings import credential_kind, setting
from bot_workbench.admin.plan.step import Finding, Plan, Step, unless_refused
from bot_workbench.admin.plan.target import Target
from bot_workbench.credential_kinds import KINDS, SIGN_IN_VAULT, WITH_CERTIFICATE, CredentialKind

CERTIFICATE_NAME = "bot-certificate"

PIN = "CertificateThumbprint"

REPLACED = ("CertificatePath",)
"""A file, which the bot does not accept beside a vault."""

IF_SLOW = (
    "Entra takes some minutes to accept a new credential, and Azure as long for a new role; the"
    " app's log says what is missing (AADSTS700027: the certificate is not accepted yet)"
)

IF_SLOWLY_ROTATED = (
    "The app keeps its token for up to an hour, and signs in with the new version after that (or"
    " after a restart: --restart). Until then it uses the old one, which stays registered"
)

RECENT_SECONDS = 24 * 3600
"""The age of a version below which a command that is run again was interrupted at its end, rather
than meant to rotate again."""


VaultOption = Annotated[str, typer.Option("--vault", metavar="NAME", help="The key vault.")]
NameOption = Annotated[
    str, typer.Option("--name", metavar="NAME", help="The certificate's name in the vault.")
]


def _with_certificate(name: str) -> str:
    if name not in WITH_CERTIFICATE:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(WITH_CERTIFICATE)}")
    return name


CredentialOption = Annotated[
    str,
    typer.Option(
        "--credential",
        metavar=f"[{'|'.join(WITH_CERTIFICATE)}]",
        callback=_with_certificate,
        help="SignInVault: the private key never leaves the vault. Certificate: the bot loads it.",
    ),
]
FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="PEM_OR_PFX",
        help="Import this certificate and its key, without a password; else the vault makes one.",
    ),
]
RestartOption = Annotated[
    bool,
    typer.Option(
        "--restart",
        metavar="",
        help="Restart the app so that it signs in with the new version now. Turns in progress"
        " fail.",
    ),
]
AgainOption = Annotated[
    bool,
    typer.Option(
        "--again", metavar="", help="Make another version, although the last one is from today."
    ),
]


def certificate(
    options: Options,
    vault: VaultOption = "",
    name: NameOption = CERTIFICATE_NAME,
    credential: CredentialOption = SIGN_IN_VAULT,
    file: FileOption = None,
    identity: IdentityOption = "",
) -> None:
    """Let the new app sign in with a certificate in Key Vault; the bot keeps its id.

    The certificate is made in the vault, or taken if it is there; its
    public key is added to the app registration, beside all that is there;
    the app's identity gets the least role; the app gets its settings, and
    must prove that it signs in. The bot's users notice nothing: they still
    talk to the old app, until `switch`.

    `certificate rotate` replaces it by its next version.

    [bold]Examples[/bold]

      bot migrate certificate --bot contoso-bot \\
          --app contoso-new --vault contoso-vault
      bot migrate certificate --bot contoso-bot \\
          --app contoso-new --vault contoso-vault --dry-run

    [bold]Exit status[/bold]

      0    the app has proved that it signs in with the certificate
      1    it refuses, or the app has not proved it in time; the text says why
      2    the command line is wrong, or your account sees no bot, app or
           vault of this name, or several; nothing was done
      3    no sign-in, no answer, or not allowed
      130  Ctrl-C: run it again

    [bold]--json[/bold] prints one JSON object, as `switch` does.
    """
    for option, value in (("--bot", options.bot), ("--vault", vault)):
        if not value:
            raise typer.BadParameter("it is missing", param_hint=option)
    if not re.fullmatch("[0-9A-Za-z-]{1,127}", name):
        raise typer.BadParameter("--name: letters, digits and hyphens, at most 127")
    imported = read_certificate_file(file, datetime.datetime.now(datetime.UTC)) if file else None
    execute(
        options,
        lambda target: certificate_plan(
            target, BotVault(target, vault, name), KINDS[credential], imported, identity
        ),
    )


def rotate(options: Options, *, restart: RestartOption = False, again: AgainOption = False) -> None:
    """Replace the bot's certificate by a new version, without a gap.

    The new version is made in the vault, unless the vault has already
    renewed the certificate. Its public key is registered, and the bot signs
    in with the old version until Entra accepts the new one. When the app
    proves that it uses the new one, the keys of older versions of this
    certificate are deleted from the app registration, and no others.

    The app keeps its token for up to an hour, so the proof takes as long:
    run the command again later, wait with --timeout 4000, or let it restart
    the app.

    [bold]Examples[/bold]

      bot migrate certificate rotate --bot contoso-bot --dry-run
      bot migrate certificate rotate --bot contoso-bot --timeout 4000

    [bold]Exit status[/bold]

      0    the app uses the newest version, and no older one is registered
      1    it refuses, or the app has not proved it in time: run it again
      2    the command line is wrong, or your account sees no bot or app
           of this name, or several; nothing was done
      3    no sign-in, no answer, or not allowed
      130  Ctrl-C: run it again

    [bold]--json[/bold] prints one JSON object, as `switch` does.
    """
    execute(options, lambda target: rotation_plan(target, restart=restart, again=again))


app = typer.Typer()
app.callback(invoke_without_command=True)(
    with_options("certificate", certificate, replaced={"bot": (BotOption, "")})
)
app.command("rotate")(with_options("certificate rotate", rotate))


def certificate_plan(
    target: Target,
    vault: BotVault,
    kind: CredentialKind,
    file: CertificateFile | None = None,
    identity_name: str = "",
) -> Plan:
    """The steps of `certificate`, in an order in which the bot never uses what is not ready.

    Args:
        target: the bot and the Function App.
        vault: the vault and the certificate's name.
        kind: one with a certificate.
        file: a certificate to import; None: the vault makes one.
        identity_name: of the app's identity; empty: the one that it uses, or a new one.

    Raises:
        AzureProblem: the bot or the app cannot be found.
    """
    identity = AssignedIdentity(target, identity_name or identity_in_use(target))
    registration = AppRegistration(target.azure.graph, target.app_id)
    # Another run may have deleted what this one has seen.
    reread = AppRegistration(target.azure.graph, target.app_id)
    runs = OtherRuns(vault)

    def thumbprint() -> str:
        return thumbprint_of(vault.public())

    def expected() -> Mapping[str, str]:
        return _expected(kind, target, thumbprint())

    def settings(current: Mapping[str, str]) -> Mapping[str, str]:
        return {
            **bot_settings(target, kind.name),
            "AZURE_CLIENT_ID": identity.client_id(),
            "CertificateVaultUrl": vault.url,
            "CertificateName": vault.name,
            **extended_pin(current, thumbprint()),
        }

    in_use = partial(thumbprint_in_use, target)
    # An app that has signed in with the other run's version keeps its token for an hour.
    restarted = runs.if_another_ran(restarted_app(target, thumbprint, in_use))
    withdrawn = runs.if_another_ran(
        withdrawn_certificates(reread, vault, thumbprint, in_use, lambda: runs.found)
    )
    made = vault_certificate(vault, CertificatePolicy(exportable=kind.loads_key), file)
    steps = [
        *first_steps(target),
        Step(identity.title, identity.look),
        vault_access(vault, writes=lambda: vault.bundle() is None),
        made if vault.dry_run else runs.remembering(made),
        registered_certificate(registration, vault.public, vault=vault.vault, name=vault.name),
        *vault_roles(
            target.azure.arm,
            vault_id=vault.resource.id,
            certificate=vault.name,
            kind=kind,
            principal_id=identity.principal_id,
            whose="the app's identity",
            identity_id=identity.resource_id,
        ),
        app_settings(
            target, settings, REPLACED, question=lambda: question_if_live(target, expected())
        ),
        *(() if vault.dry_run else (restarted,)),
        proven_sign_in(target, expected, IF_SLOW),
        *(() if vault.dry_run else (withdrawn,)),
    ]
    return credential_plan(target, steps)


def rotation_plan(target: Target, *, restart: bool = False, again: bool = False) -> Plan:
    """The steps of `certificate rotate`: the next version of the certificate that the app uses is
    registered before it is used, and the old key deleted last.

    Args:
        target: the bot and the Function App.
        restart: whether to restart the app, so that it signs in at once.
        again: whether to make another version soon after the last one.

    Raises:
        Refused: the app's settings name no certificate in a vault.
        AzureProblem: the bot or the app cannot be read.
    """
    settings = target.settings()
    host = host_of(setting(settings, "CertificateVaultUrl")).partition(".")[0]
    name, kind = setting(settings, "CertificateName"), credential_kind(settings)
    if kind is None or not kind.has_certificate or not host or not name:
        raise Refused(
            f"the settings of {target.site_id.name} name no certificate in a vault"
            " (BotCredential, CertificateVaultUrl, CertificateName): begin with"
            f" {target.options.command_line('certificate')}"
        )
    vault = BotVault(target, host, name)
    registration = AppRegistration(target.azure.graph, target.app_id)
    in_use = partial(thumbprint_in_use, target)
    policy = CertificatePolicy(exportable=kind.loads_key)
    version = NewVersion(vault, registration, policy, in_use, again=again)
    restarted = restarted_app(target, version.thumbprint, in_use)
    steps = (
        *first_steps(target),
        vault_access(vault, writes=lambda: True),
        Step("New version of the certificate", version.look),
        registered_certificate(registration, version.newest, vault=vault.vault, name=vault.name),
        app_settings(target, lambda current: extended_pin(current, version.thumbprint())),
        *((restarted,) if restart else ()),
        proven_sign_in(
            target, lambda: _expected(kind, target, version.thumbprint()), IF_SLOWLY_ROTATED
        ),
        withdrawn_certificates(registration, vault, version.thumbprint, in_use),
    )
    way_back = "the older versions stay in the vault: their public keys can be added again"
    return Plan(steps, way_back=unless_refused(way_back))


def _expected(kind: CredentialKind, target: Target, thumbprint: str) -> Mapping[str, str]:
    return {"kind": kind.name, "appId": target.app_id, "certificateThumbprint": thumbprint}


def thumbprint_of(certificate: PublicCertificate | None) -> str:
    """The thumbprint of a certificate (upper-case hex); a shell variable if it is not made yet."""
    return certificate.thumbprint if certificate else "$THUMBPRINT"


def thumbprint_in_use(target: Target) -> str:
    """The thumbprint of the certificate that the app signs in with; empty: it does not say.

    Args:
        target: has the app.
    """
    return str(target.proof().facts.get("certificateThumbprint") or "").upper()


def extended_pin(current: Mapping[str, str], thumbprint: str) -> dict[str, str]:
    """The setting that allows certificates by their thumbprints, if it is set, with one more."""
    pin = setting(current, PIN).strip()
    allowed = {re.sub("[^0-9A-F]", "", each.upper()) for each in pin.split(",")}
    if not pin:
        return {}
    return {PIN: pin if thumbprint in allowed else f"{pin},{thumbprint}"}


def restarted_app(target: Target, thumbprint: Callable[[], str], in_use: Callable[[], str]) -> Step:
    """The app is restarted until it signs in with a certificate.

    A process that started before Entra accepted the certificate uses the previous version for as
    long as its token lasts, so one restart may be too early.

    Args:
        target: has the app.
        thumbprint: of the certificate, in upper-case hex; a shell variable if it is unknown.
        in_use: asks the app for the thumbprint that it signs in with; empty: it does not say.
    """

    def look() -> Finding:
        app, used, wanted = target.site_id, in_use(), thumbprint()
        if used == wanted:
            return Finding(f"{app.name} signs in with {wanted}")
        if not used:
            return Finding(f"{app.name} does not answer, or cannot sign in", waiting=True)
        change = restart_change(target, f"so that it signs in with {wanted}")
        return Finding(f"{app.name} signs in with {used}", changes=(change,))

    return Step("Restart of the app", look)


class OtherRuns:
    """The traces of another run of `certificate` at the same time, and the steps that follow.

    Key Vault has no conditional creation: two runs that both find no certificate make a version
    each. The newest is the one to use, and the key of each older one is to be withdrawn.

    Args:
        vault: the vault and the certificate's name.

    Attributes:
        found: the thumbprints of the versions that were there before this run made one; they stay
            as they are.
    """

    def __init__(self, vault: BotVault) -> None:
        self._vault = vault
        self._has_begun = False
        self.found: frozenset[str] = frozenset()

    def remembering(self, step: Step) -> Step:
        """A step that remembers first which versions there are."""

        def look() -> Finding:
            if not self._has_begun:
                self.found = frozenset(self._listed())
                self._has_begun = True
            return step.look()

        return Step(step.title, look)

    def if_another_ran(self, step: Step) -> Step:
        """A step that changes something only if another run has made a version, too."""

        def look() -> Finding:
            made = [each for each in self._listed() if each not in self.found]
            if len(made) < 2:
                return Finding("no other run has made a version of the certificate")
            note = (
                f"another run has made a version of the certificate, too: the newest, {made[0]}, is"
                f" used; its key replaces that of {', '.join(made[1:])}"
            )
            finding = step.look()
            return replace(finding, notes=(note, *finding.notes))

        return Step(step.title, look)

    def _listed(self) -> list[str]:
        """The thumbprints of all versions, newest first; none if there is no certificate."""
        try:
            return [each.thumbprint for each in self._vault.versions()]
        except NotFound:
            return []


class NewVersion:
    """The vault has a version of the certificate that the bot does not use yet: made by an
    interrupted run or by the vault itself, or made now.

    Nothing is stored about a rotation. It is under way if the newest version is not the one that
    the app signs in with, or if the registration still has the key of an older version; it is done
    if there are older versions, and the newest is younger than a day. Only otherwise is a version
    made; in a dry run, it stays unknown.

    Args:
        vault: the vault and the certificate's name.
        registration: of the bot.
        policy: how a version is made.
        in_use: asks the app for the thumbprint that it signs in with; empty: it does not say.
        again: make a version even if the newest is younger than a day.
    """

    def __init__(
        self,
        vault: BotVault,
        registration: AppRegistration,
        policy: CertificatePolicy,
        in_use: Callable[[], str],
        *,
        again: bool,
    ) -> None:
        self._vault = vault
        self._registration = registration
        self._policy = policy
        self._in_use = in_use
        self._again = again
        self._planned = False
        self._first_seen = ""

    def newest(self) -> PublicCertificate | None:
        """The version that the app must use; None if it is not made yet.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        if self._vault.dry_run and self._planned:
            return None
        enabled = [each.version for each in self._vault.versions() if each.enabled]
        return self._vault.public(enabled[0]) if enabled else None

    def thumbprint(self) -> str:
        """Its thumbprint (upper-case hex); a shell variable if it is not made yet.

        Raises:
            AzureProblem: the vault cannot be read.
        """
        return thumbprint_of(self.newest())

    def look(self) -> Finding:
        """Compare the vault's newest version with the one that the app uses.

        Raises:
            AzureProblem: the vault, the directory or the app cannot be read.
        """
        vault = self._vault
        if unfinished := unfinished_creation(vault, has_certificate=True):
            return unfinished
        listed = vault.versions()
        enabled = [each for each in listed if each.enabled]
        if not enabled:
            return Finding(
                f"the vault {vault.vault} has no certificate {vault.name}",
                refusal="there is nothing to rotate: begin with `migrate certificate`",
            )
        newest, in_use = enabled[0].thumbprint, self._in_use()
        self._first_seen = self._first_seen or newest
        if newest != self._first_seen:
            return Finding(f"the newest version is {newest}")
        if not in_use:
            text = "the app does not say which certificate it signs in with, as it cannot sign in"
            return Finding(f"{text}: see its log", waiting=True)
        if newest != in_use:
            return Finding(
                f"a rotation is under way: the newest version is {newest}, and the app still uses"
                f" {in_use}"
            )
        # The app uses the newest version: was it rotated to, and the old key left behind?
        try:
            keys = self._registration.read()
        except UnsettledRegistration as unsettled:
            return Finding(str(unsettled), waiting=True)
        except NoRegistration:
            return Finding("the app registration cannot be found")  # the next step says more
        others = {each.thumbprint for each in listed} - {newest}
        if left := sorted(each for each in others if keys.of(each)):
            return Finding(
                f"a rotation is under way: the app uses the newest version, {newest}, and the app"
                f" registration still has {', '.join(left)}"
            )
        age = time.time() - enabled[0].created
        if len(enabled) > 1 and age < RECENT_SECONDS and not self._again:
            return Finding(
                f"the certificate was rotated {age / 3600:.0f} hours ago, and the app uses the"
                f" newest version, {newest}: nothing to do (--again makes another version)"
            )
        self._planned = True
        text = f"the app uses the newest version, {newest}"
        return Finding(text, changes=(creation(vault, self._policy),))
