"""GraphCaller: raw requests to Graph with a token of one caller."""

from typing import Any

import aiohttp

from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.graph.graph import PUBLIC_GRAPH, Graph

JsonObject = dict[str, Any]


class GraphCaller:
    """Sends requests; a refusal is an answer like any other.

    Args:
        graph: where to.
        http: a client that trusts it.
        token: the caller's.
    """

    def __init__(self, graph: Graph, http: aiohttp.ClientSession, token: str) -> None:
        self._graph = graph
        self.http = http
        self.token = token

    async def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        version: str = "v1.0",
        *,
        consistency: str = "",
        **query: str,
    ) -> tuple[int, JsonObject]:
        """Status and body; an empty body is {}.

        Args:
            method: HTTP method.
            path: below the version, for example `/applications`.
            body: JSON; None: there is none.
            version: v1.0 or beta.
            consistency: the header `ConsistencyLevel`; empty: there is none.
            query: parameters, without `$`.
        """
        url = f"{self._graph.server.url}/{version}{path}"
        parameters = {f"${name}": value for name, value in query.items()}
        headers = {"Authorization": f"Bearer {self.token}"}
        if consistency:
            headers["ConsistencyLevel"] = consistency
        async with self.http.request(
            method, url, json=body, params=parameters, headers=headers
        ) as response:
            text = await response.read()
            return response.status, (await response.json() if text else {})


def app_token(entra: Entra, principal_id: str, resource: str = PUBLIC_GRAPH) -> str:
    """A service principal's token."""
    tenant_id = entra.directory.tenant_id
    return entra.app_token(resource, "a client", principal_id, tenant_id=tenant_id)[0]
