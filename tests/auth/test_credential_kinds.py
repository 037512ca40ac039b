"""The table of credentials: a pair with a type of bot is taken, or refused with reason and cure."""

from itertools import product

import pytest

from auth.credential_kinds import APP_TYPES, KINDS
from tests.auth.environs import FEDERATED, MANAGED, MULTI, SINGLE, problems

ENVIRONS = {"UserAssignedMSI": MANAGED, "SingleTenant": SINGLE, "MultiTenant": MULTI}
"""By the bot's type, settings that have all that some credential needs."""

TAKEN = {
    "UserAssignedMSI": {"ManagedIdentity"},
    "SingleTenant": {"Certificate", "SignInVault", "Federated"},
    "MultiTenant": {"Certificate", "SignInVault"},
}


def test_the_names() -> None:
    """The values of BotCredential."""
    assert list(KINDS) == ["ManagedIdentity", "Certificate", "SignInVault", "Federated"]


@pytest.mark.parametrize(("app_type", "name"), list(product(APP_TYPES, KINDS)))
def test_a_pair_is_taken_or_refused(app_type: str, name: str) -> None:
    """The cure names a value, or a setting to leave out, with which the bot would be accepted."""
    assert (app_type in KINDS[name].app_types) == (name in TAKEN[app_type])
    environ = {**FEDERATED, **ENVIRONS[app_type], "BotCredential": name}
    found = problems(environ)
    if name in TAKEN[app_type]:
        assert found == {}
        return
    assert found == {"BotCredential": KINDS[name].refused[app_type]}
    reason, cure = found["BotCredential"].split("; ")
    assert reason
    named = {each for each in KINDS if each in cure}
    assert named == TAKEN[app_type] or "leave BotCredential out" in cure
