"""UserSignIns: MSAL's public client signs the directory's user in, as `az login` does."""

import asyncio
from typing import Any

import jwt
import msal
import pytest
import requests

from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.errors import EntraError
from bot_workbench.emulator.entra.sign_in.user_sign_in import DEVICE_CODE
from tests.emulator.registered_bot import TENANT

pytestmark = pytest.mark.usefixtures("trust")

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The client id (GUID) of the Azure CLI."""

ARM = "https://management.core.windows.net//.default"
GRAPH = "https://graph.microsoft.com//.default"
ASKED = {"client_id": AZURE_CLI, "scope": f"{ARM} offline_access"}


def signed_in(entra: Entra, tenant: str) -> tuple[Any, Any]:
    """An access token for Resource Manager by device code, then one for Graph by refresh token."""
    with requests.Session() as session:
        app = msal.PublicClientApplication(
            AZURE_CLI,
            authority=f"{entra.server.url}/{tenant}",
            instance_discovery=False,
            http_client=session,
        )
        first = app.acquire_token_by_device_flow(app.initiate_device_flow([ARM]))
        [account] = app.get_accounts()
        return first, app.acquire_token_silent([GRAPH], account)


@pytest.mark.parametrize("tenant", [TENANT, "organizations"])
async def test_a_user_signs_in_by_device_code(entra: Entra, tenant: str) -> None:
    """The tokens are the directory's user's, for the resource that was asked for."""
    first, second = await asyncio.to_thread(signed_in, entra, tenant)
    for answer, audience in ((first, "https://management.core.windows.net/"), (second, GRAPH)):
        claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
        assert claims["aud"] == audience.removesuffix("/.default")
        assert claims["oid"] == entra.directory.user.object_id
        assert claims["idtyp"] == "user"
    assert first["id_token_claims"]["preferred_username"] == entra.directory.user.name


async def test_a_device_code_is_its_clients_and_is_used_once(entra: Entra) -> None:
    """Another client gets no token for it, and nobody gets a second one."""
    started = entra.users.start(ASKED)
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": started["device_code"],
    }

    def status(client_id: str) -> int:
        url = f"{entra.server.url}/{TENANT}/oauth2/v2.0/token"
        return requests.post(url, data={**form, "client_id": client_id}, timeout=60).status_code

    assert await asyncio.to_thread(status, "another") == 400
    form["device_code"] = entra.users.start(ASKED)["device_code"]
    assert await asyncio.to_thread(status, AZURE_CLI) == 200
    assert await asyncio.to_thread(status, AZURE_CLI) == 400


def test_an_unknown_resource(entra: Entra) -> None:
    """Users get no token for a service that the tenant does not have, either."""
    scope = "https://management.example/.default"
    form = {
        "client_id": AZURE_CLI,
        "grant_type": DEVICE_CODE,
        "device_code": entra.users.start({**ASKED, "scope": scope})["device_code"],
    }
    with pytest.raises(EntraError, match="AADSTS500011"):
        entra.users.grant(form, 3599)
