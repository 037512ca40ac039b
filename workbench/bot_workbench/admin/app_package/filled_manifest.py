"""FilledManifest: the manifest with features, and with values in place of its variables."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot_workbench.admin.migrate.managed_identity.developer_files import (
    FilesRefused,
    JsonText,
    Place,
    line_ending,
    pointer,
)
from bot_workbench.admin.migrate.managed_identity.manifest import VARIABLE

FOLDER = "features"
"""Beside the manifest: NAME.json has the feature NAME."""

_SUFFIX = ".json"
_INDENT = "  "


@dataclass(frozen=True)
class Feature:
    """What the manifest needs for something that a bot does.

    Attributes:
        path: the file.
        members: what is set at the manifest's top level; it replaces what is there.
        bot: what is set in each of the manifest's `bots`.
    """

    path: Path
    members: Mapping[str, Any]
    bot: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Feature":
        """Read a file: a JSON object with members of a manifest, and `bot`.

        Raises:
            FilesRefused: it cannot be read, or is no feature.
        """
        value = JsonText.read(path).value
        if not isinstance(value, dict) or not value:
            raise FilesRefused(f"{path} is not a feature: it is not a JSON object with members")
        bot = value.pop("bot", {})
        if "bots" in value or not isinstance(bot, dict):
            text = (
                'write "bot" and an object, whose members are set in each of the manifest\'s bots'
            )
            raise FilesRefused(f"{path} is not a feature: {text}")
        return cls(path, value, bot)

    @property
    def places(self) -> dict[Place, Any]:
        """The values that it sets, by place; ("bots", NAME) is a member of each bot."""
        members: dict[Place, Any] = {(name,): value for name, value in self.members.items()}
        return members | {("bots", name): value for name, value in self.bot.items()}

    def sets(self, place: Place) -> bool:
        """A place in the manifest has what the feature says."""
        return place[:1] in self.places or (place[:1] + place[2:3]) in self.places


def named_features(names: Sequence[str], folder: Path) -> tuple[Feature, ...]:
    """The features, each once, in the order of their names.

    Args:
        names: of features, or paths of files of the user's own, which end in .json.
        folder: of the manifest.

    Raises:
        FilesRefused: one is unknown, or no feature, or two contradict each other; all such
            reasons are given at once.
    """
    known = {file.stem: file for file in sorted((folder / FOLDER).glob(f"*{_SUFFIX}"))}
    found, reasons = list[Feature](), list[str]()
    said: dict[Place, Feature] = {}
    for name in dict.fromkeys(names):
        path = Path(name) if name.endswith(_SUFFIX) else known.get(name)
        if path is None:
            offered = ", ".join(known) or f"none in {folder / FOLDER}"
            reasons.append(
                f"--feature {name} is unknown. Known: {offered}; or a path to a .json file"
            )
            continue
        try:
            found.append(Feature.read(path))
        except FilesRefused as refused:
            reasons += refused.reasons
    for feature in found:
        for place, value in feature.places.items():
            other = said.setdefault(place, feature)
            if other.places[place] != value:
                reasons.append(f"{other.path} and {feature.path} set {pointer(place)} differently")
    if reasons:
        raise FilesRefused(*reasons)
    return tuple(found)


def with_features(manifest: Mapping[str, Any], features: Sequence[Feature]) -> dict[str, Any]:
    """A manifest that has the features; the given one stays as it is.

    Raises:
        FilesRefused: a feature is for a bot, and the manifest has none.
    """
    merged: dict[str, Any] = dict(manifest)
    for feature in features:
        merged |= feature.members
        if not feature.bot:
            continue
        bots = merged.get("bots")
        if not bots or not isinstance(bots, list) or any(not isinstance(one, dict) for one in bots):
            raise FilesRefused(f'{feature.path} has "bot", but the manifest has no bots')
        merged["bots"] = [each | feature.bot for each in bots]
    return merged


def manifest_text(value: Any, indent: str = "") -> str:
    """JSON as a person would lay a manifest out: with a line for each member; a list of texts and
    numbers is one line.

    Args:
        value: parsed JSON.
        indent: of the line that the value starts in.
    """
    inner = indent + _INDENT
    if isinstance(value, dict) and value:
        lines = [
            f"{inner}{json.dumps(name, ensure_ascii=False)}: {manifest_text(each, inner)}"
            for name, each in value.items()
        ]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(each, (dict, list)) for each in value):
        lines = [inner + manifest_text(each, inner) for each in value]
        return "[\n" + ",\n".join(lines) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)


class FilledManifest:
    """manifest.json, read once.

    Args:
        path: the file.
        values: by variable.
        features: what is set in it before the values are filled in.

    Attributes:
        path: the file.
        template: the manifest's text, with the features and without the values.
        text: the manifest's text, with the values.
        value: the same, parsed.
        strings: all its strings by their place.
        variables: the variables of each string, by its place; none if it has none.
        named: the variables, in the order of the manifest.
        missing: those that have no value.

    Raises:
        FilesRefused: the file cannot be read, or is not a manifest, or a feature does not fit it.
    """

    def __init__(
        self, path: Path, values: Mapping[str, str], features: Sequence[Feature] = ()
    ) -> None:
        self.path = path
        template = JsonText.read(path)
        if not isinstance(template.value, dict):
            raise FilesRefused(f"{path} is not a manifest: it is not a JSON object")
        merged = with_features(template.value, features)
        if merged != template.value:
            text = f"{manifest_text(merged)}\n".replace("\n", line_ending(template.text))
            template = JsonText(text)
        self.template, before = template.text, template.strings
        self.variables = {place: VARIABLE.findall(text) for place, text in before.items()}
        self.named = tuple(dict.fromkeys(name for each in self.variables.values() for name in each))
        self.missing = tuple(name for name in self.named if not values.get(name))
        self.strings = {
            place: VARIABLE.sub(lambda match: values.get(match[1]) or match[0], text)
            for place, text in before.items()
        }
        changed = {place: text for place, text in self.strings.items() if text != before[place]}
        self.text = template.with_strings(changed)
        self.value: dict[str, Any] = json.loads(self.text)
