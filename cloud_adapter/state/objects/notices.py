"""Warnings about stored objects, each logged once."""

import logging
from functools import lru_cache

log = logging.getLogger(__name__)


@lru_cache(maxsize=256)
def warn_once(text: str, *arguments: str) -> None:
    """Log a warning, unless it has been logged since the bot was loaded."""
    log.warning(text, *arguments)
