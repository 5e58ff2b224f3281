"""Operators as persons: what a role and a scope allow, how sessions begin and end, and that nothing secret is told."""

import http.client
import json
import stat
import urllib.parse

import pytest

from conftest import run
from kit.rest import AdminClient, encode, exchange, notification
from kit.server import Server, binary
from kit.waiting import PATIENCE
from kit.world import World

PASSWORD = "geheim-eins-zwei-drei"
OTHER_PASSWORD = "geheim-vier-fuenf-sechs"
SESSION = "/psp/admin/session"


def hire(world, text, role, **fields):
    """Registers an operator, and returns its name."""
    fields = {"display_name": text, "role": role, "password": PASSWORD} | fields
    world.admin.put("operators", world.name(text), **fields).ok()
    return world.name(text)


def try_to_log_in(server, name, password=PASSWORD):
    return exchange(server.admin, "POST", "/psp/admin/sessions", encode({"name": name, "password": password}))


def log_in(server, name, password=PASSWORD):
    """An operator who has logged in."""
    return AdminClient(server, try_to_log_in(server, name, password).ok()["token"])


def whoami(client):
    return client.call("GET", SESSION)


def assert_ended(client):
    reply = whoami(client)
    assert (reply.status, reply.code) == (401, 2005), reply


# Once for all: a password costs a quarter of a second, by intent.
@pytest.fixture(scope="class")
def scene(server):
    """Two organisations with a device each, and an administrator of the first."""
    world = World(server)
    world.east, world.west = world.org("east"), world.org("west")
    world.inside, world.outside = world.device("inside", world.east), world.device("outside", world.west, user_id=world.name("wu"))
    world.ann = log_in(world.server, hire(world, "ann", "administrator", org_id=world.east))
    return world


class TestScope:
    def test_what_is_inside_is_made_and_changed(self, scene):
        ann, child, phone = scene.ann, scene.name("child"), scene.name("phone")
        assert ann.put("orgs", child, name="child", parent_id=scene.east).status == 201
        assert ann.put("devices", phone, platform="ios", org_id=child).status == 201
        assert ann.put("devices", phone, org_id=scene.east).status == 202
        orgs, devices = ann.items("/psp/admin/orgs"), ann.items("/psp/admin/devices")
        assert {scene.east, child} <= {org["org_id"] for org in orgs} and scene.west not in json.dumps(orgs)
        assert {phone, scene.inside.token} <= {item["device_token"] for item in devices} and scene.outside.token not in json.dumps(devices)
        assert ann.get("orgs", scene.east).ok()["devices"] == len(devices) < len(scene.admin.items("/psp/admin/devices"))
        assert ann.delete("devices", phone).status == 200 and ann.delete("orgs", child).status == 200
        # What is done there is in the audit log with the operator's name, and its own log tells of nothing else.
        made = [entry for entry in scene.admin.items("/psp/admin/audit", target=phone) if entry["action"] == "device.put"]
        assert [(entry["caller"], entry["operator"]) for entry in made] == [("operator", scene.name("ann"))] * 2
        assert not any(entry.get("target") in (scene.west, scene.outside.token) for entry in ann.items("/psp/admin/audit"))

    def test_what_is_outside_is_as_if_it_were_not(self, scene):
        caller = scene.app()
        task = caller.to_device(scene.outside.token)
        nothing = task[:-1] + ("0" if task[-1] != "0" else "1")

        def same(call, code):
            """The answer to what exists outside is the one to what exists nowhere."""
            replies = [call(*names) for names in [
                (scene.west, scene.outside.token, task), (scene.name("nowhere"), scene.name("nothing"), nothing)]]
            told = [(reply.status, reply.data | {"request_id": ""}) for reply in replies]
            assert told[0] == told[1] and replies[0].code == code, told

        ann, own = scene.ann, scene.inside.token
        same(lambda org, device, task: ann.get("orgs", org), 2203)
        same(lambda org, device, task: ann.get("devices", device), 2201)
        same(lambda org, device, task: ann.delete("orgs", org), 2203)
        same(lambda org, device, task: ann.delete("devices", device), 2201)
        same(lambda org, device, task: ann.put("devices", own, org_id=org), 2203)
        same(lambda org, device, task: ann.put("orgs", scene.name("new"), name="new", parent_id=org), 2203)
        same(lambda org, device, task: ann.call("POST", f"/psp/admin/devices/{device}/disconnect"), 2201)
        same(lambda org, device, task: ann.call("GET", f"/psp/admin/tasks/{task}"), 2204)
        same(lambda org, device, task: ann.call("GET", f"/psp/admin/tasks/{task}/explain", device=own), 2204)
        same(lambda org, device, task: ann.call("GET", f"/psp/admin/tasks/{task}/devices", state="pending"), 2204)
        same(lambda org, device, task: ann.call("POST", f"/psp/admin/tasks/{task}/cancel"), 2204)
        same(lambda org, device, task: ann.call("GET", "/psp/admin/devices", org_id=org), None)
        same(lambda org, device, task: ann.call("GET", "/psp/admin/tasks", org_id=org), None)
        assert ann.items("/psp/admin/devices", org_id=scene.west) == []
        # A name is taken wherever it is, and nobody inside is put in the place of a person outside.
        assert ann.put("devices", scene.outside.token, platform="android", org_id=scene.east).code == 2201
        assert ann.put("orgs", scene.west, name="mine", parent_id=scene.east).code == 2203
        assert ann.put("devices", own, user_id=scene.name("wu")).code == 2202
        assert ann.items("/psp/admin/devices", user_id=scene.name("wu")) == []
        mine = caller.to_device(own)
        assert [task["task_id"] for task in ann.tasks()] == [mine]
        assert scene.admin.task(task)["counts"]["pending"] == 1 and scene.admin.get("devices", scene.outside.token).status == 200

    def test_its_own_organisation_is_the_top(self, scene):
        above = scene.org("above")
        scene.admin.put("orgs", scene.east, parent_id=above).ok()
        assert "parent_id" not in scene.ann.get("orgs", scene.east).ok() and scene.ann.get("orgs", above).code == 2203
        assert scene.ann.put("orgs", scene.east, name="East").status == 202
        for reply in [scene.ann.delete("orgs", scene.east), scene.ann.put("orgs", scene.east, parent_id=None)]:
            assert (reply.status, reply.code) == (403, 2011), reply
        assert scene.ann.put("orgs", scene.name("top"), name="top").code == 2102
        # The scope of somebody is not taken away.
        assert scene.admin.delete("orgs", scene.east).code == 2207

    def test_what_is_of_the_whole_server_is_not_for_it(self, scene):
        for call in [
            ("GET", "/psp/admin/apps"), ("GET", "/psp/admin/operators"), ("GET", "/psp/admin/status"), ("GET", "/psp/admin/clock"),
            ("GET", "/psp/admin/log-level"), ("GET", "/psp/admin/trace"), ("GET", "/psp/admin/audit/refusals"),
            ("POST", "/psp/admin/trace", {"address": "127.0.0.1"}), ("PUT", "/psp/admin/operators/eve", {"role": "viewer"}),
            ("PUT", "/psp/admin/apps/eve", {"name": "eve", "interfaces": ["msg"]}),
        ]:
            reply = scene.ann.call(*call)
            assert (reply.status, reply.code) == (403, 2011), (call, reply)

    def test_lines_outside_fail_as_if_there_were_nothing(self, scene):
        def line(kind, text, **fields):
            return {"kind": kind, "id": scene.name(text), **fields}

        def device(name, org):
            return line("device", name, platform="ios", org_id=org, secret="s")

        lines = [
            device("in", scene.east), device("out", scene.west), device("lost", scene.name("nowhere")),
            device("outside", scene.east), line("org", "below", name="below", parent_id=scene.west), line("org", "west", name="mine"),
            line("app", "app", name="app", interfaces=["msg"], master_secret="geheim-app-secret"),
            line("org", "below", name="below", parent_id=scene.east)]
        told = scene.ann.import_lines(lines).ok()
        assert (told["created"], told["failed"]) == (2, 6), told
        assert {failure["line"]: failure["error_code"] for failure in told["failures"]} == {
            2: 2203, 3: 2203, 4: 2201, 5: 2203, 6: 2203, 7: 2011}
        out, lost = [failure for failure in told["failures"] if failure["line"] in (2, 3)]
        assert out | {"line": 0} == lost | {"line": 0}
        assert scene.admin.get("devices", scene.outside.token).ok()["org_id"] == scene.west
        assert scene.admin.get("orgs", scene.west).ok()["name"] == "west"


def test_each_role_may_do_what_those_before_it_may_and_holds_from_the_next_call_on(world):
    home = world.org("home")
    phone, caller = world.device("phone", home), world.app()
    task = caller.to_device(phone.token)
    roles = ["viewer", "sender", "administrator"]
    calls = [
        [("GET", "/psp/admin/orgs"), ("GET", f"/psp/admin/devices/{phone.token}"), ("GET", f"/psp/admin/tasks/{task}"),
         ("GET", "/psp/admin/status"), ("GET", "/psp/admin/audit"), ("GET", f"/psp/admin/apps/{caller.appkey}")],
        [("POST", f"/psp/admin/devices/{phone.token}/disconnect"), ("POST", f"/psp/admin/tasks/{task}/cancel")],
        [("PUT", f"/psp/admin/orgs/{home}", {"name": "Home"}), ("PUT", f"/psp/admin/devices/{phone.token}", {"test": True}),
         ("PUT", f"/psp/admin/apps/{caller.appkey}", {"name": "App"}), ("POST", "/psp/admin/import", b""),
         ("GET", "/psp/admin/operators"), ("POST", f"/psp/admin/apps/{caller.appkey}/rotate", {}),
         ("DELETE", f"/psp/admin/devices/{phone.token}")],
    ]
    name = hire(world, "ann", "viewer")
    person = log_in(world.server, name)
    for may, role in enumerate(roles):
        world.admin.put("operators", name, role=role).ok()
        assert whoami(person).ok()["role"] == role
        for needed, some in enumerate(calls):
            for call in some:
                reply = person.call(*call)
                if needed <= may:
                    reply.ok()
                else:
                    assert (reply.status, reply.code) == (403, 2011), (call, reply)


class TestPushing:
    def push(self, person, app, body, **query):
        target = "/psp/admin/push?" + urllib.parse.urlencode({"appkey": app.appkey, "interface": "msg"} | query)
        return person.call("POST", target, body)

    def test_a_sender_pushes_for_an_app_within_its_scope(self, scene, device):
        app = scene.app("for-operators")
        sam = log_in(scene.server, hire(scene, "sam", "sender", org_id=scene.east))
        body = notification(type="unicast", device_tokens=scene.inside.token)
        asked = self.push(sam, app, body, dry_run=1).ok()
        assert (asked["targeted"], asked["android"], asked["ios"], asked["skipped_oversize"], asked["online"]) == (1, 1, 0, 0, 0)
        assert scene.admin.tasks(appkey=app.appkey) == []
        task = self.push(sam, app, body).ok()["task_id"]
        with device(scene.server, scene.inside).connect() as phone:
            phone.wait_for(task)
            assert self.push(sam, app, body, dry_run=1).ok()["online"] == 1
        assert app.task(task)["counts"]["targeted"] == 1 and "operator" not in app.task(task)
        assert sam.task(task)["operator"] == scene.name("sam")
        entries = [entry for entry in sam.items("/psp/admin/audit") if entry.get("task_id") == task and entry["action"] == "push"]
        assert [(entry["operator"], entry["target"], entry["code"]) for entry in entries] == [(scene.name("sam"), scene.inside.token, 0)]

        def refused(body, app=app):
            for query in ({}, {"dry_run": 1}):
                reply = self.push(sam, app, body, **query)
                assert reply.status == 404
            return reply.code

        assert refused(notification(type="unicast", device_tokens=scene.outside.token)) == 2201
        assert refused(notification(type="unicast", user_id=scene.name("wu"))) == 2202
        assert refused(notification(type="groupcast", org_id=scene.west)) == 2203
        assert refused(body, scene.app("of-the-west", org_id=scene.west)) == 2206
        viewer = log_in(scene.server, hire(scene, "vic", "viewer"))
        assert self.push(viewer, app, body, dry_run=1).code == 2011

    def test_it_counts_among_the_pushes(self, scene):
        app = scene.app("counted")
        before = scene.admin.call("GET", "/psp/admin/status").ok()["pushes"]["total"]
        self.push(scene.admin, app, notification(type="unicast", device_tokens=scene.inside.token)).ok()
        assert scene.admin.call("GET", "/psp/admin/status").ok()["pushes"]["total"] > before


class TestLogIn:
    def test_what_is_wrong_is_not_told(self, world):
        hire(world, "ann", "viewer")
        hire(world, "gone", "viewer", disabled=True)
        replies = [
            try_to_log_in(world.server, world.name(name), password)
            for name, password in [("ann", OTHER_PASSWORD), ("gone", PASSWORD), ("nobody", PASSWORD)]]
        assert {(reply.status, reply.code) for reply in replies} == {(401, 2005)}
        assert len({json.dumps(reply.data | {"request_id": ""}) for reply in replies}) == 1
        refused = [count for count in world.admin.items("/psp/admin/audit/refusals") if count.get("name") == world.name("ann")]
        assert refused and refused[0]["listener"] == "operators"

    def test_guessing_is_bounded_by_the_name_and_the_address(self, tmp_path):
        bound = 2
        with Server(tmp_path / "data", "--failed-logins", str(bound)) as server:
            world = World(server)
            ann, bob = hire(world, "ann", "viewer"), hire(world, "bob", "viewer")
            working = log_in(server, ann)
            # Where a minute begins in between, it is counted anew.
            replies = []
            while not any(reply.code == 2301 for reply in replies):
                assert len(replies) <= 2 * bound, replies
                replies.append(try_to_log_in(server, ann, f"wrong-{len(replies)}"))
            assert len(replies) > bound and (replies[-1].status, replies[-1].code) == (429, 2301)
            assert {reply.code for reply in replies[:-1]} == {2005}
            # Others log in, and who has done so works on.
            log_in(server, bob)
            whoami(working).ok()

    def test_passwords_are_of_a_certain_length(self, world):
        for password in ["x" * 11, "x" * 1_025]:
            reply = world.admin.put("operators", world.name("ann"), display_name="A", role="viewer", password=password)
            assert (reply.code, reply.data["field"]) == (2103, "password") and password not in json.dumps(reply.json)
        assert world.admin.put("operators", world.name("ann"), password=PASSWORD).code == 2102


class TestEnd:
    """What ends a session ends it at once, and the stream of events that it follows."""

    CHANGES = {
        "disabling": lambda admin, name: admin.put("operators", name, disabled=True),
        "removing": lambda admin, name: admin.delete("operators", name),
        "another password": lambda admin, name: admin.put("operators", name, password=OTHER_PASSWORD),
    }

    @pytest.fixture
    def follow(self, world):
        """Follows a trace as an operator; the response ends with its stream."""
        trace = world.admin.call("POST", "/psp/admin/trace", {"appkey": world.name("none")}).ok()["trace_id"]
        connections = []

        def begin(person):
            connections.append(http.client.HTTPConnection(*world.server.admin, timeout=PATIENCE))
            headers = {"Authorization": f"Bearer {person.token}"}
            connections[-1].request("GET", f"/psp/admin/trace/{trace}/events", headers=headers)
            response = connections[-1].getresponse()
            assert response.status == 200
            return response

        yield begin
        for connection in connections:
            connection.close()
        world.admin.call("DELETE", f"/psp/admin/trace/{trace}").ok()

    def test_logging_out_and_withdrawing(self, world, follow):
        name = hire(world, "ann", "viewer")
        sessions = f"/psp/admin/operators/{name}/sessions"
        left, withdrawn, last = people = [log_in(world.server, name) for _ in range(3)]
        streams = [follow(person) for person in people]
        left.call("DELETE", SESSION).ok()
        assert_ended(left)
        streams[0].read()
        number = whoami(withdrawn).ok()["session_id"]
        assert number in [item["session_id"] for item in world.admin.call("GET", sessions).ok()["items"]]
        world.admin.call("DELETE", f"{sessions}/{number}").ok()
        assert world.admin.call("DELETE", f"{sessions}/{number}").code == 2209
        assert_ended(withdrawn)
        streams[1].read()
        # The others go on.
        whoami(last).ok()
        world.admin.call("DELETE", sessions).ok()
        assert_ended(last)
        streams[2].read()
        assert world.admin.call("GET", sessions).ok()["items"] == []

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_change_of_the_operator(self, world, follow, change):
        name = hire(world, "ann", "viewer")
        person = log_in(world.server, name)
        stream = follow(person)
        self.CHANGES[change](world.admin, name).ok()
        assert_ended(person)
        stream.read()

    def test_a_stream_ends_also_with_what_allowed_it(self, world, follow):
        name = hire(world, "ann", "viewer")
        person = log_in(world.server, name)
        stream = follow(person)
        world.admin.put("operators", name, org_id=world.org("home")).ok()
        stream.read()
        assert whoami(person).ok()["org_id"] == world.name("home")

    def test_ones_own_other_password_ends_ones_other_sessions(self, world):
        name = hire(world, "ann", "viewer")
        here, there = log_in(world.server, name), log_in(world.server, name)
        here.call("PUT", SESSION + "/password", {"old_password": PASSWORD, "password": OTHER_PASSWORD}).ok()
        assert_ended(there)
        assert whoami(here).ok()["name"] == name
        assert try_to_log_in(world.server, name).code == 2005
        log_in(world.server, name, OTHER_PASSWORD)

    def test_the_admin_token_is_nobodys_session(self, world):
        assert whoami(world.admin).ok() == {"role": "administrator"}
        assert world.admin.call("DELETE", SESSION).code == 2011
        assert world.admin.call("PUT", SESSION + "/password", {"old_password": PASSWORD, "password": PASSWORD}).code == 2011


def test_sessions_and_their_ends_outlive_a_restart_and_a_kill(own_server):
    world = World(own_server)
    name, token = hire(world, "ann", "viewer", org_id=world.org("home")), own_server.admin_token
    person, withdrawn = log_in(own_server, name), []
    for end in (own_server.stop, own_server.kill):
        withdrawn.append(log_in(own_server, name))
        number = whoami(withdrawn[-1]).ok()["session_id"]
        before = whoami(person).ok()
        world.admin.call("DELETE", f"/psp/admin/operators/{name}/sessions/{number}").ok()
        end()
        own_server.start()
        after = whoami(person).ok()
        # Shown by the wall clock, kept in store time: these two need not agree to the millisecond.
        assert abs(after.pop("expires_at") - before.pop("expires_at")) < 60_000 and after == before
        for gone in withdrawn:
            assert_ended(gone)
    assert own_server.admin_token == token
    world.admin.get("operators", name).ok()


@pytest.mark.embedded("its files")
def test_no_password_and_no_token_is_in_the_log_the_audit_log_or_the_directory(tmp_path):
    audit = tmp_path / "audit.json"
    with Server(tmp_path / "data", "--audit-log", str(audit), "--log-level", "trace") as server:
        world = World(server)
        name, wrong = hire(world, "ann", "administrator"), "geheim-wrong-password"
        person = log_in(server, name)
        assert try_to_log_in(server, name, wrong).code == 2005
        refused = person.call("PUT", SESSION + "/password", {"old_password": wrong, "password": OTHER_PASSWORD})
        assert (refused.status, refused.code, refused.data["field"]) == (401, 2005, "old_password")
        person.call("PUT", SESSION + "/password", {"old_password": PASSWORD, "password": OTHER_PASSWORD}).ok()
        assert person.call("PUT", SESSION + "/password", {"old_password": OTHER_PASSWORD, "password": "geheim"}).code == 2103
        assert_ended(AdminClient(server, "geheim-token"))
        entries = world.admin.items("/psp/admin/audit")
        assert {"operator.put", "session.begin"} <= {entry["action"] for entry in entries}
        told = json.dumps([entries, world.admin.items("/psp/admin/audit/refusals"), world.admin.get("operators", name).ok()])
        person.call("DELETE", SESSION).ok()
        assert server.stop() == 0
        files = [server.log, audit, *(path for path in server.data.rglob("*") if path.is_file() and path.name != "admin.token")]
        kept = {str(path): path.read_bytes() for path in files} | {"told": told.encode()}
        assert b"session.begin" in kept[str(audit)] and any(name.encode() in kept[str(path)] for path in server.data.glob("psp.db*"))
        for secret in [b"geheim", person.token.encode(), (server.data / "admin.token").read_bytes().strip()]:
            assert [path for path, content in kept.items() if secret in content] == []


class TestPspctl:
    """A person at the command line, who has no admin token."""

    @pytest.fixture
    def files(self, tmp_path):
        for name, text in [("password", PASSWORD), ("other", OTHER_PASSWORD), ("wrong", "wrong")]:
            (tmp_path / name).write_text(text + "\n")
        return tmp_path

    @pytest.fixture
    def as_person(self, server, files):
        """Runs a command with a session file of its own, which goes before the directory's token."""

        def command(*arguments, code=0, **environment):
            environment = {"PSP_DATA": str(server.data), "PSPCTL_SESSION": str(files / "settings" / "session.json")} | environment
            ended = run(binary("pspctl"), *arguments, **environment)
            assert ended.returncode == code, ended
            assert "geheim" not in ended.stdout + ended.stderr
            return ended.stdout if code == 0 else ended.stderr

        return command

    def test_from_the_log_in_to_the_log_out(self, world, as_person, files, pspctl):
        home, ann, session = world.org("home"), world.name("ann"), files / "settings" / "session.json"
        assert "nobody is logged in" in as_person("logout")
        put = ("operator", "put", ann)
        made = pspctl(*put, "--display-name", "Ann", "--role", "sender", "--scope", home, "--password-file", str(files / "password"))
        assert made.stdout == f"created operator {ann}\n", made
        assert "2005" in as_person("login", ann, "--password-file", str(files / "wrong"), code=1) and not session.exists()
        assert f"logged in as {ann} (sender)" in as_person("login", ann, "--password-file", str(files / "password"))
        assert stat.S_IMODE(session.stat().st_mode) == 0o600 and stat.S_IMODE(session.parent.stat().st_mode) == 0o700
        assert [path.name for path in session.parent.iterdir()] == ["session.json"]
        shown = json.loads(as_person("whoami", "--json"))
        assert (shown["name"], shown["role"], shown["org_id"]) == (ann, "sender", home)
        assert [org["org_id"] for org in json.loads(as_person("org", "list", "--all", "--json"))] == [home]
        assert "2011" in as_person("org", "add", home, "--name", "x", code=1) and "2011" in as_person("app", "list", code=1)
        assert f"session of {ann} at " in as_person("whoami")
        # A refused import has made nobody's secret, and the session never gives way to the installation's token.
        (files / "new.csv").write_text(f"id,platform,org_id\n{world.name('new')},ios,{home}\n")
        assert "2011" in as_person("import", str(files / "new.csv"), "--secrets", str(files / "secrets"), code=1)
        assert not (files / "secrets").exists()
        assert "pspctl logout" in as_person("whoami", "--admin", "127.0.0.1:1", code=1)
        # The admin token goes before it.
        assert "name" not in json.loads(as_person("whoami", "--json", PSP_ADMIN_TOKEN=world.server.admin_token))
        old = ("password", "--old-password-file", str(files / "password"))
        assert as_person(*old, "--password-file", str(files / "other")) == "the password is changed\n"
        listed = json.loads(pspctl("operator", "sessions", ann, "--json").stdout)
        assert [item["session_id"] for item in listed] == [shown["session_id"]] and listed[0]["address"] == "127.0.0.1"
        token = json.loads(session.read_text())["token"]
        assert as_person("logout").startswith(f"logged out {ann}\n") and not session.exists()
        assert_ended(AdminClient(world.server, token))
        assert pspctl("operator", "remove", ann, "--yes").stdout == f"removed operator {ann}\n"

    def test_a_session_that_was_withdrawn_is_told_and_can_be_left(self, world, as_person, files, pspctl):
        ann = hire(world, "ann", "viewer")
        as_person("login", ann, "--password-file", str(files / "password"))
        assert pspctl("operator", "withdraw", ann).returncode == 0
        assert f"the session of {ann} has ended: pspctl login {ann}" in as_person("whoami", code=1)
        assert '"error_code":2005' in as_person("whoami", "--json", code=1)
        assert as_person("logout").startswith(f"logged out {ann}\n")

    def test_a_session_at_a_server_that_is_gone_can_be_left(self, as_person, files):
        kept = files / "settings" / "session.json"
        kept.parent.mkdir()
        kept.write_text(json.dumps({"admin": "127.0.0.1:1", "name": "ann", "token": "t", "expires_at": 1 << 45}))
        assert "127.0.0.1:1" in as_person("whoami", code=1)
        assert as_person("logout").startswith("logged out ann\n") and not kept.exists()
        told = as_person("password", code=1)
        assert "the installation's token has no password" in told

    def test_in_chinese(self, world, as_person, files, pspctl):
        chinese = {"LANG": "zh_CN.UTF-8", "LC_ALL": ""}
        ann = hire(world, "ann", "viewer")
        assert "2005" in (told := as_person("login", ann, "--password-file", str(files / "wrong"), code=1, **chinese)) and "密码" in told
        assert f"已登录：{ann}（viewer），有效至" in as_person("login", ann, "--password-file", str(files / "password"), **chinese)
        refused = as_person("operator", "put", ann, "--role", "sender", code=1, **chinese)
        assert "2011" in refused and "需要" in refused, refused
        assert as_person("logout", **chinese).startswith(f"已退出：{ann}\n")
        assert as_person("logout", **chinese) == "没有登录\n"
        listed = pspctl("operator", "list", "--all", **chinese).stdout
        assert listed.startswith("账号") and ann in listed
        assert pspctl("operator", "remove", ann, "--yes", **chinese).stdout == f"已删除运维账号 {ann}\n"
