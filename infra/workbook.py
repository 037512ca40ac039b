"""Writes infra/workbook.json, the portal's page with the queries: `python -m infra.workbook`."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILE = HERE / "workbook.json"

WORKSPACE = "WORKSPACE_ID"
"""modules/workbook.bicep replaces it with the workspace's resource id."""

QUERIES = (
    "answers",
    "refusals",
    "outages",
    "sign-in",
    "failures",
    "queue",
    "dead-letters",
    "channel",
    "latency",
    "costs",
    "telemetry/channel-latency",
    "telemetry/queue-wait",
)
"""The queries in the page's order. Those that somebody must edit first (deployment, conversation)
are left out, and signatures: a workspace without a vault has no such table."""

CHARTS = {"answers", "telemetry/queue-wait"}
"""Queries that are drawn as lines over time; the others are tables."""

MAX_AGE_MS = 7 * 86_400_000
"""The page asks for this many milliseconds; each query narrows that."""


def workbook() -> dict[str, Any]:
    """The content, in the format of Azure Monitor workbooks (`Notebook/1.0`)."""
    heading = {
        "type": 1,
        "content": {"json": "# Bot\n\nThe questions and cures are in docs/operations.md."},
        "name": "heading",
    }
    return {
        "version": "Notebook/1.0",
        "items": [heading, *(_item(name) for name in QUERIES)],
        "fallbackResourceIds": [WORKSPACE],
    }


def _item(name: str) -> dict[str, Any]:
    query = (HERE / "queries" / f"{name}.kql").read_text("utf-8")
    return {
        "type": 3,
        "content": {
            "version": "KqlItem/1.0",
            "query": query,
            "size": 0,
            "title": query.partition("\n")[0].removeprefix("// "),
            "timeContext": {"durationMs": MAX_AGE_MS},
            "queryType": 0,
            "resourceType": "microsoft.operationalinsights/workspaces",
            "crossComponentResources": [WORKSPACE],
            "visualization": "timechart" if name in CHARTS else "table",
        },
        "name": name,
    }


def text() -> str:
    """The file's content."""
    return json.dumps(workbook(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
