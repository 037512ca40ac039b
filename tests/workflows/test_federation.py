"""docs/pipelines.md makes Entra trust exactly the jobs that sign in, and limits their rights."""

import json
import re
import shutil
import subprocess

import pytest

from emulator.entra.credentials import EXCHANGE_AUDIENCE
from tests.support.project import ROOT
from tests.workflows.pipeline_files import WORKFLOWS, jobs, read

PAGE = (ROOT / "docs" / "pipelines.md").read_text("utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, re.S)

PROGRAMS = """
az() { if [ "$3" = federated-credential ]; then echo "${@: -1}" >&2; else echo 1; fi; }
gh() { echo "$ANSWER"; return "$STATUS"; }
"""
"""Shell functions: `az` prints federated credentials to standard error, `gh` the test's answer."""

ARGUMENTS = """
az() { printf '%s\\0' "$@"; printf '\\0\\n'; }
"""
"""A shell function: `az` prints its arguments."""

ISSUER = "https://token.actions.githubusercontent.com"

PERMISSIONS = {
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
}
"""Ids of app roles. Source: Microsoft Graph, "Permissions reference"."""

ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"


def pasted(block: int, environ: dict[str, str]) -> list[list[str]]:
    """The arguments of each `az` in a block of the page, as bash passes them."""
    ended = subprocess.run(
        [str(shutil.which("bash")), "--norc", "-euc", ARGUMENTS + BLOCKS[block]],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split("\0")[:-1] for line in ended.stdout.split("\0\n")[:-1]]


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
    ended = subprocess.run(
        [str(shutil.which("bash")), "--norc", "-euc", PROGRAMS + BLOCKS[0]],
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


def test_the_pipeline_gives_roles_to_identities_alone() -> None:
    """The condition limits what it may assign, and what it may take away."""
    *_, assigned = pasted(1, {"SUBSCRIPTION_ID": "s", "PRINCIPAL_ID": "p"})
    condition = assigned[assigned.index("--condition") + 1]
    [roles] = set(re.findall(r"GuidEquals \{(.*?)\}", condition))
    parts = [
        f"((!(ActionMatches{{'{ASSIGNMENTS}/{action}'}})) OR ("
        f"{source}[{ASSIGNMENTS}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{roles}}} AND "
        f"{source}[{ASSIGNMENTS}:PrincipalType]"
        " ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))"
        for action, source in (("write", "@Request"), ("delete", "@Resource"))
    ]
    assert condition == " AND ".join(parts)
    assert assigned[assigned.index("--role") + 1] == "Role Based Access Control Administrator"
    assert assigned[assigned.index("--condition-version") + 1] == "2.0"


def test_the_pipeline_gets_the_permissions_that_the_page_names() -> None:
    """In Graph, it reads applications, and changes its own alone."""
    added, _ = pasted(2, {"CLIENT_ID": "c"})
    given = added[added.index("--api-permissions") + 1 :]
    assert given == [f"{PERMISSIONS[name]}=Role" for name in PERMISSIONS]
    assert set(re.findall(r"`(Application\.[\w.]+)`", PAGE)) == set(PERMISSIONS)
