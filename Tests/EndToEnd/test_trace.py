"""What happens to one device, user, app or address, followed live; and why a device has not got a task."""

import http.server
import json
import re
import signal
import subprocess
import threading

import pytest

from conftest import run
from kit.rest import AdminClient, notification
from kit.server import binary
from kit.waiting import PATIENCE, eventually
from kit.world import World


class Follower:
    """`pspctl trace`, whose lines are read as they come."""

    def __init__(self, server, *arguments):
        self.lines = []
        before = followed(server)
        self.process = subprocess.Popen(
            [binary("pspctl"), "trace", *arguments, "--json", "--data", str(server.data)], stdout=subprocess.PIPE, text=True)
        self.server = server
        # A line that does not come ends the test, and not the patience of whoever runs it.
        self.watchdog = threading.Timer(PATIENCE, self.process.kill)
        self.watchdog.start()
        eventually(lambda: self.running() == 1, "no trace began")
        # What happens before it reads the trace's events is told in the log alone.
        eventually(lambda: followed(server) > before, "nobody follows it")

    def running(self):
        _, data = admin(self.server, "GET", "/psp/admin/trace")
        return len(data["items"])

    def read(self, *names):
        """The next events, which must be of these names in this order, among others."""
        found = []
        for name in names:
            while True:
                line = self.process.stdout.readline()
                assert line, f"it ended before {name}: {self.lines}"
                event = json.loads(line)
                self.lines.append(line)
                if event["event"] == name:
                    found.append(event)
                    break
        return found

    def read_all(self, *names):
        """The first events of these names, in whatever order they come: loops tell each for itself."""
        found = {}
        while set(found) != set(names):
            line = self.process.stdout.readline()
            assert line, f"it ended: {found}"
            event = json.loads(line)
            if event["event"] in names:
                found.setdefault(event["event"], event)
        return [found[name] for name in names]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.watchdog.cancel()
        self.process.kill()
        self.process.wait(PATIENCE)


def followed(server):
    """How often somebody has begun to read a trace's events, as the audit log has it."""
    return len(admin(server, "GET", "/psp/admin/audit?action=trace.follow&limit=100")[1]["items"])


def admin(server, method, target, body=None):
    reply = AdminClient(server).call(method, target, body)
    return reply.status, reply.data


def push(caller, token, title="geheim-title"):
    return caller.push(notification(title, type="unicast", device_tokens=token)).ok()["task_id"]


def test_a_device_is_followed_from_its_connect_to_its_end(own_server, device):
    world = World(own_server)
    caller, home = world.app(), world.org("home")
    phone, other = world.device("phone", home), world.device("other", home)
    with Follower(own_server, "--device", phone.token) as follower, device(own_server, other) as beside:
        connected = device(own_server, phone)
        connected.connect()
        task = push(caller, phone.token)
        connected.wait_for(task)
        beside.wait_for(push(caller, other.token))
        connected.receipt(task, "opened")
        connected.disconnect()
        events = follower.read("connect", "connected", "sent", "acknowledged", "receipt", "closed")
        assert all(event["device_token"] == phone.token and re.match(r"127\.0\.0\.1:\d+$", event["client"]) for event in events)
        sent, acknowledged, receipt = events[2:5]
        assert sent["task_id"] == receipt["task_id"] == task and sent["packet_id"] == acknowledged["packet_id"]
        told = "".join(follower.lines)
        assert other.token not in told and phone.secret not in told and "geheim-title" not in told
        # The same is in the log, and neither a secret nor what was pushed.
        eventually(lambda: '"message":"closed"' in own_server.tail(20_000), own_server.tail)
        log = own_server.tail(100_000)
        assert '"label":"trace"' in log and phone.secret not in log and "geheim-title" not in log
        # Interrupted, it ends on the server.
        follower.process.send_signal(signal.SIGINT)
        assert follower.process.wait(PATIENCE) == 0
        eventually(lambda: follower.running() == 0, "the trace goes on")


class SlowToEnd(http.server.BaseHTTPRequestHandler):
    """A server whose stream ends with the trace, before whoever has ended the trace is answered."""

    protocol_version = "HTTP/1.1"
    begun, ended, may_answer = (threading.Event() for _ in range(3))

    def answer(self, status, data):
        body = json.dumps({"ret": "SUCCESS", "data": data}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201, {"trace_id": "t", "until": 0})

    def do_GET(self):
        self.close_connection = True
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        self.begun.set()
        self.ended.wait(PATIENCE)

    def do_DELETE(self):
        self.ended.set()
        self.may_answer.wait(PATIENCE)
        self.answer(202, {})

    def log_message(self, *_):
        pass


def test_interrupted_it_ends_when_the_server_has_answered(tmp_path):
    """Two threads that both end the program are a crash that comes now and then."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowToEnd) as fake:
        threading.Thread(target=fake.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{fake.server_address[1]}"
        process = subprocess.Popen(
            [binary("pspctl"), "trace", "--address", "192.0.2.1", "--admin", address, "--admin-token", "t", "--data", str(tmp_path)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert SlowToEnd.begun.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        assert SlowToEnd.ended.wait(PATIENCE)
        # The stream is at its end; a program that leaves because of that does so at once.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        SlowToEnd.may_answer.set()
        assert process.wait(PATIENCE) == 0, process.stderr.read()
        fake.shutdown()


def test_a_session_that_is_there_an_app_a_user_and_an_address_are_followed(own_server, device):
    world = World(own_server)
    caller, home = world.app(), world.org("home")
    phone = world.device("phone", home, user_id=world.name("officer"))
    with device(own_server, phone) as connected:
        for arguments, names in [
            (("--device", phone.token), ("push", "sent", "acknowledged")), (("--app", caller.appkey), ("push", "request")),
            (("--user", world.name("officer")), ("push", "sent", "acknowledged")), (("--address", "127.0.0.1"), ("push", "request")),
        ]:
            with Follower(own_server, *arguments) as follower:
                task = push(caller, phone.token)
                connected.wait_for(task)
                events = follower.read_all(*names)
                assert events[0]["result"] == "stored" and events[0]["task_id"] == task, events
                if names[1] == "request":
                    assert events[1]["request_id"] == events[0]["request_id"] and events[1]["status"] == "200"
            for trace in admin(own_server, "GET", "/psp/admin/trace")[1]["items"]:
                assert admin(own_server, "DELETE", f"/psp/admin/trace/{trace['trace_id']}")[0] == 202


def test_what_does_not_exist_is_refused_unless_it_is_to_come(own_server):
    for arguments in [("--device", "nosuch"), ("--app", "nosuch"), ("--user", "nosuch")]:
        ended = run(binary("pspctl"), "trace", *arguments, PSP_DATA=str(own_server.data))
        assert ended.returncode == 1 and "nosuch" in ended.stderr and "--future" in ended.stderr, ended
    assert admin(own_server, "GET", "/psp/admin/trace")[1]["items"] == []
    with Follower(own_server, "--app", "nosuch", "--future"):
        pass


class TestExplain:
    def explain(self, server, task, token):
        result = run(binary("pspctl"), "explain", task, token, "--json", PSP_DATA=str(server.data))
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def test_offline_then_acknowledged(self, scene, server, device):
        task = push(scene.caller, scene.phone.token)
        told = self.explain(server, task, scene.phone.token)
        assert (told["reason"], told["state"], told["addressed"], told["wait"]["ahead"]) == ("offline", "pending", True, 0)
        assert told["membership"] == {"org_id": scene.home, "test": False}
        with device(server, scene.phone) as connected:
            connected.wait_for(task)
        eventually(lambda: self.explain(server, task, scene.phone.token)["state"] == "delivered", "not delivered")

    def test_sent_and_waiting_behind_what_is_not_acknowledged(self, scene, server, device):
        tasks = [push(scene.caller, scene.phone.token) for _ in range(22)]
        connected = device(server, scene.phone, acknowledges=False)
        connected.connect()
        # The window is 20.
        connected.wait_for(*tasks[:20])
        for index, reason in [(0, "sent"), (19, "sent"), (20, "waiting"), (21, "waiting")]:
            told = self.explain(server, tasks[index], scene.phone.token)
            assert (told["reason"], told["wait"]["ahead"], told["wait"]["unacknowledged"]) == (reason, index, 20), told
            assert told["online"] and told["wait"].get("behind") == (tasks[0] if index else None)
            assert ("sent_to_device_at" in told) == (reason == "sent")
            if reason == "sent":
                assert told["sent_to_device_at"] >= told["created_at"]

    def test_not_in_the_target_and_not_registered_then(self, scene, server):
        other = scene.device("other", scene.home)
        task = push(scene.caller, scene.phone.token)
        later = scene.device("later", scene.home)
        assert self.explain(server, task, other.token)["reason"] == "not_in_target"
        told = self.explain(server, task, later.token)
        assert told["reason"] == "not_registered" and "membership" not in told
        result = run(binary("pspctl"), "explain", task, "nobody", PSP_DATA=str(server.data), LC_ALL="C.UTF-8")
        assert result.returncode == 1 and "2201" in result.stderr

    def test_in_words(self, scene, server, pspctl):
        task = push(scene.caller, scene.phone.token)
        result = pspctl("explain", task, scene.phone.token)
        assert result.returncode == 0 and result.stdout.startswith("The device is offline"), result
