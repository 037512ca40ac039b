"""Paging: the pages of Key Vault's lists."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from bot_workbench.emulator.key_vault.errors import bad_parameter

PAGE_SIZE = 25
"""Maximum number of items in one response (Key Vault REST reference, `maxresults`)."""


def page(request: web.Request, url: str, items: Sequence[object]) -> Mapping[str, object]:
    """The requested page of a list, with the link to the next one.

    Args:
        request: names the page with `$skiptoken` and its size with `maxresults`.
        url: the vault's base URL.
        items: the whole list.

    Raises:
        VaultError: 400, the page or its size is not a number, or is too small.
    """
    start = _number(request, "$skiptoken", 0, least=0)
    size = min(_number(request, "maxresults", PAGE_SIZE, least=1), PAGE_SIZE)
    answer: dict[str, object] = {"value": list(items[start : start + size]), "nextLink": None}
    if start + size < len(items):
        query = {**request.query, "$skiptoken": str(start + size), "maxresults": str(size)}
        answer["nextLink"] = f"{url}{request.rel_url.with_query(query)}"
    return answer


def _number(request: web.Request, name: str, default: int, *, least: int) -> int:
    value = request.query.get(name, str(default))
    if not value.isdecimal() or int(value) < least:
        raise bad_parameter(f"{name} must be a whole number, at least {least}.")
    return int(value)
