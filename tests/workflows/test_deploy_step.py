"""The step that publishes the package, run with stand-ins for azd and Core Tools."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.workflows.pipeline_files import AZURE, DEPLOY, read, scripts, steps

BASH = str(shutil.which("bash"))

PROGRAMS = """
azd() { echo func-bot; }
unzip() { { test -d "$4" || mkdir "$4"; } && "$PYTHON" -m zipfile -e "$2" "$4"; }
sleep() { :; }
func() {
  echo "$PWD: $*" >> "$CALLS"
  test -f host.json && test "$(wc -l < "$CALLS")" -gt "$FAILURES"
}
"""
"""Shell functions: `func` notes each call, fails so often, and wants a Functions app around it;
`unzip` makes one folder, as Info-ZIP does, and none above it."""

PACKAGES = {DEPLOY: "artifacts/package.zip", AZURE: "../package/package.zip"}
"""Where the package is, seen from the checkout: GitHub's step downloads it into a folder, and Azure
Pipelines have it beside the checkout, in which nothing is made before."""


@pytest.mark.parametrize(("failures", "calls", "status"), [(0, 1, 0), (2, 3, 0), (9, 5, 1)])
@pytest.mark.parametrize("file", [DEPLOY, AZURE], ids=lambda file: file.name)
def test_the_package_is_published(
    file: Path, failures: int, calls: int, status: int, tmp_path: Path
) -> None:
    """What the package holds is published as it is, again while roles have no effect yet."""
    [script] = [each for each in scripts(read(file)) if "func azure" in each]
    checkout = tmp_path / "checkout"
    package = checkout / PACKAGES[file]
    checkout.mkdir()
    package.parent.mkdir()
    with zipfile.ZipFile(package, "w") as packed:
        packed.writestr("host.json", "{}")
    ended = subprocess.run(
        [BASH, "--norc", "-eo", "pipefail", "-c", PROGRAMS + script],
        cwd=checkout,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHON": str(shutil.which("python3")),
            "PACKAGE": str(package.resolve()),
            "CALLS": str(tmp_path / "calls"),
            "FAILURES": str(failures),
        },
        check=False,
        timeout=100,
    )
    found = (tmp_path / "calls").read_text("utf-8").splitlines()
    [folder] = {line.partition(":")[0] for line in found}
    assert checkout in Path(folder).parents
    assert set(found) == {f"{folder}: azure functionapp publish func-bot --python --no-build"}
    assert (len(found), ended.returncode) == (calls, status)


def test_github_downloads_what_ci_keeps() -> None:
    """The package is where the step unzips it."""
    [kept] = [
        step["with"]
        for step in steps(read(DEPLOY.with_name("ci.yml")))
        if "upload-artifact" in step.get("uses", "") and "if" not in step
    ]
    [taken] = [
        step["with"] for step in steps(read(DEPLOY)) if "download-artifact" in step.get("uses", "")
    ]
    assert taken == {"name": kept["name"], "path": str(Path(kept["path"]).parent)}
    assert any(f"unzip -q {kept['path']} " in script for script in scripts(read(DEPLOY)))


def test_azure_pipelines_have_downloaded_it() -> None:
    """A deployment job has each artifact in a folder of its name."""
    document = read(AZURE)
    [kept] = [
        step["inputs"]
        for step in steps(document)
        if step.get("task") == "PublishPipelineArtifact@1" and "condition" not in step
    ]
    [given] = [
        step["env"]["PACKAGE"] for step in steps(document) if "PACKAGE" in step.get("env", {})
    ]
    file = Path(kept["targetPath"]).name
    assert given == f"$(Pipeline.Workspace)/{kept['artifact']}/{file}"
