"""`func azure functionapp publish NAME` and `func pack`, as far as the runbooks use them.

Core Tools 4.14 come as a download that a test cannot rely on. So this sends the requests that they
send for a Python app on Flex Consumption, in their order, and refuses what they refuse there.
Source: azure-functions-core-tools, src/Cli/func (PublishFunctionAppAction.cs, AzureHelper.cs,
ArmClient.cs, KuduLiteDeploymentHelpers.cs, PythonHelpers.cs, PublishHelper.cs, ZipHelper.cs).

The real one reads the site in five requests at the same time, repeats each failed request three
times, waits for 60 seconds after a success and for three between two looks at a deployment, and
tries the host's status 15 times. It also knows other plans, languages and options, warns of an old
or another Python, and installs packages itself with `--build local`; of these, nothing is here.
"""

import argparse
import io
import json
import platform
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import requests

from bot_workbench.funcignore import FuncIgnore

AGENT = "functions-core-tools/4.14.0"
SITES_VERSION = "2015-08-01"
POLL_SECONDS = 0.1
SECONDS = 60.0
"""The time limit of one request, or of a deployment."""

REQUIREMENTS = "requirements.txt"
RUN_FROM_PACKAGE = "WEBSITE_RUN_FROM_PACKAGE"
MANAGEMENT_URL = ("cloud", "list", "--query", "[?isActive].endpoints.resourceManager | [0]")
ACCESS_TOKEN = ("account", "get-access-token", "--query", "accessToken")
"""What the Azure CLI is asked."""

PENDING, BUILDING, DEPLOYING, FAILED, SUCCESS, CONFLICT = range(6)
RUNNING = (PENDING, BUILDING, DEPLOYING)
ENDINGS = {
    FAILED: "The deployment failed, Please check the printed logs.",
    CONFLICT: "Deployment was cancelled, another deployment in progress.",
}


class CliError(Exception):
    """Core Tools end with this text and exit status 1."""


class Arm:
    """Resource Manager.

    Args:
        url: without a slash at the end.
        token: a bearer token.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self.token = token

    def get(self, path: str, version: str) -> Any:
        """GET a path."""
        return self._sent("GET", path, version)

    def post(self, path: str, version: str, body: object = None) -> Any:
        """POST to a path; without a body, the content is `null`."""
        return self._sent("POST", path, version, json.dumps(body))

    def _sent(self, method: str, path: str, version: str, content: str | None = None) -> Any:
        answer = requests.request(
            method,
            f"{self._url}{path}?api-version={version}",
            data=content,
            headers={
                "Authorization": f"Bearer {self.token}",
                "User-Agent": AGENT,
                "Accept": "application/json",
                "x-ms-request-id": str(uuid.uuid4()),
                **({} if content is None else {"Content-Type": "application/json; charset=utf-8"}),
            },
            timeout=SECONDS,
        )
        answer.raise_for_status()
        return answer.json()


class FunctionApp:
    """A Function App as Core Tools read it.

    Raises:
        requests.RequestException, LookupError: it cannot be found or read.
    """

    def __init__(self, arm: Arm, name: str, subscriptions: list[str]) -> None:
        query = f"where type =~ 'Microsoft.Web/sites' and name =~ '{name}' | project id"
        found = arm.post(
            "/providers/Microsoft.ResourceGraph/resources",
            "2019-04-01",
            {"subscriptions": subscriptions, "query": query},
        )
        self.id: str = found["data"]["rows"][0][0]
        site = arm.get(self.id, SITES_VERSION)
        properties = site["properties"]
        self.name: str = site["name"]
        self.host: str = properties["defaultHostName"]
        self.publishing_host = next(
            each for each in properties["enabledHostNames"] if ".scm." in each.lower()
        )
        self.is_linux = "linux" in (site.get("kind") or "").lower()
        self.is_flex = (properties.get("sku") or "").lower() == "flexconsumption"
        self.config: dict[str, Any] = properties.get("functionAppConfig") or {}
        config = f"{self.id}/config"
        _ = arm.post(f"{config}/PublishingCredentials/list", SITES_VERSION)["properties"]
        _ = arm.get(f"{config}/web", SITES_VERSION)["properties"]
        settings = arm.post(f"{config}/AppSettings/list", SITES_VERSION)
        self.settings: dict[str, str] = settings["properties"]
        _ = arm.post(f"{config}/ConnectionStrings/list", SITES_VERSION)["properties"]


def publish(options: argparse.Namespace) -> None:
    """Publish the project.

    Raises:
        CliError: see there.
        requests.RequestException: a service cannot be reached, or refuses.
    """
    arm = Arm(
        (options.management_url or _az(*MANAGEMENT_URL)).rstrip("/"),
        options.access_token or _az(*ACCESS_TOKEN),
    )
    if options.subscription:
        subscriptions = [options.subscription]
    else:
        listed = arm.get("/subscriptions", "2018-09-01")
        subscriptions = [each["subscriptionId"] for each in listed["value"]]
    try:
        app = FunctionApp(arm, options.name, subscriptions)
    except (requests.RequestException, LookupError, StopIteration) as error:
        raise CliError(f'Can\'t find app with name "{options.name}"') from error
    root = _root(Path.cwd())
    arm.get("/providers/Microsoft.Web/functionAppStacks", "2020-10-01")
    _check(app, options.name)
    requirements = root / REQUIREMENTS
    has_requirements = requirements.exists() and requirements.stat().st_size > 0
    print("Getting site publishing info...")
    if not app.is_linux:
        raise CliError("Publishing Python functions is only supported for Linux FunctionApps")
    if not app.is_flex:
        raise NotImplementedError("only publishing to Flex Consumption is here")
    is_remote = not options.no_build and (options.build == "remote" or has_requirements)
    if not (options.no_build or is_remote):
        raise NotImplementedError("the local build is not here")
    print("Creating archive for current directory...")
    if is_remote and not requirements.exists():
        raise CliError(f"{REQUIREMENTS} is not found.")
    _deploy(app, arm.token, archive(root), is_remote=is_remote)
    _check_host(arm, app)
    print("The deployment was successful!")
    _print_functions(arm, app)


def _check(app: FunctionApp, name: str) -> None:
    """Refuse an app that Core Tools do not publish to."""
    runtime = app.config["runtime"]["name"] if app.is_flex else "python"
    if runtime != "python":
        raise CliError(
            f"Your Azure Function App has 'FUNCTIONS_WORKER_RUNTIME' set to '{runtime}' while your"
            " local project is set to 'python'."
        )
    if not any(each.lower().startswith("azurewebjobsstorage") for each in app.settings):
        raise CliError(f"Function App '{name}' is missing host storage configuration.")
    if app.is_flex and RUN_FROM_PACKAGE in app.settings:
        raise CliError(
            f"Function Apps on Flex Consumption do not support '{RUN_FROM_PACKAGE}'. Please remove"
            " the app setting from your Function App."
        )


def archive(root: Path) -> bytes:
    """The zip of a project: the files that its .funcignore allows."""
    ignore = root / ".funcignore"
    rules = FuncIgnore(ignore.read_text("utf-8") if ignore.exists() else "")
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as file:
        for path in rules.files(root):
            file.write(root / path, path.as_posix())
    return content.getvalue()


def _deploy(app: FunctionApp, token: str, content: bytes, *, is_remote: bool) -> None:
    """Upload a package, and wait until it is published."""
    url = f"https://{app.publishing_host}"
    headers = {"Authorization": f"Bearer {token}", "User-Agent": AGENT}
    query = f"isAsync=true&author={platform.node()}&Deployer=core_tools&"
    sent = requests.post(
        f"{url}/api/publish?{query}{'RemoteBuild=True' if is_remote else ''}",
        data=content,
        headers={**headers, "Content-Type": "application/zip", "If-Match": "*"},
        timeout=SECONDS,
    )
    if not sent.ok:
        raise CliError(f"Error Uploading archive... ({sent.reason}).\n{sent.text}")
    print("Deployment in progress, please wait...")

    def read(path: str) -> Any:
        answer = requests.get(f"{url}{path}", headers=headers, timeout=SECONDS)
        answer.raise_for_status()
        return answer.json()

    newest = _polled(lambda: read("/api/deployments")[0], lambda it: it["status"] != PENDING)
    deployment = f"/api/deployments/{newest['id']}"
    ended = _polled(lambda: read(deployment), lambda it: it["status"] not in RUNNING)
    for line in read(f"{deployment}/log"):
        print(line["message"])
    if ended["status"] != SUCCESS:
        raise CliError(ENDINGS.get(ended["status"], "Failed to retrieve deployment status"))


def _polled(read: Callable[[], Any], is_enough: Callable[[Any], bool]) -> Any:
    """What is read once it is enough."""
    until = time.monotonic() + SECONDS
    while not is_enough(found := read()):
        if time.monotonic() > until:
            raise CliError(f"The deployment takes too long: {found}")
        time.sleep(POLL_SECONDS)
    return found


def _check_host(arm: Arm, app: FunctionApp) -> None:
    """Ask the app's host for its status."""
    key = arm.post(f"{app.id}/host/default/listKeys", SITES_VERSION)["masterKey"]
    print("Checking the app health...")
    status = requests.get(
        f"https://{app.host}/admin/host/status",
        {"code": key},
        headers={"User-Agent": AGENT, "Accept": "application/json"},
        timeout=SECONDS,
    )
    if not status.ok:
        raise CliError(
            "Deployment was successful but the app appears to be unhealthy, please check the app"
            " logs."
        )
    print(f"Host status: {status.text}")


def _print_functions(arm: Arm, app: FunctionApp) -> None:
    arm.get(f"{app.id}/functions", SITES_VERSION)
    listed = arm.get(f"{app.id}/functions", SITES_VERSION)
    print(f"Functions in {app.name}:")
    for function in (each["properties"] for each in listed["value"]):
        types = (str(binding["type"]) for binding in function["config"]["bindings"])
        trigger = next((each for each in types if "trigger" in each.lower()), "No Trigger Found")
        print(f"    {function['name']} - [{trigger}]")
        if function["invoke_url_template"]:
            print(f"        Invoke url: {function['invoke_url_template']}")


def pack(options: argparse.Namespace) -> None:
    """Write what `publish` would upload to a zip in a folder."""
    root = _root(Path.cwd())
    options.output.mkdir(parents=True, exist_ok=True)
    content = archive(root)
    (options.output / f"{root.name}.zip").write_bytes(content)


def _root(folder: Path) -> Path:
    """The project of a folder: it, or the first one above it that has host.json."""
    for each in (folder, *folder.parents):
        if (each / "host.json").exists():
            return each
    raise CliError(
        "Unable to find project root. Expecting to find one of host.json in project root."
    )


def _az(*words: str) -> str:
    """The output of the Azure CLI."""
    az = shutil.which("az")
    if az is None:
        raise CliError("az CLI not found")
    done = subprocess.run([az, *words, "--output", "json"], capture_output=True, text=True)
    if done.returncode:
        raise CliError("Unable to connect to Azure. Make sure you have the `az` CLI installed.")
    return str(json.loads(done.stdout))


def main() -> None:
    """Read the command line and run the command."""
    parser = argparse.ArgumentParser("func", allow_abbrev=False)
    commands = parser.add_subparsers(required=True)
    publishing = (
        commands.add_parser("azure").add_subparsers(required=True).add_parser("functionapp")
    )
    publishing = publishing.add_subparsers(required=True).add_parser("publish")
    publishing.add_argument("name")
    publishing.add_argument("--python", action="store_true")
    publishing.add_argument("--build", choices=("remote", "local"))
    publishing.add_argument("--no-build", action="store_true")
    publishing.add_argument("--subscription")
    publishing.add_argument("--access-token")
    publishing.add_argument("--management-url")
    publishing.set_defaults(run=publish)
    packing = commands.add_parser("pack")
    packing.add_argument("--no-build", action="store_true", required=True)
    packing.add_argument("--output", type=Path, required=True)
    packing.set_defaults(run=pack)
    options = parser.parse_args()
    try:
        options.run(options)
    except (CliError, requests.RequestException) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
