"""What Kusto's own language service finds wrong with queries."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.kusto.tables import TABLES
from tests.support.project import ROOT

SERVICE = ROOT / ".cache/validators/node_modules/@kusto/language-service-next"
SCRIPT = Path(__file__).with_name("analysis.js")
MAX_SECONDS = 60


def findings(queries: Mapping[str, str]) -> dict[str, list[str]]:
    """By query, the service's messages; one process reads all queries.

    Args:
        queries: the queries by any names.
    """
    node = shutil.which("node")
    assert node, "node is missing: install node and npm"
    assert SERVICE.exists(), "Kusto's language service is missing: make test ALL=1"
    done = subprocess.run(
        [node, str(SCRIPT), str(SERVICE)],
        input=json.dumps({"tables": TABLES, "queries": dict(queries)}),
        capture_output=True,
        text=True,
        timeout=MAX_SECONDS,
        check=True,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found
