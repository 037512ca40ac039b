"""Near misses: the name or the value that was probably meant by one that nothing reads."""

import re
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher, get_close_matches

ALIKE = 0.88
"""The likeness that two names must have: two letters that differ are a slip in a long name only."""

MAX_SLIPS = 2
"""Letters that are missing, added or wrong, each by itself: two in a row make another word, so
that the name is somebody's own (`CertificateFolder`)."""

ANY_ALIKE = 0.5
"""The likeness that two values must have. One that is not allowed is wrong in any case."""

_MARKS = re.compile(r"[^a-z0-9]")
_DIGIT = re.compile(r"\d")


def meant_name(name: str, known: Iterable[str]) -> str:
    """The known name of which another one is a slip; empty: it is known, or somebody's own.

    Neither case nor punctuation counts, nor the order of the letters. Another digit is never a
    slip: `CertificateName2` is a second one.

    Args:
        name: as somebody has written it.
        known: the names that are read.
    """
    names = list(known)
    if name in names:
        return ""
    return max((each for each in names if _is_slip(name, each)), key=_likeness(name), default="")


def meant_value(text: str, allowed: Iterable[str]) -> str:
    """The allowed value that is most like another one; empty: none is.

    Args:
        text: as somebody has written it.
        allowed: the only values.
    """
    by_word = {value.lower(): value for value in allowed}
    near = get_close_matches(text.strip().lower(), by_word, n=1, cutoff=ANY_ALIKE)
    return by_word[near[0]] if near else ""


def _is_slip(name: str, known: str) -> bool:
    one, other = _plain(name), _plain(known)
    if sorted(one) == sorted(other):
        return True
    if _DIGIT.findall(one) != _DIGIT.findall(other):
        return False
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    differing = [each for each in matcher.get_opcodes() if each[0] != "equal"]
    return (
        len(differing) <= MAX_SLIPS
        and all(max(b - a, d - c) == 1 for _, a, b, c, d in differing)
        and matcher.ratio() >= ALIKE
    )


def _likeness(name: str) -> Callable[[str], float]:
    return lambda known: SequenceMatcher(None, _plain(name), _plain(known), autojunk=False).ratio()


def _plain(name: str) -> str:
    return _MARKS.sub("", name.lower())
