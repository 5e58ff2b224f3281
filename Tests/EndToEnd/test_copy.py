"""An installation with the embedded store that outgrows one machine moves to PostgreSQL: `pspctl store copy`."""

import contextlib
import json
import re
import sqlite3
import urllib.parse

import pytest

from conftest import run
from kit.rest import AdminClient, PushClient, assert_balanced, notification
from kit.server import Server, Shared, binary
from kit.waiting import eventually
from kit.world import World

pytestmark = pytest.mark.embedded("what is copied is an embedded store")


@pytest.fixture
def database():
    """The address of a database without tables."""
    databases = Shared.databases()
    databases.server.sql("CREATE DATABASE moved")
    yield databases.server.uri("moved")
    databases.drop("moved")


def copy(data, address, *flags, **options):
    return run(binary("pspctl"), "store", "copy", f"sqlite:{data}", address, *flags, **options)


def furnished(server):
    world = World(server)
    world.home = world.org("home")
    world.office = world.org("office", world.home)
    world.caller = world.app()
    return world


def test_devices_get_what_was_pending_and_nothing_twice(own_server, database, device, tmp_path):
    world = furnished(own_server)
    awake, asleep, slow = (world.device(name, world.office, user_id=world.name("user")) for name in ("awake", "asleep", "slow"))
    first = device(own_server, awake).connect()
    held = device(own_server, slow, acknowledges=False).connect()
    order = notification("ordered", type="unicast", device_tokens=awake.token, policy={"out_biz_no": "order-1"})
    ordered = world.caller.push(order).ok()["task_id"]
    group = world.caller.to_org(world.home, payload={"tag": "news"})
    cancelled = world.caller.to_device(asleep.token)
    world.caller.cancel(cancelled).ok()
    configuration = world.caller.configure("cache=2", org_id=world.home)
    for phone in (first, held):
        phone.wait_for(group)
        phone.wait_for(configuration, topic="psp/push/config")
    assert first.receipt(group, "opened", detail="seen") == 0
    more = [world.caller.to_user(world.name("user"), str(number)) for number in range(3)]
    first.wait_for(ordered, *more)
    first.flush()
    # The second of what it holds, and not the first: it is beyond its cursor.
    held.wait_for(*more)
    beyond = held.tasks()[1]
    held.client.ack(held.unacknowledged[held.received.index(next(r for r in held.received if r[1]["task_id"] == beyond))], 1)
    held.flush()
    for phone in (first, held):
        phone.disconnect()
    offline = world.caller.to_org(world.office)
    operator = {"display_name": "Ann", "role": "administrator", "password": "a long pass phrase"}
    world.admin.put("operators", world.name("ann"), **operator).ok()
    before = seen(world, own_server)

    refused = copy(own_server.data, database)
    assert refused.returncode == 1 and f"a server runs in {own_server.data}: end it first" in refused.stderr, refused
    assert own_server.stop() == 0
    held_bytes = (own_server.data / "psp.db").read_bytes()
    told = json.loads((done := copy(own_server.data, database, "--json")).stdout)
    assert done.returncode == 0 and (told["apps"], told["organisations"], told["devices"]) == (1, 2, 3), done
    assert told["tasks"] == len(before["tasks"]) and told["rows"] > told["tasks"]
    assert (own_server.data / "psp.db").read_bytes() == held_bytes, "the source is left as it was"
    moved = run(binary("pspd"), "--data", str(own_server.data), "--check")
    assert moved.returncode == 2 and f"was moved to {database}, or" in moved.stderr and f"with --store '{database}'" in moved.stderr, moved
    moved = run(binary("pspd"), "--data", str(own_server.data), LC_ALL="zh_CN.UTF-8")
    assert moved.returncode == 2 and "删除 " + str(own_server.data / "psp.moved") in moved.stderr, moved
    again = copy(own_server.data, database, LC_ALL="zh_CN.UTF-8")
    assert again.returncode == 1 and "数据库不是空的" in again.stderr, again

    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(Server(tmp_path / f"node{n}", "--node", f"node{n}", store=database)) for n in (1, 2)]
        for node in nodes:
            world.admin = AdminClient(node)
            assert seen(world, node) == before
        caller = PushClient(nodes[1], world.caller.appkey, world.caller.secret)
        assert caller.push(order).ok()["task_id"] == ordered, "a repeat is known"
        for registered, node, pending in (
            (awake, nodes[0], [offline]), (asleep, nodes[1], [group, *more, offline]),
            (slow, nodes[0], [task for task in [group, *more, offline] if task != beyond]),
        ):
            phone = device(node, registered).connect()
            after = caller.to_device(registered.token, "after")
            phone.wait_for(after)
            assert phone.tasks() == [*pending, after], registered
            expected = [] if registered is awake else [configuration]
            assert phone.tasks("psp/push/config") == expected
            phone.disconnect()
        eventually(lambda: caller.counts(group)["delivered"] == 3, lambda: caller.counts(group))
        assert_balanced(caller.counts(group))
        assert caller.recipients(group, "opened") == {awake.token: "seen"}
        checked = check(database, "--json")
        told = json.loads(checked.stdout)
        assert checked.returncode == 0 and told["intact"] and told["problems"] == [] and told["devices"] == 3, checked
        for node in nodes:
            assert node.stop() == 0
    intact = check(database)
    assert intact.returncode == 0, intact
    assert re.search(re.escape(database) + r": intact, version \d+; 1 apps, 2 organisations, 3 devices", intact.stdout), intact
    Shared.databases().server.sql("UPDATE psp.org SET android = 9 WHERE org = 1; DELETE FROM psp.session WHERE ordinal = 2", "moved")
    damaged = check(database)
    assert damaged.returncode == 1 and "2 contradictions" in damaged.stdout, damaged
    assert "org      org 1" in damaged.stdout and "so that it cannot connect" in damaged.stdout, damaged
    told = json.loads(check(database, "--json", LC_ALL="zh_CN.UTF-8").stdout)
    assert not told["intact"] and [(p["table"], p["row"]) for p in told["problems"]] == [("org", "org 1"), ("session", "ordinal 2")], told
    assert "设备没有接收进度" in told["problems"][1]["problem"], told


def check(store, *flags, **options):
    return run(binary("pspctl"), "store", "check", store, *flags, **options)


def test_one_command_checks_either_store(own_server, database):
    running = check(f"sqlite:{own_server.data}")
    assert running.returncode == 0 and f"{own_server.data}: intact" in running.stdout, running
    assert json.loads(check(f"sqlite:{own_server.data}", "--json").stdout)["intact"]
    empty = check(database)
    assert empty.returncode == 1 and "pspctl store migrate" in empty.stderr, empty
    wrong = check(str(own_server.data))
    assert wrong.returncode == 2 and "sqlite:DIR or a URI" in wrong.stderr, wrong


def seen(world, server):
    """What callers and operators are told of what there is."""
    caller = PushClient(server, world.caller.appkey, world.caller.secret)
    admin = AdminClient(server)
    tasks = admin.tasks()
    of_server = ("node", "online", "last_seen")
    return {
        "tasks": tasks,
        "of the caller": [caller.task(task["task_id"]) for task in tasks],
        "sums": caller.stats(tag="news").ok(),
        "devices": [{k: v for k, v in item.items() if k not in of_server} for item in admin.items("/psp/admin/devices")],
        "organisations": [{k: v for k, v in item.items() if k != "online"} for item in admin.items("/psp/admin/orgs")],
        "apps": admin.items("/psp/admin/apps"),
        "operators": admin.items("/psp/admin/operators"),
        "changes": [item for item in admin.items("/psp/admin/audit") if "put" in item["action"]],
    }


def test_what_cannot_be_copied_is_told_with_what_would_be_right(own_server, database, tmp_path):
    furnished(own_server)
    assert own_server.stop() == 0
    for wrong in (["store", "copy", str(own_server.data), database], ["store", "copy", f"sqlite:{own_server.data}", "db1"],
                  ["store", "copy", f"sqlite://{own_server.data}", database]):
        done = run(binary("pspctl"), *wrong)
        assert done.returncode == 2 and "Usage" in done.stderr, done
    nowhere = copy(tmp_path / "nowhere", database)
    assert nowhere.returncode == 1 and "is not there" in nowhere.stderr, nowhere
    closed = copy(own_server.data, "postgres://psp@127.0.0.1:1/psp", "--json")
    assert closed.returncode == 1 and "127.0.0.1" in json.loads(closed.stderr)["error_msg"], closed
    with contextlib.closing(sqlite3.connect(own_server.data / "psp.db")) as store:
        version = store.execute("PRAGMA user_version").fetchone()[0]
        for number, words in ((version - 1, "start and end this version's pspd on it once"), (version + 1, "use the newer program")):
            store.execute(f"PRAGMA user_version = {number}")
            store.commit()
            done = copy(own_server.data, database)
            assert done.returncode == 1 and words in done.stderr, done
        store.execute(f"PRAGMA user_version = {version}")
        store.commit()
    done = copy(own_server.data, database)
    assert done.returncode == 0 and "1 apps, 2 organisations, 0 devices, 0 tasks" in done.stdout, done
    assert f"pspd --store '{database}' --node NAME" in done.stdout, done
    assert urllib.parse.urlparse(database).path == "/moved"
    (own_server.data / "psp.moved").unlink()
    back = run(binary("pspd"), "--data", str(own_server.data), "--check=no-ports")
    assert back.returncode == 0, back


def test_a_directory_that_cannot_be_marked_as_moved_is_not_copied(own_server, database):
    assert own_server.stop() == 0
    (own_server.data / "psp.moved").mkdir()
    done = copy(own_server.data, database)
    assert done.returncode == 1 and str(own_server.data / "psp.moved") in done.stderr, done
    assert "pspctl store migrate" in check(database).stderr, "nothing is there"


def test_neither_a_backup_nor_a_restore_takes_a_moved_directory_for_a_server_s(own_server, database, tmp_path):
    assert run(binary("pspctl"), "backup", str(tmp_path / "before.db"), "--data", str(own_server.data)).returncode == 0
    assert own_server.stop() == 0
    assert copy(own_server.data, database).returncode == 0
    for command in (["backup", str(tmp_path / "after.db")], ["restore", str(tmp_path / "before.db"), "--yes"]):
        refused = run(binary("pspctl"), *command, "--data", str(own_server.data))
        assert refused.returncode == 1 and f"was moved to {database}" in refused.stderr, refused
    assert not (tmp_path / "after.db").exists()
