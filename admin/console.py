"""The console: where commands print, for people and for pipelines."""

from typing import Annotated

import typer
from rich.console import Console

output = Console(highlight=False, markup=False)
"""Standard output. Commands draw tables and progress bars on it only when it is a terminal."""

errors = Console(highlight=False, markup=False, stderr=True)
"""Standard error: hints and failures, which stay out of pipelines."""

JsonOption = Annotated[
    bool,
    typer.Option(
        "--json", metavar="", help="Print JSON for a pipeline; the shape is described above."
    ),
]
