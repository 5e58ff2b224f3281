"""The samples do what their texts say."""

import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from conftest import run
from kit.server import ROOT
from kit.waiting import eventually

EXAMPLES = ROOT / "examples"
CALLERS = {
    "Push.java": ["java", str(EXAMPLES / "Push.java")], "push.py": [sys.executable, str(EXAMPLES / "push.py")],
    "push.sh": ["sh", str(EXAMPLES / "push.sh")],
}


@pytest.fixture
def scene(world):
    world.caller = world.app()
    world.phone = world.device("phone", world.org("home"))
    world.url = "http://%s:%d" % world.server.http
    return world


@pytest.fixture(params=CALLERS)
def caller(request):
    return CALLERS[request.param]


def printed(ended):
    """What it printed: the reply, or the reply's data."""
    reply = json.loads(ended.stdout)
    return reply.get("data", reply)


def test_a_caller_pushes_and_prints_the_task(scene, device, caller):
    phone = device(scene.server, scene.phone).connect()
    ended = run(*caller, scene.url, scene.caller.appkey, scene.caller.secret, scene.phone.token)
    assert ended.returncode == 0, ended
    task = printed(ended)
    assert task["counts"]["delivered"] == 1 and task["status"] == "completed"
    assert phone.tasks() == [task["task_id"]]


# Where each takes its option.
HMAC = {"Push.java": 4, "push.py": 4, "push.sh": 0}


@pytest.mark.parametrize("name", CALLERS)
def test_a_caller_signs_whole_requests(scene, device, name):
    scene.admin.put("apps", scene.caller.appkey, hmac_only=True).ok()
    device(scene.server, scene.phone).connect()
    arguments = [scene.url, scene.caller.appkey, scene.caller.secret, scene.phone.token]
    refused = run(*CALLERS[name], *arguments)
    assert refused.returncode == 1 and "2005" in refused.stderr, refused
    place = HMAC[name]
    ended = run(*CALLERS[name], *arguments[:place], "--hmac", *arguments[place:])
    assert ended.returncode == 0, ended
    assert printed(ended)["counts"]["delivered"] == 1


def test_a_caller_tells_a_refusal(scene, caller):
    ended = run(*caller, scene.url, scene.caller.appkey, "wrong", scene.phone.token)
    assert ended.returncode == 1 and "2005" in ended.stderr, ended
    ended = run(*caller, scene.url, scene.caller.appkey, scene.caller.secret, "nobody")
    assert ended.returncode == 1 and "2201" in ended.stderr, ended


def test_a_caller_tells_that_nobody_answers(scene, caller):
    ended = run(*caller, "http://127.0.0.1:1", "a", "b", "c")
    assert ended.returncode == 1 and "cannot reach" in ended.stderr, ended


def test_a_caller_explains_itself(caller):
    asked = run(*caller, "--help")
    assert asked.returncode == 0 and "usage" in asked.stdout.lower(), asked
    wrong = run(*caller)
    assert wrong.returncode == 2 and "usage" in wrong.stderr.lower(), wrong


FULL_CALLERS = ["Push.java", "push.py"]


@pytest.mark.parametrize("name", FULL_CALLERS)
def test_a_caller_pushes_to_a_user_and_to_an_organisation(scene, device, name):
    mine = scene.device("mine", scene.org("home"), user_id="alice")
    phones = [device(scene.server, registered).connect() for registered in (scene.phone, mine)]
    push = (*CALLERS[name], scene.url, scene.caller.appkey, scene.caller.secret)

    ended = run(*push, "--user", "alice", "--title", "您好")
    assert ended.returncode == 0, ended
    assert [len(phone.tasks()) for phone in phones] == [0, 1]

    ended = run(*push, "--org", scene.org("home"), "--tag", "alarms")
    assert ended.returncode == 0, ended
    eventually(lambda: [len(phone.tasks()) for phone in phones] == [1, 2], "both have the organisation's")

    statistics = printed(run(*push, "--stats", "alarms"))
    assert statistics["tasks"] == 1 and statistics["delivered"] == 2


@pytest.mark.parametrize("name", FULL_CALLERS)
def test_a_caller_pushes_a_configuration(scene, device, name):
    phone = device(scene.server, scene.phone).connect()
    ended = run(
        *CALLERS[name], scene.url, scene.caller.appkey, scene.caller.secret, "--org", scene.org("home"), "--config", 'cache=2&note="a"')
    assert ended.returncode == 0, ended
    (configuration,) = phone.wait_for(printed(ended)["task_id"], topic="psp/push/config")
    assert configuration["body"] == 'cache=2&note="a"'


@pytest.mark.parametrize("name", FULL_CALLERS)
def test_a_caller_repeats_the_same_request_until_somebody_knows_its_end(name):
    """The first attempt is refused for the moment, the second is cut off, the third is taken."""
    bodies = []

    class Wavering(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            if len(bodies) == 1:
                self.answer(503, {"ret": "FAIL", "data": {"error_code": 2302, "error_msg": "later"}})
            elif len(bodies) == 2:
                self.close_connection = True
            else:
                self.answer(200, {"ret": "SUCCESS", "data": {"task_id": "1"}})

        def do_GET(self):
            self.answer(200, {"ret": "SUCCESS", "data": {"task_id": "1", "counts": {"pending": 0}}})

        def answer(self, status, value):
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Wavering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            ended = run(*CALLERS[name], "http://127.0.0.1:%d" % server.server_port, "a", "b", "phone")
        finally:
            server.shutdown()
    assert ended.returncode == 0, ended
    assert len(bodies) == 3 and len(set(bodies)) == 1


def test_the_shell_caller_without_openssl(scene, device, tmp_path):
    """md5sum takes its place."""
    for tool in ("sh", "curl", "date", "tr", "cut", "md5sum", "tail", "sed", "sleep", "cat"):
        os.symlink(shutil.which(tool), tmp_path / tool)
    phone = device(scene.server, scene.phone).connect()
    arguments = (scene.url, scene.caller.appkey, scene.caller.secret, scene.phone.token)
    ended = run(*CALLERS["push.sh"], *arguments, PATH=str(tmp_path))
    assert ended.returncode == 0, ended
    assert len(phone.tasks()) == 1


class Running:
    """A sample that runs until it is stopped."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def __enter__(self):
        return self

    def line(self):
        return self.process.stdout.readline()

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdout.close()


@pytest.mark.parametrize("version", ["3.1.1", "5.0"])
def test_the_python_device_shows_reports_and_remembers(scene, tmp_path, version):
    host, port = scene.server.mqtt
    command = [
        sys.executable, str(EXAMPLES / "device.py"), scene.phone.token, scene.phone.secret, "--host", host, "--port", str(port), "--mqtt",
        version, "--seen", str(tmp_path / "seen"), "--count", "2",
    ]
    message = scene.caller.to_device(scene.phone.token, "您好")
    configuration = scene.caller.configure("a=1", device_tokens=scene.phone.token)
    ended = run(*command)
    assert ended.returncode == 0, ended
    shown = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(push["topic"], push["task_id"]) for push in shown] == [("psp/push/msg", message), ("psp/push/config", configuration)]
    assert shown[0]["body"]["title"] == "您好"
    counts = scene.caller.counts(message)
    assert (counts["delivered"], counts["opened"]) == (1, 1)
    eventually(lambda: scene.caller.counts(configuration)["applied"] == 1, "applied")
    assert (tmp_path / "seen").read_text().split() == [message]


def test_the_python_device_gives_up_on_a_refusal(scene):
    host, port = scene.server.mqtt
    ended = run(sys.executable, str(EXAMPLES / "device.py"), scene.phone.token, "wrong", "--host", host, "--port", str(port))
    assert ended.returncode == 1 and ended.stderr.strip() == "the server refused the device: Not authorized", ended


def test_the_python_device_comes_back_after_the_server(own_server):
    from kit.world import World

    world = World(own_server)
    caller = world.app()
    registered = world.device("phone", world.org("home"))
    host, port = own_server.mqtt
    own_server.flags += ("--mqtt", f"{host}:{port}")
    command = (sys.executable, "-u", str(EXAMPLES / "device.py"), registered.token, registered.secret, "--host", host, "--port", str(port))
    with Running(*command) as running:
        assert running.line() == "connected\n"
        own_server.kill()
        own_server.start()
        task = caller.to_device(registered.token)
        eventually(lambda: caller.counts(task)["opened"] == 1, "it came back and showed it")


def test_the_one_line_device(scene):
    host, port = scene.server.mqtt
    with Running("stdbuf", "-oL", "sh", str(EXAMPLES / "device.sh"), scene.phone.token, scene.phone.secret, host, str(port)) as running:
        task = scene.caller.to_device(scene.phone.token)
        topic, message = running.line().split(" ", 1)
        assert topic == "psp/push/msg" and json.loads(message)["task_id"] == task
        eventually(lambda: scene.caller.counts(task)["delivered"] == 1, "acknowledged")
