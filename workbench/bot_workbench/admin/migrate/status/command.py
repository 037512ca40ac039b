"""`migrate status`: how a bot signs in now, what could sign it in, and what to do next."""

from contextlib import nullcontext

import typer

from bot_workbench.admin import console
from bot_workbench.admin.console import print_lines, print_tables
from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.admin.migrate.status.next_step import next_step
from bot_workbench.admin.migrate.status.report import read_report, report_json
from bot_workbench.admin.migrate.status.rows import NEXT, rows_of
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.run import read_only
from bot_workbench.admin.plan.target import Target


def status(options: Options) -> None:
    """Show how the bot signs in, and what to do next.

    It changes nothing, and shows no secret's value. What your account may
    not read is marked, and the rest is shown. With --app, the Function App
    that is to be the bot's new one is shown, too.

    [bold]Examples[/bold]

      bot migrate status --bot contoso-bot
      bot migrate status --bot contoso-bot --app contoso-new

    [bold]Exit status[/bold]

      0  the bot has no secret
      1  a secret is still there, or the directory cannot be read
      2  the command line is wrong, or your account sees no bot or app
         of this name, or several
      3  no sign-in, no answer from Azure, or not allowed

    [bold]--json[/bold] prints one JSON object; what could not be read is
    null, and "unknown" says why:

      {"bot": {"name": NAME, "id": ID, "type": TYPE, "appId": GUID,
               "tenantId": GUID, "endpoint": URL, "sku": NAME,
               "tags": {NAME: TEXT}, "channels": [NAME],
               "connections": [NAME]},
       "registration": {"objectId": GUID, "name": TEXT, "audience": NAME,
         "secrets": [{"keyId": GUID, "name": TEXT, "hint": TEXT,
                      "starts": TIME, "ends": TIME, "state": STATE,
                      "lastSignIn": TIME}],
         "certificates": [{"keyId": GUID, "name": TEXT, "sha1": HEX,
                           "x5t": BASE64URL, "x5tS256": BASE64URL,
                           "starts": TIME, "ends": TIME,
                           "state": STATE, "lastSignIn": TIME}],
         "federatedCredentials": [{"name": NAME, "issuer": URL,
                                   "subject": TEXT, "audiences": [URI],
                                   "differences": [TEXT]}]},
       "apps": [{"name": NAME, "id": ID, "role": ROLE, "kind": TEXT,
                 "state": TEXT, "host": NAME,
                 "identities": [{"id": ID, "principalId": GUID,
                                 "clientId": GUID}],
                 "settings": {"shown": {NAME: TEXT}, "secrets": [NAME],
                              "keyVaultReferences": [NAME]},
                 "identity": OBJECT}],
       "vault": {"url": URL, "certificate": NAME,
                 "versions": [{"sha1": HEX, "x5t": BASE64URL,
                               "x5tS256": null, "ends": TIME}]},
       "roles": [{"role": NAME, "scope": ID}],
       "unknown": {PART: TEXT}, "secretless": BOOLEAN,
       "next": {"reason": TEXT, "command": COMMAND, "wayBack": TEXT}}

    STATE is valid, expired or not yet valid. ROLE is "users talk to it",
    "new" or "old". "identity" is the answer of the app's /api/identity;
    docs/settings.md describes it. If the bot cannot be read: {"error": TEXT}.
    """
    raise typer.Exit(read_only(options, show))


def show(target: Target) -> ExitStatus:
    """Read the report, and print it.

    Raises:
        AzureProblem: the Azure Bot cannot be read.
    """
    people = console.output.is_terminal and not target.options.as_json
    with console.output.status("Reading ...") if people else nullcontext():
        report = read_report(target)
        shown, step = report_json(report), next_step(report, target.options)
        rows = rows_of(report, shown, step)
    if target.options.as_json:
        console.write_json({**shown, "next": step.as_json()})
    elif people:
        print_tables(console.output, rows, pasted=(NEXT,))
    else:
        print_lines(rows)
    return ExitStatus.DONE if report.is_secretless else ExitStatus.FOUND
