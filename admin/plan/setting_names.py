"""Names of app settings, compared without regard to case, as Windows and .NET compare them."""

from collections.abc import Mapping


def same_name(one: str, other: str) -> bool:
    """Whether two names are one setting's."""
    return one.lower() == other.lower()


def setting(settings: Mapping[str, str], name: str) -> str:
    """The value of a setting, however its name is written; empty if it is not set.

    Args:
        settings: of an app.
        name: of the setting.
    """
    if name in settings:
        return settings[name]
    return next((value for found, value in settings.items() if same_name(found, name)), "")
