"""ServiceUrls: the URLs that the bot may send replies, and with them its bearer token, to."""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from auth.errors import ServiceUrlRefused

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

# Nothing else is allowed in the authority (user info, a backslash, an encoded dot, white space):
# parsers disagree about these, and no channel sends them.
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PORT = "[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
PLAIN_URL = re.compile(
    rf"https?://(?:{_LABEL}(?:\.{_LABEL})*|\[::1\])(?::(?:{_PORT}))?"
    r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?"
)
"""An http(s) URL that all parsers read in the same way."""


def is_secure_url(url: str, *, loopback: bool) -> bool:
    """Whether a bearer token may be sent to a URL: only if it is a plain https URL.

    Args:
        url: any text.
        loopback: whether to allow http on this machine too (development only).
    """
    if not PLAIN_URL.fullmatch(url):
        return False
    parts = urlsplit(url)
    return parts.scheme == "https" or (loopback and parts.hostname in LOOPBACK_HOSTS)


@dataclass(frozen=True)
class ServiceUrls:
    """The allowed service URLs: https, on a known host or a subdomain of one.

    Only the host name is checked, not the address that it resolves to, because private links and
    test environments map these names.

    Args:
        hosts: lower-case host names; their subdomains are allowed too.
        loopback: whether to allow http and https on this machine too (development only).
    """

    hosts: tuple[str, ...]
    loopback: bool = False

    def check(self, url: str) -> None:
        """Check that the bot may call a service URL.

        Raises:
            ServiceUrlRefused: the bot must not call this URL.
        """
        _check(self, url)

    def check_of_bot(self, url: str) -> None:
        """Check that the bot may call the service URL of another bot in AllowedCallers.

        The token that is sent there is valid for that bot only, so any host is allowed.

        Raises:
            ServiceUrlRefused: the bot must not call this URL.
        """
        if not is_secure_url(url, loopback=self.loopback):
            raise ServiceUrlRefused("the other bot's service URL is not a plain https URL")


@functools.lru_cache(maxsize=64)  # a channel has few service URLs; exceptions are not cached
def _check(urls: ServiceUrls, url: str) -> None:
    if not PLAIN_URL.fullmatch(url):
        raise ServiceUrlRefused("the service URL is not a plain http(s) URL")
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if host in LOOPBACK_HOSTS:
        if not urls.loopback:
            raise ServiceUrlRefused("the service URL is on loopback outside of development")
    elif parts.scheme != "https":
        raise ServiceUrlRefused("the service URL is not https")
    elif not _is_within(host, urls.hosts):
        raise ServiceUrlRefused(
            f"the service URL's host {host} is not a channel's;"
            " add it to AllowedServiceHosts if you trust it"
        )


def _is_within(host: str, allowed: Iterable[str]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in allowed)
