"""The language model of a local run: a developer's own, or the local cloud's."""

import json
import ssl
from pathlib import Path

import pytest

from bot_workbench.commands.run.errors import StartError
from bot_workbench.commands.run.model_settings import model_of_the_developer
from bot_workbench.emulator.certificates import CertificateAuthority

ENDPOINT = "https://contoso.openai.azure.com"


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """The local cloud's authority."""
    return CertificateAuthority(tmp_path).path


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app's folder, without settings."""
    for name in ("AzureOpenAIEndpoint", "AzureOpenAIDeployment", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def write(app: Path, **values: str) -> None:
    """Write local.settings.json."""
    (app / "local.settings.json").write_text(json.dumps({"Values": values}))


def test_nothing_named(app: Path, authority: Path) -> None:
    """Nothing is replaced, also if settings are empty, or name a deployment alone."""
    assert model_of_the_developer(app, authority) == {}
    write(app, AzureOpenAIEndpoint="", AzureOpenAIDeployment="gpt")
    assert model_of_the_developer(app, authority) == {}


def test_the_file(app: Path, authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """local.settings.json names a model; the environment comes first."""
    write(app, AzureOpenAIEndpoint=ENDPOINT, AzureOpenAIDeployment="gpt")
    settings = model_of_the_developer(app, authority)
    assert settings["AzureOpenAIEndpoint"] == ENDPOINT
    assert settings["AzureOpenAIDeployment"] == "gpt"
    monkeypatch.setenv("AzureOpenAIDeployment", "other")
    assert model_of_the_developer(app, authority)["AzureOpenAIDeployment"] == "other"


def test_an_endpoint_alone(app: Path, authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in's deployment is no name for a real one."""
    monkeypatch.setenv("AzureOpenAIEndpoint", ENDPOINT)
    assert model_of_the_developer(app, authority)["AzureOpenAIDeployment"] == ""


def test_trust(app: Path, authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app trusts the local cloud and public authorities, or the developer's own."""
    monkeypatch.setenv("AzureOpenAIEndpoint", ENDPOINT)
    settings = model_of_the_developer(app, authority)
    assert settings["REQUESTS_CA_BUNDLE"] == settings["SSL_CERT_FILE"]
    [local] = trusted(authority)
    assert local in (both := trusted(Path(settings["SSL_CERT_FILE"])))
    assert len(both) > 50
    company = CertificateAuthority(app).path
    monkeypatch.setenv("SSL_CERT_FILE", str(company))
    settings = model_of_the_developer(app, authority)
    assert trusted(Path(settings["SSL_CERT_FILE"])) == {local, *trusted(company)}
    (app / "other").mkdir()
    other = CertificateAuthority(app / "other").path
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    settings = model_of_the_developer(app, authority)
    expected = {local, *trusted(company), *trusted(other)}
    assert trusted(Path(settings["SSL_CERT_FILE"])) == expected


@pytest.mark.parametrize("name", ["missing.pem", "."])
def test_no_file_of_authorities(
    app: Path, authority: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A variable that names a folder, or nothing, does not end the run."""
    monkeypatch.setenv("AzureOpenAIEndpoint", ENDPOINT)
    monkeypatch.setenv("SSL_CERT_FILE", str(app / name))
    settings = model_of_the_developer(app, authority)
    assert len(trusted(Path(settings["SSL_CERT_FILE"]))) > 50


def trusted(file: Path) -> set[bytes]:
    """The certificates that a client trusts which is given a file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(file)
    return set(context.get_ca_certs(binary_form=True))


def test_a_broken_file(app: Path, authority: Path) -> None:
    """The run does not start."""
    (app / "local.settings.json").write_text("{")
    with pytest.raises(StartError, match=r"local\.settings\.json is not JSON"):
        model_of_the_developer(app, authority)
