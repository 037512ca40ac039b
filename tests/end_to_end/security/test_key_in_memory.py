"""With SignInVault the private key is nowhere in the bot's memory.

The search itself is shown to work: it finds the key of a bot that loads it, and each form of it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from auth.credential_kinds import CERTIFICATE, SIGN_IN_VAULT
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.certificates import private_key_pem
from bot_workbench.emulator.cloud import CERTIFICATE_NAME, Cloud
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.credentials.private_numbers import forms, private_numbers
from tests.support.load.memory_search import MemorySearch
from tests.support.program import Program
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller

pytestmark = [
    pytest.mark.skipif(
        not os.access(f"/proc/{os.getpid()}/mem", os.R_OK), reason="/proc/PID/mem is Linux's"
    ),
    pytest.mark.extended(
        covered_by=[
            "tests/auth/certificates/test_signing.py",
            "tests/end_to_end/security/test_sign_in.py",
        ]
    ),
]

TOKEN_LIFETIME = 61
"""Seconds: such a token serves for one, and is then renewed."""

SIGN_INS = 3
"""The first one, and two renewals."""

HOLDER = """
import json, sys
held = json.loads(sys.stdin.readline())
integers = [int(number, 16) for number in held["numbers"]]
der = bytes.fromhex(held["der"])
print("held", flush=True)
sys.stdin.readline()
"""
"""A program that has a key's numbers in every form, all but OpenSSL's own."""

Scene = tuple[Cloud, BotProcess]


@contextmanager
def talking_bot(credential: str, folder: Path, log: Path) -> Iterator[Scene]:
    """A bot that has signed in three times, and answered turns in between."""
    with CloudThread(Cloud(folder, credential)) as thread:
        cloud = thread.cloud
        cloud.entra.token_lifetime = TOKEN_LIFETIME
        with BotProcess(cloud.settings(), log) as bot:
            user = User(cloud, Caller(bot.url))

            def has_renewed() -> bool:
                assert user.says("hello") == 200
                return cloud.entra.token_outcomes["issued"] >= SIGN_INS

            until(has_renewed)
            user.caller.close()
            yield cloud, bot


def key_of(cloud: Cloud) -> rsa.RSAPrivateKey:
    """The private key of the bot's certificate."""
    return cloud.vault.inventory.versions[CERTIFICATE_NAME][-1].private_key


@pytest.fixture(scope="module")
def vault_bot(tmp_path_factory: pytest.TempPathFactory, logs: Path) -> Iterator[Scene]:
    """A bot whose key signs in the vault."""
    log = logs / "memory SignInVault.log"
    with talking_bot(SIGN_IN_VAULT, tmp_path_factory.mktemp("cloud"), log) as scene:
        yield scene


def test_a_key_that_stays_in_the_vault(vault_bot: Scene) -> None:
    """SignInVault: no number of the private key is in the memory of the bot or its children."""
    cloud, bot = vault_bot
    assert cloud.vault.operations["keys/sign"] >= SIGN_INS
    assert MemorySearch(bot.pid).found(forms(private_numbers(key_of(cloud)))) == set()


def test_nobody_asked_for_the_key(vault_bot: Scene) -> None:
    """SignInVault works without the right to read secrets and keys, and asks for neither."""
    cloud, _ = vault_bot
    rights = cloud.vault_permissions[cloud.reader]
    assert not rights & {"secrets/get", "secrets/list", "keys/get"}
    assert not cloud.vault.inventory.versions[CERTIFICATE_NAME][-1].exportable
    asked = list(cloud.vault.server.requests)
    assert [line for line in asked if "/secrets" in line or line.startswith("GET /keys")] == []
    assert any(line.startswith("POST /keys") and line.endswith("/sign") for line in asked)


def test_a_key_that_is_loaded(tmp_path: Path, logs: Path) -> None:
    """Certificate: the same search finds every number of the key that the bot has loaded."""
    log = logs / "memory Certificate.log"
    with talking_bot(CERTIFICATE, tmp_path, log) as (cloud, bot):
        numbers = private_numbers(key_of(cloud))
        found = MemorySearch(bot.pid).found(forms(numbers))
    assert {f"{name}, little-endian" for name in numbers} <= found


def test_every_form_is_found(key: rsa.RSAPrivateKey) -> None:
    """The search finds a child's numbers in PEM and DER, as integers and in hexadecimal."""
    numbers = private_numbers(key)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    held = {
        "pem": private_key_pem(key).decode(),
        "der": der.hex(),
        "numbers": [f"{number:x}" for number in numbers.values()],
    }
    with Program(
        # The shell does not end before its child, which it would become without the colon.
        ["/bin/sh", "-c", '"$0" -c "$1"; :', sys.executable, HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdin is not None
        shell.stdin.write(f"{json.dumps(held)}\n")
        shell.stdin.flush()
        assert shell.line() == "held\n"
        found = MemorySearch(shell.pid).found(forms(numbers))
    for name in numbers:
        for form in ("big-endian", "Python's integer", "hexadecimal"):
            assert f"{name}, {form}" in found
        assert any(each.startswith(f"{name}, base64") for each in found)
