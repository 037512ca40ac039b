"""Resource Manager's core: tokens, versions, lists in pages, limits, hooks."""

import time

import jwt
import pytest
from azure.core.exceptions import HttpResponseError

from bot_workbench.emulator.entra.token_issuer import TokenIssuer
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
    missing = azure.group_id.replace("bot-group", "missing")
    listed = azure.call("GET", f"{missing}/providers/{STORAGE}")
    assert refusal(listed) == (404, "ResourceGroupNotFound")
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
    "unknown type": (
        "PUT",
        "providers/Microsoft.Storage/storageAccount/mybot",
        ACCOUNT,
        (404, "InvalidResourceType"),
    ),
    "unknown member": (
        "PUT",
        f"providers/{STORAGE}/mybot",
        {**ACCOUNT, "proprties": {}},
        (400, "InvalidRequestContent"),
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


def test_a_resource_stays_where_it_is(azure: ArmThread) -> None:
    """A PUT with another location is a conflict; the same one may be written in two ways."""
    path = f"providers/{STORAGE}/mybot"
    azure.call("PUT", path, ACCOUNT)
    assert azure.call("PUT", path, {**ACCOUNT, "location": "West Europe"}).status_code == 200
    refused = azure.call("PUT", path, {**ACCOUNT, "location": "East US"})
    assert refusal(refused) == (409, "InvalidResourceLocation")
    assert "'mybot' already exists in location 'westeurope'" in refused.json()["error"]["message"]


def test_a_patch_moves_no_resource(azure: ArmThread) -> None:
    """A PATCH changes no location: the updates of the providers have none."""
    path = f"providers/{STORAGE}/mybot"
    azure.call("PUT", path, ACCOUNT)
    azure.call("PATCH", path, {"location": "eastus", "tags": {"a": "b"}})
    found = azure.call("GET", path).json()
    assert (found["location"], found["tags"]) == ("westeurope", {"a": "b"})


def test_each_type_has_versions_of_its_own(azure: ArmThread) -> None:
    """A version of one type is unknown to another type of the same provider."""
    body = {"location": "global", "properties": {}}
    alert, component = (
        azure.call("PUT", f"providers/Microsoft.Insights/{name}/a", body, version="2018-03-01")
        for name in ("metricAlerts", "components")
    )
    assert alert.status_code == 201
    assert refusal(component) == (400, "NoRegisteredProviderFound")


def test_an_extension_resource_has_no_location(azure: ArmThread) -> None:
    """Diagnostic settings have the location of the resource that they belong to."""
    azure.call("PUT", f"providers/{STORAGE}/mybot", ACCOUNT)
    path = f"providers/{STORAGE}/mybot/providers/Microsoft.Insights/diagnosticSettings/logs"
    assert azure.call("PUT", path, {"properties": {}}).status_code == 201


def test_a_failure_of_its_own_has_the_shape_of_an_error(
    azure: ArmThread, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected exception is logged, and answered with JSON, which clients expect."""

    def fail(_: object) -> None:
        raise RuntimeError("a fault of the test's")

    azure.arm.on_identity_change = fail
    path = "providers/Microsoft.ManagedIdentity/userAssignedIdentities/bot"
    refused = azure.call("PUT", path, {"location": "westeurope"})
    assert refusal(refused) == (500, "InternalServerError")
    assert "a fault of the test's" in caplog.text


def test_a_fault_that_was_switched_on_has_it_too(azure: ArmThread) -> None:
    """With the header that says how long to wait."""
    azure.arm.server.faults.set(status=429, retry_after=7)
    refused = azure.call("GET", azure.group_id)
    assert refusal(refused) == (429, "TooManyRequests")
    assert refused.headers["Retry-After"] == "7"


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
    """A response to a write says how many are left; deletes have a bucket of their own."""
    remaining, path = "x-ms-ratelimit-remaining", f"providers/{STORAGE}/mybot"
    response = azure.call("PUT", path, ACCOUNT)
    assert response.headers[f"{remaining}-subscription-writes"] == "199"
    response = azure.call("DELETE", path)
    assert response.headers[f"{remaining}-subscription-deletes"] == "199"
    check = "/providers/Microsoft.BotService/checkNameAvailability"
    response = azure.call("POST", check, {"name": "contoso", "type": "bot"})
    assert response.headers[f"{remaining}-tenant-writes"] == "199"


def test_deletes_are_throttled_apart_from_writes(azure: ArmThread) -> None:
    """When no write is left, a delete is still accepted; the refusal names the exhausted limit."""
    azure.arm.throttle.clock = lambda: 1000.0
    azure.arm.throttle.size = 1
    path = f"providers/{STORAGE}/mybot"
    azure.call("PUT", path, ACCOUNT)
    assert "'write'" in azure.call("PUT", path, ACCOUNT).json()["error"]["message"]
    assert azure.call("DELETE", path).status_code == 200
    refused = azure.call("DELETE", path)
    assert refusal(refused) == (429, "SubscriptionRequestsThrottled")
    assert "'delete'" in refused.json()["error"]["message"]


def test_reads_are_throttled_apart_from_writes(azure: ArmThread, client: Client) -> None:
    """With a bucket of their own, of 250; the refusal says when the next read is accepted."""
    now, remaining = 1000.0, "x-ms-ratelimit-remaining-subscription-reads"
    azure.arm.read_throttle.clock = lambda: now
    assert azure.call("GET", f"providers/{STORAGE}").headers[remaining] == "249"
    azure.arm.read_throttle.size = 1
    groups = client("resources").resource_groups
    groups.get("bot-group")
    with pytest.raises(HttpResponseError) as caught:
        groups.get("bot-group")
    assert raised(caught.value)[:2] == (429, "SubscriptionRequestsThrottled")
    assert "'read'" in raised(caught.value)[2]
    answer: object = caught.value.response
    assert getattr(answer, "headers", {})["Retry-After"] == "1"
    groups.create_or_update("one", {"location": "westeurope"})
    now += 1
    groups.get("one")


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
    assert "bot-vault" in arm.tenant.deleted_vaults


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
