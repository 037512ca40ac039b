"""What reader and writer share: converters, compiled for each class when it is first needed."""

import functools
import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

Convert = Callable[[Any], Any]

Rule = tuple[type | None, Convert]
"""How values of one msrest type are converted; those of exactly the Python type are not."""


class Converters(dict[Any, Convert]):
    """What reads models, or writes values, by their class; each compiled when it is first needed.

    A dict of this kind is asked in half the time that a cached function takes.

    Args:
        compiled: makes the converter of a class.
    """

    def __init__(self, compiled: Callable[[Any], Convert]) -> None:
        super().__init__()
        self._compiled = compiled

    def __missing__(self, kind: Any) -> Convert:
        converter = self[kind] = self._compiled(kind)
        return converter


@functools.cache
def warn_of_msrest(model: Any, reason: str) -> None:
    log.warning(
        "%s.%s is left to msrest, which is slow and drops unknown properties: it has %s",
        model.__module__,
        model.__qualname__,
        reason,
    )
