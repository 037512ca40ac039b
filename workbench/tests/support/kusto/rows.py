"""The rows that a query makes of a line of the log: its filters and columns, evaluated in Python.

It knows what this project's queries use of Kusto, before they summarize or project.
"""

import re
from collections.abc import Callable, Mapping

_TEXT = r"@?'[^']*'|@?\"[^\"]*\""
_COMPARISON = re.compile(
    r"^(?P<column>\w+)"
    r" (?P<operator>startswith|!endswith|endswith|contains|has_any|has|!has|==|!=|in)"
    r" (?P<operand>.+)$",
    re.S,
)
_EXTRACT = re.compile(
    r"(?P<name>\w+) = (?:coalesce\(|toint\(|todatetime\()?"
    r"extract\(@'(?P<pattern>[^']*)', (?P<group>\d), (?P<column>\w+)\)"
    r"(?:, '(?P<otherwise>[^']*)'\))?"
)
_CASE = re.compile(r"(?P<name>\w+) = case\((?P<arms>.+)\)\s*$", re.S)
_PARSE = re.compile(r"parse (?P<column>\w+) with (?P<parts>.+)$", re.S)


def columns(query: str, message: str, **others: str) -> dict[str, str] | None:
    """The columns of a row of AppTraces after the query's filters; None: it is filtered out.

    Args:
        query: the query, or the part of it that reads AppTraces.
        message: the row's Message.
        others: further columns, such as OperationName.
    """
    row = {"Message": message, **others}
    for stage in re.split(r"\n\s*\| ", query):
        operator, *words = stage.split(maxsplit=1)
        rest = words[0] if words else ""
        if operator == "where" and not _holds(rest, row):
            return None
        if operator == "extend":
            row |= _extended(rest, row)
        if operator == "parse":
            row |= _parsed(stage, row)
    return row


def _holds(predicate: str, row: Mapping[str, str]) -> bool:
    return any(
        all(_compares(part.strip(), row) for part in re.split(r"\band\b", alternative))
        for alternative in re.split(r"\bor\b", predicate)
    )


def _compares(text: str, row: Mapping[str, str]) -> bool:
    found = _COMPARISON.match(text)
    if not found or found["column"] not in row:
        return True  # of a time, or of a column that this row has not
    value, words = row[found["column"]], re.findall(_TEXT, found["operand"])
    return _OPERATORS[found["operator"]](value, [word.lstrip("@")[1:-1] for word in words])


def _has(value: str, word: str) -> bool:
    """Kusto's `has`: the word stands between characters that are no letters and digits."""
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", value, re.I))


_OPERATORS: dict[str, Callable[[str, list[str]], bool]] = {
    "startswith": lambda value, words: value.lower().startswith(words[0].lower()),
    "endswith": lambda value, words: value.lower().endswith(words[0].lower()),
    "!endswith": lambda value, words: not value.lower().endswith(words[0].lower()),
    "contains": lambda value, words: words[0].lower() in value.lower(),
    "has": lambda value, words: _has(value, words[0]),
    "!has": lambda value, words: not _has(value, words[0]),
    "has_any": lambda value, words: any(_has(value, word) for word in words),
    "in": lambda value, words: value in words,
    "==": lambda value, words: value == words[0],
    "!=": lambda value, words: value != words[0],
}


def _extended(text: str, row: Mapping[str, str]) -> dict[str, str]:
    if chosen := _CASE.match(text):
        *arms, otherwise = re.split(r",\n\s*", chosen["arms"])
        for arm in arms:
            predicate, _, value = arm.rpartition(", ")
            if _holds(predicate, row):
                return {chosen["name"]: value.strip("'")}
        return {chosen["name"]: otherwise.strip("'")}
    found: dict[str, str] = {}
    for each in _EXTRACT.finditer(text):
        match = re.search(each["pattern"], {**row, **found}.get(each["column"], ""))
        found[each["name"]] = match[int(each["group"])] if match else each["otherwise"] or ""
    return found


def _parsed(stage: str, row: Mapping[str, str]) -> dict[str, str]:
    found = _PARSE.match(stage)
    if not found:
        return {}
    pattern = "".join(
        re.escape(literal) if literal else f"(?P<{name}>.*?)"
        for literal, name in re.findall(r"'([^']*)'|(\w+)(?:: \w+)?", found["parts"])
    )
    match = re.fullmatch(pattern, row[found["column"]], re.S)
    return match.groupdict() if match else {}
