"""That the search for what must not be exported finds it, also if it is encoded."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.telemetry.encoded import found_in

TEXT = "open sesame"


@given(before=st.binary(max_size=4), after=st.binary(max_size=4))
def test_within_base64(before: bytes, after: bytes) -> None:
    """Wherever the text begins and ends."""
    content = base64.b64encode(before + TEXT.encode() + after)
    assert found_in(content, [TEXT, "absent"]) == [TEXT]


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode().hex().encode(),
        TEXT.encode("utf-16"),
        quote(TEXT).encode(),
    ],
)
def test_other_forms(content: bytes) -> None:
    """UTF-8, hex, UTF-16 and percent-encoding."""
    assert found_in(b"\0" + content + b"\0", [TEXT, "absent"]) == [TEXT]
