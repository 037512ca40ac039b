"""The environment with which Core Tools' worker finds the recorder."""

import os
from collections.abc import Mapping
from pathlib import Path

from emulator.feed.feed_address import FeedAddress

STARTUP = Path(__file__).parent / "startup"
"""The folder with the module that Python imports first in each program."""


def with_recorder(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment for `func start`; unchanged where no feed is named.

    The worker inherits it (azure-functions-host, RpcWorkerProcess), and runs the Python that is
    first on PATH, which reads PYTHONPATH.
    """
    if FeedAddress.of(environ) is None:
        return dict(environ)
    entries = (str(STARTUP), environ.get("PYTHONPATH", ""))
    return {**environ, "PYTHONPATH": os.pathsep.join(filter(None, entries))}
