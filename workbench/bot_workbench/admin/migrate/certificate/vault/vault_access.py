# ruff: noqa
"""Former import paths."""

from typing import Any

from bot_workbench.admin.migrate.certificate.key_vault import vault_access
from bot_workbench.admin.plan.step import Step


def VaultAccess(_: Any, vault: Any, writes: Any, *, is_lasting: bool = False) -> Step:  # noqa: N802
    return vault_access(vault, writes, is_lasting=is_lasting)
