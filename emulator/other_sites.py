"""Other sites: a page that a developer visits must not act on this machine through the browser.

Browsers let any page send requests to loopback. The Host header shows a name that was rebound to
127.0.0.1, the Origin header shows a page of another site. Programs send no Origin.
"""

import re
from collections.abc import Mapping

_LOCAL_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?")


def has_local_host(headers: Mapping[str, str]) -> bool:
    """Whether a request names this machine: `host` is looked up by this name."""
    return _LOCAL_HOST.fullmatch(headers.get("host", "")) is not None


def has_other_origin(headers: Mapping[str, str], scheme: str = "http") -> bool:
    """Whether a request comes from a page that another server than the addressed one has served.

    Args:
        headers: of the request; `host` and `origin` are looked up by these names.
        scheme: `http` or `https`, as the server speaks it.
    """
    own = f"{scheme}://{headers.get('host', '')}"
    return headers.get("origin", own) != own
