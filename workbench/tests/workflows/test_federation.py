"""docs/pipelines.md makes Entra trust exactly the jobs that sign in, and limits their rights."""

import json
import re
import shutil
import subprocess

import pytest

from bot_workbench.emulator.entra.credentials import EXCHANGE_AUDIENCE
from tests.support.project import ROOT
from tests.workflows.github_rules import signs_in
from tests.workflows.pipeline_files import WORKFLOWS, jobs, read

PAGE = (ROOT / "docs" / "pipelines.md").read_text("utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, re.S)

PROGRAMS = """
az() {
  case "$3" in
    federated-credential) echo "$6 ${@: -1}" >&2 ;;
    create) echo "id-of-$5" ;;
    *) echo 1 ;;
  esac
}
gh() { echo "$ANSWER"; return "$STATUS"; }
"""
"""Shell functions: `az` prints federated credentials, each after its app's id, to standard error,
and the id of an app that it makes; `gh` prints the test's answer."""

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
    """The environments of the jobs that can sign in to Azure."""
    found = [job for file in WORKFLOWS for _, job in jobs(read(file))]
    return {job["environment"] for job in found if signs_in(job)}


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
    """One federated credential for each environment, as GitHub writes the subject, of an app of its
    own: the doctor's cannot deploy."""
    ended = subprocess.run(
        [str(shutil.which("bash")), "--norc", "-euc", PROGRAMS + BLOCKS[0]],
        env={"ANSWER": answer, "STATUS": status},
        capture_output=True,
        text=True,
        check=True,
    )
    apps, texts = zip(*(line.split(" ", 1) for line in ended.stderr.splitlines()), strict=True)
    credentials = [json.loads(text) for text in texts]
    by_app = dict(zip(apps, (each["subject"] for each in credentials), strict=True))
    assert by_app == {
        "id-of-contoso-bot-pipeline": f"{prefix}:environment:production",
        "id-of-contoso-bot-doctor": f"{prefix}:environment:doctor",
    }
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


def test_the_doctor_gets_roles_on_the_group_alone() -> None:
    """Those with which a test of the doctor sees everything: one is the page's own."""
    environ = {"SUBSCRIPTION_ID": "s", "ENVIRONMENT": "e", "LOCATION": "l"}
    made, defined, *assigned = pasted(2, environ | {"DOCTOR_PRINCIPAL_ID": "d"})
    group = "/subscriptions/s/resourceGroups/rg-e"
    assert made[:4] == ["group", "create", "--name", "rg-e"]
    role = json.loads(defined[defined.index("--role-definition") + 1])
    assert role["AssignableScopes"] == [group]
    given = [(each[each.index("--role") + 1], each[each.index("--scope") + 1]) for each in assigned]
    names = ("Reader", "Key Vault Reader", "Log Analytics Reader", role["Name"])
    assert given == [(name, group) for name in names]
    assert all("d" in each for each in assigned)


def test_the_identities_get_the_permissions_that_the_page_names() -> None:
    """In Graph, both read applications; the one that deploys changes its own alone."""
    environ = {"CLIENT_ID": "c", "DOCTOR_CLIENT_ID": "d"}
    deploys, _, examines, _ = pasted(3, environ)
    for added, app, names in (
        (deploys, "c", list(PERMISSIONS)),
        (examines, "d", ["Application.Read.All"]),
    ):
        assert added[added.index("--id") + 1] == app
        given = added[added.index("--api-permissions") + 1 :]
        assert given == [f"{PERMISSIONS[name]}=Role" for name in names]
    assert set(re.findall(r"`(Application\.[\w.]+)`", PAGE)) == set(PERMISSIONS)


def test_the_variables_that_turn_the_jobs_on_come_last() -> None:
    """After the environments, and after what the jobs need."""
    variables = re.findall(r"^gh variable set (\w+)", PAGE, re.M)
    assert variables[-2:] == ["AZURE_DOCTOR_CLIENT_ID", "AZURE_CLIENT_ID"]
    assert PAGE.index("make the environments") < PAGE.index("gh variable set")
    conditions = " ".join(
        str(job.get("if")) for file in WORKFLOWS for _, job in jobs(read(file)) if "if" in job
    )
    assert set(re.findall(r"vars\.(\w+)", conditions)) == set(variables[-2:])
