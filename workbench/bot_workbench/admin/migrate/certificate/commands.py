"""`migrate certificate` and `migrate certificate rotate`."""

import datetime
import re
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.admin.migrate.certificate.certificates import read_certificate_file
from bot_workbench.admin.migrate.certificate.key_vault import BotVault
from bot_workbench.admin.migrate.certificate.plans import certificate_plan, rotation_plan
from bot_workbench.admin.plan.execution import execute
from bot_workbench.admin.plan.options import BotOption, IdentityOption, Options, with_options
from bot_workbench.credential_kinds import KINDS, SIGN_IN_VAULT, WITH_CERTIFICATE

CERTIFICATE_NAME = "bot-certificate"


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
