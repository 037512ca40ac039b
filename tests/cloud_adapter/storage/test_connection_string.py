"""StorageEndpoints: connection strings are read as the Azure SDKs read them."""

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from cloud_adapter.storage.account import StorageEndpoints

KEY = "AccountKey=d3Jvbmc="
SIGNATURE = "SharedAccessSignature=sv=2023-11-03&ss=bq&sig=a%2Bb%3D"
ENDPOINTS = "BlobEndpoint=https://b.example/x/;QueueEndpoint=https://q.example"


@pytest.mark.parametrize(
    "text",
    [
        "UseDevelopmentStorage=true",
        "usedevelopmentstorage=true;",
        f"AccountName=abc;{KEY}",
        f"DefaultEndpointsProtocol=http;AccountName=abc;{KEY};EndpointSuffix=core.chinacloudapi.cn",
        f"DefaultEndpointsProtocol=https;accountname=abc;{KEY};EndpointSuffix=core.windows.net;",
        f"AccountName=abc;{KEY};{ENDPOINTS}",
        f"{ENDPOINTS};{SIGNATURE}",
        f"AccountName=abc;{SIGNATURE}",
        f"AccountName=abc;{SIGNATURE.replace('=', '=?', 1)}",
        f"AccountName=abc;{KEY};{SIGNATURE}",
    ],
)
def test_where_the_services_are(text: str) -> None:
    """Both URLs, and what authorizes the requests, are the SDK clients'."""
    endpoints = StorageEndpoints.parse(text)
    urls = {
        "blob": BlobServiceClient.from_connection_string(text).url,
        "queue": QueueServiceClient.from_connection_string(text).url,
    }
    for service, full_url in urls.items():
        url, _, signature = full_url.partition("?")
        assert endpoints.urls[service] == url.rstrip("/")
        assert endpoints.signature == signature
        assert (endpoints.key is None) == bool(signature)


@pytest.mark.parametrize(
    "text", ["", "a", "a=b", KEY, "AccountName=abc", ENDPOINTS, "AccountName=abc;AccountKey=!"]
)
def test_what_is_no_connection_string(text: str) -> None:
    """It is refused, and the error quotes nothing of it."""
    with pytest.raises(ValueError, match=r"connection string|base64|padding") as error:
        StorageEndpoints.parse(text)
    assert "d3Jvbmc" not in str(error.value)
