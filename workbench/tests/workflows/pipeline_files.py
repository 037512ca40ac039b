"""The files of GitHub Actions, Dependabot and Azure Pipelines, and what they say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.support.project import ROOT

WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
AUTHOR = ROOT / "workbench" / "author"
"""What only a bot's own repository has; deploy.yml and doctor.yml are the base's there, too."""

AUTHORS_CI = AUTHOR / ".github" / "workflows" / "ci.yml"
DEPLOY = ROOT / ".github" / "workflows" / "deploy.yml"
DEPENDABOT = ROOT / ".github" / "dependabot.yml"
AZURE = ROOT / "azure-pipelines.yml"

Document = Mapping[str, Any]


@dataclass(frozen=True)
class PipelineFile:
    """A file.

    Attributes:
        text: as it is, with comments.
    """

    text: str

    @cached_property
    def document(self) -> Document:
        """The YAML as plain mappings and lists (YAML 1.2: `on` is no boolean)."""
        document: Document = YAML(typ="safe").load(self.text)
        return document


def name_of(path: Path) -> str:
    """A file's path in the repository, for the ids of tests."""
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> Document:
    """What a file says."""
    return PipelineFile(path.read_text("utf-8")).document


def mappings(node: Any) -> Iterator[Document]:
    """Every mapping in a document, the document itself first."""
    if isinstance(node, Mapping):
        yield node
    for child in node.values() if isinstance(node, Mapping) else node:
        if isinstance(child, Mapping | list):
            yield from mappings(child)


def jobs(document: Document) -> list[tuple[str, Document]]:
    """The jobs of GitHub or of Azure Pipelines, with their names."""
    found: list[tuple[str, Document]] = []
    for each in mappings(document):
        given: Any = each.get("jobs", ())
        if isinstance(given, dict):
            found += given.items()
        else:
            found += [(job.get("job") or job.get("deployment"), job) for job in given]
    return found


def steps(document: Document) -> list[Document]:
    """The steps of all jobs, whichever system's."""
    return [step for each in mappings(document) for step in each.get("steps", ())]


def scripts(document: Document) -> list[str]:
    """The commands of the steps."""
    texts = [
        step.get("run") or step.get("bash") or step.get("inputs", {}).get("inlineScript", "")
        for step in steps(document)
    ]
    return [text for text in texts if text]


def lines(document: Document, *programs: str) -> list[str]:
    """The lines of all scripts that start one of these programs."""
    every = [line.strip() for script in scripts(document) for line in script.splitlines()]
    return [line for line in every if line.startswith(programs)]
