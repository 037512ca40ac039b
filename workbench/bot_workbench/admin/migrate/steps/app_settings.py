"""AppSettings: settings of a Function App have given values, and the others stay as they are."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial

from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.setting_names import same_name
from bot_workbench.admin.plan.shell import az, quoted, wrapped
from bot_workbench.admin.plan.site_settings import SiteSettings
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target

Settings = Mapping[str, str]


class AppSettings:
    """Settings of a Function App.

    Each change is made from a read, and not sent if another read just before it differs (see
    SiteSettings). Values of other settings may be secrets, and are never printed.

    Args:
        target: has the Function App.
        values: makes the settings that must be so from those that are there now. A value may be a
            shell variable if it is not known yet.
        removed: names of settings that must not exist.
        question: what to ask before a change; it is empty if there is nothing to ask.
    """

    title = "App settings"

    def __init__(
        self,
        target: Target,
        values: Callable[[Settings], Settings],
        removed: Collection[str] = (),
        question: Callable[[], str] = str,
    ) -> None:
        self._target = target
        self._values = values
        self._removed = removed
        self._question = question

    def look(self) -> Finding:
        """Read the settings, and compare them.

        Raises:
            AzureProblem: they cannot be read.
        """
        current, app = self._target.settings(), self._target.site_id
        wanted = self._values(current)
        differing = {name: value for name, value in wanted.items() if current.get(name) != value}
        # The app reads a setting by its exact name, and beside it no other spelling may decide.
        misspelled = {name for name in current if name not in wanted and _in(wanted, name)}
        left = sorted({name for name in current if _in(self._removed, name)} | misspelled)
        if not differing and not left:
            return Finding(f"no setting of {app.name} needs a change")
        names = [*sorted(differing), *(f"not {name}" for name in left)]
        return Finding(
            f"settings of {app.name} to change: {', '.join(names)}",
            changes=(self._change(current, differing, left),),
            question=self._question(),
        )

    def _change(self, current: Settings, differing: Settings, left: list[str]) -> Change:
        app, arm = self._target.site_id, self._target.azure.arm
        kept = {name: value for name, value in current.items() if name not in left}
        properties = {**kept, **differing}
        acts = []
        if differing:
            acts.append(f"set {', '.join(sorted(differing))}")
        if left:
            acts.append(f"delete {', '.join(left)}")
        act = " and ".join(acts)
        return Change(
            method="PUT",
            url=arm.url(f"{app.id}/config/appsettings"),
            body={"properties": properties},
            summary=f"{act[0].upper()}{act[1:]} in the settings of {app.name}, and keep its"
            f" other settings ({len(kept.keys() - differing.keys())}); the app restarts",
            az=self._az(differing, left),
            hidden=frozenset(kept.keys() - differing.keys()),
            send=partial(SiteSettings(arm, app.id, current).replace, properties),
        )

    def _az(self, differing: Settings, left: list[str]) -> tuple[str, ...]:
        place, lines = self._target.site_id.az_options, []
        if left:
            names = " ".join(map(quoted, left))
            command = az("functionapp config appsettings delete", place)
            lines.append(f"{command} --setting-names {names}")
        if differing:
            pairs = [quoted(f"{name}={value}") for name, value in sorted(differing.items())]
            command = az("functionapp config appsettings set", place)
            lines.append(wrapped([f"{command} --settings", *pairs]))
        return tuple(lines)


def _in(names: Iterable[str], name: str) -> bool:
    return any(same_name(each, name) for each in names)
