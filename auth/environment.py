"""Environment: reads app settings as typed values, and collects every problem."""

import re
from collections.abc import Callable, Iterable, Mapping

from auth.inbound.caller import is_secure_url

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_SHA1_HEX = re.compile(r"[0-9A-F]{40}")
_SHA256_HEX = re.compile(r"[0-9A-F]{64}")

# Set by hosting platforms: a process that has any of these variables does not run on a developer's
# machine, whatever else is set. (WEBSITE_HOSTNAME is not listed, because Core Tools sets it too.)
_HOSTING_VARIABLES = (
    # Functions and App Service
    "WEBSITE_INSTANCE_ID",
    "WEBSITE_SITE_NAME",
    "WEBSITE_POD_NAME",
    # Container Apps and Container Apps jobs
    "CONTAINER_APP_NAME",
    "CONTAINER_APP_REVISION",
    "CONTAINER_APP_HOSTNAME",
    "CONTAINER_APP_JOB_NAME",
    # Kubernetes: set in every pod, even with enableServiceLinks: false
    "KUBERNETES_SERVICE_HOST",
    # Service Fabric
    "Fabric_ApplicationName",
)


class Environment:
    """The app settings of one process.

    A method that finds a setting wrong adds a problem and returns an empty value, so that reading
    continues and finds the other problems.

    Args:
        variables: the environment variables by name, as in `os.environ`.

    Attributes:
        problems: the problems so far, each with the setting's name and how to fix it.
        hosting_variable: the name of a variable that only a hosting platform sets; empty if there
            is none.
        development: whether the process runs on a developer's machine.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.problems: list[str] = []
        self.hosting_variable = next(
            (name for name in _HOSTING_VARIABLES if variables.get(name)), ""
        )
        self.development = (
            variables.get("AZURE_FUNCTIONS_ENVIRONMENT") == "Development"
            and not self.hosting_variable
        )

    def add_problem(self, name: str, text: str) -> str:
        """Add a problem with a setting, and return an empty value for the setting."""
        problem = f"{name}: {text}"
        if problem not in self.problems:  # the same setting may be read twice
            self.problems.append(problem)
        return ""

    def text(self, name: str) -> str:
        """The setting without surrounding white space; empty if it is not set."""
        return self._variables.get(name, "").strip()

    def any_set(self, names: Iterable[str]) -> bool:
        """Whether at least one of these settings is set."""
        return any(self.text(name) for name in names)

    def choice(
        self,
        name: str,
        choices: tuple[str, ...],
        default: str = "",
        offered: tuple[str, ...] = (),
    ) -> str:
        """The one of `choices` that the setting names; upper and lower case do not matter.

        Args:
            name: the setting's name.
            choices: what it may be.
            default: what it is if it is not set; empty: it must be set.
            offered: those of `choices` that the problem's text proposes; empty: all.
        """
        text = self.text(name) or default
        for choice in choices:
            if text.lower() == choice.lower():
                return choice
        reason = f"{text!r} is not known" if text else "it is missing"
        return self.add_problem(name, f"{reason}; set one of {', '.join(offered or choices)}")

    def flag(self, name: str) -> bool:
        """Whether the setting is `true`; a setting that is not set counts as `false`."""
        return self.choice(name, ("true", "false"), default="false") == "true"

    def guid(self, name: str, needed: str = "") -> str:
        """A GUID in lower case.

        Args:
            name: the setting's name.
            needed: a description of the setting, for the problem text if it is missing; empty if
                the setting is optional.
        """
        if not self.text(name):
            return self.add_problem(name, f"it is missing; {needed}") if needed else ""
        example = " such as 00000000-0000-0000-0000-000000000000"
        return self._guid(name, self.text(name), example)

    def url(self, name: str, default: str) -> str:
        """An https URL; on a developer's machine, an http URL on loopback is allowed too."""
        url = self.text(name) or default
        if not is_secure_url(url, loopback=self.development):
            return self.add_problem(name, f"{url!r} is not an https URL")
        return url

    def optional_url(self, name: str) -> str:
        """A URL like `url`, without a trailing slash; empty if the setting is not set."""
        return self.url(name, "").rstrip("/") if self.text(name) else ""

    def guids(self, name: str) -> list[str]:
        """GUIDs in lower case, separated by commas."""
        return self._items(name, self._guid)

    def hosts(self, name: str) -> list[str]:
        """Host names in lower case, separated by commas."""
        return self._items(name, self._host)

    def thumbprints(self, name: str) -> list[str]:
        """SHA-1 thumbprints in upper-case hex, separated by commas."""
        return self._items(name, self._thumbprint)

    def _items(self, name: str, check: Callable[[str, str], str]) -> list[str]:
        if not self.text(name):
            return []
        texts = [text.strip() for text in self.text(name).split(",")]
        if not any(texts):
            # An empty list would allow everything.
            self.add_problem(name, "it lists nothing; fill it in, or remove it")
        return [item for text in texts if text and (item := check(name, text))]

    def _guid(self, name: str, text: str, example: str = "") -> str:
        if not _GUID.fullmatch(text.lower()):
            return self.add_problem(name, f"{text!r} is not a GUID{example}")
        return text.lower()

    def _host(self, name: str, text: str) -> str:
        if not _HOST.fullmatch(text.lower()):
            return self.add_problem(
                name, f"{text!r} is not a host name; write contoso.com, its subdomains are included"
            )
        return text.lower()

    def _thumbprint(self, name: str, text: str) -> str:
        # The certificate dialog in Windows copies an invisible mark in front of the thumbprint.
        plain = re.sub(r"[\s:\u200e]", "", text).upper()
        if _SHA256_HEX.fullmatch(plain):
            return self.add_problem(
                name, f"{text!r} is a SHA-256 thumbprint; set the SHA-1 one that the portal shows"
            )
        if not _SHA1_HEX.fullmatch(plain):
            return self.add_problem(name, f"{text!r} is not a SHA-1 thumbprint of 40 hex digits")
        return plain
