"""Stored states that somebody has tampered with. As a program: reads them all, and prints what ran.

Each is refused with its path. Reading them must import, open and start nothing, and call no code of
the bot, whose classes are canaries: they record every call.
"""

import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CANARIES = """
    import os, subprocess, enum
    from dataclasses import dataclass
    from os import system
    from pathlib import Path
    from typing import NamedTuple
    from botbuilder.core import TurnContext
    from pydantic import BaseModel, PrivateAttr, field_validator

    ran = []

    def __getattr__(name):
        ran.append(f"module.__getattr__ {name}")
        raise AttributeError(name)

    class Meta(type):
        def __call__(cls, *args, **kwargs):
            ran.append("metaclass.__call__")
            return super().__call__(*args, **kwargs)
        def __getattr__(cls, name):
            ran.append(f"metaclass.__getattr__ {name}")
            raise AttributeError(name)
        def __instancecheck__(cls, value):
            ran.append("__instancecheck__")
            return False

    def record(name):
        def method(*args, **kwargs):
            ran.append(name)
            raise RuntimeError(name)
        return method

    class Descriptor:
        __get__ = record("descriptor.__get__")
        __set__ = record("descriptor.__set__")
        __delete__ = record("descriptor.__delete__")

    class Canary(metaclass=Meta):
        descriptor = Descriptor()
        setter = property(record("getter"), record("setter"))
        command = system
        process = subprocess.Popen

    NAMES = [
        "new", "init", "call", "setstate", "getstate", "reduce", "reduce_ex", "setattr", "delattr",
        "getattr", "getattribute", "getnewargs", "getnewargs_ex", "copy", "deepcopy", "post_init",
        "bool", "len", "iter", "getitem", "setitem", "contains", "eq", "hash", "str", "repr",
        "format", "enter", "exit", "fspath", "index", "int", "float", "missing", "reversed", "lt",
    ]
    for name in NAMES:
        setattr(Canary, f"__{name}__", record(name))

    class Bag(dict):
        pass

    class Row(list):
        pass

    for kind in (Bag, Row):
        for name in NAMES:
            setattr(kind, f"__{name}__", record(name))
        for name in ("append", "extend", "update", "setdefault"):
            setattr(kind, name, record(name))

    class Finalizer:
        __del__ = record("del")

    @dataclass
    class Data:
        name: str
        def __post_init__(self):
            ran.append("__post_init__")

    class Record(BaseModel):
        name: str
        rank: int = 1
        _secret: object = PrivateAttr(default_factory=record("default_factory"))
        model_post_init = record("model_post_init")
        @field_validator("name", "rank")
        @classmethod
        def check(cls, value):
            ran.append("validator")
            return value

    for name in ("init", "new", "eq", "hash", "setattr", "getattr", "setstate"):
        setattr(Record, f"__{name}__", record(name))

    class Point(NamedTuple):
        x: int

    class Color(enum.Enum):
        RED = 1
        @classmethod
        def _missing_(cls, value):
            ran.append("_missing_")

    class Loose(enum.Flag, boundary=enum.EJECT):
        READ = 1

    class Can(enum.Flag):
        READ = 1
        @classmethod
        def _missing_(cls, value):
            ran.append("_missing_")
    """
"""models.py of the bot."""

MODULES = (
    "os",
    "builtins",
    "subprocess",
    "sys",
    "importlib",
    "pickle",
    "ctypes",
    "socket",
    "shutil",
)
CALLABLES = ("system", "eval", "exec", "Popen", "__import__", "open", "CDLL", "modules", "rmtree")

TAGS = [
    *(f"{module}:{name}" for module in MODULES for name in CALLABLES),
    *(f"bot:{module}:{name}" for module in MODULES[:3] for name in CALLABLES[:4]),
    *(f"bot:models:{name}" for name in ("os", "subprocess", "system", "Path", "dataclass", "ran")),
    *(f"bot:models:{name}" for name in ("NamedTuple", "TurnContext", "record", "enum", "NAMES")),
    *(f"bot:models:Canary.{name}" for name in ("command", "process", "setter", "descriptor")),
    *(f"bot:models:Canary.__{name}__" for name in ("class", "init", "dict", "mro", "subclasses")),
    *(f"bot:models:{name}" for name in ("__builtins__", "__loader__", "__getattr__", "Finalizer")),
    *(
        f"bot:{name}"
        for name in ("unloaded:Thing", "..:x", "/etc:passwd", ":", "", "a b:c", "models")
    ),
    "bot:models:Canary\n",
    "bot:models:" + "x" * 1000,
    "bot:models.Canary",
    "os.system",
    "cloud_adapter.state.stored_state:to_text",
    "cloud_adapter.state.turn:ConversationState",
    "auth.settings:Settings",
    "composition:Composition",
    "function_app:app",
    "bot_logic.models:Canary",
    "models:Canary",
    "botbuilder.core.turn_context:TurnContext",
    "botbuilder.core.bot_framework_adapter:BotFrameworkAdapter",
    "botbuilder.dialogs.dialog_set:DialogSet",
    "botbuilder.dialogs.dialog_state:DialogState.__init__",
    "botbuilder.schema:Model",
    "botbuilder.schema:__builtins__",
    "botbuilder.schema:HttpOperationError",
    "microsoft_agents.activity:BaseModel",
    "microsoft_agents.activity:ContentTypes",
    "microsoft_agents.activity:Evil",
    "microsoft_agents.activity:TurnContextProtocol",
    "microsoft_agents.activity:load_configuration_from_env",
    "microsoft_agents.activity:__builtins__",
    "microsoft_agents.activity:Activity.model_validate",
    "microsoft_agents.activity.agents_model:BaseModel",
    "microsoft_agents.activity.evil:Evil",
    "microsoft_agents.activity_evil:Evil",
    "microsoft_agents.evil:Evil",
    "microsoft_agents.hosting.core.turn_context:TurnContext",
    "microsoft_agents.hosting.dialogs:DialogState",
    "microsoft_agents.hosting.dialogs.dialog_set:DialogSet",
    "pydantic:BaseModel",
    "pydantic.main:BaseModel",
    "pydantic.fields:FieldInfo",
    "msrest.serialization:Model",
    "jsonpickle.unpickler:Unpickler",
    "object",
    "type",
    "function",
    "",
    " ",
    "tuple ",
    "Tuple",
]
"""Names of what state must not create."""

BOT, DIALOGS = "bot:models:", "botbuilder.dialogs."
STACK, INSTANCE = f"{DIALOGS}dialog_state:DialogState", f"{DIALOGS}dialog_instance:DialogInstance"
AGENTS_ACTIVITY = "microsoft_agents.activity:Activity"
FIELDS_SET, UNKNOWN, PRIVATE = (
    f"__pydantic_{name}__" for name in ("fields_set", "extra", "private")
)
STYLE, ACTIVITY = f"{DIALOGS}choices.list_style:ListStyle", "botbuilder.schema:Activity"


def typed(tag: Any, value: Any = None, **attributes: Any) -> dict[str, Any]:
    """An object of a tag."""
    return {"~type": tag, **({} if value is None else {"~value": value}), **attributes}


def nested(levels: int, tag: str = "") -> Any:
    """Lists, or values of a tag, within each other."""
    found: Any = []
    for _ in range(levels):
        found = typed(tag, [found]) if tag else [found]
    return found


SHAPES: list[Any] = [
    *(typed(tag) for tag in (5, 1.5, True, ["tuple"], {"a": 1})),
    {"~type": None},
    {"~value": 1},
    {"~extra": {}},
    {"~": 1},
    {"~x": 1},
    *(typed("tuple", value) for value in (None, "ab", 5, {"a": 1}, True)),
    typed("tuple", [1], x=1),
    {**typed("tuple", [1]), "~extra": {}},
    *(typed("set", [value]) for value in ([1], {"a": 1}, typed(f"{BOT}Canary"), typed("set", []))),
    *(typed("dict", value) for value in ({"a": 1}, [1], [[1]], [[1, 2, 3]], ["ab"], [[[1], 2]])),
    typed("dict", [[typed(f"{BOT}Canary"), 1]]),
    *(
        typed(kind, text)
        for kind in ("datetime", "date", "time")
        for text in ("x", 5, "9" * 999, "")
    ),
    typed("datetime", "2026-13-01"),
    typed("date", "2026-02-30"),
    typed("time", "25:00"),
    *(typed("timedelta", value) for value in ([1], [1, 2, 3, 4], ["1", 2, 3], [1.5, 0, 0], "P1D")),
    *(typed("timedelta", value) for value in ([10**12, 0, 0], [True, 0, 0], [None, 0, 0])),
    *(typed("decimal", value) for value in ("x", "", "1e99999999999999999999", 5, "1" + "\0")),
    *(typed("uuid", value) for value in ("x", 5, "0" * 31)),
    *(typed(kind, value) for kind in ("bytes", "bytearray") for value in ("*", "a", 5, "é")),
    *(typed(STYLE, value) for value in (None, "nope", 5, "__class__", ["auto"], {"a": 1})),
    typed(STYLE, "auto", x=1),
    *(typed(f"{BOT}Color", value) for value in (None, "BLUE", 1, "_missing_", True)),
    *(typed(f"{BOT}Can", value) for value in (None, 2, 1.5, True, "WRITE", 10**400)),
    typed(f"{BOT}Loose", 2),
    *(typed(f"{BOT}Canary", **{f"__{name}__": 1}) for name in ("class", "dict", "init", "reduce")),
    typed(f"{BOT}Canary", 1),
    typed(f"{BOT}Canary", **{"~extra": [1]}),
    typed(f"{BOT}Canary", **{"~extra": {"__class__": 1}}),
    typed(f"{BOT}Canary", **{"~x": 1}),
    typed(f"{BOT}Point"),
    typed(f"{BOT}Point", [1]),
    *(typed(f"{BOT}Bag", value) for value in (None, [1], [[1]], {"a": 1}, "ab", [[[0], 1]])),
    *(typed(f"{BOT}Row", value) for value in (None, "ab", 5, {"a": 1})),
    typed(ACTIVITY, 1),
    typed(ACTIVITY, **{"~extra": {"a": 1}}),
    typed(INSTANCE, "x"),
    typed(AGENTS_ACTIVITY),
    typed(f"{BOT}Record", name="x"),
    {"~type": f"{BOT}Record", FIELDS_SET: None},
    *(
        typed(f"{BOT}Record", **{FIELDS_SET: names})
        for names in (1, "x", ["name"], {"name": 1}, typed("frozenset", []))
    ),
    typed(f"{BOT}Record", **{FIELDS_SET: typed("set", [1])}),
    *(
        typed(f"{BOT}Record", **{FIELDS_SET: typed("set", []), name: value})
        for name in (UNKNOWN, PRIVATE)
        for value in (1, "x", ["x"], typed("dict", [[1, 2]]))
    ),
    typed(f"{BOT}Record", 1, **{FIELDS_SET: typed("set", [])}),
    typed(f"{BOT}Record", **{FIELDS_SET: typed("set", []), "__class__": 1}),
    typed(f"{BOT}Data", name="x", **{FIELDS_SET: typed("set", [])}),
    float("nan"),
    float("inf"),
    float("-inf"),
    *(nested(levels, tag) for levels in (250, 800) for tag in ("", "tuple", "frozenset")),
]
"""Values that no version has written."""

READABLE = [
    typed(f"{BOT}Canary", setter=1, descriptor=2, command="x", name="y"),
    typed(f"{BOT}Canary", **{"~extra": {"anything": 1}}),
    typed(f"{BOT}Data", unknown=1),
    typed(f"{BOT}Bag", [["a", 1]], setter=1),
    typed(f"{BOT}Row", [1], append=1),
    typed(f"{BOT}Point", x=1, y=2),
    typed(
        f"{BOT}Record",
        name=5,
        **{FIELDS_SET: typed("set", ["name", "x"]), UNKNOWN: {"x": 1}, PRIVATE: {"_secret": 1}},
    ),
    typed(f"{BOT}Record", **{FIELDS_SET: typed("set", [])}),
    typed(f"{BOT}Color", "RED"),
    typed(f"{BOT}Can", 1),
    typed(f"{BOT}Gone", init=1),
]
"""Objects of the bot's: their classes' code does not run either."""

PLACES = [
    ('{"a":%s}', "state.a"),
    ('{"b":{"c":[1]},"a":[[%s]]}', "state.a[][]"),
    ('{"a":{"key":%s}}', "state.a{}"),
    ('{"a":{"~type":"tuple","~value":[1,%s]}}', "state.a[]"),
    ('{"a":{"~type":"dict","~value":[[1,%s]]}}', "state.a[][]"),
    (f'{{"a":{{"~type":"{STACK}","_dialog_stack":[%s]}}}}', "state.a._dialog_stack[]"),
    (f'{{"a":{{"~type":"{INSTANCE}","state":{{"x":%s}}}}}}', "state.a.state{}"),
    (f'{{"a":{{"~type":"{ACTIVITY}","value":%s}}}}', "state.a.value"),
    (f'{{"a":{{"~type":"{AGENTS_ACTIVITY}","value":%s}}}}', "state.a.value"),
    (f'{{"a":{{"~type":"{BOT}Canary","name":%s}}}}', "state.a.name"),
    (f'{{"a":{{"~type":"{BOT}Data","name":"x","~extra":{{"y":%s}}}}}}', "state.a{}"),
    ("%s", "state"),
]
"""Where a value is, in an item, and as the error names it."""


def states() -> Iterator[tuple[str, str]]:
    """Each state, with the path that it is refused with."""
    values = [*(json.dumps(typed(tag)) for tag in TAGS), *map(json.dumps, SHAPES), "9" * 5000]
    for value in values:
        for item, path in PLACES:
            yield f'["~typed",{item % value}]', path


def main() -> None:
    """Read all states, and print what happened, as JSON."""
    import botbuilder.dialogs  # noqa: F401  # so that its classes can be named
    import microsoft_agents.hosting.dialogs  # noqa: F401  # likewise

    from cloud_adapter.errors import UnreadableState
    from cloud_adapter.state.stored_state import from_text
    from tests.support.written_bot import WrittenBot

    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        bot = WrittenBot(Path(folder))
        bot.load({"models.py": CANARIES, "unloaded.py": "raise SystemExit('imported')"})
        models = bot.module("models")
        from_text('["~typed",{}]')  # imports the reader, once
        logging.disable()  # it looks at the caller's frame
        events: set[str] = set()
        listening = True
        sys.addaudithook(lambda event, _: events.add(event) if listening else None)
        before = set(sys.modules)
        count, wrong = 0, []
        for text, path in states():
            count += 1
            try:
                read = repr(type(from_text(text)))
            except UnreadableState as error:
                read = str(error)
            except Exception as error:  # noqa: BLE001  # is reported as wrong
                read = repr(error)
            if not read.isprintable() or not read.startswith(
                (f"{path} ", f"{path}.", f"{path}[", f"{path}{{")
            ):
                wrong.append([text[:300], path, read[:300]])
        for value in READABLE:
            from_text(json.dumps(["~typed", {"a": value}]))
        listening = False
        found = {
            "states": count,
            "wrong": wrong,
            "ran": models.ran,
            "events": sorted(events),
            "imported": sorted(set(sys.modules) - before),
        }
        print(json.dumps(found))


if __name__ == "__main__":
    main()
