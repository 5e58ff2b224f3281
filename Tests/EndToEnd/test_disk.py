"""When the disk is full or fails: what is certain, and what is told."""

import concurrent.futures
import http.client
import os
import shutil
import stat
import subprocess
import tempfile
import threading

import pytest

from kit.disk import FaultyDisk
from kit.rest import AdminClient, notification
from kit.server import Server, binary
from kit.waiting import PATIENCE, eventually, throughout
from kit.world import World

pytestmark = pytest.mark.embedded("its disk")
NOBODY = 65534


@pytest.fixture
def disk(tmp_path):
    faulty = FaultyDisk(tmp_path)
    with faulty.server:
        yield faulty


@pytest.fixture
def own_server(disk):
    return disk.server


@pytest.fixture
def scene(disk):
    world = World(disk.server)
    world.caller = world.app()
    world.home = world.org("home")
    world.phone = world.device("phone", world.home)
    # An app's first call of a day is noted, with a commit of its own: it is not to be the one that meets the disk's failure.
    world.caller.stats(tag="none")
    return world


def is_ready(server):
    return exchange_status(server, "/readyz") == 200


def exchange_status(server, path):
    connection = http.client.HTTPConnection(*server.admin, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("how", ["full", "quota"])
def test_a_full_disk_refuses_and_heals(disk, scene, device, how):
    phone = device(disk.server, scene.phone).connect()
    before = scene.caller.to_device(scene.phone.token)
    phone.wait_for(before)
    disk.fail(how)
    body = notification(type="unicast", device_tokens=scene.phone.token)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: scene.caller.push(body), range(24)))
    for reply in replies:
        assert (reply.status, reply.code) == (503, 2302), reply
        assert int(reply.headers["Retry-After"]) >= 1
    assert AdminClient(disk.server).put("orgs", scene.name("new"), name="n").code == 2302
    disk.heal()
    reply = eventually(lambda: succeeded(scene.caller.push(body)), "it heals by itself")
    phone.wait_for(reply.data["task_id"])
    assert phone.tasks() == [before, reply.data["task_id"]], "what was refused is never delivered"
    assert [task["task_id"] for task in reversed(scene.admin.tasks())] == phone.tasks()
    assert scene.admin.get("orgs", scene.name("new")).status == 404


def test_a_clean_end_that_loses_acknowledgements_is_told(disk, scene, device):
    phone = device(disk.server, scene.phone).connect()
    disk.fail("full")
    assert scene.caller.push(notification(type="unicast", device_tokens=scene.phone.token)).code == 2302
    disk.heal()
    task = eventually(
        lambda: succeeded(scene.caller.push(notification(type="unicast", device_tokens=scene.phone.token))), "it heals")
    phone.wait_for(task.data["task_id"])
    eventually(lambda: scene.admin.get("tasks", task.data["task_id"]).ok()["counts"]["delivered"] == 1, "it is counted")
    assert disk.server.stop() == 0, "nothing was lost"
    disk.server.start()
    phone = device(disk.server, scene.phone, acknowledges=False).connect()
    other = scene.caller.to_device(scene.phone.token)
    phone.wait_for(other)
    # What it acknowledges from now on cannot be written.
    disk.fail("full")
    phone.acknowledge_all()
    phone.disconnect()
    assert disk.server.stop() == 1
    assert "acknowledgements could not be written" in disk.server.tail()
    # There is no room for the lock's and the address's files either: the next try may do better.
    status = disk.server.start_status()
    assert status == 1, disk.server.tail()
    disk.heal()
    disk.server.start()
    device(disk.server, scene.phone).connect().wait_for(other)


def succeeded(reply):
    if reply.json["ret"] == "SUCCESS":
        return reply
    assert reply.code == 2302, reply
    return None


def met_by_the_failure(disk, how, push):
    """What `push` gets, a list of replies, where it is a push that meets the disk's failure.

    The store writes by itself as well: what devices tell, its indexes, the audit, each when it is due. Where that meets the failure
    first, every push is certainly not done, and it is tried again after a restart.
    """
    for _ in range(10):
        disk.fail(how)
        replies = push()
        disk.heal()
        codes = {reply.code for reply in replies}
        assert codes <= {2901, 2302}, codes
        if 2901 in codes:
            return replies
        disk.server.stop()
        disk.server.start()
    raise AssertionError("the store's own writes met every failure before a push")


@pytest.mark.parametrize("how", ["write", "sync"])
def test_a_failing_disk_is_told_and_stops_changes_until_a_restart(disk, scene, device, how):
    # It acknowledges nothing: an acknowledgement is one more write of the store's own, and would mostly meet the failure first.
    phone = device(disk.server, scene.phone, acknowledges=False).connect()
    accepted = [scene.caller.to_device(scene.phone.token)]
    phone.wait_for(*accepted)
    body = notification(type="unicast", device_tokens=scene.phone.token)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = met_by_the_failure(disk, how, lambda: list(pool.map(lambda _: scene.caller.push(body), range(24))))
    assert all(reply.status == {2901: 500, 2302: 503}[reply.code] for reply in replies)
    assert scene.caller.push(body).code == 2302, "until a restart"
    assert scene.admin.put("orgs", scene.name("new"), name="n").code == 2302
    assert not is_ready(disk.server)
    assert exchange_status(disk.server, "/healthz") == 200
    disk.server.stop()
    disk.server.start()
    assert is_ready(disk.server)
    # A 2901 may have been stored, once; a 2302 never.
    unknown = sum(reply.code == 2901 for reply in replies)
    stored = scene.admin.tasks()
    assert 1 <= len(stored) <= 1 + unknown
    accepted.append(scene.caller.to_device(scene.phone.token))
    again = device(disk.server, scene.phone).connect()
    again.wait_for(accepted[-1])
    assert set(phone.tasks()) | set(again.tasks()) == {task["task_id"] for task in stored} | set(accepted)


def test_a_repeat_after_2901_makes_one_task(disk, scene):
    body = notification(type="unicast", device_tokens=scene.phone.token, policy={"out_biz_no": "1"})
    met_by_the_failure(disk, "sync", lambda: [scene.caller.push(body)])
    disk.server.stop()
    disk.server.start()
    task = scene.caller.push(body).ok()["task_id"]
    assert [shown["task_id"] for shown in scene.admin.tasks()] == [task]


@pytest.fixture
def by_nobody(tmp_path):
    """Runs a program as a user who owns nothing here: `by_nobody(name, *arguments)`."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to be another user")
    for directory in (tmp_path, *tmp_path.parents):
        if directory.is_relative_to(tempfile.gettempdir()):
            directory.chmod(stat.S_IMODE(directory.stat().st_mode) | 0o055)

    def by_nobody(name, *arguments):
        program = tmp_path / name
        if not program.exists():
            shutil.copy(binary(name), program)
        return subprocess.run(
            [program, *arguments], user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True, timeout=PATIENCE,
            env=os.environ | {"LC_ALL": "C.UTF-8", "HOME": str(tmp_path)})

    return by_nobody


@pytest.mark.parametrize("what", ["psp.db", "."])
def test_what_may_only_be_read_is_refused_with_a_sentence(tmp_path, by_nobody, what):
    server = Server(tmp_path / "data")
    server.start()
    assert server.stop() == 0
    for path in [server.data, *server.data.iterdir()]:
        os.chown(path, NOBODY, NOBODY)
    os.chown(server.data / what, 0, 0)
    os.chmod(server.data / what, 0o755)
    ended = by_nobody("pspd", "--data", server.data, *[word for door in ("http", "mqtt", "admin") for word in (f"--{door}", "127.0.0.1:0")])
    assert ended.returncode == 2, ended
    assert "may only be read" in ended.stderr and "let the user that runs pspd write it" in ended.stderr, ended


def test_what_may_not_be_seen_is_not_said_to_be_absent(tmp_path, by_nobody):
    server = Server(tmp_path / "data")
    server.start()
    assert server.stop() == 0
    server.data.chmod(0o700)
    for command in (
            ["check", server.data], ["store", "check", f"sqlite:{server.data}"], ["backup", tmp_path / "copy", "--data", server.data],
            ["store", "copy", f"sqlite:{server.data}", "postgres://psp@127.0.0.1:1/psp"], ["app", "list", "--data", server.data]):
        ended = by_nobody("pspctl", *command)
        assert ended.returncode == 1 and f"{server.data}/p" in ended.stderr and "ermission denied" in ended.stderr, ended


def test_nobody_reads_success_or_receives_before_it_is_synced(disk, scene, device):
    phone = device(disk.server, scene.phone).connect()
    disk.fail("hold")
    answered = threading.Event()
    replies = []

    def push():
        replies.append(scene.caller.push(notification(type="unicast", device_tokens=scene.phone.token)))
        answered.set()

    thread = threading.Thread(target=push)
    thread.start()
    throughout(lambda: not answered.is_set() and not phone.tasks(), "before it was synced", 1.0)
    disk.heal()
    thread.join()
    phone.wait_for(replies[0].ok()["task_id"])
