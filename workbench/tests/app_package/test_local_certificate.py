"""local_certificate.sh: a certificate for the bot on this machine, whose key stays here."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from auth.certificates.private_key import certificate_from_bytes
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.credential_kinds import CERTIFICATE
from bot_workbench.emulator.cloud import Cloud
from tests.app_package.conftest import BOT_ID
from tests.app_package.local_file import local_settings
from tests.support.bots.bot_process import BotProcess
from tests.support.project import ROOT
from tests.support.wire.http_post import Caller

SCRIPT = ROOT / "app_package" / "local_certificate.sh"
PEM = Path(".cache") / f"teams-{BOT_ID}.pem"

AZ = """#!{python}
import pathlib, sys
pathlib.Path("calls").open("a").write(" ".join(sys.argv[1:]) + "\\n")
[file] = [each[1:] for each in sys.argv if each.startswith("@")]
pathlib.Path("uploaded").write_text(pathlib.Path(file).read_text())
sys.exit({status})
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script")


def run(folder: Path, status: int = 0, app_id: str = BOT_ID) -> subprocess.CompletedProcess[str]:
    """Run the script in a folder, with a stand-in for `az` that exits with a status."""
    az = folder / "bin" / "az"
    az.parent.mkdir(exist_ok=True)
    az.write_text(AZ.format(python=sys.executable, status=status))
    az.chmod(0o755)
    environ = os.environ | {"PATH": f"{az.parent}{os.pathsep}{os.environ['PATH']}"}
    command = ["sh", str(SCRIPT), app_id]
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


def test_the_bot_can_use_it(tmp_path: Path) -> None:
    """The file has the certificate and its key, only its owner reads it, and nothing is left."""
    assert run(tmp_path).returncode == 0
    certificate = certificate_from_bytes((tmp_path / PEM).read_bytes())
    assert certificate.thumbprint
    assert stat.S_IMODE((tmp_path / PEM).stat().st_mode) == 0o600
    assert [file.name for file in (tmp_path / ".cache").iterdir()] == [PEM.name]


def test_only_the_public_key_is_uploaded(tmp_path: Path) -> None:
    """`az` gets the certificate without its key, adds it, and makes no secret."""
    run(tmp_path)
    uploaded = (tmp_path / "uploaded").read_text()
    assert "BEGIN CERTIFICATE" in uploaded
    assert "PRIVATE KEY" not in uploaded
    [call] = (tmp_path / "calls").read_text().splitlines()
    words = call.split()
    assert words[:6] == ["ad", "app", "credential", "reset", "--id", BOT_ID]
    assert {"--append", "--cert"} <= set(words)


def test_it_is_done_once(tmp_path: Path) -> None:
    """A second run keeps the certificate."""
    run(tmp_path)
    before = (tmp_path / PEM).read_bytes()
    assert run(tmp_path).returncode == 0
    assert (tmp_path / PEM).read_bytes() == before
    assert len((tmp_path / "calls").read_text().splitlines()) == 1


def test_a_failed_upload_is_repeated(tmp_path: Path) -> None:
    """If `az` fails, so does the script, and the next run tries again."""
    assert run(tmp_path, status=1).returncode == 1
    assert not (tmp_path / PEM).exists()
    assert run(tmp_path).returncode == 0
    assert (tmp_path / PEM).exists()


def test_the_bot_signs_in_with_it(tmp_path: Path, logs: Path) -> None:
    """With the settings that m365agents.local.yml writes, the bot gets a token of Entra ID."""
    cloud = Cloud(tmp_path, CERTIFICATE)
    registration = cloud.registration
    run(tmp_path, app_id=registration.app_id)
    uploaded = x509.load_pem_x509_certificate((tmp_path / "uploaded").read_bytes())
    registration.certificates[:] = [uploaded]
    local = local_settings(registration.app_id, registration.tenant_id)
    with CloudThread(cloud) as thread:
        settings = thread.call(cloud.settings)
        for name in ("CertificateVaultUrl", "CertificateName"):
            del settings[name]
        assert settings["MicrosoftAppType"] == local["MicrosoftAppType"]
        log = logs / "local variant.log"
        local["CertificatePath"] = str(tmp_path / local["CertificatePath"])
        with BotProcess(settings | local, log) as bot:
            caller = Caller(bot.url)
            identity = caller.send("GET", "/api/identity", []).json()
            caller.close()
    assert identity["kind"] == CERTIFICATE
    assert (
        identity["certificateThumbprint"]
        == certificate_from_bytes((tmp_path / local["CertificatePath"]).read_bytes()).thumbprint
    )


@pytest.mark.az
def test_the_azure_cli_takes_the_command(tmp_path: Path) -> None:
    """The real az refuses nothing but that nobody is signed in."""
    az = ROOT / ".cache" / "az" / "bin"
    environ = os.environ | {
        "PATH": f"{az}{os.pathsep}{os.environ['PATH']}",
        "AZURE_CONFIG_DIR": str(tmp_path / "config"),
    }
    command = ["sh", str(SCRIPT), BOT_ID]
    done = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "az login" in done.stderr
