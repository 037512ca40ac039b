"""Monitoring and Logs: Application Insights, its workspace, and what they say of the last day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot_workbench.admin.azure.arm_client import INSIGHTS, ArmClient
from bot_workbench.admin.azure.errors import Forbidden
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId, find_resources, resources_beside
from bot_workbench.admin.azure.services import LogsClient
from bot_workbench.admin.doctor.background_read import BackgroundRead
from bot_workbench.admin.doctor.host_lines import HOST_LINES
from bot_workbench.admin.plan.setting_names import setting

CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"
QUERY = Path(__file__).parents[1] / "last-day.kql"
LAST_DAY = "P1D"
WORKSPACE = "Microsoft.OperationalInsights/workspaces"
COMPONENT_ID = "COMPONENT_ID"
"""The query's placeholder for the resource id of the component."""


@dataclass(frozen=True)
class Monitoring:
    """Application Insights.

    Attributes:
        component: the component that the connection string is of; empty: none, or none that the
            account sees.
        workspace: its Log Analytics workspace; empty: it has none, or `refusal` says why it cannot
            be read.
        refusal: the account may not read the workspace, which may be in another subscription.
        beside: ids of what could be meant, from the app's group: of components, if there is no
            component; of workspaces, if it has none.
    """

    component: JsonObject
    workspace: JsonObject
    refusal: Forbidden | None = None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Logs:
    """The last 24 hours.

    Attributes:
        turns: requests to the endpoint that the bot has accepted.
        refused: requests without a valid token of a channel.
        failed: turns that failed.
        dead_lettered: activities, notifications and other messages that were set aside.
        blocked: lines that say that the bot's code blocks the event loop; a block may have two.
        host_lines: how many of each of HOST_LINES there were, by its column.
    """

    turns: int
    refused: int
    failed: int
    dead_lettered: int
    blocked: int
    host_lines: Mapping[str, int]


def read_monitoring(arm: ArmClient, app: ResourceId, settings: Mapping[str, str]) -> Monitoring:
    """The component whose connection string the app has.

    Raises:
        AzureProblem: the components cannot be listed.
    """
    wanted = _instrumentation_key(setting(settings, CONNECTION))
    for each in _components(arm, app) if wanted else ():
        component = arm.find(each.id) or {"properties": {}}  # it may just have been deleted
        if str(component["properties"].get("InstrumentationKey")).lower() == wanted:
            workspace = component["properties"].get("WorkspaceResourceId")
            try:
                found = (arm.find(workspace) or {}) if workspace else {}
            except Forbidden as error:
                return Monitoring(component, {}, error)
            return Monitoring(
                component, found, beside=() if found else _beside(arm, app, WORKSPACE)
            )
    return Monitoring({}, {}, beside=_beside(arm, app, INSIGHTS))


def _beside(arm: ArmClient, app: ResourceId, kind: str) -> tuple[str, ...]:
    return tuple(one.id for one in resources_beside(arm, kind, app))


def _components(arm: ArmClient, app: ResourceId) -> Iterator[ResourceId]:
    """All components that the account sees, those beside the app first: each is read for its key,
    and there may be hundreds."""
    near = find_resources(arm, INSIGHTS, subscription=app.subscription)
    group = app.resource_group.lower()
    yield from sorted(near, key=lambda one: one.resource_group.lower() != group)
    known = {one.id.lower() for one in near}
    for one in find_resources(arm, INSIGHTS, unreadable=[]):
        if one.id.lower() not in known:
            yield one


def read_logs(logs: LogsClient, monitoring: BackgroundRead[Monitoring]) -> Logs | None:
    """Ask the workspace what the component has sent to it; None: there is none to ask.

    Raises:
        AzureProblem: it cannot be asked.
    """
    found = monitoring.require()
    if found.refusal:
        raise found.refusal
    if not found.workspace:
        return None
    workspace = str(found.workspace["properties"]["customerId"])
    query = QUERY.read_text("utf-8").replace(f"'{COMPONENT_ID}'", f"'{found.component['id']}'")
    row = logs.row(workspace, query, LAST_DAY)

    def count(column: str) -> int:
        return int(row.get(column) or 0)

    return Logs(
        turns=count("Turns"),
        refused=count("Refused"),
        failed=count("Failed"),
        dead_lettered=count("DeadLettered"),
        blocked=count("Blocked"),
        host_lines={line.column: count(line.column) for line in HOST_LINES},
    )


def _instrumentation_key(connection: str) -> str:
    pairs = dict(pair.partition("=")[::2] for pair in connection.split(";"))
    return pairs.get("InstrumentationKey", "").strip().lower()
