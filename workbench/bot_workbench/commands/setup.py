"""`bot setup`: installs what the other commands need, and runs nothing."""

import typer

from bot_workbench.setup.set_up import ready
from bot_workbench.setup.tools import AZURITE, PAGES, SCHEMAS

app = typer.Typer(add_completion=False)


@app.command("setup")
def setup() -> None:
    """Install what the other commands need."""
    ready(PAGES, AZURITE, SCHEMAS)  # `bot` itself has installed the Python packages
