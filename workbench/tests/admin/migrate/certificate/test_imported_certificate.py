"""`migrate certificate --file`: a given certificate with its key, imported into the vault."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

from bot_workbench.emulator.certificates import private_key_pem, self_signed
from tests.admin.migrate.route import CERTIFICATE, NAME, Route, key_thumbprint


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """A key of the size that the bot accepts."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def write(path: Path, key: rsa.RSAPrivateKey, **validity: float) -> str:
    """Write a certificate and its key as PEM or PFX, and return its thumbprint."""
    certificate = self_signed("bot", key, **validity)
    if path.suffix == ".pfx":
        path.write_bytes(
            pkcs12.serialize_key_and_certificates(None, key, certificate, None, NoEncryption())
        )
    else:
        public = certificate.public_bytes(serialization.Encoding.PEM)
        path.write_bytes(private_key_pem(key) + public)
    return key_thumbprint(certificate)


@pytest.mark.parametrize("name", ["bot.pem", "bot.pfx"])
def test_a_file_is_imported(
    route: Route, tmp_path: Path, key: rsa.RSAPrivateKey, name: str
) -> None:
    """Its key cannot leave the vault afterwards, and is never printed."""
    file = tmp_path / name
    thumbprint = write(file, key)
    shown = route.done(*CERTIFICATE, "--file", str(file), "--dry-run").output
    assert "<hidden>" in shown
    assert "az keyvault certificate import" in shown
    assert len(max(shown.split(), key=len)) < 1000
    ended = route.done(*CERTIFICATE, "--file", str(file), "--json")
    assert "MII" not in ended.output.replace(_public_keys(ended.output), "")
    assert route.versions() == [thumbprint]
    assert route.added() == [thumbprint]
    assert not route.inventory.versions[NAME][-1].exportable
    again = route.done(*CERTIFICATE, "--file", str(file), "--json")
    assert all(step["changes"] == [] for step in again.json["steps"])


def _public_keys(output: str) -> str:
    """The public certificate that is sent to Graph, which may be shown."""
    return next((word for word in output.split('"') if word.startswith("MII")), "")


def test_another_certificate_of_that_name_is_refused(
    route: Route, tmp_path: Path, key: rsa.RSAPrivateKey
) -> None:
    """The file does not replace what the vault has."""
    route.call(route.inventory.add_version, NAME)
    write(tmp_path / "bot.pem", key)
    assert "another one than the file's" in route.refused(*CERTIFICATE, "--file", "bot.pem")
    assert len(route.versions()) == 1


def test_an_expired_file_is_a_wrong_command_line(
    route: Route, tmp_path: Path, key: rsa.RSAPrivateKey
) -> None:
    """Nothing is imported that the bot could not use."""
    write(tmp_path / "bot.pem", key, starts_in_days=-9, ends_in_days=-1)
    ended = route.run(*CERTIFICATE, "--file", "bot.pem")
    assert ended.status == 2
    assert "expired" in ended.errors


def test_a_small_key_is_a_wrong_command_line(route: Route, tmp_path: Path) -> None:
    """The bot signs with RSA keys of 2048 bits or more."""
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # refused
    write(tmp_path / "bot.pem", small)
    ended = route.run(*CERTIFICATE, "--file", "bot.pem")
    assert ended.status == 2
    assert "2048" in ended.errors


def test_a_file_without_the_key_is_a_wrong_command_line(
    route: Route, tmp_path: Path, key: rsa.RSAPrivateKey
) -> None:
    """A public certificate alone cannot sign."""
    public = self_signed("bot", key).public_bytes(serialization.Encoding.PEM)
    (tmp_path / "bot.pem").write_bytes(public)
    ended = route.run(*CERTIFICATE, "--file", "bot.pem")
    assert ended.status == 2
    assert "private key" in ended.errors
