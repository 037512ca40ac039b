"""Detects requests that web pages of other sites send to servers on loopback.

A browser lets any page that a developer visits send requests to loopback. The Host header reveals
DNS rebinding: a foreign name that resolves to 127.0.0.1. The Origin header reveals a page of
another site. Programs send no Origin.
"""

import re
from collections.abc import Mapping

_LOOPBACK_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?")


def has_loopback_host(headers: Mapping[str, str]) -> bool:
    """Whether the Host header names this machine.

    Args:
        headers: of the request; `host` is looked up in lower case.
    """
    return _LOOPBACK_HOST.fullmatch(headers.get("host", "")) is not None


def is_cross_origin(headers: Mapping[str, str], scheme: str = "http") -> bool:
    """Whether a request comes from a page of another origin than the server's.

    Args:
        headers: of the request; `host` and `origin` are looked up in lower case.
        scheme: the server's, `http` or `https`.
    """
    own = f"{scheme}://{headers.get('host', '')}"
    return headers.get("origin", own) != own
