"""Backups by `pspctl`, and what going on from an older one means for callers and devices."""

import contextlib
import json
import os
import shutil
import sqlite3
import stat
import threading

import pytest

from conftest import run
from kit.rest import AdminClient
from kit.server import binary
from kit.world import World

pytestmark = pytest.mark.embedded("backups of its file")


PORTS = ["--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--admin", "127.0.0.1:0"]


@pytest.fixture
def ctl(own_server):
    def command(*arguments, **options):
        return run(binary("pspctl"), *arguments, PSP_DATA=str(own_server.data), **options)

    return command


@pytest.fixture
def scene(own_server):
    world = World(own_server)
    world.caller = world.app()
    world.home = world.org("home")
    world.phone = world.device("phone", world.home)
    return world


def test_a_backup_beside_pushes_is_whole_and_its_owner_s_alone(own_server, scene, ctl, tmp_path):
    first = scene.caller.to_device(scene.phone.token)
    done = threading.Event()

    def push():
        while not done.is_set():
            scene.caller.to_device(scene.phone.token)

    pushing = threading.Thread(target=push)
    pushing.start()
    try:
        made = ctl("backup", str(tmp_path / "copy.db"), "--json")
    finally:
        done.set()
        pushing.join()
    assert made.returncode == 0, made
    told = json.loads(made.stdout)
    assert told["intact"] and told["devices"] == 1 and told["tasks"] >= 1 and told["bytes"] > 4096
    assert stat.S_IMODE(os.stat(tmp_path / "copy.db").st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.glob("copy.db*")) == ["copy.db", "copy.db.sha256"]
    assert stat.S_IMODE(os.stat(tmp_path / "copy.db.sha256").st_mode) == 0o600
    assert run("sh", "-c", f"cd {tmp_path} && sha256sum -c copy.db.sha256").returncode == 0
    assert ctl("backup", str(tmp_path / "copy.db")).returncode == 1, "over an older one"
    checked = ctl("check", str(tmp_path / "copy.db"))
    assert checked.returncode == 0 and "intact" in checked.stdout, checked
    assert ctl("check").returncode == 0, "of the running server"
    assert first in [task["task_id"] for task in scene.admin.tasks()]


def test_a_damaged_file_is_told_and_not_restored(own_server, scene, ctl, tmp_path):
    for _ in range(20):
        scene.caller.to_device(scene.phone.token)
    copy = tmp_path / "copy.db"
    assert ctl("backup", str(copy)).returncode == 0
    with copy.open("r+b") as file:
        for page in range(8, 40):
            file.seek(page * 4096)
            file.write(b"\xff" * 100)
    damaged = ctl("check", str(copy))
    assert damaged.returncode == 1 and ("damaged" in damaged.stdout or "malformed" in damaged.stderr), damaged
    own_server.stop()
    refused = ctl("restore", str(copy), "--yes")
    assert refused.returncode == 1, refused
    own_server.start()
    assert len(scene.admin.tasks()) == 20


def test_a_changed_byte_within_a_text_is_told_and_not_restored(own_server, scene, ctl, tmp_path):
    scene.caller.to_device(scene.phone.token, "a text that stands out")
    copy = tmp_path / "copy.db"
    assert ctl("backup", str(copy)).returncode == 0
    copy.write_bytes(copy.read_bytes().replace(b"stands out", b"stands oat"))
    told = ctl("check", str(copy), LC_ALL="zh_CN.UTF-8")
    assert told.returncode == 1 and "已损坏" in told.stdout and "校验和不符" in told.stderr, told
    assert json.loads(ctl("check", str(copy), "--json").stdout)["checksum"] == "differs"
    own_server.stop()
    refused = ctl("restore", str(copy), "--yes", LC_ALL="zh_CN.UTF-8")
    assert refused.returncode == 1 and "校验和不符" in refused.stderr, refused
    (tmp_path / "copy.db.sha256").unlink()
    restored = ctl("restore", str(copy), "--yes")
    assert restored.returncode == 0 and "could not be compared" in restored.stdout, restored


@pytest.mark.parametrize("how", ["pspctl", "by hand"])
def test_what_is_pushed_after_a_restore_is_new_to_everybody(own_server, scene, ctl, device, tmp_path, how):
    phone = device(own_server, scene.phone).connect()
    kept = scene.caller.to_device(scene.phone.token)
    phone.wait_for(kept)
    copy = tmp_path / "copy.db"
    assert ctl("backup", str(copy)).returncode == 0
    lost = [scene.caller.to_device(scene.phone.token) for _ in range(3)]
    phone.wait_for(*lost)
    phone.disconnect()
    token = own_server.admin_token
    refused = ctl("restore", str(copy), "--yes")
    assert refused.returncode == 1 and "a server runs" in refused.stderr, refused
    assert own_server.stop() == 0
    if how == "pspctl":
        asked = ctl("restore", str(copy))
        assert asked.returncode == 2 and "--yes" in asked.stderr, asked
        restored = ctl("restore", str(copy), "--yes", "--json")
        assert restored.returncode == 0, restored
        assert (own_server.data / json.loads(restored.stdout)["kept"]).exists()
    else:
        shutil.copyfile(copy, own_server.data / "psp.db")
    own_server.start()
    assert (own_server.admin_token != token) == (how == "pspctl")
    scene.admin = AdminClient(own_server)
    assert [task["task_id"] for task in scene.admin.tasks()] == [kept], "it keeps its id"
    for task in lost:
        assert scene.admin.get("tasks", task).code == 2204
    scene.caller.server = own_server
    phone = device(own_server, scene.phone).connect()
    new = [scene.caller.to_device(scene.phone.token) for _ in range(4)]
    assert not set(new) & {kept, *lost}
    phone.wait_for(*new)


def test_an_upgrade_is_rolled_back_by_the_copy_that_was_made_before(own_server, scene, ctl, tmp_path):
    """What docs/operations.md says under "Upgrade". A store of a version to come is one whose number is higher."""

    def number(path, value=None):
        with contextlib.closing(sqlite3.connect(path)) as database:
            if value is not None:
                database.execute(f"PRAGMA user_version = {value}")
                database.commit()
            return database.execute("PRAGMA user_version").fetchone()[0]

    before = scene.caller.to_device(scene.phone.token)
    copy, store = tmp_path / "before.db", own_server.data / "psp.db"
    assert ctl("backup", str(copy)).returncode == 0 and ctl("check", str(copy)).returncode == 0
    since = scene.caller.to_device(scene.phone.token)
    assert own_server.stop() == 0
    known = number(store)
    number(store, known + 1)
    held = store.read_bytes()
    for language, words in (("C", ["use the newer program"]), ("zh_CN.UTF-8", ["请换用更新的程序"])):
        ended = run(binary("pspd"), "--data", str(own_server.data), *PORTS, LC_ALL=language)
        assert ended.returncode == 2 and all(word in ended.stderr for word in [f"{known + 1}", "pspctl restore", *words]), ended
        ended = ctl("check", LC_ALL=language)
        assert ended.returncode == 1 and all(word in ended.stderr for word in ["pspctl restore", *words]), ended
    assert store.read_bytes() == held
    # The newer program goes on with it, as if nothing had been.
    number(store, known)
    own_server.start()
    assert scene.admin.task(since)["task_id"] == since
    assert own_server.stop() == 0
    number(store, known + 1)
    assert ctl("restore", str(copy)).returncode == 2, "nobody can be asked"
    restored = ctl("restore", str(copy), "--yes")
    assert restored.returncode == 0, restored
    own_server.start()
    assert scene.admin.task(before)["task_id"] == before
    assert scene.admin.call("GET", f"/psp/admin/tasks/{since}").status == 404
    # The newer store is there for the newer program.
    (aside,) = [path for path in own_server.data.glob("psp.db.*") if "T" in path.name]
    assert number(aside) == known + 1
    with contextlib.closing(sqlite3.connect(aside)) as database:
        assert database.execute("SELECT count(*) FROM message").fetchone()[0] == 2
