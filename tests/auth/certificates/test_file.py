"""CertificateFile: a file in the vault's place."""

import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from auth.certificates.private_key import CertificateFile
from auth.errors import CertificateError
from bot_workbench.emulator.certificates import private_key_pem, self_signed


def write(path: Path, key: rsa.RSAPrivateKey, public: x509.Certificate) -> None:
    """Put both halves into a PEM file."""
    path.write_bytes(private_key_pem(key) + public.public_bytes(Encoding.PEM))


async def test_a_file(key: rsa.RSAPrivateKey, public: x509.Certificate, tmp_path: Path) -> None:
    """A file has one version, the same until it is written."""
    path = tmp_path / "bot.pem"
    write(path, key, public)
    store = CertificateFile(path)
    [version] = await store.versions()
    assert version
    assert await store.versions() == [version]
    assert (await store.load(version)).public == public


async def test_a_rewritten_file(
    key: rsa.RSAPrivateKey, public: x509.Certificate, tmp_path: Path
) -> None:
    """A rewritten or replaced file is another version."""
    path, other = tmp_path / "bot.pem", tmp_path / "other.pem"
    newer = self_signed("bot", key)
    write(path, key, public)
    os.utime(path, ns=(1, 1))
    store = CertificateFile(path)
    [first] = await store.versions()
    write(path, key, newer)
    [second] = await store.versions()
    write(other, key, newer)
    os.utime(other, ns=(1, 1))
    other.replace(path)
    [third] = await store.versions()
    assert len({first, second, third}) == 3
    assert (await store.load(second)).public == newer


@pytest.mark.parametrize("name", ["missing.pem", "."])
async def test_no_such_file(name: str, tmp_path: Path) -> None:
    """What cannot be read is named, with its setting."""
    path = tmp_path / name
    with pytest.raises(CertificateError, match="CertificatePath") as caught:
        await CertificateFile(path).load((await CertificateFile(path).versions())[0])
    assert str(path) in str(caught.value)


async def test_a_file_that_goes_away(
    key: rsa.RSAPrivateKey, public: x509.Certificate, tmp_path: Path
) -> None:
    """So is a file that is gone by the time it is to be read."""
    path = tmp_path / "bot.pem"
    write(path, key, public)
    [version] = await CertificateFile(path).versions()
    path.unlink()
    with pytest.raises(CertificateError, match="CertificatePath"):
        await CertificateFile(path).load(version)


async def test_a_file_that_holds_no_certificate(tmp_path: Path) -> None:
    """A file of another kind is refused, with its setting."""
    path = tmp_path / "bot.pem"
    path.write_bytes(b"garbage")
    with pytest.raises(CertificateError, match="CertificatePath"):
        await CertificateFile(path).load(None)
