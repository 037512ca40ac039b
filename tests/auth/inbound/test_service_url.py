"""ServiceUrls: the bot calls channels only, however a URL is written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from auth.errors import ServiceUrlRefused
from auth.inbound.caller import LOOPBACK_HOSTS, ServiceUrls

HOSTS = ("botframework.com", "smba.trafficmanager.net")

ALLOWED = (
    "https://botframework.com",
    "https://botframework.com/",
    "https://webchat.botframework.com/",
    "https://a.b-c.d1.botframework.com/",
    "https://smba.trafficmanager.net/amer/",
    "https://smba.trafficmanager.net/amer/7b5c0d1e-1111-2222-3333-444444444444/",
    "https://SMBA.TrafficManager.net/amer/",
    "https://smba.trafficmanager.net:443/",
    "https://smba.trafficmanager.net:65535/",
    "https://smba.trafficmanager.net/a/@b/%20/c;d=e",
)

LOOPBACK = (
    "http://localhost",
    "http://localhost:3978/",
    "https://localhost:3978/",
    "http://LOCALHOST:3978/",
    "http://127.0.0.1:5000",
    "http://127.0.0.1:65000/",
    "http://127.0.0.1:65535/",
    "http://[::1]:5000/",
    "https://[::1]/",
)

REFUSED = (
    "",
    " ",
    "https:",
    "https://",
    "https:///",
    "https:///smba.trafficmanager.net/",
    "https:smba.trafficmanager.net/",
    "https:/smba.trafficmanager.net/",
    "//smba.trafficmanager.net/",
    "smba.trafficmanager.net",
    "/amer/",
    # schemes
    "http://smba.trafficmanager.net/",
    "HTTPS://smba.trafficmanager.net/",
    "ftp://smba.trafficmanager.net/",
    "wss://smba.trafficmanager.net/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "urn:botframework:webchat",
    "https+unix://smba.trafficmanager.net/",
    # other hosts
    "https://example.com/",
    "https://example.com/botframework.com",
    "https://example.com/?botframework.com",
    "https://example.com/#botframework.com",
    "https://example.com#.botframework.com/",
    "https://example.com?.botframework.com/",
    "https://example.com;.botframework.com/",
    "https://notbotframework.com/",
    "https://botframework.com.example.com/",
    "https://botframework.co/",
    "https://com/",
    "https://smba.trafficmanager.net.example.com/",
    "https://other.trafficmanager.net/",
    "https://trafficmanager.net/",
    "https://botframework-com/",
    "https://botframeworkxcom/",
    # user-info
    "https://botframework.com@example.com/",
    "https://botframework.com:443@example.com/",
    "https://user@smba.trafficmanager.net/",
    "https://user:password@smba.trafficmanager.net/",
    "https://@smba.trafficmanager.net/",
    "https://example.com@smba.trafficmanager.net/",
    # what parsers read in different ways
    "https://example.com\\.botframework.com/",
    "https://example.com\\@smba.trafficmanager.net/",
    "https:\\\\smba.trafficmanager.net/",
    "https://smba.trafficmanager.net\\@example.com/",
    "https://smba.trafficmanager.net/a\\b",
    "https://example.com%2ebotframework.com/",
    "https://example%2ecom/.botframework.com/",
    "https://smba%2etrafficmanager.net/",
    "https://example.com%00.botframework.com/",
    "https://example.com\x00.botframework.com/",
    # white space
    " https://smba.trafficmanager.net/",
    "https://smba.trafficmanager.net/ ",
    "https://smba.trafficmanager.net/\n",
    "https://smba.trafficmanager.net/\r\nX-Injected: 1",
    "https://smba.traffic\tmanager.net/",
    "https://smba.trafficmanager.net /",
    "https:// smba.trafficmanager.net/",
    "https://smba.trafficmanager.net/a b",
    # dots and labels
    "https://smba.trafficmanager.net./",
    "https://.botframework.com/",
    "https://..botframework.com/",
    "https://a..botframework.com/",
    "https://-.botframework.com/",
    "https://a-.botframework.com/",
    "https://_.botframework.com/",
    "https://*.botframework.com/",
    f"https://{'a' * 64}.botframework.com/",
    # not ASCII
    "https://botframework\u3002com/",
    "https://example.com\u3002botframework.com/",
    "https://example.com\uff0f.botframework.com/",
    "https://botfram\u0435work.com/",
    "https://\u017fmba.trafficmanager.net/",
    "https://smba.trafficmanager.net/\u00e4",
    # addresses
    "https://169.254.169.254/",
    "https://10.0.0.1/",
    "https://0/",
    "https://[::ffff:7f00:1]/",
    "https://[fd00::1]/",
    "https://[botframework.com]/",
    "https://::1/",
    "https://[::1].botframework.com/",
    "https://2130706433/",
    "https://127.1/",
    "https://localhost.example.com/",
    # ports
    "https://smba.trafficmanager.net:65536/",
    "https://smba.trafficmanager.net:70000/",
    "https://smba.trafficmanager.net:99999/",
    "https://smba.trafficmanager.net:123456/",
    "https://smba.trafficmanager.net:/",
    "https://smba.trafficmanager.net:-1/",
    "https://smba.trafficmanager.net:+443/",
    "https://smba.trafficmanager.net:https/",
    "https://smba.trafficmanager.net:443:443/",
    "https://smba.trafficmanager.net:\u0664\u0664\u0663/",
    # queries and fragments: paths are put behind the service URL
    "https://smba.trafficmanager.net/?q",
    "https://smba.trafficmanager.net/#f",
    "https://smba.trafficmanager.net?q",
)


@pytest.mark.parametrize("loopback", [False, True])
@pytest.mark.parametrize("url", ALLOWED)
def test_channels(url: str, loopback: bool) -> None:
    """https on a channel's host, or on a subdomain of one, is allowed anywhere."""
    ServiceUrls(HOSTS, loopback).check(url)


@pytest.mark.parametrize("loopback", [False, True])
@pytest.mark.parametrize("url", REFUSED)
def test_anybody_else(url: str, loopback: bool) -> None:
    """Everything else is refused, in development too."""
    with pytest.raises(ServiceUrlRefused):
        ServiceUrls(HOSTS, loopback).check(url)


@pytest.mark.parametrize("url", LOOPBACK)
def test_loopback(url: str) -> None:
    """This machine, by http too, is allowed in development only."""
    ServiceUrls(HOSTS, loopback=True).check(url)
    with pytest.raises(ServiceUrlRefused):
        ServiceUrls(HOSTS).check(url)


def test_loopback_host_on_the_list() -> None:
    """Nor does the list of hosts let loopback in."""
    with pytest.raises(ServiceUrlRefused, match="loopback outside of development"):
        ServiceUrls(("localhost", "127.0.0.1")).check("https://localhost/")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://user@botframework.com/", "not a plain"),
        ("http://botframework.com/", "not https"),
        ("https://example.com/", "example.com is not a channel's; add it to AllowedServiceHosts"),
    ],
)
def test_reasons(url: str, reason: str) -> None:
    """The reason names the cure where there is one."""
    with pytest.raises(ServiceUrlRefused, match=reason):
        ServiceUrls(HOSTS).check(url)


PIECES = st.sampled_from(
    [
        *("https://", "http://", "botframework.com", "example.com", "localhost", "127.0.0.1"),
        *("[::1]", "%2e", "%2f", "%40", "443", "65536", "\u3002", "\uff0f", "\u017f", "a"),
        *"/\\@:?#.%-_;&=[] \t\n\0",
    ]
)


@settings(database=None, deadline=None, max_examples=500)
@given(st.lists(PIECES, max_size=8).map("".join))
def test_the_client_reads_the_same_host(tail: str) -> None:
    """Whatever passes, the HTTP client goes to the host that was checked."""
    url = f"https://{tail}"
    try:
        ServiceUrls(HOSTS, loopback=True).check(url)
    except ServiceUrlRefused:
        return
    host = URL(url).host or ""
    assert host in LOOPBACK_HOSTS or f".{host}".endswith(tuple(f".{name}" for name in HOSTS))
