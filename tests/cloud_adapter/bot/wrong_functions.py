"""Functions of a routes.py that Azure would refuse, each with what is said of it, and right ones.

Each is the code of a `create_routes` between its first line, which makes `routes`, and its last.
"""

GOOD = """
@routes.route("good", methods=["GET"])
async def good(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("good")
"""


def http(route: str, methods: str = "['GET']", name: str = "wrong") -> str:
    """A function with this route, which otherwise has no fault."""
    return f"""
@routes.route({route!r}, methods={methods})
async def {name}(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("")
"""


def generic(kind: str, route: str) -> str:
    """An HTTP function as an author writes it who copies a function.json."""
    return f"""
@routes.generic_trigger("req", type={kind!r}, route={route!r}, methods=["post"])
@routes.generic_output_binding("$return", type="http")
def wrong(req):
    return ""
"""


def named(name: str) -> str:
    """A function with this name, which otherwise has no fault."""
    return f"""
@routes.function_name({name!r})
@routes.timer_trigger("timer", "0 0 0 1 1 *")
def wrong(timer: func.TimerRequest) -> None:
    pass
"""


TAKEN = "choose another"
INVALID = "is not valid"

WRONG: dict[str, tuple[str, str]] = {
    # Names.
    "a name of the base": (named("messages"), TAKEN),
    "a name of the base, in another case": (named("Health"), TAKEN),
    "a name of a function that is off": (named("turns"), TAKEN),
    "another such name": (named("skills"), TAKEN),
    "a name twice": (named("good"), TAKEN),
    "a name twice, in another case": (named("GOOD"), TAKEN),
    "an underscore first": (named("_mine"), "a function's name begins with a letter"),
    "a letter beyond ASCII": (named("für"), "a function's name begins with a letter"),
    "a line break": (named("my\nfunction"), "a function's name begins with a letter"),
    "a dot and a blank": (named("my-fn.2 x"), "a function's name begins with a letter"),
    "the name host": (named("Host"), "a function's name begins with a letter"),
    "a long name": (named("a" * 128), "a function's name begins with a letter"),
    "an underscore in a parameter": (
        """
@routes.timer_trigger("my_timer", "0 0 0 1 1 *")
def wrong(my_timer: func.TimerRequest) -> None:
    pass
""",
        "parameter my_timer",
    ),
    # What the worker cannot index.
    "no trigger": (
        """
@routes.queue_output("out", "a-queue", "AzureWebJobsStorage")
def wrong(out: func.Out[str]) -> None:
    pass
""",
        "does not have a trigger",
    ),
    "a parameter that is no binding": (
        """
@routes.timer_trigger("timer", "0 0 0 1 1 *")
def wrong(timer: func.TimerRequest, other: str) -> None:
    pass
""",
        "{'other'}",
    ),
    "a binding that is no parameter": (
        """
@routes.timer_trigger("timer", "0 0 0 1 1 *")
def wrong() -> None:
    pass
""",
        "{'timer'}",
    ),
    "the type of another trigger": (
        """
@routes.timer_trigger("timer", "0 0 0 1 1 *")
def wrong(timer: func.HttpRequest) -> None:
    pass
""",
        "do not match",
    ),
    "a type that is not one": (
        """
@routes.timer_trigger("timer", "0 0 0 1 1 *")
def wrong(timer: func.TimerRequest | None) -> None:
    pass
""",
        "non-type annotation",
    ),
    "a name that is not defined": (
        """
@routes.timer_trigger("timer", "0 0 0 1 1 *")
def wrong(timer: "Timer") -> None:
    pass
""",
        "'Timer' is not defined",
    ),
    "a retry that is not in hours": (
        """
@routes.timer_trigger("timer", "0 0 0 1 1 *")
@routes.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="10")
def wrong(timer: func.TimerRequest) -> None:
    pass
""",
        "'10'",
    ),
    "a retry of no known strategy": (
        """
@routes.timer_trigger("timer", "0 0 0 1 1 *")
@routes.retry(strategy="linear", max_retry_count="3", delay_interval="00:00:10")
def wrong(timer: func.TimerRequest) -> None:
    pass
""",
        "linear",
    ),
    "two bindings of one name": (
        """
@routes.route("twice")
@routes.queue_output("Req", "a-queue", "AzureWebJobsStorage")
def wrong(req: func.HttpRequest, Req: func.Out[str]) -> func.HttpResponse:
    return func.HttpResponse("")
""",
        "the same name",
    ),
    "two triggers": (
        """
@routes.timer_trigger("timer", "0 0 0 1 1 *")
@routes.generic_input_binding("message", type="queueTrigger")
def wrong(timer: func.TimerRequest, message: str) -> None:
    pass
""",
        "ends with Trigger",
    ),
    "a trigger of no such type": (
        """
@routes.generic_trigger("event", type="anything")
def wrong(event: str) -> None:
    pass
""",
        "ends with Trigger",
    ),
    "a value that is not JSON": (
        """
@routes.generic_trigger("event", type="anything", more=object())
def wrong(event: str) -> None:
    pass
""",
        "not JSON serializable",
    ),
    # Templates that the host cannot read.
    **{
        f"the route {route}": (http(route), INVALID)
        for route in (
            *("/mine", "a//b", "//", "{*r}/x", "{a}/{a}", "{a}/{A:int}", "{a:foo}", "x/{a}{b}"),
            *(
                "x{*r}",
                "{*r?}",
                "{a?}x",
                "{a}-{b?}",
                "a.{b?}.c",
                "{a=5?}",
                "what?",
                "{}",
                "{a",
                "a}",
            ),
            *(
                "{a:length}",
                "{a:length(x)}",
                "{a:range(1)}",
                "{a:int(3)}",
                "{a:regex}",
                "{:int}x{y}{z}",
                "{a}}}",
            ),
            *("{a:length(3,1)}", "{a:range(9,1)}", "{a:minlength(-1)}"),
            *(
                "{a:length(9999999999)}",
                "{a:(1)}",
                "{a:max(9223372036854775808)}",
                "{a:length(\u0663)}",
            ),
            *("{a:regex([)}", "{a:regex(()}", "{a:regex(*.png)}"),
            *("{a" + ":x(1)" * 40,),
        )
    },
    # Routes that others have.
    "the host's own route": (http("admin/x"), "the host's own"),
    "another route of the host's": (http("Runtime"), "the host's own"),
    "the route of messages": (
        http("messages", "['POST']"),
        "can match POST /api/messages, which belongs to messages",
    ),
    "that route, in another case": (http("Messages/", "['post']"), "belongs to messages"),
    "that route, with every method": (http("messages", "None"), "belongs to messages"),
    "a route for everything": (http("{*all}", "['POST']"), "belongs to messages"),
    "a route for every word": (http("{word}", "['POST', 'GET']"), "belongs to messages"),
    "a route for words that begin so": (
        http("mess{rest:alpha}", "['POST']"),
        "belongs to messages",
    ),
    "a route with an absent part": (http("messages/{id?}", "['POST']"), "belongs to messages"),
    "a route with an absent ending": (http("{name}.{ext?}", "['POST']"), "belongs to messages"),
    "a route with a default": (http("{name=messages}", "['POST']"), "belongs to messages"),
    "a route with an absent number": (
        http("messages/{page:int=2}", "['POST']"),
        "belongs to messages",
    ),
    "the route of health": (
        http("{word:length(6)}"),
        "can match GET /api/health, which belongs to health",
    ),
    "the route of identity": (http("identity"), "belongs to identity"),
    "the route of skills": (http("skills/{*all}", "['DELETE']"), "belongs to skills"),
    "the route of a skill's reply": (
        http("skills/v3/conversations/{id}/activities", "['POST']"),
        "belongs to skills",
    ),
    "the route of a skill's question": (
        http("skills/v3/conversations/{id}/pagedmembers"),
        "belongs to skills",
    ),
    "that of messages, in the generic form": (
        generic("httpTrigger", "messages"),
        "belongs to messages",
    ),
    "that form, in another case": (generic("HTTPTrigger", "messages"), "belongs to messages"),
    "an invalid route in that form": (generic("HTTPTrigger", "a//b"), INVALID),
    "the same route": (http("GOOD/", "['GET']"), "function good has the same route"),
}

RIGHT: dict[str, str] = {
    **{
        f"the route {route}": http(route, methods)
        for route, methods in (
            *(("messages", "['GET']"), ("messages/x", "['POST']"), ("{id:int}", "['POST']")),
            *(("{id:range(1, 9)}", "None"), ("skills", "None"), ("a/", "['GET']")),
            *(("files/{*path}", "None"), ("files/{**path}", "None"), ("a/{b?}", "['GET']")),
            *(("a/{b:int:min(1)}", "['GET']"), ("a/{b=5}", "['GET']"), ("a/{b:int=5}", "['GET']")),
            *(("a-{b}", "['GET']"), ("{a}-{b}.png", "['PUT']"), ("a/{b}.{c?}", "['GET']")),
            *(("a/{b:length(3)}", "['GET']"), ("a/{b:length(1,3)}", "['GET']")),
            *((r"a/{b:regex(^\d{{3}}$)}", "['GET']"), ("a/{b:maxlength(3)}", "None")),
            *(("good", "['POST']"), ("", "['GET']"), ("a b", "['GET']"), ("ad", "None")),
            *(("{a:length(3)}", "['POST']"), ("{a:maxlength(2)}", "['POST']")),
            *(("{a:minlength(20)}", "['POST']"), ("{a:file}", "['POST']")),
            *((r"{a:regex(^\d+$)}", "['POST']"), ("{*a:int}", "['POST']")),
            *(("{a=en}/messages", "['POST']"), ("{a?}/messages", "['POST']")),
            *((r"{*a:regex(^x/.*$)}", "None"), ("x/{*a=b/c}/", "None"), ("{a=b?c}", "['PUT']")),
            *(("{a:min(+3)}", "None"), ("{{a}}", "None"), (".{a?}", "None")),
            *((r"{a:regex(^\p{{L}}+$)}", "['PUT']"), ("{a:regex(^(?<b>c)?$)?}", "['PUT']")),
        )
    },
    "a retry with growing delays": """
@routes.timer_trigger("timer", "0 0 0 1 1 *")
@routes.retry(
    strategy="exponential_backoff",
    max_retry_count="3",
    minimum_interval="00:00:10",
    maximum_interval="00:10:00",
)
def right(timer: func.TimerRequest) -> None:
    pass
""",
    "the generic form": generic("httpTrigger", "generic"),
    "the generic form without a route and methods": """
@routes.generic_trigger("req", type="httpTrigger")
def right(req: func.HttpRequest) -> None:
    pass
""",
    "the longest name": named("a" * 127),
    "a context": """
@routes.queue_trigger("message", "a-queue", "AzureWebJobsStorage")
async def right(message: func.QueueMessage, context: func.Context) -> None:
    pass
""",
    "no types": """
@routes.queue_trigger("message", "a-queue", "AzureWebJobsStorage")
def right(message):
    pass
""",
    "an output": """
@routes.route("out")
@routes.queue_output("out", "a-queue", "AzureWebJobsStorage")
def right(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse:
    return func.HttpResponse("")
""",
    "a retry": """
@routes.timer_trigger("timer", "0 0 0 1 1 *")
@routes.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:10")
def right(timer: func.TimerRequest) -> None:
    pass
""",
}
