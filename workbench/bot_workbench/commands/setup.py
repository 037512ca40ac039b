"""`bot setup`: installs what the other commands need, and runs nothing."""

import typer

from bot_workbench.commands.options import BOT, BotOption
from bot_workbench.setup.set_up import ready
from bot_workbench.setup.tools import packages_of

app = typer.Typer(add_completion=False)


@app.command("setup")
def setup(bot: BotOption = BOT) -> None:
    """Install what the other commands need."""
    ready(packages_of(bot))
