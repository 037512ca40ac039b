"""docs/pipelines.md makes Entra trust exactly the jobs that sign in."""

import json
import re
import shutil
import subprocess

import pytest

from emulator.entra.credentials import EXCHANGE_AUDIENCE
from tests.support.project import ROOT
from tests.workflows.pipeline_files import WORKFLOWS, jobs, read

PROGRAMS = """
az() { if [ "$3" = federated-credential ]; then echo "${@: -1}" >&2; else echo 1; fi; }
gh() { echo "$ANSWER"; return "$STATUS"; }
"""
"""Shell functions: `az` prints federated credentials to standard error, `gh` the test's answer."""

ISSUER = "https://token.actions.githubusercontent.com"


def environments() -> set[str]:
    """The environments of the jobs that can request a token."""
    found = [job for file in WORKFLOWS for _, job in jobs(read(file))]
    return {job["environment"] for job in found if "id-token" in job["permissions"]}


@pytest.mark.parametrize(
    ("answer", "status", "prefix"),
    [
        ("", "0", "repo:contoso/bot"),
        ('{"message": "Not Found"}', "1", "repo:contoso/bot"),
        ("repo:contoso@1/bot@2", "0", "repo:contoso@1/bot@2"),
        ("repo:contoso@1/bot@2:", "0", "repo:contoso@1/bot@2"),
    ],
)
def test_entra_trusts_the_jobs_that_sign_in(answer: str, status: str, prefix: str) -> None:
    """One federated credential for each environment, as GitHub writes the subject."""
    page = (ROOT / "docs" / "pipelines.md").read_text("utf-8")
    block = re.findall(r"```bash\n(.*?)```", page, re.S)[0]
    ended = subprocess.run(
        [str(shutil.which("bash")), "--norc", "-euc", PROGRAMS + block],
        env={"ANSWER": answer, "STATUS": status},
        capture_output=True,
        text=True,
        check=True,
    )
    credentials = [json.loads(line) for line in ended.stderr.splitlines()]
    assert {each["subject"] for each in credentials} == {
        f"{prefix}:environment:{name}" for name in environments()
    }
    assert len({each["name"] for each in credentials}) == len(credentials)
    assert all(each["issuer"] == ISSUER for each in credentials)
    assert all(each["audiences"] == [EXCHANGE_AUDIENCE] for each in credentials)
