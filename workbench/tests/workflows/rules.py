"""What every file must keep to, whichever system runs it. Each rule returns what breaks it."""

import re
from collections.abc import Iterator

from tests.workflows.pipeline_files import PipelineFile, jobs, mappings, scripts

SECRET_NAME = re.compile(
    r"passw|secret|token|api.?key|access.?key|connection.?string|\bsas\b", re.I
)
NO_SECRETS = {
    ("SYSTEM_ACCESSTOKEN", "$(System.AccessToken)"),
    ("GH_TOKEN", "${{ github.token }}"),
    ("id-token", "write"),
}
"""The job's own token, with which Azure Pipelines requests an OpenID Connect token, and the
permission to request GitHub's. They end with the job."""

AZD = re.compile(r"\bazd (provision|deploy|up|down)\b(.*)")
LOGIN = re.compile(r"\b(?:azd auth|az) login\b(.*)")
FEDERATED = "--federated-credential-provider"
MAX_MINUTES = 60

INSTALLS = re.compile(
    r"\b(?:npm|npx|pipx|uvx|make|apt-get|run\.py)\b|\b(?:pip install|curl|wget)\b.*"
)
AZD_INSTALLER = re.compile(r"/Azure/azure-dev/azure-dev-cli_\d+\.\d+\.\d+/")
"""azd's own script, of a version."""
HASHED = "pip install -r infra/hooks/requirements.txt"
"""The complete list of what the doctor needs: each line has hashes."""


def no_secrets(file: PipelineFile) -> Iterator[str]:
    """Nothing is stored with GitHub or Azure DevOps that signs in."""
    if re.search(r"\bsecrets\b", file.text):
        yield "secrets"
    for each in mappings(file.document):
        for key, value in each.items():
            if SECRET_NAME.search(str(key)) and (key, value) not in NO_SECRETS:
                yield str(key)


def federated_sign_in(file: PipelineFile) -> Iterator[str]:
    """azd signs in with the job's own token."""
    for script in scripts(file.document):
        for arguments in LOGIN.findall(script):
            if FEDERATED not in arguments or "--client-secret" in arguments:
                yield arguments


def no_questions(file: PipelineFile) -> Iterator[str]:
    """azd never waits for an answer."""
    for script in scripts(file.document):
        for command, arguments in AZD.findall(script):
            if "--no-prompt" not in arguments:
                yield command


def limited_time(file: PipelineFile) -> Iterator[str]:
    """Every job ends, within an hour."""
    for name, job in jobs(file.document):
        minutes = job.get("timeout-minutes", job.get("timeoutInMinutes"))
        if "uses" not in job and not 0 < int(minutes or 0) <= MAX_MINUTES:
            yield name


def nothing_floats(file: PipelineFile) -> Iterator[str]:
    """A job that can sign in installs what has a hash: what runs there is the pipeline."""
    for _, job in jobs(file.document):
        signs_in = "id-token" in job.get("permissions", ()) or any(
            "azureSubscription" in each for each in mappings(job)
        )
        for found in (each for text in scripts(job) for each in INSTALLS.findall(text)):
            if signs_in and found.strip() != HASHED and not AZD_INSTALLER.search(found):
                yield found


RULES = (no_secrets, federated_sign_in, no_questions, limited_time, nothing_floats)
