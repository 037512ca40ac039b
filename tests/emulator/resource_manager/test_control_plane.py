"""Resource Manager's core: tokens, versions, lists in pages, limits, long-running operations."""

import time

import jwt
import pytest
from azure.core.exceptions import HttpResponseError

from emulator.entra.token_issuer import TokenIssuer
from tests.emulator.resource_manager.arm_thread import ArmThread, Client, raised, refusal

STORAGE = "Microsoft.Storage/storageAccounts"
ACCOUNT = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}


def test_the_sdk_creates_a_group_and_finds_it(client: Client) -> None:
    """A group that was created is listed with its location and tags."""
    resources = client("resources")
    made = resources.resource_groups.create_or_update(
        "another", {"location": "West Europe", "tags": {"for": "a bot"}}
    )
    assert made.location == "westeurope"
    assert made.tags == {"for": "a bot"}
    assert {each.name for each in resources.resource_groups.list()} == {"bot-group", "another"}
    assert resources.resource_groups.check_existence("ANOTHER")
    assert not resources.resource_groups.check_existence("missing")


CLAIMS: dict[str, tuple[dict[str, object], str]] = {
    "for a vault": ({"aud": "https://vault.azure.net"}, "InvalidAuthenticationTokenAudience"),
    "of another tenant": (
        {"iss": "https://sts.windows.net/5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22/"},
        "InvalidAuthenticationTokenTenant",
    ),
    "expired": ({"exp": int(time.time()) - 60}, "ExpiredAuthenticationToken"),
    "without object id": ({"oid": ""}, "InvalidAuthenticationToken"),
}


@pytest.mark.parametrize(("claims", "code"), CLAIMS.values(), ids=CLAIMS)
def test_a_token_that_is_not_for_it_is_refused(
    azure: ArmThread, claims: dict[str, object], code: str
) -> None:
    """Audience, tenant, expiry and object id of the token are checked: 401 with a challenge."""
    refused = azure.call("GET", "/subscriptions", token=azure.token(claims=claims))
    assert refusal(refused) == (401, code)
    assert refused.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


@pytest.mark.parametrize(
    ("token", "code"), [("", "AuthenticationFailed"), ("made-up", "InvalidAuthenticationToken")]
)
def test_a_caller_without_a_valid_token_is_refused(azure: ArmThread, token: str, code: str) -> None:
    """A missing or malformed token is 401."""
    assert refusal(azure.call("GET", "/subscriptions", token=token)) == (401, code)


def test_a_token_of_another_authority_is_refused(azure: ArmThread) -> None:
    """A token whose signing key Entra does not publish is 401."""
    claims = jwt.decode(azure.token(), options={"verify_signature": False})
    refused = azure.call("GET", "/subscriptions", token=TokenIssuer().sign(claims))
    assert refusal(refused) == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize(
    "audience", ["https://management.core.windows.net/", "https://management.azure.com/"]
)
def test_both_names_of_the_service_are_audiences(azure: ArmThread, audience: str) -> None:
    """The older name is accepted, too, which az asks tokens for."""
    assert (
        azure.call("GET", "/subscriptions", token=azure.token(claims={"aud": audience})).status_code
        == 200
    )


def test_every_request_needs_a_version(azure: ArmThread) -> None:
    """Without `api-version` it is 400, as with one of another form."""
    refused = azure.call("GET", "/subscriptions", version="")
    assert refusal(refused) == (400, "MissingApiVersionParameter")
    assert refused.json()["error"]["message"] == (
        "The api-version query parameter (?api-version=) is required for all requests."
    )
    refused = azure.call("GET", "/subscriptions", version="latest")
    assert refusal(refused) == (400, "InvalidApiVersionParameter")


def test_a_provider_answers_its_versions_only(azure: ArmThread, client: Client) -> None:
    """The refusal has the type and the versions; the provider's description lists them."""
    path = f"providers/{STORAGE}/mybot"
    refused = azure.call("PUT", path, ACCOUNT, version="1999-01-01")
    assert refusal(refused) == (400, "NoRegisteredProviderFound")
    message = refused.json()["error"]["message"]
    assert "API version '1999-01-01' for type 'storageAccounts'" in message
    assert azure.arm.resources.of_type(STORAGE) == []
    described = client("resources").providers.get("Microsoft.Storage").resource_types
    versions = {version for each in described for version in each.api_versions}
    assert all(version in message for version in versions)
    for version in versions:
        assert azure.call("PUT", path, ACCOUNT, version=version).status_code == 200


def test_ids_are_compared_in_any_case(azure: ArmThread) -> None:
    """A resource is found whatever the case of its id, which keeps the case of its creation."""
    path = f"providers/{STORAGE}/mybot"
    made = azure.call("PUT", path, ACCOUNT).json()
    found = azure.call("GET", f"{azure.group_id}/{path}".upper())
    assert found.json()["id"] == made["id"] == azure.resource_id(STORAGE, "mybot")


def test_what_does_not_exist_is_named(azure: ArmThread, client: Client) -> None:
    """The SDK's exception has the code and the text of Resource Manager."""
    with pytest.raises(HttpResponseError) as caught:
        client("bots").bots.get("bot-group", "missing")
    assert raised(caught.value) == (
        404,
        "ResourceNotFound",
        "The Resource 'Microsoft.BotService/botServices/missing' under resource group 'bot-group' "
        "was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )
    with pytest.raises(HttpResponseError) as caught:
        client("bots").bots.get("missing", "bot")
    assert raised(caught.value) == (
        404,
        "ResourceGroupNotFound",
        "Resource group 'missing' could not be found.",
    )
    unknown = "/subscriptions/5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22/resourceGroups"
    assert refusal(azure.call("GET", unknown)) == (404, "SubscriptionNotFound")


MALFORMED: dict[str, tuple[str, str, object, tuple[int, str]]] = {
    "no object": ("PUT", f"providers/{STORAGE}/mybot", [1], (400, "InvalidRequestContent")),
    "no location": ("PUT", f"providers/{STORAGE}/mybot", {}, (400, "LocationRequired")),
    "unknown provider": (
        "PUT",
        "providers/Contoso.Bots/bots/a",
        ACCOUNT,
        (404, "InvalidResourceNamespace"),
    ),
    "PUT to a list": ("PUT", f"providers/{STORAGE}", ACCOUNT, (405, "MethodNotAllowed")),
    "no parent": (
        "PUT",
        f"providers/{STORAGE}/missing/blobServices/default",
        {},
        (404, "ParentResourceNotFound"),
    ),
    "no subscription": (
        "PUT",
        f"/providers/{STORAGE}/mybot",
        ACCOUNT,
        (404, "MissingSubscription"),
    ),
    "unknown action": (
        "POST",
        f"providers/{STORAGE}/mybot/explode",
        None,
        (404, "ResourceNotFound"),
    ),
}


@pytest.mark.parametrize(("method", "path", "body", "code"), MALFORMED.values(), ids=MALFORMED)
def test_a_faulty_request_is_refused(
    azure: ArmThread, method: str, path: str, body: object, code: tuple[int, str]
) -> None:
    """Each has its own code, and nothing is stored."""
    assert refusal(azure.call(method, path, body)) == code
    assert azure.arm.resources.of_type(STORAGE) == []


def test_a_body_that_is_not_json_is_refused(azure: ArmThread) -> None:
    """Text that is not JSON is 400, as an array is."""
    response = azure.call("PUT", f"providers/{STORAGE}/mybot", "text")
    assert refusal(response) == (400, "InvalidRequestContent")


def test_lists_come_in_pages(azure: ArmThread, client: Client) -> None:
    """The SDK follows `nextLink` to the last page."""
    for number in range(5):
        azure.call("PUT", f"providers/{STORAGE}/mybot{number}", ACCOUNT)
    azure.arm.page_size = 2
    found = [each.name for each in client("resources").resources.list()]
    assert found == [f"mybot{number}" for number in range(5)]
    lists = sum(
        count for path, count in azure.arm.server.requests.items() if path.endswith("/resources")
    )
    assert lists == 3


def test_writes_are_throttled(azure: ArmThread, client: Client) -> None:
    """An empty bucket is 429 with Retry-After; after so many seconds the next write is accepted."""
    now = 1000.0
    azure.arm.throttle.clock = lambda: now
    azure.arm.throttle.size = 2
    groups = client("resources").resource_groups
    for name in ("one", "two"):
        groups.create_or_update(name, {"location": "westeurope"})
    with pytest.raises(HttpResponseError) as caught:
        groups.create_or_update("three", {"location": "westeurope"})
    assert raised(caught.value)[:2] == (429, "SubscriptionRequestsThrottled")
    answer: object = caught.value.response
    assert getattr(answer, "headers", {})["Retry-After"] == "1"
    assert groups.check_existence("two")
    now += 1
    groups.create_or_update("three", {"location": "westeurope"})


def test_the_bucket_is_two_hundred_writes(azure: ArmThread) -> None:
    """A response to a write says how many are left."""
    response = azure.call("PUT", f"providers/{STORAGE}/mybot", ACCOUNT)
    assert response.headers["x-ms-ratelimit-remaining-subscription-writes"] == "199"


def test_a_long_write_is_polled_to_its_end(azure: ArmThread, client: Client) -> None:
    """A PUT is 202 with Azure-AsyncOperation, which the SDK polls; then it reads the resource."""
    now = 1000.0
    azure.arm.long_running.clock = lambda: now
    azure.arm.long_running.seconds["microsoft.web/serverfarms", "PUT"] = 60
    web = client("web")
    plan = {"location": "westeurope", "sku": {"name": "FC1"}}
    poller = web.app_service_plans.begin_create_or_update("bot-group", "plan", plan)
    path = "providers/Microsoft.Web/serverFarms/plan"
    assert azure.call("GET", path).status_code == 404
    now += 61
    assert poller.result(timeout=60).name == "plan"
    state = azure.call("GET", path).json()["properties"]["provisioningState"]
    assert state == "Succeeded"
    assert any("operationStatuses" in each for each in azure.arm.server.requests)


def test_a_long_write_takes_effect_at_its_end(azure: ArmThread) -> None:
    """Until then, a resource is as it was, and says that it is being written; hooks come later."""
    now = 1000.0
    changes: list[object] = []
    arm, path = azure.arm, "providers/Microsoft.Web/sites/contoso"
    site = arm.put(azure.resource_id("Microsoft.Web/sites", "contoso"), {"location": "westeurope"})
    arm.on_site_change = changes.append
    arm.long_running.clock = lambda: now
    arm.long_running.seconds["microsoft.web/sites", "PATCH"] = 60
    kind = {"identity": {"type": "SystemAssigned"}, "properties": {"httpsOnly": True}}
    started = azure.call("PATCH", path, kind)
    assert (started.status_code, changes) == (202, [])
    going = azure.call("GET", path).json()
    assert "identity" not in going
    assert going["properties"]["provisioningState"] == "InProgress"
    now += 60
    done = azure.call("GET", path).json()
    assert done["identity"]["type"] == "SystemAssigned"
    assert done["properties"]["httpsOnly"] is True
    assert changes == [site]


def test_a_long_write_that_is_refused_has_no_operation(azure: ArmThread) -> None:
    """A faulty request is refused at once."""
    azure.arm.long_running.seconds["microsoft.web/sites", "PUT"] = 60
    body = {"location": "westeurope", "properties": {"serverFarmId": "/subscriptions/S/plan"}}
    refused = azure.call("PUT", "providers/Microsoft.Web/sites/contoso", body)
    assert refusal(refused) == (404, "NotFound")


def test_an_operation_may_fail(azure: ArmThread, client: Client) -> None:
    """The SDK raises its error, and nothing was changed."""
    kind = ("microsoft.web/serverfarms", "PUT")
    azure.arm.long_running.seconds[kind] = 0
    azure.arm.long_running.fails[kind] = ("Conflict", "No capacity in this region.")
    plans = client("web").app_service_plans
    body = {"location": "westeurope", "sku": {"name": "FC1"}}
    with pytest.raises(HttpResponseError, match="No capacity in this region"):
        plans.begin_create_or_update("bot-group", "plan", body).result(timeout=30)
    assert azure.call("GET", "providers/Microsoft.Web/serverFarms/plan").status_code == 404


def test_an_operation_says_how_it_stands(azure: ArmThread) -> None:
    """Its two URLs say that it goes on until its time is over, and when to ask again."""
    now = 1000.0
    azure.arm.long_running.clock = lambda: now
    azure.arm.long_running.seconds["microsoft.web/serverfarms", "PUT"] = 60
    plan = {"location": "westeurope", "sku": {"name": "FC1"}}
    started = azure.call("PUT", "providers/Microsoft.Web/serverFarms/plan", plan)
    assert started.status_code == 202
    status, result = (
        started.headers[name].removeprefix(azure.arm.server.url).partition("?")[0]
        for name in ("Azure-AsyncOperation", "Location")
    )
    going = azure.call("GET", status)
    assert (going.json()["status"], going.headers["Retry-After"]) == ("InProgress", "1")
    assert azure.call("GET", result).status_code == 202
    now += 60
    assert azure.call("GET", status).json()["status"] == "Succeeded"
    assert azure.call("GET", result).status_code == 200


def test_the_deletion_of_a_group_is_polled(azure: ArmThread, client: Client) -> None:
    """A DELETE is 202 with Location, and the group's resources are gone with it."""
    azure.call("PUT", f"providers/{STORAGE}/mybot", ACCOUNT)
    azure.arm.long_running.seconds["microsoft.resources/resourcegroups", "DELETE"] = 0
    client("resources").resource_groups.begin_delete("bot-group").result(timeout=60)
    assert any("operationResults" in each for each in azure.arm.server.requests)
    assert list(azure.arm.resources) == []


def test_what_goes_with_a_group_is_reported(azure: ArmThread, client: Client) -> None:
    """The hooks learn of each resource in a deleted group; its vault is among the deleted ones."""
    gone: list[str] = []
    arm = azure.arm
    identities = "Microsoft.ManagedIdentity/userAssignedIdentities"
    identity = arm.put(azure.resource_id(identities, "bot"), {"location": "westeurope"})
    principal_id = identity.properties["principalId"]
    arm.put(azure.resource_id("Microsoft.Web/sites", "contoso"), {"location": "westeurope"})
    vault = {"tenantId": arm.tenant_id, "sku": {"name": "standard"}}
    arm.put(
        azure.resource_id("Microsoft.KeyVault/vaults", "bot-vault"),
        {"location": "westeurope", "properties": vault},
    )
    bot = {
        "displayName": "Contoso",
        "endpoint": "",
        "msaAppId": identity.properties["clientId"],
        "msaAppType": "SingleTenant",
        "msaAppTenantId": arm.tenant_id,
    }
    arm.put(
        azure.resource_id("Microsoft.BotService/botServices", "contoso-bot"),
        {"location": "global", "properties": bot},
    )
    for hook in ("on_site_change", "on_vault_change", "on_identity_change", "on_bot_change"):
        setattr(arm, hook, lambda each: gone.append(each.name))
    client("resources").resource_groups.begin_delete("bot-group").result(timeout=30)
    assert sorted(gone) == ["bot", "bot-vault", "contoso", "contoso-bot"]
    assert azure.entra.directory.service_principal(principal_id) is None
    assert "bot-vault" in arm.catalog.vaults.deleted


def test_an_unknown_operation_is_not_found(azure: ArmThread) -> None:
    """The URL of an operation that was never started is 404."""
    scope = f"/subscriptions/{azure.arm.subscription_id}/providers/Microsoft.Web"
    response = azure.call("GET", f"{scope}/locations/global/operationStatuses/none")
    assert refusal(response) == (404, "NotFound")


def test_faults_can_be_injected(azure: ArmThread, client: Client) -> None:
    """A switched fault reaches the SDK as its exception, with the status."""
    body = '{"error": {"code": "InternalServerError", "message": "Try again."}}'
    azure.arm.server.faults.set(status=503, body=body, remaining=1)
    groups = client("resources").resource_groups
    with pytest.raises(HttpResponseError) as caught:
        list(groups.list())
    assert raised(caught.value) == (503, "InternalServerError", "Try again.")
    assert len(list(groups.list())) == 1


def test_a_cloud_can_be_registered(azure: ArmThread) -> None:
    """The metadata endpoint needs no token, and names Entra and this server."""
    response = azure.call("GET", "/metadata/endpoints", token="", version="2022-09-01")
    (cloud,) = response.json()
    assert cloud["resourceManager"] == azure.arm.server.url
    assert cloud["authentication"]["loginEndpoint"] == azure.entra.server.url


def test_what_was_there_before_can_be_put_without_http(azure: ArmThread) -> None:
    """`put` creates the group, too, and raises what a client's PUT is refused with."""
    other = azure.group_id.replace("bot-group", "older")
    made = azure.arm.put(f"{other}/providers/{STORAGE}/older", dict(ACCOUNT))
    assert made.properties["provisioningState"] == "Succeeded"
    assert other in azure.arm.resources
