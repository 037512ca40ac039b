"""`bot migrate`: the commands, one line each."""

import typer

from bot_workbench.admin.migrate.certificate import commands as certificate
from bot_workbench.admin.migrate.delete_secret.command import delete_secret
from bot_workbench.admin.migrate.federated import federated
from bot_workbench.admin.migrate.managed_identity.command import NewAppOption, managed_identity
from bot_workbench.admin.migrate.status.command import status
from bot_workbench.admin.migrate.switch import RememberedAppOption, back, switch
from bot_workbench.admin.plan.options import CHANGING, with_options

app = typer.Typer(
    help="Move a bot from its secret to a credential without one, step by step."
    "\n\nEach step looks before it acts, so a command that was interrupted goes on when it is run"
    " again."
    "\n\nExit status: 0 done; 1 something to look at, or the command refuses; 2 the command line is"
    " wrong; 3 no sign-in, no answer, or not allowed; 130 Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
)
app.add_typer(certificate.app, name="certificate")
app.command("federated")(with_options("federated", federated))
app.command("managed-identity")(
    with_options("managed-identity", managed_identity, replaced={"app": (NewAppOption, ...)})
)
app.command("status")(with_options("status", status, without=CHANGING))
app.command("switch")(with_options("switch", switch, replaced={"app": (RememberedAppOption, "")}))
app.command("back")(with_options("back", back, without=("app",)))
app.command("delete-secret")(with_options("delete-secret", delete_secret))
