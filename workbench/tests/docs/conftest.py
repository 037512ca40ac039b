"""Where the Azure CLI is."""

from pathlib import Path

import pytest

from tests.support.project import ROOT

AZ = ROOT / ".cache" / "az" / "bin" / "az"


@pytest.fixture
def az() -> Path:
    """The Azure CLI that `make runbooks` installs."""
    if not AZ.exists():
        pytest.skip("no Azure CLI: make runbooks installs it")
    return AZ
