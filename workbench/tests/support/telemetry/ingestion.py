"""Ingestion: Application Insights' endpoint for telemetry, of a resource without local auth.

As learn.microsoft.com, "Microsoft Entra authentication for Application Insights", says: with local
authentication disabled, an instrumentation key without a token is refused.
"""

import base64
import json
import ssl
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.telemetry.receiver import Posted, Receiver

INSTRUMENTATION_KEY = "11111111-2222-4333-8444-555555555555"
AUDIENCE = "https://monitor.azure.com/"


class Ingestion(Receiver):
    """Takes envelopes at /v2.1/track from callers that have a token for Azure Monitor.

    Args:
        tls: the server side of TLS, without which no exporter sends its token.

    Attributes:
        refused: how many requests had no such token.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(tls)
        self.refused = 0

    def settings(self, client_id: str) -> dict[str, str]:
        """The variables with which an app exports to it, signed in as this identity."""
        return {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": (
                f"InstrumentationKey={INSTRUMENTATION_KEY};IngestionEndpoint={self.url}/"
            ),
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": (
                f"Authorization=AAD;ClientId={client_id}"
            ),
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_METRIC_EXPORT_INTERVAL": "100",
        }

    def take(self, request: BaseHTTPRequestHandler) -> None:
        """Answer 401 to requests without a token for Azure Monitor."""
        self.status = 200 if audience(request.headers.get("authorization", "")) == AUDIENCE else 401
        self.refused += self.status == 401
        super().take(request)

    def response(self, posted: Posted) -> bytes:
        """As the service answers: how many envelopes it took."""
        count = len(json.loads(posted.body))
        accepted = count if self.status == 200 else 0
        answer = {"itemsReceived": count, "itemsAccepted": accepted, "errors": []}
        return json.dumps(answer).encode()

    @property
    def tokens(self) -> list[dict[str, Any]]:
        """The claims of the tokens so far."""
        return [claims(each.headers.get("authorization", "")) for each in [*self.posted]]

    def items(self, kind: str) -> list[dict[str, Any]]:
        """The envelopes so far with data of this kind, such as RequestData."""
        envelopes = [item for each in [*self.posted] for item in json.loads(each.body)]
        return [each for each in envelopes if each["data"]["baseType"] == kind]


def claims(authorization: str) -> dict[str, Any]:
    """The claims of a bearer token; empty if there is none."""
    parts = authorization.removeprefix("Bearer ").split(".")
    if len(parts) != 3:
        return {}
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    return found


def audience(authorization: str) -> str:
    """The audience of a bearer token; empty if there is none."""
    return str(claims(authorization).get("aud", ""))
