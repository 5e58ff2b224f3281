"""Nodes that share a store on PostgreSQL, behind HAProxy as it is in deploy/: any of them takes any request and any device."""

import contextlib
import http.client
import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time
from unittest import mock

import pytest

from conftest import run
from kit.certificates import Authority
from kit.cluster import SOURCE, Cluster, configuration
from kit.device import Device
from kit.ports import free_port
from kit.postgres import Postgres, migrate, uri
from kit.prometheus import Metrics, families, scrape
from kit.proxies import HAProxy
from kit.pusher import TROUBLE, Pusher
from kit.rest import AdminClient, PushClient, assert_balanced, encode, exchange, notification
from kit.server import ROOT, Server, Shared, binary
from kit.waiting import PATIENCE, eventually
from kit.wall_clock import WallClock
from kit.world import World

# Until the devices of a node that has died are served elsewhere: its lease, and some more for a slow machine.
LEASE_SECONDS = 5


@pytest.fixture(scope="module")
def postgres():
    """One server for the tests that leave it alone."""
    return Shared.databases()


@pytest.fixture(scope="module")
def cluster(postgres, tmp_path_factory):
    """Two nodes that the tests of this file share."""
    database = postgres.make()
    with Cluster(tmp_path_factory.mktemp("cluster"), postgres.server.uri(database)) as running:
        yield running
        for node in running.nodes:
            assert node.stop() == 0
    postgres.drop(database)


@pytest.fixture
def own_cluster(postgres, tmp_path):
    """Two nodes of the test's own."""
    database = postgres.make()
    with Cluster(tmp_path, postgres.server.uri(database), "--drain-delay", "1", "--drain-rate", "100") as running:
        yield running
    postgres.drop(database)


@pytest.fixture
def scene(cluster):
    return furnished(cluster)


def furnished(cluster):
    """An app, an organisation, and a device for each node."""
    world = World(cluster.nodes[0])
    world.home = world.org("home")
    world.phones = [world.device(f"phone{number}", world.home, user_id=world.name(f"user{number}")) for number in (1, 2)]
    app = world.app()
    # The same caller at each node, and through the balancer.
    world.callers = [PushClient(place, app.appkey, app.secret) for place in cluster.nodes]
    world.caller = PushClient(cluster, app.appkey, app.secret)
    return world


def test_devices_of_each_node_get_what_is_pushed_at_the_other(cluster, scene, stock_client):
    devices = [stock_client(node, phone).connect() for node, phone in zip(cluster.nodes, scene.phones)]
    tasks = []
    for caller in scene.callers:
        for device, number in zip(devices, (1, 2)):
            device.wait_for(caller.to_device(device.token), caller.to_user(scene.name(f"user{number}")))
        tasks.append(caller.to_org(scene.home))
        for device in devices:
            device.wait_for(tasks[-1])
        setting = caller.configure("cache=2", org_id=scene.home)
        for device in devices:
            device.wait_for(setting, topic="psp/push/config")
    for task in tasks:
        for caller in scene.callers:
            eventually(lambda: caller.counts(task)["delivered"] == 2, lambda: caller.counts(task))
            assert_balanced(caller.counts(task))
    for device in devices:
        received = device.tasks()
        assert len(received) == len(set(received)), received


def test_any_device_may_come_to_any_node_and_misses_nothing(cluster, scene, device):
    phone = scene.phones[0]
    with device(cluster.nodes[0], phone) as first:
        task = scene.caller.to_device(phone.token, "one")
        first.wait_for(task)
        eventually(lambda: scene.callers[1].counts(task)["delivered"] == 1, lambda: scene.callers[1].counts(task))
    missed = [scene.caller.to_device(phone.token, f"missed {number}") for number in range(5)]
    with device(cluster.nodes[1], phone, "3.1.1") as second:
        second.wait_for(*missed)
        assert second.tasks() == missed


def test_a_connection_at_another_node_takes_the_device_over(cluster, scene, device):
    phone = scene.phones[0]
    first = device(cluster.nodes[0], phone, acknowledges=False).connect()
    tasks = [scene.caller.to_device(phone.token, str(number)) for number in range(3)]
    first.wait_for(*tasks)
    second = device(cluster.nodes[1], phone).connect()
    assert first.wait_closed().value == 0x8E
    # Not acknowledged: they come again, to the one that has the device now.
    second.wait_for(*tasks)
    last = scene.callers[0].to_device(phone.token, "last")
    second.wait_for(last)
    assert second.tasks() == [*tasks, last]


def test_a_recalled_task_is_delivered_by_no_node(cluster, scene, device):
    held = [device(node, phone, acknowledges=False, receive_maximum=1).connect() for node, phone in zip(cluster.nodes, scene.phones)]
    for caller in scene.callers:
        before = caller.to_org(scene.home, "before")
        for each in held:
            each.wait_for(before)
        recalled = caller.to_org(scene.home, "recalled")
        assert caller.cancel(recalled).ok()["status"] == "cancelled"
        # The answer was given: from now on nobody hands it out.
        after = caller.to_org(scene.home, "after")
        for each in held:
            each.acknowledge_all()
            each.wait_for(after)
            each.acknowledge_all()
            assert recalled not in each.tasks()
        assert caller.counts(recalled)["cancelled"] == 2


def test_what_an_operator_changes_holds_on_every_node_when_it_is_answered(cluster, scene, device):
    admins = [AdminClient(node) for node in cluster.nodes]
    phone = scene.phones[1]
    connected = device(cluster.nodes[1], phone).connect()
    # A secret that is changed at one node ends the connection at the other, and opens no door any more.
    admins[0].put("devices", phone.token, secret="another").ok()
    assert connected.wait_closed().value == 0x98
    refused = device(cluster.nodes[1], phone).begin_connecting()
    refused.wait(lambda: refused.connack is not None or refused.reason is not None, "CONNACK")
    assert refused.connack is None or refused.connack.is_failure
    admins[1].put("apps", scene.caller.appkey, disabled=True).ok()
    assert [caller.push({"type": "unicast"}).code for caller in scene.callers] == [2007, 2007]


def test_the_audit_log_tells_at_which_node_a_call_was_made(cluster, scene):
    admins = [AdminClient(node) for node in cluster.nodes]
    names = [node.data.name for node in cluster.nodes]
    for admin, phone in zip(admins, scene.phones):
        admin.put("devices", phone.token, test=True).ok()
    for admin in admins:
        for name, phone in zip(names, scene.phones):
            entries = admin.items("/psp/admin/audit", target=phone.token, action="device.put")
            # All were made at the first node.
            assert [entry["node"] for entry in entries] == [name, names[0]]
            assert admin.items("/psp/admin/audit", target=phone.token, action="device.put", node=name)[0] == entries[0]
        refused = admin.call("GET", "/psp/admin/audit", node="a b")
        assert (refused.status, refused.code, refused.data["field"]) == (400, 2103, "node")
    told = run(binary("pspctl"), "audit", "--action", "device.put", "--node", names[1], PSP_DATA=str(cluster.nodes[0].data))
    assert told.returncode == 0, told.stderr
    heading, *rows = [re.split(r"  +", line) for line in told.stdout.splitlines()]
    assert "NODE" in heading and rows, told.stdout
    assert {row[heading.index("NODE")] for row in rows} == {names[1]}, told.stdout


def test_pspctl_tells_who_shares_the_store(cluster):
    for node in cluster.nodes:
        told = run(binary("pspctl"), "nodes", PSP_DATA=str(node.data))
        assert told.returncode == 0, told.stderr
        lines = told.stdout.splitlines()
        assert [re.split(r"  +", line) for line in lines[1:]] == [
            [each.data.name + " (asked)" * (each is node), "serving", mock.ANY, mock.ANY, mock.ANY, mock.ANY, mock.ANY]
            for each in cluster.nodes], told.stdout
        assert all(re.search(r"  [0-5]\.\d s left  ", line) for line in lines[1:]), told.stdout
        items = json.loads(run(binary("pspctl"), "nodes", "--json", PSP_DATA=str(node.data)).stdout)
        assert [item["node"] for item in items if item["own"]] == [node.data.name]
        status = AdminClient(node).call("GET", "/psp/admin/status").ok()
        assert status["node"] == node.data.name and "disk" not in status and 0 < status["shared"]["lease"] <= 5_000
        assert "foreign_functions" not in status["shared"] and "remedy" not in status


def test_who_traces_a_device_at_another_node_is_told_where_it_is(cluster, scene, device):
    phone, names = scene.phones[0], [node.data.name for node in cluster.nodes]
    told = f"{phone.token} is connected to node {names[1]}, and this is {names[0]}: what it gets is traced there\n"
    with device(cluster.nodes[1], phone):
        for node, expected in zip(cluster.nodes, [told, ""]):
            command = [binary("pspctl"), "trace", "--device", phone.token, "--data", str(node.data)]
            tracing = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            assert tracing.stdout.readline().startswith("tracing until ")
            tracing.send_signal(signal.SIGINT)
            assert tracing.communicate(timeout=PATIENCE)[1] == expected and tracing.returncode == 0


def test_pspctl_says_how_a_shared_store_is_backed_up_and_restored(cluster, tmp_path):
    told = run(binary("pspctl"), "backup", str(tmp_path / "copy.db"), PSP_DATA=str(cluster.nodes[0].data))
    assert told.returncode == 1 and "docs/cluster.md" in told.stderr and not list(tmp_path.iterdir()), told
    told = run(binary("pspctl"), "backup", str(tmp_path / "copy.db"), PSP_STORE=cluster.store, LC_ALL="zh_CN.UTF-8")
    assert told.returncode == 1 and "docs/cluster.zh-CN.md" in told.stderr, told
    told = run(binary("pspctl"), "restore", str(tmp_path / "copy.db"), "--yes", PSP_STORE=cluster.store)
    assert told.returncode == 1 and "docs/cluster.md" in told.stderr, told


@pytest.mark.parametrize("language", ["", ".zh-CN"])
def test_what_is_measured_of_a_shared_store_is_documented(cluster, language):
    names = {
        name: set(re.findall(r"^\| `((?:psp|process)_\w+)` \|", (ROOT / f"docs/{name}{language}.md").read_text(), re.MULTILINE))
        for name in ("operations", "cluster")}
    eventually(lambda: "psp_store_without_standby" in families(scrape(cluster.nodes[0])), "nobody has looked at the database's settings")
    measured = set(families(scrape(cluster.nodes[0])))
    assert names["cluster"] <= measured <= names["operations"] | names["cluster"]
    metrics = Metrics(cluster.nodes[0])
    assert 0 < metrics("psp_lease_seconds") <= 5 and metrics("psp_store_primary_switches_total") == 0
    assert metrics("psp_store_without_standby") == 1, "this database has none"


def pushing(caller, token):
    """Pushes by the balancer. Each push is repeated with its `out_biz_no`."""
    return Pusher(
        lambda number: caller.to_device(token, str(number), policy={"out_biz_no": f"{token}-{number}"}), pause=0.01,
        trouble=(*TROUBLE, ValueError))


class Wanderer:
    """A device that comes again by the balancer whenever its connection has ended, as a device does."""

    def __init__(self, cluster, phone):
        self.cluster, self.phone = cluster, phone
        self.devices = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.ending.is_set():
            device = Device(self.cluster, self.phone.token, self.phone.secret)
            try:
                device.begin_connecting()
                device.wait(lambda: device.connack is not None or device.reason is not None, "CONNACK")
                self.devices.append(device)
                while device.reason is None and not self.ending.is_set():
                    time.sleep(0.02)
            except (OSError, AssertionError):
                time.sleep(0.1)
            finally:
                device.vanish()

    def tasks(self):
        return [task for device in list(self.devices) for task in device.tasks()]

    def is_connected(self):
        device = self.devices[-1] if self.devices else None
        return device and device.reason is None and device.connack is not None and not device.connack.is_failure

    def __enter__(self):
        self.thread.start()
        eventually(self.is_connected, "it connects")
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join(PATIENCE)


def wait_for_all(wanderer, tasks):
    """Returns when it has received all of them."""
    missing = lambda: [task for task in tasks if task not in set(wanderer.tasks())]
    eventually(lambda: not missing(), lambda: f"{len(missing())} of {len(tasks)} have not come: {missing()[:3]}\n{wanderer.cluster.tail()}")


def is_at(cluster, node, token):
    """Whether that node has the device's connection."""
    items = {item["node"]: item["sessions"] for item in AdminClient(node).call("GET", "/psp/admin/nodes").ok()["items"]}
    return items[node.data.name] > 0


@pytest.mark.heavy
def test_a_node_that_dies_loses_nothing_and_its_devices_are_served_by_the_other(own_cluster):
    scene = furnished(own_cluster)
    with contextlib.ExitStack() as stack:
        wanderers = [stack.enter_context(Wanderer(own_cluster, phone)) for phone in scene.phones]
        pushers = [stack.enter_context(pushing(scene.caller, phone.token)) for phone in scene.phones]
        for pusher in pushers:
            pusher.goes_on(20)
        dead, alive = own_cluster.nodes
        dead.kill()
        began = time.monotonic()
        eventually(lambda: all(wanderer.is_connected() for wanderer in wanderers), own_cluster.tail)
        for pusher, wanderer in zip(pushers, wanderers):
            pusher.goes_on()
            wait_for_all(wanderer, pusher.tasks[:])
        assert time.monotonic() - began < 3 * LEASE_SECONDS
        assert own_cluster.states(alive)["node1"] == "lapsed"
        told = run(binary("pspctl"), "nodes", PSP_DATA=str(alive.data))
        assert re.search(r"^node1  +lapsed  +ended \d+ (s|ms) ago  ", told.stdout, re.MULTILINE), told.stdout
        # The name is free again: its lease has lapsed.
        dead.start()
        own_cluster.wait_for_balancer("UP", "UP")
        assert own_cluster.states(alive) == {"node1": "serving", "node2": "serving"}
        for pusher in pushers:
            pusher.goes_on()
            pusher.ending.set()
            pusher.join(PATIENCE)
        for pusher, wanderer in zip(pushers, wanderers):
            wait_for_all(wanderer, pusher.tasks)
            task = pusher.tasks[-1]
            eventually(lambda: scene.caller.counts(task)["delivered"] == 1, lambda: scene.caller.counts(task))


@contextlib.contextmanager
def telling(cluster, node, states):
    """Meanwhile a node says once that all are in those states."""
    heard, ending = [], threading.Event()

    def listen():
        while not ending.is_set():
            heard.append(cluster.states(node))
            time.sleep(0.05)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(PATIENCE)
    assert states in heard, heard


@pytest.mark.heavy
def test_nodes_are_restarted_one_by_one_and_no_caller_notices(own_cluster):
    scene = furnished(own_cluster)
    with contextlib.ExitStack() as stack:
        wanderer = stack.enter_context(Wanderer(own_cluster, scene.phones[0]))
        pusher = stack.enter_context(pushing(scene.caller, scene.phones[0].token))
        pusher.goes_on(20)
        for node, other in zip(own_cluster.nodes, reversed(own_cluster.nodes)):
            with telling(own_cluster, other, {node.data.name: "draining", other.data.name: "serving"}):
                own_cluster.restart(node)
            own_cluster.wait_for_balancer("UP", "UP")
            pusher.goes_on()
        eventually(wanderer.is_connected, own_cluster.tail)
        pusher.ending.set()
        pusher.join(PATIENCE)
        wait_for_all(wanderer, pusher.tasks)
    assert not pusher.failures, pusher.failures[:3]
    assert len(set(pusher.tasks)) == len(pusher.tasks)


def test_a_callers_timestamp_is_judged_by_the_databases_clock_and_not_by_the_nodes(postgres, tmp_path):
    database = postgres.make()
    with contextlib.closing(WallClock(tmp_path, store=postgres.server.uri(database))) as clock, clock.server as node:
        world = World(node)
        phone, caller = world.device("phone", world.org("home")), world.app()
        body = encode(notification(type="unicast", device_tokens=phone.token))

        def push(seconds):
            """Signed so long ago."""
            timestamp = str(int(time.time() * 1000) - seconds * 1000)
            return exchange(node.http, "POST", "/psp/push/msg", body, caller.headers(timestamp)).code

        clock.set_ahead(-1_500)
        assert [push(0), push(1_500)] == [None, 2006]
        assert node.stop() == 0
    postgres.drop(database)


class Mute(http.server.BaseHTTPRequestHandler):
    """A node that is ready, and answers no call: it ends the connection, or goes on to wait."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        if self.path == "/silent":
            time.sleep(2)

    def log_message(self, *_):
        pass


def test_the_balancer_answers_as_a_node_would_where_none_does(tmp_path):
    def call(path):
        connection = http.client.HTTPConnection(*door, timeout=PATIENCE)
        connection.request("POST", path, b"{}")
        response = connection.getresponse()
        data = json.loads(response.read())["data"]
        connection.close()
        return response.status, data["error_code"]

    door = ("127.0.0.1", free_port())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mute) as node:
        threading.Thread(target=node.serve_forever, daemon=True).start()
        text = configuration([(f"127.0.0.1:{node.server_port}", "127.0.0.1:1")], door, ("127.0.0.1", free_port()), SOURCE)
        with HAProxy(tmp_path, text.replace("timeout server 60s", "timeout server 1s")) as balancer:
            balancer.wait_for(door[1])
            assert [call("/gone"), call("/silent")] == [(502, 2901), (504, 2901)]
            node.shutdown()
            node.server_close()
            eventually(lambda: call("/gone") == (503, 2302), lambda: balancer.log.read_text())


@pytest.mark.heavy
def test_a_database_that_stops_ends_no_node_and_no_connection(tmp_path):
    with Postgres() as postgres:
        database = postgres.make().start()
        migrate(binary("pspctl"), database.uri())
        with Cluster(tmp_path, database.uri()) as cluster:
            scene = furnished(cluster)
            devices = [Device(node, phone.token, phone.secret).connect() for node, phone in zip(cluster.nodes, scene.phones)]
            before = scene.caller.to_org(scene.home)
            for device in devices:
                device.wait_for(before)
            database.stop()
            for node in cluster.nodes:
                eventually(lambda: not node.is_ready(), node.tail)
            assert scene.callers[0].push({"type": "groupcast", "org_id": scene.home, "payload": {}}).code in (2101, 2102, 2103, 2302)
            refused = scene.callers[0].push(
                {"type": "groupcast", "org_id": scene.home, "payload": {"display_type": "notification", "body": {"title": "refused"}}})
            assert (refused.status, refused.code) == (503, 2302) and refused.headers["Retry-After"]
            status = AdminClient(cluster.nodes[0]).call("GET", "/psp/admin/status").ok()
            assert status["state"] == "unreachable" and status["store"]["detail"], status
            late = Device(cluster.nodes[0], scene.phones[0].token, scene.phones[0].secret).begin_connecting()
            late.wait(lambda: late.connack is not None or late.reason is not None, "CONNACK")
            assert late.connack is None or late.connack.value == 0x88
            late.vanish()
            database.start()
            for node in cluster.nodes:
                eventually(node.is_ready, node.tail)
            cluster.wait_for_balancer("UP", "UP")
            after = scene.caller.to_org(scene.home, "after")
            for device in devices:
                device.wait_for(after)
                assert device.reason is None, "its connection was kept"
                assert device.tasks() == [before, after]
                device.vanish()
            # While it says nothing at all, an end is an end as well.
            database.pause()
            for node in cluster.nodes:
                began = time.monotonic()
                # 1 where it could not keep an acknowledgement of the last moment.
                assert node.stop() in (0, 1)
                assert time.monotonic() - began < 5


@pytest.mark.heavy
def test_nothing_that_was_answered_is_lost_with_the_primary(tmp_path):
    with Postgres() as postgres:
        primary = postgres.make().start()
        standby = postgres.make_standby(primary, "standby").start()
        primary.set(synchronous_standby_names="ANY 1 (standby)")
        address = uri([primary, standby])
        migrate(binary("pspctl"), address)
        with Cluster(tmp_path, address) as cluster, contextlib.ExitStack() as stack:
            scene = furnished(cluster)
            wanderers = [stack.enter_context(Wanderer(cluster, phone)) for phone in scene.phones]
            pushers = [stack.enter_context(pushing(scene.caller, phone.token)) for phone in scene.phones]
            for pusher in pushers:
                pusher.goes_on(20)
            primary.stop(signal.SIGKILL)
            standby.promote()
            for pusher in pushers:
                pusher.goes_on(10)
                pusher.ending.set()
                pusher.join(PATIENCE)
            for pusher, wanderer in zip(pushers, wanderers):
                wait_for_all(wanderer, pusher.tasks)
                # A repeat of one that was answered in doubt has made no second task.
                assert len(set(pusher.tasks)) == len(pusher.tasks)
            standing = AdminClient(cluster.nodes[0]).call("GET", "/psp/admin/status").ok()["shared"]
            assert standing["switches"] == 1 and standing["losses"] >= 1, standing


class TestTheDoorOfTheDatabase:
    def test_a_password_and_tls(self, tmp_path):
        authority = Authority(tmp_path / "authority")
        with Postgres() as postgres:
            database = postgres.make(["host psp psp 127.0.0.1/32 scram-sha-256"]).start()
            pair = authority.issue("database")
            for name, file in (("server.crt", pair.certificate), ("server.key", pair.key)):
                database.write(name, file.read_text().splitlines())
            database.set(ssl="on")
            database.sql("CREATE ROLE psp LOGIN PASSWORD 'a secret'")
            database.sql("CREATE DATABASE psp OWNER psp")
            password = tmp_path / "password"
            password.write_text("a secret\n")
            address = database.uri("psp", "psp", sslmode="verify-full", sslrootcert=authority.certificate)
            wrong = run(binary("pspctl"), "store", "migrate", address, "--password-file", "/dev/null")
            assert wrong.returncode == 1 and "127.0.0.1" in wrong.stderr, wrong
            (tmp_path / "other").write_text("another secret\n")
            other = run(binary("pspctl"), "store", "migrate", address, "--password-file", str(tmp_path / "other"))
            assert other.returncode == 1 and "see that the password file has the role's password" in other.stderr, other
            named = run(binary("pspctl"), "store", "migrate", address.replace("psp@", "psp:secret@"))
            assert named.returncode == 2 and "named without its password" in named.stderr, named
            silent = run(binary("pspctl"), "check", PSP_STORE=address)
            assert silent.returncode == 1 and "127.0.0.1" in silent.stderr, silent
            # In Chinese the words of others are quoted.
            chinese = run(binary("pspctl"), "store", "migrate", address, "--password-file", str(tmp_path / "none"), LC_ALL="zh_CN.UTF-8")
            assert chinese.returncode == 1 and "不能读取密码文件：“" in chinese.stderr and chinese.stderr.rstrip().endswith("”"), chinese
            told = migrate(binary("pspctl"), address, "--password-file", str(password))
            assert re.search(r"made, version \d+$", told.strip()) and "a secret" not in told, told
            again = run(binary("pspctl"), "store", "migrate", address, "--json", PSP_STORE_PASSWORD_FILE=str(password))
            again = json.loads(again.stdout)
            assert again["from"] == again["to"] > 0, again
            examined = run(binary("pspctl"), "check", PSP_STORE=address, PSP_STORE_PASSWORD_FILE=str(password))
            assert examined.returncode == 0 and "intact" in examined.stdout, examined
            with Server(tmp_path / "node", "--store-password-file", str(password), store=address) as node:
                rows = database.sql("SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE s.ssl AND a.usename = 'psp'")
                assert int(rows[0]) >= 4, rows
                assert "a secret" not in node.tail(100_000)
                assert node.stop() == 0

    def test_who_migrates_is_told_what_the_commit_waits_for(self):
        with Postgres() as postgres, contextlib.ExitStack() as stack:
            database = postgres.make(synchronous_standby_names="nobody").start()
            migrating = subprocess.Popen(
                [binary("pspctl"), "store", "migrate", database.uri()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=os.environ | {"LC_ALL": "C.UTF-8"})
            stack.callback(migrating.wait)
            stack.callback(migrating.kill)
            # Who is told nothing would read for ever.
            limit = threading.Timer(PATIENCE, migrating.kill)
            limit.start()
            stack.callback(limit.cancel)
            assert "waiting for a synchronous standby (synchronous_standby_names: nobody)" in migrating.stderr.readline()
            database.set(synchronous_standby_names="")
            told, more = migrating.communicate(timeout=PATIENCE)
            assert "made, version" in told and migrating.returncode == 0, (told, more)

    def test_a_node_waits_for_the_tables(self, tmp_path, postgres):
        postgres.server.sql("CREATE DATABASE empty")
        address = postgres.server.uri("empty")
        server = Server(tmp_path / "node", store=address).start(until_ready=False)
        try:
            line = "the database has no schema: pspctl store migrate"
            eventually(lambda: line in server.tail(), server.tail)
            assert not server.is_ready()
            status = AdminClient(server).call("GET", "/psp/admin/status").ok()
            assert (status["state"], status["detail"]) == ("unreachable", "数据库中没有推送服务器的表")
            assert status["remedy"] == f"请执行 pspctl store migrate '{address}'"
            self.assert_told(server, address)
            migrate(binary("pspctl"), address)
            eventually(server.is_ready, server.tail)
            assert server.stop() == 0
        finally:
            server.kill()
            postgres.drop("empty")

    def assert_told(self, server, address):
        """Whatever somebody asks of pspctl says what is wrong and what to do, in one language."""
        remedy = f"pspctl store migrate '{address}'"
        english = "the database has no schema"
        for words, detail in ({"LC_ALL": "C.UTF-8"}, english), ({"LC_ALL": "zh_CN.UTF-8"}, "数据库中没有推送服务器的表"):
            told = {
                command: run(binary("pspctl"), *command.split(), PSP_DATA=str(server.data), **words)
                for command in ("status", "doctor", "org list", "nodes")}
            assert {command: each.returncode for command, each in told.items()} == {"status": 0, "doctor": 1, "org list": 1, "nodes": 1}
            for each in told.values():
                text = each.stdout + each.stderr
                assert detail in text and remedy in text, each
                assert detail == english or english not in text, each
        # What can be judged is: the machine, and what is connected.
        findings = json.loads(run(binary("pspctl"), "doctor", "--json", PSP_DATA=str(server.data)).stdout)["findings"]
        levels = {finding["subject"]: finding["level"] for finding in findings}
        assert levels["state"] == "fault" and levels["devices"] == "warning" and {"descriptors", "fs.file-max"} <= set(levels), findings

    def test_a_second_process_of_one_name_is_not_ready_until_the_first_has_ended(self, tmp_path, postgres):
        database = postgres.make()
        address = postgres.server.uri(database)
        first = Server(tmp_path / "first", "--node", "same", store=address).start()
        second = Server(tmp_path / "second", "--node", "same", store=address).start(until_ready=False)
        try:
            eventually(lambda: "another node of the name same lives" in second.tail(), second.tail)
            assert first.is_ready() and not second.is_ready()
            told = run(binary("pspctl"), "status", PSP_DATA=str(second.data)).stdout
            assert "another node of the name same lives" in told and "give this one another --node" in told, told
            assert first.stop() == 0
            eventually(second.is_ready, second.tail)
        finally:
            first.kill()
            second.kill()
            postgres.drop(database)
