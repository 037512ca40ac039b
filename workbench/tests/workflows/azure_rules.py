"""What azure-pipelines.yml must keep to. Each rule returns what breaks it."""

import re
from collections.abc import Iterator

from tests.workflows.pipeline_files import PipelineFile, jobs, mappings, scripts, steps

TASKS = {"UsePythonVersion@0", "NodeTool@0", "PublishPipelineArtifact@1", "AzureCLI@2"}
CONNECTIONS = {"Deploy": "azconnection", "Doctor": "azconnection-doctor"}
"""The service connection of each stage: the doctor's identity cannot deploy."""

MAIN = "eq(variables['Build.SourceBranch'], 'refs/heads/main')"
SCHEDULE = "eq(variables['Build.Reason'], 'Schedule')"
UNSCHEDULED = "ne(variables['Build.Reason'], 'Schedule')"
ON = "eq(variables['DEPLOY'], 'true')"

TOKEN = {"SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"}
SIGNS_IN = re.compile(r"\bazd (?:auth|provision|deploy)\b|-m bot_workbench\b")
"""What requests tokens with it, instead of az's."""


def known_tasks(file: PipelineFile) -> Iterator[str]:
    """Only Microsoft's own tasks run, which need no extension."""
    for step in steps(file.document):
        if "task" in step and step["task"] not in TASKS:
            yield str(step["task"])


def no_credentials_left(file: PipelineFile) -> Iterator[str]:
    """The token of the checkout is not left to the steps behind it."""
    for step in steps(file.document):
        if "checkout" in step and step.get("persistCredentials") != "false":
            yield "checkout"


def no_injection(file: PipelineFile) -> Iterator[str]:
    """A script is fixed text: what differs comes from its environment, or from the matrix."""
    for script in scripts(file.document):
        if script != "$(command)" and re.search(r"\$\(\w+[.\w]*\)|\$\{\{|\$\[", script):
            yield script


def own_connections(file: PipelineFile) -> Iterator[str]:
    """A stage reaches Azure through its workload identity federation only."""
    for stage in file.document["stages"]:
        for each in mappings(stage):
            connection = each.get("azureSubscription")
            if connection is not None and connection != CONNECTIONS.get(stage["stage"]):
                yield str(connection)


def guarded_stages(file: PipelineFile) -> Iterator[str]:
    """A stage that signs in runs for main or on the schedule, if the pipeline is set up for it."""
    for stage in file.document["stages"]:
        signs_in = any("azureSubscription" in each for each in mappings(stage))
        condition = stage.get("condition", "")
        if signs_in and not (ON in condition and (MAIN in condition or SCHEDULE in condition)):
            yield str(stage["stage"])


def tested_deployments(file: PipelineFile) -> Iterator[str]:
    """What deploys needs CI to succeed, which is skipped on the schedule."""
    stages = {stage["stage"]: stage for stage in file.document["stages"]}
    skipped = stages["CI"].get("condition") == UNSCHEDULED
    for name, stage in stages.items():
        waits = stage.get("dependsOn") == "CI" and stage["condition"].startswith("and(succeeded(),")
        if any("azd " in script for script in scripts(stage)) and not (waits and skipped):
            yield name


def own_token(file: PipelineFile) -> Iterator[str]:
    """The job's token is passed to the steps that request tokens with it, and to no other."""
    for step in steps(file.document):
        signs_in = any(SIGNS_IN.search(script) for script in scripts({"steps": [step]}))
        if signs_in != (step.get("env", {}).items() >= TOKEN.items()):
            yield str(step.get("displayName"))


def approved_deployments(file: PipelineFile) -> Iterator[str]:
    """What changes Azure is a deployment job, in an environment that can ask for approval."""
    for name, job in jobs(file.document):
        if any("azd " in script for script in scripts(job)) and "environment" not in job:
            yield name


def no_overlap(file: PipelineFile) -> Iterator[str]:
    """A deployment waits for the one before it. Without it, only the newest run that waits for the
    environment's exclusive lock goes on. Microsoft reference: "Define approvals and checks",
    "Exclusive lock"."""
    for stage in file.document["stages"]:
        deploys = any("azd " in script for script in scripts(stage))
        if deploys and stage.get("lockBehavior") != "sequential":
            yield str(stage["stage"])


def failing_scripts(file: PipelineFile) -> Iterator[str]:
    """A script of several lines ends at the first that fails."""
    for script in scripts(file.document):
        if len(script.splitlines()) > 1 and not script.startswith("set -euo pipefail\n"):
            yield script


RULES = (
    known_tasks,
    no_credentials_left,
    no_injection,
    own_connections,
    guarded_stages,
    tested_deployments,
    own_token,
    approved_deployments,
    no_overlap,
    failing_scripts,
)
