"""Assertions: a client's assertion with one fault or none, and a token request with it."""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt
import pytest

from bot_workbench.emulator.certificates import x5t, x5t_s256
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.sign_in.token_request import ASSERTION_TYPE
from tests.emulator.registered_bot import APP_ID, SCOPE, TENANT


@dataclass
class Broken:
    """A good assertion with one thing changed.

    Attributes:
        code: what Entra answers.
        text: a part of its message.
        claims: replaced claims; None leaves a claim out, times are seconds from now, `{base}` in an
            audience is the tenant's URL.
        header: replaced header parameters; None leaves one out.
        signer: which key signs: `key` is the certificate's.
        of: the certificate that the header names.
    """

    code: int
    text: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "PS256"
    signer: str = "key"
    of: str = "certificate"


def addressed(audience: Any, base: str) -> Any:
    if isinstance(audience, list):
        return [addressed(one, base) for one in audience]
    return audience and audience.format(base=base)


def assertion(entra: Entra, request: pytest.FixtureRequest, broken: Broken) -> str:
    certificate = request.getfixturevalue(broken.of)
    signer = "x" * 32 if broken.signer == "text" else request.getfixturevalue(broken.signer)
    names = {"x5t#S256": x5t_s256(certificate)}
    if broken.algorithm != "PS256":
        names = {"x5t": x5t(certificate)}
    now = time.time()
    claims = {
        "aud": "{base}/oauth2/v2.0/token",
        "iss": APP_ID,
        "sub": APP_ID,
        "jti": str(uuid.uuid4()),
        "iat": 0,
        "nbf": 0,
        "exp": 600,
        **broken.claims,
    }
    for name in ("iat", "nbf", "exp"):
        if isinstance(claims[name], int):
            claims[name] = int(now) + claims[name]
    claims["aud"] = addressed(claims["aud"], f"{entra.server.url}/{TENANT}")
    present = {name: value for name, value in claims.items() if value is not None}
    header = {name: value for name, value in {**names, **broken.header}.items() if value}
    return jwt.encode(present, signer, algorithm=broken.algorithm, headers=header)


async def refusal(
    http: aiohttp.ClientSession, entra: Entra, changes: dict[str, str | None], tenant: str = TENANT
) -> tuple[int, dict[str, Any]]:
    form = {
        "grant_type": "client_credentials",
        "client_id": APP_ID,
        "scope": SCOPE,
        "client_assertion_type": ASSERTION_TYPE,
        **changes,
    }
    present = {name: value for name, value in form.items() if value is not None}
    url = f"{entra.server.url}/{tenant}/oauth2/v2.0/token"
    async with http.post(url, data=present) as response:
        return response.status, await response.json()
