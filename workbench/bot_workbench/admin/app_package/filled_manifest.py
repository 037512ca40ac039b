"""FilledManifest: the manifest with values in place of its variables."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot_workbench.admin.app_package.feature import Feature, with_features
from bot_workbench.admin.app_package.manifest_text import manifest_text
from bot_workbench.admin.app_package.problems import PackageRefused
from bot_workbench.admin.migrate.managed_identity.json_text import JsonText
from bot_workbench.admin.migrate.managed_identity.json_text import Path as Place
from bot_workbench.admin.migrate.managed_identity.local_file import LocalFile

_VARIABLE = re.compile(r"\$\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
"""Source: Microsoft 365 Agents Toolkit, "Customize app manifest": `${{NAME}}`."""


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

    Raises:
        PackageRefused: the file cannot be read, or is not a manifest, or a feature does not fit it.
    """

    def __init__(
        self, path: Path, values: Mapping[str, str], features: Sequence[Feature] = ()
    ) -> None:
        self.path = path
        try:
            template = JsonText(LocalFile(path).read())
        except (OSError, ValueError) as error:
            raise PackageRefused(f"{path} cannot be read: {error}") from error
        if not isinstance(template.value, dict):
            raise PackageRefused(f"{path} is not a manifest: it is not a JSON object")
        self._features = features
        merged = with_features(template.value, features)
        if merged != template.value:
            ending = "\r\n" if "\r\n" in template.text else "\n"
            template = JsonText(f"{manifest_text(merged)}\n".replace("\n", ending))
        self.template = template.text
        self._templates = template.strings
        self._values = values
        filled = {place: self._filled(text) for place, text in self._templates.items()}
        changed = {place: text for place, text in filled.items() if text != self._templates[place]}
        self.text = template.with_strings(changed)
        self.value: dict[str, Any] = json.loads(self.text)

    @property
    def strings(self) -> dict[Place, str]:
        """All strings by their place, with the values."""
        return {place: self._filled(text) for place, text in self._templates.items()}

    @property
    def named(self) -> tuple[str, ...]:
        """The variables, in the order of the manifest."""
        named = (name for text in self._templates.values() for name in _VARIABLE.findall(text))
        return tuple(dict.fromkeys(named))

    @property
    def missing(self) -> tuple[str, ...]:
        """The variables that have no value, in the order of the manifest."""
        return tuple(name for name in self.named if not self._values.get(name))

    def features(self, place: Place) -> tuple[Path, ...]:
        """The files of the features that set what is at a place."""
        return tuple(feature.path for feature in self._features if feature.sets(place))

    def variables(self, place: Place) -> tuple[str, ...]:
        """The variables of the string at a place; empty if there are none, or no string."""
        return tuple(_VARIABLE.findall(self._templates.get(place, "")))

    def _filled(self, text: str) -> str:
        return _VARIABLE.sub(lambda match: self._values.get(match[1]) or match[0], text)
