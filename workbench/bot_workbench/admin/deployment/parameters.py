"""The choices of a deployment: azd's variable, the template's parameter and the option, in one row.

infra/main.bicep and infra/main.parameters.json say the same; a test compares them.
"""

import re
from dataclasses import dataclass
from typing import Literal

from bot_workbench.admin.near_miss import meant_value
from bot_workbench.credential_kinds import KINDS, MANAGED_IDENTITY, MULTI_TENANT, SINGLE_TENANT

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
"""The texts that azd takes for numbers, as Go's strconv.ParseInt does."""

NONE = "none"
"""The value that takes an address or a resource away: an empty one counts as not chosen."""

_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")
_BOOLEANS = {**dict.fromkeys(_TRUE, "true"), **dict.fromkeys(_FALSE, "false")}
"""The spellings that azd takes for a boolean, those of Go's strconv.ParseBool."""

_MEANT = {"yes": "true", "y": "true", "on": "true", "no": "false", "n": "false", "off": "false"}
_PART = r'[^\s"\\@,;<>()]+'
_MODELS = re.compile(
    rf"(?i:/subscriptions/{GUID.pattern}/resourceGroups/[-\w.()]+"
    rf"/providers/Microsoft\.CognitiveServices/accounts/[\w.-]+)|{NONE}",
    re.ASCII,
)
_ADDRESS = re.compile(rf"{_PART}@{_PART}\.{_PART}|{NONE}")


@dataclass(frozen=True)
class Choice:
    """One choice.

    Attributes:
        variable: azd's, such as "BOT_TURNS".
        parameter: the template's, such as "turns".
        help: what it is, for the option.
        default: the template's, as text.
        type: the parameter's, as Bicep names it.
        allowed: the only values; empty: `limits` or `pattern` says more.
        limits: of a whole number, both included.
        pattern: what a text must match, if there are no allowed values.
        meaning: what matches the pattern: "a GUID".
        example: stands for a value that matches.
    """

    variable: str
    parameter: str
    help: str
    default: str = ""
    type: Literal["string", "int", "bool"] = "string"
    allowed: tuple[str, ...] = ()
    limits: tuple[int, int] = (0, 0)
    pattern: re.Pattern[str] = re.compile(".*")
    meaning: str = ""
    example: str = ""

    @property
    def option(self) -> str:
        """The option of `deployment prepare`, such as "--always-ready"."""
        return "--" + re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", self.parameter)

    @property
    def values(self) -> str:
        """The allowed values, in words."""
        if self.type == "bool":
            return "true or false"
        if self.type == "int":
            return f"a whole number from {self.limits[0]} to {self.limits[1]}"
        return f"one of {', '.join(self.allowed)}" if self.allowed else self.meaning

    def read(self, text: str) -> str | None:
        """A value as the template gets it; None: it takes no such value.

        Args:
            text: what was chosen, not empty.
        """
        if self.type == "bool":
            return _BOOLEANS.get(text)
        if self.type == "int":
            number = int(text) if INTEGER.fullmatch(text) else None
            is_within = number is not None and self.limits[0] <= number <= self.limits[1]
            return str(number) if is_within else None
        is_taken = text in self.allowed if self.allowed else self.pattern.fullmatch(text)
        return text if is_taken else None

    def nearest(self, text: str) -> str:
        """The value that was probably meant; the default, or an example, if none is near.

        Args:
            text: what was chosen.
        """
        word = text.strip().lower()
        if self.type == "int" and INTEGER.fullmatch(word):
            return str(max(self.limits[0], min(int(word), self.limits[1])))
        if self.type == "bool":
            return _MEANT.get(word) or _BOOLEANS.get(word, self.default)
        for each in (text.strip(), word):
            if self.read(each) is not None:
                return each
        return meant_value(word, self.allowed) or self.default or self.example


CREDENTIAL = Choice(
    "BOT_CREDENTIAL",
    "credential",
    "How the bot signs in.",
    MANAGED_IDENTITY,
    allowed=tuple(KINDS),
)
TURNS = Choice(
    "BOT_TURNS",
    "turns",
    "Whether a turn runs while the channel waits, or from a queue.",
    "Inline",
    allowed=("Inline", "Queued"),
)
CLOUD = Choice(
    "BOT_CLOUD",
    "cloud",
    "The cloud that you are signed in to.",
    "Public",
    allowed=("Public", "USGovernment", "China"),
)
APP_ID = Choice(
    "BOT_APP_ID",
    "botAppId",
    "App id of an app registration of yours; empty: one is made if it is needed.",
    pattern=GUID,
    meaning="a GUID",
    example="GUID",
)
APP_TYPE = Choice(
    "BOT_APP_TYPE",
    "botAppType",
    "Type of the bot, unless it is its managed identity.",
    SINGLE_TENANT,
    allowed=(SINGLE_TENANT, MULTI_TENANT),
)
ALWAYS_READY = Choice(
    "BOT_ALWAYS_READY",
    "alwaysReady",
    "Instances that are always ready.",
    "0",
    type="int",
    limits=(0, 20),
)
BOT_SKU = Choice("BOT_SKU", "botSku", "Price of the Azure Bot.", "F0", allowed=("F0", "S1"))
DIRECT_LINE = Choice(
    "BOT_DIRECT_LINE",
    "directLine",
    "Whether to add the Direct Line channel.",
    "false",
    type="bool",
)
ALERT_EMAIL = Choice(
    "BOT_ALERT_EMAIL",
    "alertEmail",
    f"Who gets the alerts; {NONE}: nobody.",
    pattern=_ADDRESS,
    meaning=f"an email address, or {NONE}",
    example="you@example.com",
)
OPENAI_RESOURCE_ID = Choice(
    "BOT_OPENAI_RESOURCE_ID",
    "openaiResourceId",
    f"Resource id of the Azure OpenAI resource whose models the bot calls; {NONE}: it has no role.",
    pattern=_MODELS,
    meaning=f"the resource id of a Microsoft.CognitiveServices account, or {NONE}",
    example="/subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.CognitiveServices"
    "/accounts/NAME",
)

CHOICES = (
    CREDENTIAL,
    TURNS,
    CLOUD,
    APP_ID,
    APP_TYPE,
    ALWAYS_READY,
    BOT_SKU,
    DIRECT_LINE,
    ALERT_EMAIL,
    OPENAI_RESOURCE_ID,
)
