"""Rules on the text of the templates, among them those of Bicep's own linter."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pycep
from lark.exceptions import LarkError

from tests.infra.template import Template
from tests.support.bicep.syntax import BicepError, declarations, literal, nodes, references, text

HOSTS = (
    *("azuredatalakeanalytics.net", "azuredatalakestore.net", "core.windows.net"),
    *("database.windows.net", "datalake.azure.net", "gallery.azure.com", "graph.windows.net"),
    *("login.microsoftonline.com", "management.azure.com", "vault.azure.net"),
)
"""Hosts of one cloud, which Bicep's linter refuses (no-hardcoded-env-urls)."""

SECRET = re.compile(r"password|pwd|secret|accountkey|acctkey", re.IGNORECASE)
"""What Bicep's linter takes for a secret in a name (secure-secrets-in-params)."""


def parses(template: Template) -> Iterator[str]:
    """Both parsers read each file."""
    for file in template.files:
        try:
            declarations(file)
            pycep.BicepParser().parse(text=file.read_text("utf-8"))
        except (BicepError, LarkError) as error:
            yield f"{file.name}: {str(error)[:200]}"


def has_no_key_calls(template: Template) -> Iterator[str]:
    """Nothing reads a key: no list*() function, and no reference()."""
    for file in template.files:
        for call in nodes(file, "call_expression"):
            name = text(call.named_children[0]).rpartition(".")[2]
            if re.match(r"list[A-Z]|listKeys|reference$", name):
                yield f"{file.name} calls {name}"


def has_no_secrets(template: Template) -> Iterator[str]:
    """No parameter and no output is, or is named like, a secret."""
    for file in template.files:
        for declared in declarations(file):
            if declared.kind not in ("parameter", "output"):
                continue
            if SECRET.search(declared.symbol) or "secure" in declared.decorators:
                yield f"{file.name}: {declared.symbol}"
            value = text(declared.value) if declared.value else ""
            if declared.kind == "output" and re.search("ConnectionString|Key\\b", value):
                yield f"{file.name}: {declared.symbol} shows {value}"


def uses_everything(template: Template) -> Iterator[str]:
    """No parameter, variable or existing resource is unused, and no output of a module."""
    outputs: Counter[str] = Counter()
    for file in template.files:
        used = Counter(references(file))
        for declared in declarations(file):
            is_created = declared.kind in ("resource", "module") and not declared.is_existing
            if not is_created and declared.kind != "output" and not used[declared.symbol]:
                yield f"{file.name}: {declared.symbol}"
        outputs.update(_outputs_used(file))
    for file in template.files:
        for declared in declarations(file):
            name = f"{file.stem}.{declared.symbol}"
            if declared.kind == "output" and file.stem != "main" and not outputs[name]:
                yield f"output {name}"


def _outputs_used(file: Path) -> Iterator[str]:
    """`MODULE.OUTPUT` for each output that a file uses; a module is named like its file."""
    modules = {
        each.symbol: Path(each.target).stem for each in declarations(file) if each.kind == "module"
    }
    for node in nodes(file, "member_expression"):
        module, *rest = text(node).split(".")
        if module in modules and len(rest) == 2 and rest[0].startswith("outputs"):
            yield f"{modules[module]}.{rest[1]}"


def uses_every_module(template: Template) -> Iterator[str]:
    """Each file but main.bicep is a module of another."""
    used = {
        (file.parent / each.target).resolve()
        for file in template.files
        for each in declarations(file)
        if each.kind == "module"
    }
    for file in template.files:
        if file.stem != "main" and file.resolve() not in used:
            yield file.name


def names_no_cloud(template: Template) -> Iterator[str]:
    """No host of the public cloud is written out."""
    for file in template.files:
        for node in nodes(file, "string"):
            yield from (f"{file.name}: {host}" for host in HOSTS if host in text(node))


def is_plain(template: Template) -> Iterator[str]:
    """No construct that Bicep's linter warns of, or that one of the parsers cannot read."""
    for file in template.files:
        source = file.read_text("utf-8")
        for word in ("dependsOn", "resourceId(", "concat(", "func ", "extension ", "=> ", "..."):
            if re.search(rf"(?<!\w){re.escape(word)}", _code(source)):
                yield f"{file.name}: {word}"
        for node in nodes(file, "string"):
            if re.fullmatch(r"'\$\{\w+\}'", text(node)) and not _is_key(node.parent, node):
                yield f"{file.name}: {text(node)} needs no quotes"
        for node in nodes(file, "member_expression"):
            # One of the parsers reads `a ? b : c.d` as `(a ? b : c).d`.
            if re.fullmatch("(ternary|binary|unary)_expression", node.named_children[0].type):
                yield f"{file.name}: {text(node)} needs a variable"
        for node in nodes(file, "arguments"):
            # checkov's parser reads none after a line break, and then skips the file.
            if node.named_children and node.named_children[0].type == "object":
                yield f"{file.name}: {text(node)} needs a variable"
        for declared in declarations(file):
            if declared.kind == "resource" and _has_slash_in_name(declared.value):
                yield f"{file.name}: {declared.symbol} has a name with a slash, and no parent"


def _code(source: str) -> str:
    """A file without its comments and strings."""
    return re.sub(r"//.*|'[^'\n]*'", "", source)


def _is_key(parent: object, node: object) -> bool:
    children = getattr(parent, "named_children", [])
    return getattr(parent, "type", "") == "object_property" and children[0] == node


def _has_slash_in_name(value: object) -> bool:
    for property_ in getattr(value, "named_children", []):
        children = property_.named_children
        if property_.type == "object_property" and text(children[0]) == "name":
            named = children[1]
            return named.type == "string" and "/" in text(named)
    return False


def has_descriptions(template: Template) -> Iterator[str]:
    """Each parameter of main.bicep says what it is for: azd and the portal show it."""
    for declared in declarations(template.folder / "main.bicep"):
        if declared.kind == "parameter":
            described = declared.decorators.get("description")
            if described is None or not literal(described.named_children[1].named_children[0]):
                yield declared.symbol
