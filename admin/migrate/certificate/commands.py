"""`migrate certificate` and `migrate certificate rotate`."""

import datetime
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from admin.azure.cloud import PUBLIC
from admin.console import JsonOption
from admin.migrate.certificate.certificate_file import CertificateFile
from admin.migrate.certificate.rotation import Rotation
from admin.migrate.certificate.route import CertificateRoute
from admin.migrate.certificate.vault.bot_vault import BotVault
from admin.migrate.execution import execute
from admin.migrate.options import (
    DEFAULT_TIMEOUT_SECONDS,
    AppOption,
    BotOption,
    CloudOption,
    DryRunOption,
    Options,
    ResourceGroupOption,
    SubscriptionOption,
    TimeoutOption,
    YesOption,
)

CERTIFICATE_NAME = "bot-certificate"

app = typer.Typer()


class KeyUse(StrEnum):
    """How the bot uses the private key."""

    SIGN_IN_VAULT = "SignInVault"
    EXPORT = "Export"


VaultOption = Annotated[str, typer.Option("--vault", metavar="NAME", help="The key vault.")]
NameOption = Annotated[
    str, typer.Option("--name", metavar="NAME", help="The certificate's name in the vault.")
]
KeyUseOption = Annotated[
    KeyUse,
    typer.Option(
        "--key-use",
        help="SignInVault: the private key never leaves the vault. Export: the bot loads it.",
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
IdentityOption = Annotated[
    str,
    typer.Option(
        "--identity", metavar="NAME", help="The app's user-assigned identity, if it has several."
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


@app.callback(invoke_without_command=True)
def certificate(
    context: typer.Context,
    bot: BotOption = "",
    app_name: AppOption = "",
    vault: VaultOption = "",
    name: NameOption = CERTIFICATE_NAME,
    key_use: KeyUseOption = KeyUse.SIGN_IN_VAULT,
    file: FileOption = None,
    identity: IdentityOption = "",
    *,
    resource_group: ResourceGroupOption = "",
    subscription: SubscriptionOption = "",
    cloud: CloudOption = PUBLIC.name,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    yes: YesOption = False,
    timeout: TimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Let the new app sign in with a certificate in Key Vault; the bot keeps its id.

    The certificate is made in the vault, or taken if it is there; its
    public key is added to the app registration, beside all that is there;
    the app's identity gets the least role; the app gets its settings, and
    must prove that it signs in. The bot's users notice nothing: they still
    talk to the old app, until `switch`.

    `certificate rotate` replaces it by its next version.

    [bold]Examples[/bold]

      python -m admin migrate certificate --bot contoso-bot \\
          --app contoso-new --vault contoso-vault
      python -m admin migrate certificate --bot contoso-bot \\
          --app contoso-new --vault contoso-vault --dry-run

    [bold]Exit status[/bold]

      0    the app has proved that it signs in with the certificate
      1    it refuses, or the app has not proved it in time; the text says why
      2    the command line is wrong; nothing was done
      3    no sign-in, no answer, or not allowed
      130  Ctrl-C: run it again

    [bold]--json[/bold] prints one JSON object, as `switch` does.
    """
    if context.invoked_subcommand is not None:
        return
    _require(bot=bot, vault=vault)
    if not re.fullmatch("[0-9A-Za-z-]{1,127}", name):
        raise typer.BadParameter("--name: letters, digits and hyphens, at most 127")
    imported = CertificateFile(file, datetime.datetime.now(datetime.UTC)) if file else None
    extra = {"--vault": vault, "--name": name if name != CERTIFICATE_NAME else ""}
    extra |= {"--key-use": key_use.value if key_use != KeyUse.SIGN_IN_VAULT else ""}
    extra |= {"--file": str(file or ""), "--identity": identity}
    options = Options(
        "certificate",
        bot=bot,
        app=app_name,
        resource_group=resource_group,
        subscription=subscription,
        cloud=cloud,
        dry_run=dry_run,
        as_json=as_json,
        yes=yes,
        timeout_seconds=timeout,
        extra=tuple(word for option, value in extra.items() if value for word in (option, value)),
    )
    execute(
        options,
        lambda target: CertificateRoute(
            target, BotVault(target, vault, name), key_use.value, imported, identity
        ).plan(),
    )


@app.command("rotate")
def rotate(
    bot: BotOption,
    app_name: AppOption = "",
    *,
    restart: RestartOption = False,
    again: AgainOption = False,
    resource_group: ResourceGroupOption = "",
    subscription: SubscriptionOption = "",
    cloud: CloudOption = PUBLIC.name,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    yes: YesOption = False,
    timeout: TimeoutOption = DEFAULT_TIMEOUT_SECONDS,
) -> None:
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

      python -m admin migrate certificate rotate --bot contoso-bot --dry-run
      python -m admin migrate certificate rotate --bot contoso-bot --timeout 4000

    [bold]Exit status[/bold]

      0    the app uses the newest version, and no older one is registered
      1    it refuses, or the app has not proved it in time: run it again
      2    the command line is wrong; nothing was done
      3    no sign-in, no answer, or not allowed
      130  Ctrl-C: run it again

    [bold]--json[/bold] prints one JSON object, as `switch` does.
    """
    flags = {"--restart": restart, "--again": again}
    options = Options(
        "certificate rotate",
        bot=bot,
        app=app_name,
        resource_group=resource_group,
        subscription=subscription,
        cloud=cloud,
        dry_run=dry_run,
        as_json=as_json,
        yes=yes,
        timeout_seconds=timeout,
        extra=tuple(name for name, given in flags.items() if given),
    )
    execute(options, lambda target: Rotation(target, restart=restart, again=again).plan())


def _require(**options: str) -> None:
    for option, value in options.items():
        if not value:
            raise typer.BadParameter("it is missing", param_hint=f"--{option}")
