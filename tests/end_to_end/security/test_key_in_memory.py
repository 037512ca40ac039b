"""With SignInVault the private key is nowhere in the bot's memory.

The search itself is shown to work: it finds the key of a bot that loads it, and each form of it.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
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


PIECE = 24
"""Bytes whose 32 characters of base64 stand in one line of a PEM (64 characters), whatever the
line begins with."""


PIECES = 4
"""Pieces of each number that are looked for: more than one line of a PEM."""


DIGIT_BITS = 30
"""Of one digit of a Python integer (sys.int_info), which takes four bytes."""


def private_numbers(key: rsa.RSAPrivateKey) -> dict[str, int]:
    """What nobody but the key's owner may know (RFC 8017, 3.2), by cryptography's names."""
    numbers = key.private_numbers()
    names = ("d", "p", "q", "dmp1", "dmq1", "iqmp")
    return {name: getattr(numbers, name) for name in names}


def forms(numbers: Mapping[str, int]) -> dict[str, bytes]:
    """The byte strings to look for, by the number's name and the form's."""
    found: dict[str, bytes] = {}
    for name, number in numbers.items():
        raw = number.to_bytes((number.bit_length() + 7) // 8)
        found[f"{name}, big-endian"] = raw
        # Limbs of OpenSSL's numbers on little-endian machines.
        found[f"{name}, little-endian"] = raw[::-1]
        found[f"{name}, Python's integer"] = _digits(number)
        found[f"{name}, hexadecimal"] = raw.hex().encode()
        found |= {f"{name}, base64, {each}": piece for each, piece in enumerate(_base64(raw))}
    return found


def _digits(number: int) -> bytes:
    count = -(-number.bit_length() // DIGIT_BITS)
    mask = (1 << DIGIT_BITS) - 1
    digits = (number >> (DIGIT_BITS * place) & mask for place in range(count))
    return b"".join(digit.to_bytes(4, "little") for digit in digits)


def _base64(raw: bytes) -> list[bytes]:
    """Pieces of the base64 of whatever the number stands in, a PKCS#8 key for one.

    Three bytes make four characters: there are three ways in which they may be parted.
    """
    return [
        base64.b64encode(raw[start : start + PIECE])
        for shift in range(3)
        for start in range(shift, shift + PIECES * PIECE, PIECE)
    ]


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
