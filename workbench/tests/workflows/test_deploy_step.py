"""The step that publishes the package and proves it, run with a stand-in for azd."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.workflows.pipeline_files import (
    AUTHORS_CI,
    AZURE,
    DEPLOY,
    name_of,
    read,
    scripts,
    steps,
)

BASH = str(shutil.which("bash"))

PROGRAMS = """
azd() {
  test "$*" = "deploy bot --from-package artifacts/package.zip --no-prompt" || return 99
  echo call >> "$FOLDER/calls"
  cat "$FOLDER/$(wc -l < "$FOLDER/calls" | tr -d ' ').txt"
  return "$(cat "$FOLDER/$(wc -l < "$FOLDER/calls" | tr -d ' ').status")"
}
sleep() { echo "sleep $1" >> "$FOLDER/sleeps"; }
"""
"""Shell functions: `azd` answers each call as the test says."""

TITLE = "\nDeploying services (azd deploy)\n\n"
_FAILED = f"{TITLE}ERROR: deploying service bot: failed deploying service 'bot': "
_HOOK = "'postdeploy' hook failed with exit code: '{}', Path: 'infra/hooks/postdeploy.py'. : "

_ZIP = f"{_FAILED}publishing zip file: "
FORBIDDEN = f"{_ZIP}deployment failed: InaccessibleStorageException: ... (403) ...\n"
NO_REASON = f"{_ZIP}deployment failed: \n"
REFUSED = f"{_ZIP}POST https://bot.azurewebsites.net/api/publish\nRESPONSE 403: 403 Forbidden\n"
NOT_FOUND = (
    f"{TITLE}ERROR: publishing service bot: getting target resource: unable to find a resource"
    " tagged with 'azd-service-name: bot'\n"
)
"""Resource Manager's list of a group's resources is some minutes late."""

PROOF = f"{TITLE}ERROR: failed running post hooks: {_HOOK.format(1)}exit code: 1\n"
UNREACHABLE = f"{TITLE}ERROR: failed running post hooks: {_HOOK.format(3)}exit code: 3\n"
TIMEOUT = (
    f"{TITLE}ERROR: deployment of service 'bot' timed out after 1200 seconds. To increase, ...\n"
)
SIGNED_OUT = "ERROR: not logged in, run `azd auth login` to login\n"
DONE = f"{TITLE}SUCCESS: Your application was deployed to Azure in 20 seconds.\n"
"""What azd 1.32 says. Source: cli/azd in Azure/azure-dev: pkg/azsdk/funcapp_host_client.go,
pkg/project/service_manager.go, internal/cmd/service_graph.go and pkg/ext/hooks_runner.go. A publish
that was lost counts as done for azd; then the proof fails."""


PUBLISHES = (FORBIDDEN, NO_REASON, REFUSED, NOT_FOUND)
"""What is repeated."""


def run(file: Path, answers: Sequence[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the step in a checkout with the package; of each answer, azd fails unless it is done."""
    [script] = [each for each in scripts(read(file)) if "azd deploy" in each]
    for number, text in enumerate(answers, 1):
        (folder / f"{number}.txt").write_text(text)
        (folder / f"{number}.status").write_text("0" if text == DONE else "1")
    checkout = folder / "checkout"
    (checkout / "artifacts").mkdir(parents=True)
    return subprocess.run(
        [BASH, "--norc", "-eo", "pipefail", "-c", PROGRAMS + script],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", "FOLDER": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ([DONE], 0),
        ([FORBIDDEN, NO_REASON, DONE], 0),
        ([REFUSED, DONE], 0),
        ([NOT_FOUND, DONE], 0),
        ([FORBIDDEN] * 5, 1),
        ([PROOF], 1),
        ([UNREACHABLE], 1),
        ([FORBIDDEN, PROOF], 1),
        ([TIMEOUT], 1),
        ([SIGNED_OUT], 1),
    ],
)
@pytest.mark.parametrize("file", [DEPLOY, AZURE], ids=lambda file: file.name)
def test_a_failed_publish_is_repeated(
    file: Path, answers: list[str], status: int, tmp_path: Path
) -> None:
    """While roles have no effect yet, a minute apart; a proof that failed is not. All is shown."""
    ended = run(file, [*answers, DONE], tmp_path)
    calls = (tmp_path / "calls").read_text("utf-8").splitlines()
    assert (len(calls), ended.returncode) == (len(answers), status)
    for answer in answers:
        assert answer in ended.stdout
    slept = (tmp_path / "sleeps").read_text() if (tmp_path / "sleeps").exists() else ""
    failed = [each for each in answers if each in PUBLISHES]
    assert slept.splitlines() == ["sleep 60"] * len(failed)


@pytest.mark.parametrize("file", [DEPLOY, AZURE], ids=lambda file: file.name)
def test_the_log_shows_it_while_it_runs(file: Path, tmp_path: Path) -> None:
    """What the proof waits for is seen before it ends."""
    [script] = [each for each in scripts(read(file)) if "azd deploy" in each]
    (tmp_path / "artifacts").mkdir()
    waits = "azd() { echo begun; read -r -t 20 answer <> go && echo $answer; }\n"
    subprocess.run(["/usr/bin/mkfifo", str(tmp_path / "go")], check=True)
    with subprocess.Popen(
        [BASH, "--norc", "-eo", "pipefail", "-c", waits + script],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout
        assert running.stdout.readline() == "begun\n"
        (tmp_path / "go").write_text("ended\n")
        assert running.stdout.read() == "ended\n"
    assert running.returncode == 0


@pytest.mark.parametrize("ci", [DEPLOY.with_name("ci.yml"), AUTHORS_CI], ids=name_of)
def test_github_downloads_what_ci_keeps(ci: Path) -> None:
    """The package is where the step, and the hook that proves it, look for it."""
    [kept] = [
        step["with"]
        for step in steps(read(ci))
        if "upload-artifact" in step.get("uses", "") and "if" not in step
    ]
    [taken] = [
        step["with"] for step in steps(read(DEPLOY)) if "download-artifact" in step.get("uses", "")
    ]
    assert kept["path"] == "artifacts/package.zip"
    assert taken == {"name": kept["name"], "path": "artifacts"}


def test_azure_pipelines_copy_what_they_keep(tmp_path: Path) -> None:
    """A deployment job has each artifact in a folder of its name."""
    document = read(AZURE)
    [kept] = [
        step["inputs"]
        for step in steps(document)
        if step.get("task") == "PublishPipelineArtifact@1" and "condition" not in step
    ]
    assert kept["targetPath"] == "artifacts/package.zip"
    [script] = [each for each in scripts(document) if "PIPELINE_WORKSPACE" in each]
    (tmp_path / kept["artifact"]).mkdir()
    (tmp_path / kept["artifact"] / "package.zip").write_text("the package")
    checkout = tmp_path / "s"
    checkout.mkdir()
    subprocess.run(
        [BASH, "--norc", "-euc", script],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", "PIPELINE_WORKSPACE": str(tmp_path)},
        check=True,
    )
    assert (checkout / "artifacts" / "package.zip").read_text("utf-8") == "the package"
