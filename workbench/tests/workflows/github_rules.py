"""What every workflow of GitHub Actions must keep to. Each rule returns what breaks it."""

import re
from collections.abc import Iterator

from tests.workflows.pipeline_files import Document, PipelineFile, jobs, scripts, steps

EVENTS = {"pull_request", "push", "schedule", "workflow_call", "workflow_dispatch"}
"""Those that run code of this repository with rights, or foreign code without any."""

PERMISSIONS = {("contents", "read"), ("id-token", "write")}
RELEASE = "release"
"""The environment of the job that publishes, which Entra does not trust."""

TO_RELEASE = {("attestations", "write"), ("contents", "write"), ("id-token", "write")}

INPUTS = {
    "actions/checkout": {"persist-credentials"},
    "actions/setup-python": {"python-version"},
    "actions/setup-node": {"node-version", "package-manager-cache"},
    "actions/upload-artifact": {"name", "path", "if-no-files-found", "retention-days"},
    "actions/download-artifact": {"name", "path"},
    "actions/attest": {"subject-path", "sbom-path"},
    "Azure/setup-azd": {"version"},
}
"""The actions that are used, with the inputs of their action.yml that are: linters know the inputs
of an action by its tag only, not by its commit."""

IDENTITIES = {"production": "vars.AZURE_CLIENT_ID", "doctor": "vars.AZURE_DOCTOR_CLIENT_ID"}
"""The variable with each environment's identity, which Entra trusts there alone. It is the
repository's: a job's condition does not know those of its environment."""

MAIN = "github.ref == 'refs/heads/main'"
"""A condition of a job."""

PINNED = re.compile(r"uses: (?P<action>[\w/-]+)@(?P<commit>[0-9a-f]{40}) # v\d+\.\d+\.\d+$")


def pinned_actions(file: PipelineFile) -> Iterator[str]:
    """An action is one commit, with its version in a comment, or a file of this repository."""
    for line in file.text.splitlines():
        if re.search(r"\buses:", line) and "uses: ./" not in line and not PINNED.search(line):
            yield line.strip()


def known_inputs(file: PipelineFile) -> Iterator[str]:
    """An action gets inputs that it has."""
    for step in steps(file.document):
        action = str(step.get("uses", "")).partition("@")[0]
        if action and not set(step.get("with", ())) <= INPUTS.get(action, set()):
            yield action


def no_credentials_left(file: PipelineFile) -> Iterator[str]:
    """The token of the checkout is not left to the steps behind it."""
    for step in steps(file.document):
        kept = step.get("with", {}).get("persist-credentials", True)
        if str(step.get("uses", "")).startswith("actions/checkout@") and kept is not False:
            yield "checkout"


def least_permissions(file: PipelineFile) -> Iterator[str]:
    """The workflow has no permission, and each job only those that it needs."""
    if file.document.get("permissions") != {}:
        yield "workflow"
    for name, job in jobs(file.document):
        given = job.get("permissions")
        allowed = TO_RELEASE if job.get("environment") == RELEASE else PERMISSIONS
        if not given or not set(given.items()) <= allowed:
            yield name


def tokens_in_environments(file: PipelineFile) -> Iterator[str]:
    """A job that can request a token is in an environment, and not run for pull requests."""
    for name, job in jobs(file.document):
        if "id-token" in job.get("permissions", {}) and (
            "environment" not in job or "pull_request" in file.document["on"]
        ):
            yield name


def signs_in(job: Document) -> bool:
    """Whether a job can sign in to Azure."""
    return "id-token" in job.get("permissions", {}) and job.get("environment") != RELEASE


def own_identities(file: PipelineFile) -> Iterator[str]:
    """A job signs in with the identity of its environment."""
    for name, job in jobs(file.document):
        own = f"${{{{ {IDENTITIES.get(job.get('environment', ''))} }}}}"
        if signs_in(job) and job.get("env", {}).get("AZURE_CLIENT_ID") != own:
            yield name


def guarded_jobs(file: PipelineFile) -> Iterator[str]:
    """A job that signs in runs if it has an identity; what deploys, for main only."""
    for name, job in jobs(file.document):
        identity = IDENTITIES.get(job.get("environment", ""))
        wanted = {f"{identity} != ''"} if signs_in(job) else set()
        if any("azd provision" in script for script in scripts(job)):
            wanted.add(MAIN)
        if not wanted <= set(str(job.get("if", "")).split(" && ")):
            yield name


def tested_deployments(file: PipelineFile) -> Iterator[str]:
    """What deploys or publishes needs CI, and does not run if CI has failed."""
    for name, job in jobs(file.document):
        ignores = re.search(r"\b(always|cancelled|failure)\(", str(job.get("if", "")))
        needed = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", ())
        if any(re.search("azd provision|gh release", each) for each in scripts(job)) and (
            "ci" not in needed or ignores
        ):
            yield name


def known_events(file: PipelineFile) -> Iterator[str]:
    """No event gives rights to foreign code."""
    yield from set(file.document["on"]) - EVENTS


def no_injection(file: PipelineFile) -> Iterator[str]:
    """A script is fixed text: what differs comes from its environment."""
    for script in scripts(file.document):
        if "${{" in script:
            yield script


def no_overlap(file: PipelineFile) -> Iterator[str]:
    """Two runs never deploy, or publish, at the same time."""
    for name, job in jobs(file.document):
        has_token = "id-token" in job.get("permissions", {})
        groups = (each.get("concurrency") for each in (file.document, job))
        if has_token and not any(groups):
            yield name


def bash_everywhere(file: PipelineFile) -> Iterator[str]:
    """GitHub's default shell ignores what fails within a pipe, and is another on Windows."""
    default = file.document.get("defaults", {}).get("run", {}).get("shell")
    for _, job in jobs(file.document):
        inherited = job.get("defaults", {}).get("run", {}).get("shell", default)
        for step in job.get("steps", ()):
            if "run" in step and step.get("shell", inherited) != "bash":
                yield str(step["run"])


RULES = (
    pinned_actions,
    known_inputs,
    no_credentials_left,
    least_permissions,
    tokens_in_environments,
    own_identities,
    guarded_jobs,
    tested_deployments,
    known_events,
    no_injection,
    no_overlap,
    bash_everywhere,
)
