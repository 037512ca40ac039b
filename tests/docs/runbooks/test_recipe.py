"""Every block of the runbooks is pasted by somebody."""

from tests.docs.runbooks.page import blocks
from tests.docs.runbooks.recipe import BY_HAND, DEPLOY, ROUTES, deployment, route
from tests.docs.runbooks.runs import RUNS


def test_each_block_of_the_deployment_is_pasted() -> None:
    """No block of deploy.md is left out of all runs."""
    pasted = {block for run in RUNS for block in deployment(run.tags)}
    assert pasted == set(blocks(DEPLOY))


def test_each_block_of_the_routes_is_pasted() -> None:
    """No block of migrate-by-hand.md is left out of all routes, and each route is taken."""
    assert {run.route for run in RUNS} >= set(ROUTES)
    assert {block for name in ROUTES for block in route(name)} == set(blocks(BY_HAND))


def test_a_way_pastes_its_own_settings_only() -> None:
    """Somebody who takes way A sets no certificate, and somebody who takes way D none either."""
    texts = {way: "".join(block.text for block in deployment(frozenset(way))) for way in "ABCD"}
    assert "BotCredential=ManagedIdentity" in texts["A"]
    assert "BotCredential=Federated" in texts["D"]
    assert "CertificateName" not in texts["A"] + texts["D"]
    assert "MicrosoftAppType=MultiTenant" in texts["C"]
    assert "MicrosoftAppType=MultiTenant" not in texts["B"]
