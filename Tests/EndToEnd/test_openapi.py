"""docs/openapi.yaml: what it says, the server does, and the server does nothing that it does not say."""

import http.client
import json
import re
import socket
import time
import zlib
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import hypothesis
import hypothesis.strategies as st
import pytest
import schemathesis
from openapi_spec_validator import validate
from schemathesis import checks

from kit.contract import CONTRACT, PATH
from kit.server import ROOT, Server
from kit.waiting import PATIENCE
from kit.world import World

DOCUMENT = CONTRACT.document

# The same requests each time: what fails here fails again.
SETTINGS = hypothesis.settings(
    max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck))

schema = schemathesis.openapi.from_path(PATH)
schema.config.update(base_url="http://127.0.0.1:1")  # each call names its listener
schema.config.generation.with_security_parameters = False  # each call is signed


@schemathesis.serializer("application/x-ndjson")
def as_it_is(context, value):
    return value if isinstance(value, bytes) else str(value).encode()


class TestTheFile:
    def test_it_is_openapi_3_1(self):
        assert DOCUMENT["openapi"].startswith("3.1.")
        validate(DOCUMENT)

    def test_every_example_is_what_its_schema_says(self):
        bodies = [
            (f"{method} {path}", content)
            for path, method, operation, _ in CONTRACT.operations()
            for body in [operation.get("requestBody", {}), *map(CONTRACT.resolved, operation["responses"].values())]
            for content in body.get("content", {}).values()
        ] + [
            (name, content)
            for name, response in DOCUMENT["components"]["responses"].items() for content in response["content"].values()
        ]
        examined = 0
        for where, content in bodies:
            examples = [entry["value"] for entry in content.get("examples", {}).values()]
            for example in examples + ([content["example"]] if "example" in content else []):
                CONTRACT.validator(content["schema"]).validate(example)
                examined += 1
        assert examined > 100

    def test_the_example_of_an_import_holds_lines(self):
        content = DOCUMENT["paths"]["/psp/admin/import"]["post"]["requestBody"]["content"]["application/x-ndjson"]
        for line in content["example"].splitlines():
            CONTRACT.validator(content["schema"]["x-line"]).validate(json.loads(line))


def sources(name):
    """The text of every source of that name, wherever it is."""
    found = sorted((ROOT / "Sources").rglob(name))
    assert found, f"no source is called {name}"
    return "\n".join(path.read_text() for path in found)


ROUTE = re.compile(r'Route\(\s*\.(\w+), "([^"]+)"(.*?)(?:\) \{|handler:)', re.DOTALL)


def strings(text):
    return re.findall(r'"([^"]+)"', text)


def routes(text):
    """The tables of routes as they stand in the sources: (method, path) to (required, optional) query parameters."""
    found = {}
    for method, path, rules in ROUTE.findall(text):
        required, optional = set(), set()
        if query := re.search(r"query: (\.list|QueryRule)\((.*)\)?", rules, re.DOTALL):
            listed = re.search(r"required: \[(.*?)\]", query[2])
            required = set(strings(listed[1])) if listed else set()
            optional = set(strings(query[2])) - required | ({"after", "limit"} if query[1] == ".list" else set())
        assert (method, path) not in found
        found[method, path] = (required, optional)
    assert found
    return found


def listeners():
    """The paths of each listener's table, by its port. What is open to all is made apart, and each table says whether it has that."""
    open_to_all = {path for _, path in routes(sources("OpenRoutes.swift"))}
    for name, port in (("PushRoutes.swift", "8080"), ("AdminRoutes.swift", "8081")):
        text = sources(name)
        yield port, {path for _, path in routes(text)} | (open_to_all if "openToAll(" in text else set())


class TestTheSources:
    def test_every_route_is_in_the_file_with_its_parameters_and_no_other(self):
        described = {}
        for path, method, operation, item in CONTRACT.operations():
            parameters = map(CONTRACT.resolved, item.get("parameters", []) + operation.get("parameters", []))
            query = [parameter for parameter in parameters if parameter["in"] == "query"]
            required = {parameter["name"] for parameter in query if parameter.get("required")}
            described[method, path] = (required, {parameter["name"] for parameter in query} - required)
        assert described == routes(sources("PushRoutes.swift") + sources("AdminRoutes.swift") + sources("OpenRoutes.swift"))
        assert len(re.findall(r"\bRoute\(\s*\.", sources("*.swift"))) == len(described), "a route stands elsewhere"

    def test_every_call_names_its_listeners(self):
        served = dict(listeners())
        for path, item in DOCUMENT["paths"].items():
            named = {server["variables"]["port"]["default"] for server in item.get("servers", DOCUMENT["servers"])}
            assert named == {port for port, paths in served.items() if path in paths}, path

    def test_every_error_code_is_in_the_file_with_its_status(self):
        codes = {name: int(code) for name, code in re.findall(r"case (\w+) = (\d{4})", sources("ErrorCode.swift"))}
        statuses = {}
        for names, status in re.findall(r"case ((?:\.\w+(?:, )?)+): (\d{3})", sources("ErrorStatus.swift")):
            statuses |= {codes[name]: int(status) for name in re.findall(r"\w+", names)}
        assert set(statuses) == set(codes.values())
        described = {row["const"]: row["x-status"] for row in DOCUMENT["components"]["schemas"]["ErrorCode"]["oneOf"]}
        assert described == statuses

    def test_every_refusal_has_codes_of_its_status_and_every_code_is_given(self):
        status_of = {row["const"]: row["x-status"] for row in DOCUMENT["components"]["schemas"]["ErrorCode"]["oneOf"]}
        given = {code for name in ("NoSuchAddress", "MethodNotAllowed") for code in codes_of(DOCUMENT["components"]["responses"][name])}
        for path, method, operation, _ in CONTRACT.operations():
            for status, response in operation["responses"].items():
                if status.startswith("2"):
                    continue
                for code in codes_of(CONTRACT.resolved(response)):
                    assert status_of[code] == int(status), (path, method, code)
                    given.add(code)
        assert given == set(status_of)


def codes_of(refusal):
    return refusal["content"]["application/json"]["schema"]["properties"]["data"]["properties"]["error_code"]["enum"]


# Against a server

@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server of its own, for calls that change anything in it, with the names that the file's examples use."""
    with Server(tmp_path_factory.mktemp("openapi") / "data", "--failed-logins", "1000000", "--failed-logins-per-address", "1000000") as server:
        place = World(server)
        place.prefix = ""
        place.caller = None
        yield place
        assert server.stop() == 0


@pytest.fixture(autouse=True)
def furnished(request):
    """Puts back what another call may have removed."""
    if "place" not in request.fixturenames:
        return
    place = request.getfixturevalue("place")
    place.org("police")
    place.admin.put("orgs", place.org("traffic"), parent_id="police").ok()
    place.admin.put("devices", "phone-1", platform="android", org_id="police", user_id="u-1").ok()
    place.admin.put("apps", "demo", name="Demo", interfaces=["msg"]).ok()
    if not place.caller:
        place.caller = place.app("caller")
        place.tasks = [place.caller.to_device("phone-1"), place.caller.to_org("police"), place.caller.configure("a=1", org_id="police")]


def aim(case, place):
    """Makes most requests that are well formed mean something here: names that exist, times that are to come."""

    def choose(value, *others):
        chance = zlib.crc32(repr(value).encode())  # of the value alone, so that a repetition is one
        return value if chance % 4 == 0 else others[chance // 4 % len(others)]

    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if "task_id" in (case.path_parameters or {}):
        case.path_parameters["task_id"] = choose(case.path_parameters["task_id"], *place.tasks)
    if not case.path.startswith(("/psp/push/", "/psp/admin/push")) or not isinstance(case.body, dict):
        return
    if case.path == "/psp/admin/push":
        is_message = "display_type" in case.body.get("payload", {})
        case.query |= {"appkey": choose(case.query["appkey"], "demo", "caller"), "interface": "msg" if is_message else "config"}
    for name, value in (("device_tokens", "phone-1"), ("user_id", "u-1"), ("org_id", "police")):
        if name in case.body:
            case.body[name] = choose(case.body[name], value)
    wish = case.body.get("policy", {})
    if "expire_time" in wish:
        hour = int(time.time()) + 3600
        wish["expire_time"] = choose(wish["expire_time"], hour, str(hour), hour * 1000, "2099-01-01T00:00:00.5+08:00")


# What a schema cannot say: (code, field) of requests that follow it and are refused all the same.
BEYOND_A_SCHEMA = {
    (2105, "payload"), (2109, "policy.out_biz_no"), (2103, "policy.expire_time"), (2103, "after"), (2103, "parent_id"),
    (2102, "display_name"), (2102, "role"), (2102, "password"),
    (2102, "name"), (2102, "interfaces"), (2102, "platform"), (2102, "org_id"),
}
COUNTED_IN_BYTES = {"tag", "description", "payload.tag", "payload.description", "policy.out_biz_no", "password", "old_password"}


def is_beyond_a_schema(case, data, place):
    code, field = data["error_code"], data.get("field")
    if (code, field) in BEYOND_A_SCHEMA:
        return True
    if (code, field) == (2103, "platform"):  # of a device that is there: it never changes
        return place.admin.call("GET", "/psp/admin/devices/" + quote(case.path_parameters["device_token"], safe="%")).status == 200
    return code == 2103 and field in COUNTED_IN_BYTES and not json.dumps(case.body, ensure_ascii=False).isascii()


@schema.parametrize()
@SETTINGS
def test_a_call_is_answered_as_the_file_says(case, place):
    aim(case, place)
    server = place.server
    excluded = []
    if case.path.startswith("/psp/push/"):
        base, headers = server.http, dict(place.caller.headers())
        excluded.append(checks.ignored_auth)  # who is not signed at all gets 500, as the callers' own document has it
    else:
        base, headers = server.admin, {"Authorization": f"Bearer {server.admin_token}"}
    response = case.call(base_url="http://%s:%d" % base, headers=headers)
    if response.status_code == 400 and is_beyond_a_schema(case, response.json()["data"], place):
        excluded.append(checks.positive_data_acceptance)
    if "" in dict(parse_qsl(urlsplit(response.request.url).query, keep_blank_values=True)).values():
        excluded.append(checks.negative_data_rejection)  # a parameter without a value is as if absent
    if case.path == "/psp/admin/import":
        excluded.append(checks.negative_data_rejection)  # any text is lines, of which each is judged alone
    case.validate_response(
        response, headers=headers, excluded_checks=excluded, transport_kwargs={"base_url": "http://%s:%d" % base, "headers": headers})


def test_head_is_get_without_the_body(place):
    # An import that is done at once is answered at once and has no address, so the only one here is one that is not there; nor is a trace.
    names = {"task_id": place.tasks[0], "appkey": "demo", "org_id": "police", "device_token": "phone-1", "import_id": "none", "trace_id": "none",
             "name": "none", "session_id": "none"}
    for path, method, operation, item in CONTRACT.operations():
        if method != "get":
            continue
        query = "&".join(
            f"{parameter['name']}={parameter['example']}" for parameter in map(CONTRACT.resolved, operation.get("parameters", []))
            if parameter["in"] == "query" and parameter.get("required"))
        target = path.format_map(names) + (f"?{query}" if query else "")
        address, headers = place.server.http, place.caller.headers()
        if "servers" in item:
            address, headers = place.server.admin, [("Authorization", f"Bearer {place.server.admin_token}")]
        answers = {}
        for name in ("GET", "HEAD"):
            connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
            connection.request(name, target, headers=dict(headers))
            response = connection.getresponse()
            answers[name] = response.status, response.headers["Content-Length"], response.headers["Content-Type"]
            assert bool(response.read()) == (name == "GET"), target
            connection.close()
        if path in ("/psp/admin/status", "/metrics", "/psp/admin/audit"):
            # What they tell is of its moment.
            answers = {name: (status, kind) for name, (status, _, kind) in answers.items()}
        expected = 404 if any(name in path for name in ("{import_id}", "{trace_id}", "{name}")) else 200
        assert answers["GET"] == answers["HEAD"] and answers["GET"][0] == expected, (target, answers)


@pytest.mark.parametrize("name, status, request_", [
    ("MalformedRequest", 400, b"nonsense\r\n\r\n"), ("MalformedRequest", 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ("MalformedRequest", 400, b"GET /readyz HTTP/1.1\r\n\r\n"),
    ("VersionNotSupported", 505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ("VersionNotSupported", 505, b"GET /readyz HTTP/2.0\r\n\r\n"),
    ("ExpectationFailed", 417, b"GET /readyz HTTP/1.1\r\nHost: h\r\nExpect: more\r\n\r\n"),
])
def test_what_is_of_no_call_is_answered_as_the_file_says(place, name, status, request_):
    response = DOCUMENT["components"]["responses"][name]
    for address in (place.server.http, place.server.admin):
        with socket.create_connection(address, timeout=PATIENCE) as connection:
            connection.sendall(request_)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 %d " % status), answer
        body = json.loads(answer.partition(b"\r\n\r\n")[2])
        CONTRACT.validator(response["content"]["application/json"]["schema"]).validate(body)


def lines():
    """Lines of an import, made as the bodies of the calls that say the same."""
    kinds = (("app", "/psp/admin/apps/{appkey}"), ("org", "/psp/admin/orgs/{org_id}"), ("device", "/psp/admin/devices/{device_token}"))

    def line(kind, case):
        name = unquote(*case.path_parameters.values())
        fields = case.body if isinstance(case.body, dict) else {}
        return {"kind": kind, "id": name, **fields}

    return st.lists(
        st.one_of(*(schema[path]["PUT"].as_strategy().map(lambda case, kind=kind: line(kind, case)) for kind, path in kinds)), max_size=20)


@SETTINGS
@hypothesis.given(lines=lines())
def test_an_import_is_answered_as_the_file_says(place, lines):
    is_a_line = CONTRACT.validator(DOCUMENT["components"]["schemas"]["ImportLine"])
    for line in lines:
        is_a_line.validate(line)
    reply = place.admin.import_lines(lines)
    report = reply.ok()
    CONTRACT.validator(DOCUMENT["components"]["schemas"]["ImportReport"]).validate(report)
    assert report["created"] + report["updated"] + report["failed"] == len(lines)
    for failure in report["failures"]:
        assert failure["error_code"] in (2102, 2103, 2203), (failure, lines[failure["line"] - 1])
