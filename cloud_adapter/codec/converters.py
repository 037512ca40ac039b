"""Converters, which the reader and the writer share: one for each class, compiled on first use."""

import functools
import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

Convert = Callable[[Any], Any]

Rule = tuple[type | None, Convert]
"""The rule for values of one msrest type: the Python type that needs no conversion, if there is
one, and the function that converts all other values."""


class Converters(dict[Any, Convert]):
    """The converters by class. A dict lookup takes half the time of a cached function.

    Args:
        compile_converter: creates the converter for a class.
    """

    def __init__(self, compile_converter: Callable[[Any], Convert]) -> None:
        super().__init__()
        self._compile = compile_converter

    def __missing__(self, kind: Any) -> Convert:
        converter = self[kind] = self._compile(kind)
        return converter


@functools.cache  # once for each class
def warn_of_msrest(model: Any, reason: str) -> None:
    """Log that msrest reads or writes a class, and which feature the codec does not support."""
    log.warning(
        "%s.%s is left to msrest, which is slow and drops unknown properties: it has %s",
        model.__module__,
        model.__qualname__,
        reason,
    )
