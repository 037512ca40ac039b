"""The problems of settings, as the app finds them."""

import json
from typing import TextIO

from auth.errors import SettingsError
from auth.settings import Settings


def answer(questions: TextIO, answers: TextIO) -> None:
    """Answer until nobody asks any more: for a line with settings, one with what is refused.

    Args:
        questions: JSON objects, the values by their names.
        answers: JSON arrays of SettingsError.problems; an empty one: nothing is refused.
    """
    for line in questions:
        answers.write(f"{json.dumps(refused(json.loads(line)))}\n")
        answers.flush()


def refused(values: dict[str, str]) -> tuple[str, ...]:
    """The problems of settings, each with the setting's name and the cure."""
    try:
        Settings.from_environ(values)
    except SettingsError as wrong:
        return wrong.problems
    return ()
