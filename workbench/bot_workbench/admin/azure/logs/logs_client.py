"""LogsClient: queries of Log Analytics. Microsoft reference: "Logs query API", v1."""

from typing import Any

from bot_workbench.admin.azure.errors import NotReachable
from bot_workbench.admin.azure.http.rest_client import RestClient
from bot_workbench.admin.azure.http.translation import json_of


class LogsClient(RestClient):
    """The query API of Log Analytics. A query changes nothing."""

    def row(self, workspace: str, query: str, timespan: str) -> dict[str, Any]:
        """The first row of a query's result, by its columns; empty if there is none.

        Args:
            workspace: the workspace's `customerId` (GUID).
            query: in Kusto.
            timespan: ISO 8601 duration, such as "P1D": nothing older is looked at.

        Raises:
            AzureProblem: it cannot be asked, or its answer has another shape.
        """
        # In a body: with a query in it, a URL would be longer than many servers and proxies accept.
        body = {"query": query, "timespan": timespan}
        answer = json_of(self.exchange("POST", f"/v1/workspaces/{workspace}/query", body, None))
        try:
            table = answer["tables"][0]
            names = [str(column["name"]) for column in table["columns"]]
            rows = [dict(zip(names, row, strict=True)) for row in table["rows"]]
        except (LookupError, TypeError, ValueError) as error:
            raise NotReachable(f"{self._service}: the answer has no table") from error
        return rows[0] if rows else {}
