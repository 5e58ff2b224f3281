"""What operators did and who was refused: kept with the change, told in lines, and never more than there is room for."""

import gzip
import http.client
import json
import os
import signal
import subprocess
import threading

import pytest

from conftest import run
from kit.rest import AdminClient, encode, exchange, exchange_on, notification
from kit.server import ROOT, Server, binary
from kit.waiting import eventually
from kit.world import World


def entries(server, **query):
    return AdminClient(server).items("/psp/admin/audit", **query)


def test_a_change_and_its_entry_outlive_a_kill(tmp_path):
    with Server(tmp_path / "data") as server:
        world = World(server)
        org = world.org("home")
        phone = world.device("phone", org)
        world.admin.put("devices", phone.token, test=True).ok()
        assert world.admin.delete("orgs", org).code == 2207
        server.kill()
        server.start()
        newest = entries(server)
        changes = [(entry["action"], entry["target"], entry["code"]) for entry in newest if entry["action"] != "audit.read"]
        assert changes[:4] == [
            ("org.remove", org, 2207), ("device.put", phone.token, 0), ("device.put", phone.token, 0), ("org.put", org, 0)]
        assert all(entry["caller"] == "installation" and entry["address"] == "127.0.0.1" for entry in newest)
        assert all(entry["request_id"] for entry in newest)
        assert phone.secret not in json.dumps(newest)
        assert AdminClient(server).get("devices", phone.token).ok()["test"] is True


def test_no_change_is_without_its_entry_wherever_the_server_is_killed(tmp_path):
    with Server(tmp_path / "data") as server:
        org = World(server).org("home")
        answered = []

        def change():
            admin = AdminClient(server)
            number = 0
            while True:
                try:
                    reply = admin.put("orgs", f"o{number}", name="x")
                except OSError:
                    return
                if reply.status == 201:
                    answered.append(f"o{number}")
                number += 1

        thread = threading.Thread(target=change)
        thread.start()
        eventually(lambda: len(answered) > 50, "no changes")
        server.kill()
        thread.join()
        server.start()
        made = {item["org_id"] for item in AdminClient(server).items("/psp/admin/orgs")} - {org}
        recorded = {entry["target"] for entry in entries(server, action="org.put") if entry["code"] == 0} - {org}
        assert made == recorded and set(answered) <= made


def test_a_task_tells_from_where_it_was_pushed(world):
    caller, phone = world.app(), world.device("phone", world.org("home"))
    headers = [*caller.headers(), ("X-Request-Id", "order-7")]
    body = encode(notification(type="unicast", device_tokens=phone.token))
    reply = exchange(world.server.http, "POST", "/psp/push/msg", body, headers)
    task = reply.ok()["task_id"]
    assert world.admin.task(task)["from_address"] == "127.0.0.1"
    assert world.admin.task(task)["request_id"] == "order-7"
    assert world.admin.tasks(appkey=caller.appkey)[0]["request_id"] == "order-7"
    assert "request_id" not in caller.task(task)
    shown = run(binary("pspctl"), "task", task, "--data", str(world.server.data))
    assert "from_address" in shown.stdout and "order-7" in shown.stdout


@pytest.mark.parametrize(
    "headers, address",
    [
        (["for=192.0.2.1"], "192.0.2.1"), (['for="[2001:db8::7]:4711";proto=https'], "2001:db8::7"),
        (["for=203.0.113.9, for=192.0.2.1, for=127.0.0.9"], "192.0.2.1"), (["for=203.0.113.9", "for=192.0.2.1"], "192.0.2.1"),
        (['for="', "for=192.0.2.1"], "192.0.2.1"), (["for=192.0.2.1, for=_hidden"], "127.0.0.1"), (["for=2001:db8::7"], "127.0.0.1"),
        (["for=192.0.2.1, for=unknown, for=127.0.0.9"], "127.0.0.9"), ([], "127.0.0.1"),
    ])
def test_a_task_tells_what_the_standard_header_says(standard, headers, address):
    world = World(standard)
    caller, phone = world.app(), world.device("phone", world.org("home"))
    sent = [*caller.headers(), ("X-Forwarded-For", "198.51.100.7"), *(("Forwarded", value) for value in headers)]
    task = exchange(standard.http, "POST", "/psp/push/msg", encode(notification(type="unicast", device_tokens=phone.token)), sent).ok()["task_id"]
    assert world.admin.task(task)["from_address"] == address


@pytest.fixture(scope="module")
def standard(tmp_path_factory):
    flags = ["--forwarded-from", "127.0.0.0/8", "--forwarded-header", "Forwarded"]
    with Server(tmp_path_factory.mktemp("standard") / "data", *flags) as server:
        yield server


@pytest.mark.embedded("the size of its files")
def test_refusals_are_counted_and_a_flood_fills_nothing(tmp_path):
    flags = ["--forwarded-from", "127.0.0.1"]
    with Server(tmp_path / "data", *flags) as server:
        size = lambda: sum(path.stat().st_size for path in server.data.glob("psp.db*"))
        before = size()
        connection = http.client.HTTPConnection(*server.http)
        for number in range(4_000):
            headers = [("appkey", f"nobody-{number}"), ("X-Forwarded-For", f"10.0.{number // 250}.{number % 250}")]
            assert exchange_on(connection, "POST", "/psp/push/msg", b"{}", headers).status >= 400
        for _ in range(3):
            exchange(server.admin, "GET", "/psp/admin/apps")
        counts = AdminClient(server).items("/psp/admin/audit/refusals")
        assert sum(count["count"] for count in counts if count["listener"] == "callers") == 4_000
        minutes = {count["minute"] for count in counts}
        assert len(counts) <= 1_002 * len(minutes)
        assert any("code" not in count for count in counts)
        assert [(count["code"], count["count"]) for count in counts if count["listener"] == "operators"][:1] == [(2005, 3)]
        assert size() - before < 4 << 20
        # None of it is an entry.
        assert all(entry["action"].startswith("audit.") for entry in entries(server))


def test_lines_go_to_a_new_file_after_sighup(tmp_path):
    path = tmp_path / "audit.json"
    with Server(tmp_path / "data", "--audit-log", str(path)) as server:
        world = World(server)

        def lines(file):
            return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

        world.org("first")
        eventually(lambda: lines(path), "no line")
        assert oct(path.stat().st_mode & 0o777) == "0o600"
        path.rename(tmp_path / "audit.json.1")
        os.kill(server.pid, signal.SIGHUP)
        eventually(path.exists, "the file was not opened anew")
        eventually(lambda: "the audit log was opened anew" in server.tail() and "SIGHUP" in server.tail(), server.tail)
        world.org("second")
        eventually(lambda: lines(path), "no line in the new file")
        assert [line["target"] for line in lines(tmp_path / "audit.json.1")] == [world.name("first")]
        assert [line["target"] for line in lines(path)] == [world.name("second")]
        assert lines(path)[0]["event"] == "audit" and lines(path)[0]["action"] == "org.put"
        # What the store has counted is told too.
        exchange(server.http, "POST", "/psp/push/msg", b"{}", [("appkey", "evil\u202e".encode())])
        AdminClient(server).items("/psp/admin/audit/refusals")
        eventually(lambda: any(line["event"] == "refusals" for line in lines(path)), "no refusals told")
        assert "\u202e" not in path.read_text()


def test_logrotate_s_file_loses_no_line(tmp_path):
    path = tmp_path / "audit.json"
    with Server(tmp_path / "data", "--audit-log", str(path)) as server:
        # The sample with this test's file and process.
        text = (ROOT / "deploy/logrotate/pspd").read_text()
        assert text.count("/var/log/pspd/audit.json {") == 1 and text.count("systemctl kill --kill-who=main --signal=HUP pspd.service") == 1
        text = text.replace("/var/log/pspd/audit.json {", f"{path} {{").replace("systemctl kill --kill-who=main --signal=HUP pspd.service", f"kill -HUP {server.pid}")
        (tmp_path / "logrotate").write_text(text)
        (tmp_path / "logrotate").chmod(0o600)
        world = World(server)
        made = [world.org(f"o{number}") for number in range(3)]
        for number in range(3):
            eventually(lambda: path.exists() and path.read_text().count("\n") == 1 + (number == 0) * 2, "no line")
            rotated = run("logrotate", "--force", "--state", str(tmp_path / "state"), str(tmp_path / "logrotate"))
            assert rotated.returncode == 0, rotated
            eventually(path.exists, "no new file")
            made.append(world.org(f"p{number}"))
        eventually(lambda: path.exists() and path.read_text(), "no line")
        files = [path, tmp_path / "audit.json.1", *sorted(tmp_path.glob("audit.json.*.gz"))]
        told = [line for file in files for line in (gzip.open if file.suffix == ".gz" else open)(file, "rt").read().splitlines()]
        assert len(files) == 4 and sorted(json.loads(line)["target"] for line in told) == sorted(made)
        assert oct(path.stat().st_mode & 0o777) == "0o600"


@pytest.mark.embedded("its files")
def test_a_file_of_the_server_s_own_is_refused_by_check_and_by_the_start(tmp_path):
    data = tmp_path / "data"
    with Server(data) as server:
        assert server.stop() == 0
    (tmp_path / "link").symlink_to(data / "psp.db")
    before = (data / "psp.db").read_bytes()
    for path in (data / "psp.db", data / "psp.db-wal", data / "admin.token", tmp_path / "link"):
        for check in ([], ["--check=no-ports"]):
            flags = ["--data", str(data), "--audit-log", str(path), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
            ended = run(binary("pspd"), *flags, *check)
            assert ended.returncode == 2 and "--audit-log" in ended.stderr and "a file of its own" in ended.stderr, ended
    assert (data / "psp.db").read_bytes() == before
    with Server(data):
        pass
    # Its own log, which goes to a file here.
    log = tmp_path / "log"
    with log.open("w") as file:
        flags = ["--data", str(data), "--audit-log", str(log), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
        assert subprocess.run([binary("pspd"), *flags], stderr=file, timeout=60).returncode == 2
    assert "standard error" in log.read_text()


@pytest.mark.parametrize("language, words", [
    ("en_US.UTF-8", ["WHO", "RESULT", "(admin token)"]), ("zh_CN.UTF-8", ["谁", "结果", "（管理令牌）"])])
def test_pspctl_shows_it_in_both_languages(world, language, words):
    org = world.org("home")
    command = [binary("pspctl"), "audit", "--target", org, "--data", str(world.server.data)]
    environment = {"PATH": os.environ["PATH"], "LANG": language}
    shown = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    assert all(word in shown for word in [*words, "org.put", org])
    refusals = [binary("pspctl"), "audit", "--refusals", "--json", "--data", str(world.server.data)]
    exchange(world.server.http, "POST", "/psp/push/msg", b"{}", [("appkey", "nobody")])
    counts = json.loads(subprocess.run(refusals, capture_output=True, text=True, env=environment, check=True).stdout)
    assert any(count.get("name") == "nobody" for count in counts)


def test_pspctl_follows_it(world):
    command = [binary("pspctl"), "audit", "--follow", "--json", "--action", "org.put", "--data", str(world.server.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        try:
            wanted = [world.org("one"), world.org("two")]
            while wanted:
                line = process.stdout.readline()
                assert line, f"it ended before {wanted}"
                if json.loads(line)["target"] == wanted[0]:
                    wanted.pop(0)
        finally:
            watchdog.cancel()
            process.kill()
