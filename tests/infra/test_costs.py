"""The templates have what the pages on costs and scaling say that they have."""

import pytest

from tests.infra.template import INFRA, Template, Variant
from tests.support.project import ROOT

VARIANT = Variant({}, Template(INFRA).evaluated(credential="SignInVault"))
COSTS = (ROOT / "docs" / "costs.md").read_text("utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")


@pytest.mark.parametrize("sentence", ["always ready (2 GB)", "(LRS)", "keeping them for 30 days"])
def test_page_says_what_is_paid(sentence: str) -> None:
    """The table names the sizes whose prices it gives."""
    assert sentence in COSTS


def test_sizes_are_those_of_the_page() -> None:
    """Memory, replication and retention, which the prices depend on, are the cheap ones."""
    config = VARIANT.properties("Microsoft.Web/sites")["functionAppConfig"]
    assert config["scaleAndConcurrency"]["instanceMemoryMB"] == 2048
    account = VARIANT.one("Microsoft.Storage/storageAccounts")
    assert account.body["sku"] == {"name": "Standard_LRS"}
    workspace = VARIANT.properties("Microsoft.OperationalInsights/workspaces")
    assert workspace["retentionInDays"] == 30


def test_deleted_vault_is_kept_for_a_week() -> None:
    """That long its name is taken, which deployments after `azd down` must know."""
    assert VARIANT.properties("Microsoft.KeyVault/vaults")["softDeleteRetentionInDays"] == 7
    assert "a deleted vault is kept for seven days" in COSTS


def test_instances_are_limited() -> None:
    """No flood of requests starts more of them than the page says."""
    config = VARIANT.properties("Microsoft.Web/sites")["functionAppConfig"]
    assert config["scaleAndConcurrency"]["maximumInstanceCount"] == 40
    assert "40 at most for each group of functions" in OPERATIONS
