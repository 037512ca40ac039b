"""Publisher: a client that publishes packages to a Function App of the local Azure."""

import functools
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import requests

from bot_workbench.emulator.entra.registration import issuer_of
from bot_workbench.emulator.resource_manager.resource import Resource
from tests.support.azure.azure_thread import AzureThread
from tests.support.timing.condition import until

APP = "contoso-functions"
SCM = f"https://{APP}.scm.azurewebsites.net"
MANAGEMENT = "https://management.azure.com"
V = "api-version=2015-08-01"
HASH = "0a" * 32
CODE = """
import azure.functions as func

app = func.FunctionApp()


@app.route("greet/{name}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def hello(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("published")


@app.queue_trigger("message", "orders", "AzureWebJobsStorage")
def orders(message: func.QueueMessage) -> None:
    pass
"""
PACKAGE = {
    "host.json": '{"version": "2.0"}',
    "function_app.py": CODE,
    "requirements.txt": "azure-functions\n",
    "package.sha256": f"{HASH}\n",
}
"""The files of a small app."""


def zipped(files: Mapping[str, str]) -> bytes:
    """A zip of files by path."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return content.getvalue()


class Publisher:
    """Publishes to a Function App.

    Args:
        thread: the local Azure.
        site: the Function App, APP.
    """

    def __init__(self, thread: AzureThread, site: Resource) -> None:
        self.thread = thread
        self.site = site
        self.manager = thread.azure.resource_manager
        self.environ = thread.azure.environ

    def token(self, object_id: str = "", audience: str = MANAGEMENT) -> str:
        """A token of the pipeline or of another principal (object id, GUID)."""
        azure = self.thread.azure
        tenant_id = azure.directory.tenant_id
        claims = {
            "aud": audience,
            "iss": issuer_of(tenant_id),
            "oid": object_id or azure.pipeline.object_id,
        }
        return self.thread.call(azure.entra.issuer.sign, claims)

    def ask(
        self, method: str, url: str, body: Any = None, *, authorization: str | None = None
    ) -> requests.Response:
        """Send a request as Core Tools do.

        Args:
            method: HTTP method.
            url: with the public name.
            body: bytes are sent as a zip, anything else as JSON; "null" is sent as it is.
            authorization: the header; None: the pipeline's token.
        """
        bearer = f"Bearer {self.token()}" if authorization is None else authorization
        headers = {"Authorization": bearer} if bearer else {}
        is_zip = isinstance(body, bytes)
        data = body if is_zip or body in ("null", None) else json.dumps(body)
        headers["Content-Type"] = "application/zip" if is_zip else "application/json"
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method,
                url,
                data=data,
                headers=headers,
                proxies={"https": self.environ["HTTPS_PROXY"]},
                verify=self.environ["REQUESTS_CA_BUNDLE"],
                timeout=60,
            )

    def publish(self, package: bytes, query: str = "") -> dict[str, Any]:
        """Publish a package, and return the deployment when it has ended."""
        sent = self.ask("POST", f"{SCM}/api/publish{query}", package)
        assert sent.status_code == 202, sent.text
        url = f"{SCM}/api/deployments/{sent.json()}"
        until(functools.partial(self.has_ended, url))
        found: dict[str, Any] = self.ask("GET", url).json()
        return found

    def has_ended(self, url: str) -> bool:
        """Whether the deployment of a URL has ended."""
        return bool(self.ask("GET", url).json()["complete"])

    def functions(self) -> dict[str, Any]:
        """The site's functions as Resource Manager lists them, by name."""
        listed = self.ask("GET", f"{MANAGEMENT}{self.site.id}/functions?{V}").json()["value"]
        return {each["properties"]["name"]: each["properties"] for each in listed}

    @property
    def package(self) -> str:
        """What the site says of its package."""
        code: Any = self.thread.azure.sites.code(APP)
        package: str = code.package
        return package
