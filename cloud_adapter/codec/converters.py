"""What the reader and the writer share: a converter for each class, compiled on first use."""

import functools
import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

Convert = Callable[[Any], Any]

Rule = tuple[type | None, Convert]
"""How values of one msrest type are converted, after the Python type that needs no conversion."""


class Converters(dict[Any, Convert]):
    """The converters by class. A dict lookup takes half the time of a cached function.

    Args:
        compile_converter: makes the converter of a class.
    """

    def __init__(self, compile_converter: Callable[[Any], Convert]) -> None:
        super().__init__()
        self._compile = compile_converter

    def __missing__(self, kind: Any) -> Convert:
        converter = self[kind] = self._compile(kind)
        return converter


@functools.cache  # once for each class
def warn_of_msrest(model: Any, reason: str) -> None:
    """Log that a class is read or written by msrest, because of what the codec does not support."""
    log.warning(
        "%s.%s is left to msrest, which is slow and drops unknown properties: it has %s",
        model.__module__,
        model.__qualname__,
        reason,
    )
