"""JsonText: strings are replaced, and nothing else changes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_workbench.admin.migrate.managed_identity.developer_files import JsonText

TEXT = """{
\t"a" : [ "x", {"b\\u0041": "y\\n"}, 1.50, true, null, [], {} ] ,
  "c":"\\u00e9",   "d": {"e": "z"}
}
"""


def test_places() -> None:
    """Each string has its place; names of members are not strings of the document."""
    assert JsonText(TEXT).strings == {
        ("a", 0): "x",
        ("a", 1, "bA"): "y\n",
        ("c",): "é",
        ("d", "e"): "z",
    }


def test_one_replaced() -> None:
    """White space, escapes and numbers stay as they were written."""
    new = JsonText(TEXT).with_strings({("a", 1, "bA"): 'q"', ("d", "e"): "longer"})
    assert new == TEXT.replace('"y\\n"', '"q\\""').replace('"z"', '"longer"')


def test_no_json() -> None:
    """A comment is not JSON."""
    with pytest.raises(ValueError, match="Extra data"):
        JsonText("{} // no")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON, st.sampled_from([None, 2, "\t"]))
def test_any_document(value: object, indent: int | str | None) -> None:
    """Whatever the document and its layout: replacing every string by itself is the document."""
    text = JsonText(json.dumps(value, indent=indent))
    assert json.loads(text.with_strings(text.strings)) == value
