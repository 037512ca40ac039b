"""`deployment prepare` refuses Certificate where the vault's key can never leave it."""

import pytest
from aiohttp import web

from bot_workbench.emulator.faults import Handler
from tests.admin.deployment.conftest import Run
from tests.support.azd.deployment_stage import DeploymentStage

AGAIN = "choose SignInVault again (`azd env set BOT_CREDENTIAL SignInVault`)"


def deploy(stage: DeploymentStage, run: Run, credential: str) -> None:
    """Everything up to the certificate."""
    stage.azd.set(BOT_CREDENTIAL=credential)
    assert run("prepare", "--azd").status == 0
    stage.provision()
    assert run("finish", "--azd").status == 0


def close_vaults(stage: DeploymentStage) -> None:
    """Let every vault refuse the account."""

    async def around(_: web.Request, __: Handler) -> web.StreamResponse:
        error = {"code": "Forbidden", "message": "Caller is not authorized."}
        return web.json_response({"error": error}, status=403)

    for vault in stage.thread.azure.vaults.values():
        vault.server.around = around


@pytest.mark.parametrize("is_open", [True, False])
def test_a_key_that_never_leaves_the_vault(
    stage: DeploymentStage, run: Run, *, is_open: bool
) -> None:
    """The vault says so; to an account that may not read it, the app's settings do."""
    deploy(stage, run, "SignInVault")
    stage.azd.set(BOT_CREDENTIAL="Certificate")
    if not is_open:
        close_vaults(stage)
    ended = run("prepare", "--azd")
    assert ended.status == 1
    assert AGAIN in ended.output
    assert ("cannot be exported" in ended.output) is is_open


@pytest.mark.parametrize("is_open", [True, False])
def test_a_key_that_can_be_exported(stage: DeploymentStage, run: Run, *, is_open: bool) -> None:
    """Certificate may follow; a note says what is not known without the vault."""
    deploy(stage, run, "Certificate")
    deploy(stage, run, "Federated")
    stage.azd.set(BOT_CREDENTIAL="Certificate")
    if not is_open:
        close_vaults(stage)
    ended = run("prepare", "--azd")
    assert ended.status == 0
    assert ("if its certificate was made for SignInVault" in ended.output) is not is_open


def test_certificate_stays_certificate(stage: DeploymentStage, run: Run) -> None:
    """The app's settings say it, which needs no token for the vault."""
    deploy(stage, run, "Certificate")
    close_vaults(stage)
    ended = run("prepare", "--azd")
    assert ended.status == 0
    assert "the bot signs in with Certificate already" in ended.output


def test_a_vault_that_another_credential_has_left(stage: DeploymentStage, run: Run) -> None:
    """It is still there, with its certificate."""
    deploy(stage, run, "SignInVault")
    deploy(stage, run, "Federated")
    stage.azd.set(BOT_CREDENTIAL="Certificate")
    assert AGAIN in run("prepare", "--azd").output


@pytest.mark.parametrize(
    ("before", "status"),
    [(["SignInVault"], 1), (["Certificate"], 0), (["Certificate", "SignInVault"], 0)],
    ids=["vault", "export", "both"],
)
def test_a_deleted_vault_comes_back_as_it_was(
    stage: DeploymentStage, run: Run, before: list[str], status: int
) -> None:
    """Its certificate cannot be read now, but the deployments are on record."""
    for credential in before:
        deploy(stage, run, credential)
    stage.delete()
    stage.azd.set(BOT_CREDENTIAL="Certificate")
    ended = run("prepare", "--azd")
    assert ended.status == status
    assert "is recovered with its certificate" in ended.output


def test_a_deleted_vault_of_another_region_stays_deleted(stage: DeploymentStage, run: Run) -> None:
    """The template makes a new one, whose name depends on the region."""
    deploy(stage, run, "SignInVault")
    stage.delete()
    stage.azd.set(BOT_CREDENTIAL="Certificate", AZURE_LOCATION="northeurope")
    ended = run("prepare", "--azd")
    assert ended.status == 0
    assert "there is no vault yet" in ended.output
    assert "BOT_VAULT_CREATE_MODE" not in stage.azd.values
