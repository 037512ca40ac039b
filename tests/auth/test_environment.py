"""Environment: URLs, thumbprints, and what is allowed on a developer's machine only."""

import pytest

from auth.settings import Settings
from tests.auth.environs import (
    DEVELOPMENT,
    HOSTING_VARIABLES,
    MANAGED,
    SHA1,
    SINGLE,
    URLS,
    Environ,
    certificate,
    problems,
)


@pytest.mark.parametrize(
    "text",
    [
        SHA1,
        SHA1.lower(),
        ":".join(SHA1[at : at + 2] for at in range(0, 40, 2)),
        " ".join(SHA1[at : at + 2] for at in range(0, 40, 2)).lower(),
        f" {SHA1} ,",
        f"\u200e{SHA1}",
    ],
)
def test_thumbprints(text: str) -> None:
    """Colons, blanks, lower case and the invisible mark that Windows copies are ignored."""
    assert certificate(CertificateThumbprint=text).thumbprints == {SHA1}


def test_several_thumbprints() -> None:
    """Several thumbprints are separated by commas."""
    pins = certificate(CertificateThumbprint=f"{SHA1}, {'f' * 40}").thumbprints
    assert pins == {SHA1, "F" * 40}


@pytest.mark.parametrize("name", [*URLS, "CertificateVaultUrl"])
@pytest.mark.parametrize(
    "url",
    [
        "http://contoso.com",
        "ftp://contoso.com",
        "contoso.com",
        "https://",
        "https://con toso.com",
        "https://<contoso>.com",
        "https://contoso.com:99999",
        "https://[contoso.com",
        "https://user@contoso.com",
        "http://localhost.contoso.com:5000",
    ],
)
def test_urls_are_https(name: str, url: str) -> None:
    """Anything but a plain https URL is refused, also in development."""
    for environ in (SINGLE, {**SINGLE, **DEVELOPMENT}):
        assert problems({**environ, name: url}).keys() == {name}


@pytest.mark.parametrize("name", [*URLS, "CertificateVaultUrl"])
@pytest.mark.parametrize(
    "url", ["http://localhost:5000", "http://127.0.0.1:1", "http://[::1]:65535"]
)
def test_loopback_in_development(name: str, url: str) -> None:
    """http on loopback is accepted in development, and never on a hosting platform."""
    environ = {**SINGLE, name: url}
    assert problems(environ).keys() == {name}
    assert problems({**environ, **DEVELOPMENT}) == {}
    for mark in HOSTING_VARIABLES:
        assert problems({**environ, **DEVELOPMENT, mark: "x"}).keys() == {name}


@pytest.mark.parametrize("value", ["", "Production", "development", "Development2"])
def test_development_is_exact(value: str) -> None:
    """Only the exact value `Development` means development."""
    settings = Settings.from_environ({**MANAGED, "AZURE_FUNCTIONS_ENVIRONMENT": value})
    assert not settings.service_urls.loopback
    assert not settings.development


def test_development() -> None:
    """No hosting platform is a developer's machine, whatever AZURE_FUNCTIONS_ENVIRONMENT says."""
    environ = {**MANAGED, **DEVELOPMENT}
    assert Settings.from_environ(environ).development
    for mark in HOSTING_VARIABLES:
        assert not Settings.from_environ({**environ, mark: "x"}).development


def test_unauthenticated_in_development() -> None:
    """The dangerous switch works on a developer's machine."""
    switch = {"DANGEROUSLY_ALLOW_UNAUTHENTICATED": "True"}
    assert Settings.from_environ({**MANAGED, **DEVELOPMENT, **switch}).unauthenticated


@pytest.mark.parametrize(
    "environ",
    [{}, {"AZURE_FUNCTIONS_ENVIRONMENT": "Production"}]
    + [{**DEVELOPMENT, mark: "something"} for mark in HOSTING_VARIABLES],
)
def test_unauthenticated_elsewhere(environ: Environ) -> None:
    """The switch is refused outside of development, and always on a hosting platform."""
    name = "DANGEROUSLY_ALLOW_UNAUTHENTICATED"
    found = problems({**MANAGED, **environ, name: "true"})
    assert found.keys() == {name}
    assert "remove this setting" in found[name]
    assert all(mark in found[name] for mark in environ.keys() & {*HOSTING_VARIABLES})


def test_core_tools_are_development() -> None:
    """Variables that Core Tools and the local cloud set do not mean a hosting platform."""
    local = {
        "WEBSITE_HOSTNAME": "localhost:7071",
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "IDENTITY_ENDPOINT": "http://localhost:1/token",
        "CONTAINER_NAME": "devcontainer",
    }
    assert Settings.from_environ({**MANAGED, **DEVELOPMENT, **local}).service_urls.loopback


def test_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from the mapping that is passed, not from the process's environment."""
    for name in (*SINGLE, *URLS, "ChannelService", "BotTurns", *HOSTING_VARIABLES):
        monkeypatch.setenv(name, "?")
    monkeypatch.setenv("MicrosoftAppPassword", "?")
    settings = Settings.from_environ({**MANAGED, **DEVELOPMENT})
    assert settings.service_urls.loopback
    assert settings.warnings == ()
