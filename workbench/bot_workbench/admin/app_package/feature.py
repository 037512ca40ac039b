"""Feature: what the manifest needs for something that a bot does."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot_workbench.admin.app_package.problems import PackageRefused
from bot_workbench.admin.migrate.managed_identity.json_text import Path as Place
from bot_workbench.admin.migrate.managed_identity.local_file import LocalFile

FOLDER = "features"
"""Beside the manifest: NAME.json has the feature NAME."""

_SUFFIX = ".json"


@dataclass(frozen=True)
class Feature:
    """Members of a manifest.

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
            PackageRefused: it cannot be read, or is no feature.
        """
        try:
            value = json.loads(LocalFile(path).read())
        except (OSError, ValueError) as error:
            raise PackageRefused(f"{path} cannot be read: {error}") from error
        if not isinstance(value, dict) or not value:
            raise PackageRefused(f"{path} is not a feature: it is not a JSON object with members")
        bot = value.pop("bot", {})
        if "bots" in value or not isinstance(bot, dict):
            text = (
                'write "bot" and an object, whose members are set in each of the manifest\'s bots'
            )
            raise PackageRefused(f"{path} is not a feature: {text}")
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
        PackageRefused: one is unknown, or no feature, or two contradict each other; all such
            reasons are given at once.
    """
    known = {file.stem: file for file in sorted((folder / FOLDER).glob(f"*{_SUFFIX}"))}
    found, reasons = [], []
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
        except PackageRefused as refused:
            reasons += refused.reasons
    if reasons := [*reasons, *_contradictions(found)]:
        raise PackageRefused(*reasons)
    return tuple(found)


def with_features(manifest: Mapping[str, Any], features: Sequence[Feature]) -> dict[str, Any]:
    """A manifest that has the features; the given one stays as it is.

    Raises:
        PackageRefused: a feature is for a bot, and the manifest has none.
    """
    merged: dict[str, Any] = dict(manifest)
    for feature in features:
        merged |= feature.members
        bots = merged.get("bots")
        if not feature.bot:
            continue
        if (
            not isinstance(bots, list)
            or not bots
            or not all(isinstance(each, dict) for each in bots)
        ):
            raise PackageRefused(f'{feature.path} has "bot", but the manifest has no bots')
        merged["bots"] = [each | feature.bot for each in bots]
    return merged


def _contradictions(features: Sequence[Feature]) -> list[str]:
    """Which features set the same member to different values."""
    reasons = []
    said: dict[Place, Feature] = {}
    for feature in features:
        for place, value in feature.places.items():
            other = said.setdefault(place, feature)
            if other.places[place] != value:
                pointer = "".join(f"/{part}" for part in place)
                reasons.append(f"{other.path} and {feature.path} set {pointer} differently")
    return reasons
