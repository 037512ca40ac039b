"""The numbers of a private key, in every form in which they may lie in a process's memory."""

import base64
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import rsa

PIECE = 24
"""Bytes whose 32 characters of base64 stand in one line of a PEM (64 characters), whatever the
line begins with."""

PIECES = 4
"""Pieces of each number that are looked for: more than one line of a PEM."""

DIGIT_BITS = 30
"""Of one digit of a Python integer (sys.int_info), which takes four bytes."""


def private_numbers(key: rsa.RSAPrivateKey) -> dict[str, int]:
    """The parts of a key that nobody but its owner may know (RFC 8017, 3.2), by cryptography's
    names."""
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
