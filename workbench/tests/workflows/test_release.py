"""release.yml publishes what it has built, under the version that the base names."""

import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.project import ROOT
from tests.workflows.pipeline_files import DEPLOY, lines, read, scripts, steps

RELEASE = read(DEPLOY.with_name("release.yml"))
BASH = (str(shutil.which("bash")), "--norc", "-eo", "pipefail", "-c")
SBOM = "sbom.cdx.json"
URL = "https://github.com/contoso/bots/releases/download/v1.2.3"
"""Where GitHub has the files of a release."""

MAKE = """
make() {
  printf '%s\\n' "$@" > calls
  mkdir -p artifacts/template/.github artifacts/wheels
  touch artifacts/template/.github/ci.yml artifacts/wheels/x.whl
}
"""
"""A shell function: `make` lays out a template of one file, and a wheel."""

PYTHON = """python() { echo "$*" >> calls; }\n"""
"""A shell function: `python` writes down its arguments."""


@pytest.mark.parametrize(("tag", "status"), [("v{}", 0), ("{}", 1), ("v{}.1", 1), ("v", 1)])
def test_the_tag_is_the_version_of_the_base(tag: str, status: int) -> None:
    """Else nothing is built, and so nothing is published."""
    [version] = re.findall(
        r'^VERSION = "(.*)"$', (ROOT / "composition.py").read_text("utf-8"), re.M
    )
    [script] = [each for each in scripts(RELEASE) if "composition.py" in each]
    given = tag.format(version)
    ended = subprocess.run(
        [*BASH, script],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "GITHUB_REF_NAME": given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == status
    assert (given in ended.stdout and version in ended.stdout) is bool(status)
    assert "build" in RELEASE["jobs"]["publish"]["needs"]


def test_what_was_built_is_published(tmp_path: Path) -> None:
    """The wheel, where the template says that it is, and the whole template, attested."""
    [build] = [each for each in scripts(RELEASE) if "make template" in each]
    environ = {
        "PATH": "/usr/bin:/bin",
        "GITHUB_REPOSITORY": "contoso/bots",
        "GITHUB_REF_NAME": "v1.2.3",
    }
    subprocess.run([*BASH, MAKE + build], cwd=tmp_path, env=environ, check=True)
    arguments = (tmp_path / "calls").read_text("utf-8").splitlines()
    assert arguments == ["template", "TO=artifacts/template", f"WHEELS={URL}"]
    [kept], [taken], attested = (
        [each["with"] for each in steps(RELEASE) if action in each.get("uses", "")]
        for action in ("upload-artifact", "download-artifact", "actions/attest@")
    )
    assert {each.name for each in (tmp_path / kept["path"]).iterdir()} == {
        "x.whl",
        "template.tar.gz",
    }
    with tarfile.open(tmp_path / kept["path"] / "template.tar.gz") as packed:
        assert "./.github/ci.yml" in packed.getnames()
    assert taken == {"name": kept["name"], "path": "release"}
    assert attested == [
        {"subject-path": "release/*"},
        {"subject-path": "release/template.tar.gz", "sbom-path": f"release/{SBOM}"},
    ]
    [released] = lines(RELEASE, "gh ")
    assert released.startswith(f'gh release create "$GITHUB_REF_NAME" {taken["path"]}/* ')
    assert " --verify-tag " in released, "else gh makes a tag that is missing"


def test_what_is_deployed_is_listed(tmp_path: Path) -> None:
    """The packages of requirements.txt with what they need, in a file that is kept, too."""
    pinned = tmp_path / "workbench" / "tests" / "requirements-all.txt"
    pinned.parent.mkdir(parents=True)
    pinned.write_text("copier==1\ncyclonedx-bom==2.3\n", "utf-8")
    [script] = [each for each in scripts(RELEASE) if "cyclonedx_py" in each]
    subprocess.run(
        [*BASH, PYTHON + script], cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, check=True
    )
    [kept] = [each["with"] for each in steps(RELEASE) if "upload-artifact" in each.get("uses", "")]
    made, installed, tool, listed = (tmp_path / "calls").read_text("utf-8").splitlines()
    folder = made.rpartition(" ")[2]
    assert installed == f"-m pip --python {folder} install -r requirements.txt"
    assert tool == "-m pip install cyclonedx-bom==2.3"
    assert listed.endswith(f" --output-file {kept['path']}/{SBOM} {folder}")
