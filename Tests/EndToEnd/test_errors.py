"""Every row of the error catalogue but 2301 (off by default), with nothing stored."""

import json
import time

import pytest

from kit.rest import AdminClient, exchange, notification
from kit.waiting import eventually


@pytest.fixture(scope="module")
def scene(server):
    """What the refused requests refer to."""
    from kit.world import World

    world = World(server)
    world.caller = world.app()
    world.top = world.org("top")
    world.home = world.org("home", world.top)
    world.empty = world.org("empty", world.top)
    world.apples = world.org("apples", world.top)
    world.elsewhere = world.org("elsewhere")
    world.phone = world.device("phone", world.home, user_id=world.name("user"))
    world.iphone = world.device("iphone", world.apples, "ios", user_id=world.name("apple-user"))
    world.stranger = world.device("stranger", world.elsewhere, user_id=world.name("stranger"))
    world.disabled = world.app("disabled", disabled=True)
    world.messenger = world.app("messenger", interfaces=["msg"])
    world.scoped = world.app("scoped", org_id=world.top)
    return world


@pytest.fixture(autouse=True)
def nothing_stored(scene):
    """Fails when a test has made another task than those that it says it made."""
    before = scene.admin.newest_task()
    made = []
    yield made
    assert scene.admin.newest_task() == (made[-1] if made else before), "a refused request was stored"


def assert_refused(reply, code, status, field=None):
    assert (reply.json["ret"], reply.code, reply.status) == ("FAIL", code, status), reply
    assert isinstance(reply.data["error_msg"], str) and reply.data["error_msg"]
    if field is not None:
        assert reply.data.get("field") == field, reply.json


def without(headers, name):
    return [(key, value) for key, value in headers if key != name]


def replaced(headers, name, value):
    return [(key, value if key == name else old) for key, old in headers]


class TestHeaders:
    @pytest.mark.parametrize("interface", ["msg", "config"])
    @pytest.mark.parametrize("name, code", [("appkey", 2001), ("timestamp", 2002), ("validation-token", 2003)])
    def test_a_missing_header(self, scene, interface, name, code):
        for headers in (without(scene.caller.headers(), name), replaced(scene.caller.headers(), name, "")):
            reply = scene.caller.call("POST", f"/psp/push/{interface}", {}, headers)
            assert_refused(reply, code, 500, name)

    def test_the_first_missing_header_answers(self, scene):
        assert_refused(scene.caller.call("POST", "/psp/push/msg", b"not json", []), 2001, 500, "appkey")
        assert_refused(
            scene.caller.call("POST", "/psp/push/msg", b"", [("appkey", "nobody")]), 2002, 500, "timestamp")

    def test_an_unknown_app(self, scene):
        headers = replaced(scene.caller.headers(), "appkey", "nobody")
        assert_refused(scene.caller.call("POST", "/psp/push/msg", {}, headers), 2004, 401, "appkey")

    def test_a_wrong_token(self, scene):
        for token in ("0" * 32, "x", scene.caller.headers("1385321933")[2][1]):
            headers = replaced(scene.caller.headers(), "validation-token", token)
            reply = scene.caller.call("POST", "/psp/push/msg", {}, headers)
            assert_refused(reply, 2005, 401, "validation-token")
            assert_no_secret(scene, reply, headers)

    def test_the_secret_itself_is_told_what_is_expected(self, scene):
        headers = replaced(scene.caller.headers(), "validation-token", scene.caller.secret)
        reply = scene.caller.call("POST", "/psp/push/msg", {}, headers)
        assert_refused(reply, 2005, 401, "validation-token")
        assert "md5" in reply.data["error_msg"].lower()
        assert_no_secret(scene, reply, headers)

    @pytest.mark.parametrize("timestamp", ["x", "1", "12345678901", "-1385321933", "1385321933.5", "13853219333020", " "])
    def test_a_malformed_timestamp(self, scene, timestamp):
        headers = scene.caller.headers(timestamp)
        reply = scene.caller.call("POST", "/psp/push/msg", {}, headers)
        if timestamp.strip():
            assert_refused(reply, 2006, 401, "timestamp")
        else:
            assert_refused(reply, 2002, 500, "timestamp")

    @pytest.mark.parametrize("offset", [-660, 660])
    @pytest.mark.parametrize("unit", [1, 1000])
    def test_a_clock_that_is_wrong_is_told_the_right_time(self, scene, offset, unit):
        timestamp = str(int((time.time() + offset) * unit))
        reply = scene.caller.call("POST", "/psp/push/msg", {}, scene.caller.headers(timestamp))
        assert_refused(reply, 2006, 401, "timestamp")
        assert abs(reply.data["server_time"] - time.time() * 1000) < 5000

    @pytest.mark.parametrize("name, code", [("appkey", 2004), ("timestamp", 2006), ("validation-token", 2005)])
    def test_a_header_given_twice(self, scene, name, code):
        headers = scene.caller.headers()
        headers.append(next(pair for pair in headers if pair[0] == name))
        assert_refused(scene.caller.call("POST", "/psp/push/msg", {}, headers), code, 401, name)

    def test_a_token_in_two_spellings(self, scene):
        headers = scene.caller.headers()
        headers.append(("validationToken", headers[2][1]))
        assert_refused(scene.caller.call("POST", "/psp/push/msg", {}, headers), 2005, 401)

    def test_a_disabled_app(self, scene):
        assert_refused(scene.disabled.push(notification(type="unicast", device_tokens=scene.phone.token)), 2007, 403)

    def test_an_interface_that_the_app_may_not_use(self, scene):
        body = {"type": "unicast", "device_tokens": scene.phone.token, "payload": {"body": "a=1"}}
        assert_refused(scene.messenger.push(body, "config"), 2008, 403)

    def test_errors_speak_english_to_those_who_ask(self, scene):
        headers = without(scene.caller.headers(), "timestamp")
        chinese = scene.caller.call("POST", "/psp/push/msg", {}, headers).data["error_msg"]
        english = scene.caller.call("POST", "/psp/push/msg", {}, headers + [("Accept-Language", "en-GB,zh;q=0.5")]).data["error_msg"]
        assert not chinese.isascii() and english.isascii()


def assert_no_secret(scene, reply, headers):
    text = json.dumps(reply.json)
    expected = scene.caller.headers(dict(headers)["timestamp"])[2][1]
    assert scene.caller.secret not in text and expected not in text


class TestTargetsOutsideTheScope:
    def test_a_device_an_organisation_a_user(self, scene):
        push = scene.scoped.push
        assert_refused(push(notification(type="unicast", device_tokens=scene.stranger.token)), 2009, 403)
        assert_refused(push(notification(type="groupcast", org_id=scene.elsewhere)), 2009, 403)
        assert_refused(push(notification(type="unicast", user_id=scene.name("stranger"))), 2009, 403)


def message(**fields):
    return {"type": "unicast", "device_tokens": "D", "payload": {"display_type": "message", "body": {"custom": "x"}}, **fields}


def payload(**fields):
    return message(payload={"display_type": "notification", "body": {"title": "t"}, **fields})


REFUSED_BODIES = [
    # 2101: no JSON
    (b"", 2101, None), (b"{", 2101, None), (b"nonsense", 2101, None), (b'{"type":"unicast"} x', 2101, None),
    (b'{"type":"unicast",}', 2101, None), (b'{"a":"\xff"}', 2101, None), (b'{"a":"\\ud800"}', 2101, None), (b"\xef\xbb\xbf{}", 2101, None),
    (b'{"a":01}', 2101, None), (b"{'a':1}", 2101, None), (b'{"a":NaN}', 2101, None),
    # 2103: JSON, and no object
    (b"[]", 2103, None), (b'"x"', 2103, None), (b"null", 2103, None), (b"7", 2103, None),
    # 2104: a field that is not listed
    (message(color="red"), 2104, "color"), (payload(badge=1), 2104, "payload.badge"),
    (message(payload={"display_type": "message", "body": {"custom": "x", "title": "t"}}), 2104, "payload.body.title"),
    (payload(body={"title": "t", "sound": "x"}), 2104, "payload.body.sound"), (message(policy={"retry": 1}), 2104, "policy.retry"),
    # 2102: a required field missing
    ({}, 2102, "type"), ({"type": "unicast"}, 2102, None), ({"type": "groupcast", "payload": message()["payload"]}, 2102, "org_id"),
    ({"type": "unicast", "device_tokens": "D"}, 2102, "payload"),
    (message(payload={"body": {"custom": "x"}}), 2102, "payload.display_type"),
    (message(payload={"display_type": "notification"}), 2102, "payload.body"),
    (message(payload={"display_type": "notification", "body": {}}), 2102, "payload.body.title"),
    (message(payload={"display_type": "message", "body": {}}), 2102, "payload.body.custom"),
    # 2103: a value that is not allowed
    (message(type="broadcast"), 2103, "type"), (message(type=1), 2103, "type"), (message(device_tokens=7), 2103, "device_tokens"),
    (message(device_tokens="a b"), 2103, "device_tokens"), (message(device_tokens=""), 2103, "device_tokens"),
    (message(device_tokens="x" * 129), 2103, "device_tokens"), (message(device_tokens=None), 2103, "device_tokens"),
    (message(device_tokens=["D"]), 2103, "device_tokens"), (message(org_id="O"), 2103, "org_id"),
    (message(user_id="U"), 2103, None), (message(payload=[]), 2103, "payload"),
    (payload(display_type="toast"), 2103, "payload.display_type"), (payload(body="x"), 2103, "payload.body"),
    (payload(body={"title": 7}), 2103, "payload.body.title"), (payload(production_mode="yes"), 2103, "payload.production_mode"),
    (payload(production_mode=1), 2103, "payload.production_mode"), (payload(tag=7), 2103, "payload.tag"),
    (payload(tag="x" * 129), 2103, "payload.tag"), (payload(description="x" * 1025), 2103, "payload.description"),
    (message(policy={"out_biz_no": ""}), 2103, "policy.out_biz_no"), (message(policy={"out_biz_no": "x" * 129}), 2103, "policy.out_biz_no"),
    (message(policy=[]), 2103, "policy"), (message(policy={"expire_time": "soon"}), 2103, "policy.expire_time"),
    (message(policy={"expire_time": "2026-01-01T00:00:00"}), 2103, "policy.expire_time"),
    (message(policy={"expire_time": 1385321933}), 2103, "policy.expire_time"),
    (message(policy={"expire_time": 9999999999}), 2103, "policy.expire_time"),
    (b'{"type":"unicast","type":"unicast","device_tokens":"D","payload":{"display_type":"message","body":{"custom":"x"}}}', 2103, "type"),
    ({**payload(tag="a"), "tag": "b"}, 2103, None),
    ({**payload(production_mode=True), "production_mode": True}, 2103, None),
]


def fill(body, device):
    """Puts the real device where a row says D."""
    if isinstance(body, bytes):
        return body.replace(b'"D"', json.dumps(device).encode())
    if isinstance(body, dict) and body.get("device_tokens") == "D":
        return {**body, "device_tokens": device}
    return body


class TestBodies:
    @pytest.mark.parametrize("body, code, field", REFUSED_BODIES, ids=lambda value: str(value)[:60])
    def test_a_body_that_is_refused(self, scene, body, code, field):
        assert_refused(scene.caller.push(fill(body, scene.phone.token)), code, 400, field)

    @pytest.mark.parametrize(
        "body, code, field",
        [
            ({"body": {"a": 1}}, 2103, "payload.body"), ({}, 2102, "payload.body"), ({"body": "a=1", "display_type": "message"}, 2104,
            "payload.display_type"), ({"body": 7}, 2103, "payload.body"), ({"body": None}, 2103, "payload.body"),
        ],
    )
    def test_a_configuration_that_is_refused(self, scene, body, code, field):
        request = {"type": "unicast", "device_tokens": scene.phone.token, "payload": body}
        assert_refused(scene.caller.push(request, "config"), code, 400, field)

    def test_unsupported_comes_before_missing_and_missing_before_wrong(self, scene):
        assert_refused(scene.caller.push({"type": 7, "color": "red"}), 2104, 400, "color")
        assert_refused(scene.caller.push({"type": "broadcast"}), 2102, 400)

    def test_a_content_encoding_is_refused(self, scene):
        headers = scene.caller.headers() + [("Content-Encoding", "gzip")]
        assert_refused(scene.caller.call("POST", "/psp/push/msg", message(), headers), 2103, 400, "Content-Encoding")


class TestSizes:
    def sized(self, size, **fields):
        """A push whose payload is that many bytes as Python writes it."""
        base = {"display_type": "message", "body": {"custom": ""}}
        room = size - len(json.dumps(base, ensure_ascii=False, separators=(",", ":")).encode())
        return {**fields, "payload": {"display_type": "message", "body": {"custom": "中" * (room // 3) + "x" * (room % 3)}}}

    def test_a_unicast_over_the_devices_limit(self, scene):
        push = scene.caller.push
        assert_refused(push(self.sized(1025, type="unicast", device_tokens=scene.phone.token)), 2105, 400)
        assert_refused(push(self.sized(257, type="unicast", device_tokens=scene.iphone.token)), 2105, 400)

    def test_a_groupcast_over_every_limit_or_with_nobody_left(self, scene):
        push = scene.caller.push
        assert_refused(push(self.sized(1025, type="groupcast", org_id=scene.top)), 2105, 400)
        assert_refused(push(self.sized(257, type="groupcast", org_id=scene.apples)), 2105, 400)
        assert_refused(push(self.sized(257, type="unicast", user_id=scene.name("apple-user"))), 2105, 400)

    def test_a_request_larger_than_the_server_reads(self, scene):
        body = b'{"type":"' + b"x" * (64 * 1024) + b'"}'
        assert_refused(scene.caller.push(body), 2106, 413)
        headers = scene.caller.headers() + [("X-Filler", "x" * 17 * 1024)]
        assert_refused(scene.caller.call("POST", "/psp/push/msg", message(), headers), 2106, 413)


class TestAddresses:
    @pytest.mark.parametrize("path", ["/psp", "/psp/push", "/psp/push/msg/", "/psp/push/mail", "/psp/admin/apps", "/healthz/", "//"])
    def test_no_such_address(self, scene, path):
        assert_refused(scene.caller.call("POST", path, message()), 2107, 400)
        assert_refused(scene.caller.call("GET", path), 2107, 400)

    @pytest.mark.parametrize(
        "method, path, allowed",
        [
            ("GET", "/psp/push/msg", "POST"), ("PUT", "/psp/push/config", "POST"), ("DELETE", "/psp/push/msg", "POST"),
            ("PATCH", "/psp/push/msg", "POST"), ("POST", "/psp/push/task/1", "GET"), ("GET", "/psp/push/task/1/cancel", "POST"),
            ("POST", "/psp/push/stats", "GET"), ("POST", "/healthz", "GET"),
        ],
    )
    def test_method_not_allowed(self, scene, method, path, allowed):
        reply = scene.caller.call(method, path)
        assert_refused(reply, 2108, 405)
        assert allowed in [name.strip() for name in reply.headers["Allow"].split(",")]

    def test_an_unknown_query_parameter(self, scene):
        assert_refused(scene.caller.call("GET", "/psp/push/stats?tag=t&color=red"), 2104, 400, "color")
        assert_refused(scene.caller.call("GET", "/psp/push/stats"), 2102, 400, "tag")
        assert_refused(scene.caller.call("POST", "/psp/push/msg?x=1", message()), 2104, 400, "x")

    def test_a_wrong_query_parameter(self, scene):
        task = "/psp/push/task/1/devices"
        for query, code, field in (
            ("", 2102, "state"), ("?state=lost", 2103, "state"), ("?state=pending&limit=0", 2103, "limit"),
            ("?state=pending&limit=1001", 2103, "limit"), ("?state=pending&limit=x", 2103, "limit"),
            ("?state=pending&state=opened", 2103, "state"),
        ):
            assert_refused(scene.caller.call("GET", task + query), code, 400, field)


class TestTargets:
    def test_targets_that_are_not_there(self, scene):
        push = scene.caller.push
        assert_refused(push(notification(type="unicast", device_tokens="nobody")), 2201, 404, "device_tokens")
        assert_refused(push(notification(type="unicast", user_id="nobody")), 2202, 404, "user_id")
        assert_refused(push(notification(type="groupcast", org_id="nowhere")), 2203, 404, "org_id")

    def test_tasks_that_are_not_there(self, scene, world, nothing_stored):
        theirs = scene.caller.to_device(scene.phone.token)
        nothing_stored.append(theirs)
        scene.caller.cancel(theirs)
        stranger = world.app()
        for caller, task in ((scene.caller, "nothing"), (stranger, theirs)):
            assert_refused(caller.call("GET", f"/psp/push/task/{task}"), 2204, 404)
            assert_refused(caller.call("GET", f"/psp/push/task/{task}/devices?state=pending"), 2204, 404)
            assert_refused(caller.cancel(task), 2204, 404)

    def test_no_test_device_in_the_target(self, scene):
        test = {"production_mode": "false"}
        for target in (
            {"type": "unicast", "device_tokens": scene.phone.token}, {"type": "unicast", "user_id": scene.name("user")},
            {"type": "groupcast", "org_id": scene.top}, {"type": "groupcast", "org_id": scene.empty},
        ):
            assert_refused(scene.caller.push(notification(payload=test, **target)), 2205, 404)

    def test_an_out_biz_no_with_another_body(self, scene, nothing_stored):
        body = notification(type="unicast", device_tokens=scene.phone.token, policy={"out_biz_no": "once"})
        task = scene.caller.push(body).ok()["task_id"]
        nothing_stored.append(task)
        assert_refused(scene.caller.push({**body, "payload": {**body["payload"], "tag": "x"}}), 2109, 400, "policy.out_biz_no")
        config = {"type": "unicast", "device_tokens": scene.phone.token, "payload": {"body": "a"}, "policy": {"out_biz_no": "once"}}
        assert_refused(scene.caller.push(config, "config"), 2109, 400, "policy.out_biz_no")
        assert scene.caller.push(body).ok()["task_id"] == task


class TestAdmin:
    def test_a_missing_or_wrong_bearer_token(self, scene):
        for token in ("", "wrong"):
            assert_refused(AdminClient(scene.server, token).get("apps", scene.caller.appkey), 2005, 401)
        reply = exchange(scene.server.admin, "GET", "/psp/admin/apps")
        assert_refused(reply, 2005, 401)

    def test_nothing_of_that_name(self, scene):
        for kind, code in (("apps", 2206), ("devices", 2201), ("orgs", 2203)):
            assert_refused(scene.admin.get(kind, "nothing"), code, 404)
            assert_refused(scene.admin.delete(kind, "nothing"), code, 404)
        assert_refused(scene.admin.call("GET", "/psp/admin/tasks/nothing"), 2204, 404)

    def test_an_organisation_in_use(self, scene):
        assert_refused(scene.admin.delete("orgs", scene.home), 2207, 409)  # has devices
        assert_refused(scene.admin.delete("orgs", scene.top), 2207, 409)  # has children

    @pytest.mark.parametrize(
        "kind, name, body, code, field",
        [
            ("orgs", "new", {}, 2102, "name"), ("orgs", "new", {"name": "n", "parent_id": "nowhere"}, 2203, "parent_id"),
            ("orgs", "new", {"name": 7}, 2103, "name"), ("orgs", "new", {"name": "n", "colour": "red"}, 2104, "colour"),
            ("orgs", "a%20b", {"name": "n"}, 2103, None), ("devices", "new", {"org_id": "nowhere", "platform": "ios"}, 2203, "org_id"),
            ("devices", "new", {"org_id": "HOME"}, 2102, "platform"), ("devices", "new", {"platform": "ios"}, 2102, "org_id"),
            ("devices", "new", {"org_id": "HOME", "platform": "symbian"}, 2103, "platform"),
            ("devices", "new", {"org_id": "HOME", "platform": "ios", "test": "yes"}, 2103, "test"),
            ("devices", "new", {"org_id": "HOME", "platform": "ios", "secret": ""}, 2103, "secret"),
            ("devices", "new", {"org_id": "HOME", "platform": "ios", "secret": "中"}, 2103, "secret"),
            ("apps", "new", {"name": "n"}, 2102, "interfaces"), ("apps", "new", {"interfaces": ["msg"]}, 2102, "name"),
            ("apps", "new", {"name": "n", "interfaces": ["mail"]}, 2103, None),
            ("apps", "new", {"name": "n", "interfaces": ["msg"], "org_id": "nowhere"}, 2203, "org_id"),
            ("apps", "new", b"{", 2101, None), ("apps", "new", [], 2103, None),
        ],
        ids=str,
    )
    def test_a_refused_change_leaves_nothing(self, scene, kind, name, body, code, field):
        if isinstance(body, dict):
            body = {key: scene.home if value == "HOME" else value for key, value in body.items()}
        reply = scene.admin.call("PUT", f"/psp/admin/{kind}/{scene.prefix}{name}", body)
        assert_refused(reply, code, 404 if code == 2203 else 400, field)
        if "%" not in name:
            assert scene.admin.get(kind, scene.name(name)).status == 404

    def test_no_cycles_and_no_change_of_platform(self, scene):
        assert_refused(scene.admin.put("orgs", scene.top, parent_id=scene.home), 2103, 400, "parent_id")
        assert_refused(scene.admin.put("orgs", scene.top, parent_id=scene.top), 2103, 400, "parent_id")
        assert_refused(scene.admin.put("devices", scene.phone.token, platform="ios"), 2103, 400, "platform")

    def test_no_such_address_and_method(self, scene):
        assert_refused(scene.admin.call("GET", "/psp/admin/things"), 2107, 400)
        assert_refused(scene.admin.call("GET", "/psp/push/msg"), 2107, 400)
        reply = scene.admin.call("POST", "/psp/admin/apps", {})
        assert_refused(reply, 2108, 405)
        assert "GET" in reply.headers["Allow"]


def test_after_all_this_the_devices_have_received_nothing_but_what_was_accepted(scene, device):
    tasks = scene.admin.tasks()
    mine = {task["task_id"] for task in tasks if task.get("device_tokens") == scene.phone.token and task["status"] != "cancelled"}
    phone = device(scene.server, scene.phone).connect()
    phone.wait_for(*mine)
    eventually(lambda: all(scene.caller.counts(task)["pending"] == 0 for task in mine), "all are delivered")
    assert set(phone.tasks()) == mine
