"""Other sites: a page that a developer visits must not act on this machine through the browser.

Browsers let any page send requests to loopback. The Host tells a name that was rebound to
127.0.0.1, the Origin a page of another site. With https any name will do: no browser trusts the
local certificates, and test set-ups map the names of Microsoft's services to this machine.
"""

import re
from collections.abc import Mapping

_LOCAL_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?")


def is_from_another_site(headers: Mapping[str, str], scheme: str = "http") -> bool:
    """Whether a request comes from a page of another site.

    Programs send no Origin and are let through; so are pages that the addressed server has served.

    Args:
        headers: of the request; `host` and `origin` are looked up by these names.
        scheme: `http` or `https`, as the server speaks it.
    """
    host = headers.get("host", "")
    if scheme == "http" and not _LOCAL_HOST.fullmatch(host):
        return True
    own = f"{scheme}://{host}"
    return headers.get("origin", own) != own
