"""Documents: a folder of Markdown files, in which the assistant looks for passages."""

import re
from dataclasses import dataclass
from pathlib import Path

MAX_PASSAGES = 3


@dataclass(frozen=True)
class Passage:
    """A paragraph of a document."""

    title: str
    text: str

    @property
    def words(self) -> set[str]:
        """The words of the paragraph and of its document's title."""
        return words_of(f"{self.title} {self.text}")


class Documents:
    """The passages of all documents. A document's first line is its title.

    Args:
        folder: it is read once.
    """

    def __init__(self, folder: Path) -> None:
        self._passages: list[Passage] = []
        for file in sorted(folder.glob("*.md")):
            title, *paragraphs = file.read_text("utf-8").strip().split("\n\n")
            for text in paragraphs:
                self._passages.append(Passage(title.lstrip("# "), " ".join(text.split())))

    def search(self, query: str) -> list[Passage]:
        """The best passages, which have at least one word of the query; rare words count more."""
        scores = dict.fromkeys(self._passages, 0.0)
        for word in words_of(query):
            found = [each for each in self._passages if word in each.words]
            for each in found:
                scores[each] += 1 / len(found)
        best = sorted(self._passages, key=lambda each: -scores[each])
        return [each for each in best if scores[each]][:MAX_PASSAGES]


def words_of(text: str) -> set[str]:
    """The words of a text, in lower case."""
    return set(re.findall(r"\w+", text.lower()))
