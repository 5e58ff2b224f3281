"""How the server starts and ends as a process."""

import os
import re
import socket
import sqlite3
import stat

import pytest

from conftest import run
from kit.device import Device
from kit.rest import AdminClient
from kit.server import FREE_PORTS, ROOT, Server, binary
from kit.waiting import PATIENCE, throughout
from kit.world import World


def refused(*flags, contains, data, **environment):
    """The server must end by itself, at once, with 2 and one clear line."""
    ended = run(binary("pspd"), "--data", str(data), *flags, **(FREE_PORTS | environment))
    assert ended.returncode == 2, ended
    assert contains in ended.stderr and len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    assert "ready" not in ended.stdout
    return ended


def test_all_programs_are_of_one_version():
    """It stands in one file of the sources."""
    source = (ROOT / "Sources/Base/Version.swift").read_text()
    version = re.search(r'current = "(\d+\.\d+\.\d+[^"]*)"', source)[1]
    for name in ("pspd", "pspctl", "pspbench"):
        told = run(binary(name), "--version")
        assert (told.returncode, told.stdout, told.stderr) == (0, f"{name} {version}\n", "")


def test_flags_count_where_the_command_line_cannot_be_read(tmp_path):
    """Swift's own list of arguments is empty there, and a server would start on its defaults: its standard ports, ./data. That file alone is
    hidden: without /proc/self/task a program that lives for a second is ended by libdispatch."""
    hidden = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount --bind /dev/null /proc/$$/cmdline && exec "$@"', "sh"]
    flags = ["--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--loops", "nonsense"]
    ended = run(*hidden, binary("pspd"), *flags)
    assert (ended.returncode, ended.stderr) == (2, "pspd: --loops: expected a whole number from 1 to 256, not \"nonsense\"\n")
    assert run(*hidden, binary("pspctl"), "--version").stdout.startswith("pspctl ")


@pytest.mark.embedded("its directory tells where the server is")
def test_ready_line_and_pspd_json_tell_the_real_ports(own_server):
    published = own_server.published()
    for name in ("http", "mqtt", "admin"):
        host, port = getattr(own_server, name)
        assert published[name] == f"{host}:{port}" and port > 0
        socket.create_connection((host, port), timeout=PATIENCE).close()
    assert published["pid"] == own_server.pid


@pytest.mark.embedded("the token that its directory keeps")
def test_the_admin_token_is_made_once_and_kept_private(own_server):
    token = own_server.admin_token
    assert stat.S_IMODE((own_server.data / "admin.token").stat().st_mode) == 0o600
    assert own_server.stop() == 0
    own_server.start()
    assert own_server.admin_token == token
    AdminClient(own_server).items("/psp/admin/apps")


def test_sigterm_ends_it_well_and_says_goodbye_to_devices(own_server, device):
    world = World(own_server)
    registered = world.device("phone", world.org("home"))
    phones = [device(own_server, registered).connect()]
    old = world.device("old", world.name("home"))
    phones.append(device(own_server, old, "3.1.1").connect())
    assert own_server.stop() == 0
    assert phones[0].wait_closed().value == 0x8B
    phones[1].wait_closed()


def test_what_was_there_is_there_after_a_restart(own_server, device):
    world = World(own_server)
    caller = world.app()
    registered = world.device("phone", world.org("home"))
    phone = device(own_server, registered).connect()
    first = caller.to_device(registered.token)
    phone.wait_for(first)
    phone.receipt(first, "opened")
    phone.disconnect()
    second = caller.to_org(world.name("home"))
    assert own_server.stop() == 0
    own_server.start()
    assert caller.counts(first)["opened"] == 1 and caller.counts(first)["delivered"] == 1
    phone = device(own_server, registered).connect()
    phone.wait_for(second)
    assert phone.tasks() == [second]


def test_probes(own_server):
    for path in ("/healthz", "/readyz"):
        with socket.create_connection(own_server.admin, timeout=PATIENCE) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200")


class TestRefusedSettings:
    def test_an_unknown_flag(self, tmp_path):
        refused("--colour", "red", contains="colour", data=tmp_path / "data")

    @pytest.mark.parametrize("value", ["nonsense", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x"])
    def test_an_address_that_is_none(self, tmp_path, value):
        refused("--http", value, contains=value, data=tmp_path / "data")

    @pytest.mark.parametrize("flag, value", [("--window", "0"), ("--window", "x"), ("--loops", "-1"), ("--loops", "x")])
    def test_a_number_that_is_none(self, tmp_path, flag, value):
        refused(f"{flag}={value}", contains=flag[2:], data=tmp_path / "data")

    @pytest.mark.parametrize("door", ["http", "mqtt", "admin"])
    def test_a_port_that_is_taken(self, tmp_path, door):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            refused(f"--{door}", f"127.0.0.1:{port}", contains=str(port), data=tmp_path / "data")

    def test_a_port_that_another_pspd_has(self, own_server, tmp_path):
        refused("--http", "%s:%d" % own_server.http, contains=str(own_server.http[1]), data=tmp_path / "other")

    @pytest.mark.embedded("its directory")
    def test_another_pspd_on_the_data(self, own_server):
        refused(contains=str(own_server.data), data=own_server.data)
        AdminClient(own_server).items("/psp/admin/apps")
        assert own_server.published()["pid"] == own_server.pid, "what the first one published is left alone"

    def test_an_unknown_key_in_the_file(self, tmp_path):
        file = tmp_path / "pspd.yaml"
        file.write_text("window: 10\ncolour: red\n")
        refused("--config", str(file), contains="colour", data=tmp_path / "data")

    @pytest.mark.parametrize("text", ["window: [1", "- a\n- b\n", "window: many\n", "window:\n  a: 1\n"])
    def test_a_file_that_makes_no_sense(self, tmp_path, text):
        file = tmp_path / "pspd.yaml"
        file.write_text(text)
        refused("--config", str(file), contains="", data=tmp_path / "data")

    def test_a_file_that_is_not_there(self, tmp_path):
        refused("--config", str(tmp_path / "nothing.yaml"), contains="nothing.yaml", data=tmp_path / "data")

    def test_a_data_directory_that_cannot_be(self, tmp_path):
        (tmp_path / "file").write_text("x")
        refused(contains="file", data=tmp_path / "file")

    @pytest.mark.embedded("its file")
    def test_a_data_directory_of_another_version(self, own_server):
        own_server.stop()
        store = next(path for path in own_server.data.iterdir() if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3")
        connection = sqlite3.connect(store)
        connection.execute("PRAGMA user_version = 9999")
        connection.commit()
        connection.close()
        refused(contains="9999", data=own_server.data)

    @pytest.mark.embedded("its file")
    def test_a_file_of_somebody_else(self, own_server):
        own_server.stop()
        store = next(path for path in own_server.data.iterdir() if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3")
        for path in own_server.data.glob(store.name + "*"):
            path.unlink()
        store.write_bytes(b"not a database at all" * 100)
        refused(contains=str(own_server.data), data=own_server.data)
        assert store.read_bytes() == b"not a database at all" * 100


class TestSources:
    """A flag beats the environment, that beats the file, that beats the default."""

    def test_precedence(self, tmp_path):
        file = tmp_path / "pspd.yaml"
        file.write_text("window: 3\nloops: 1\n")

        def window(*flags, **environment):
            with Server(tmp_path / "data", "--config", str(file), *flags, environment=environment) as server:
                return in_hand(server)

        assert window() == 3
        assert window(PSP_WINDOW="2") == 2
        assert window("--window", "4", PSP_WINDOW="2") == 4

    def test_help_lists_the_settings(self):
        shown = run(binary("pspd"), "--help")
        assert shown.returncode == 0
        for flag in ("--http", "--mqtt", "--admin", "--data", "--admin-token", "--loops", "--window", "--config"):
            assert flag in shown.stdout
        for variable in ("PSP_HTTP", "PSP_ADMIN_TOKEN"):
            assert variable in shown.stdout


def in_hand(server):
    """How many messages a device gets that acknowledges none."""
    world = World(server)
    caller = world.app()
    registered = world.device("phone", world.org("home"))
    tasks = [caller.to_device(registered.token) for _ in range(6)]
    phone = Device(server, registered.token, registered.secret, acknowledges=False).connect()
    try:
        phone.wait_for(tasks[0])
        throughout(lambda: len(phone.tasks()) < 6, "no window at all", 0.4)
        return len(phone.tasks())
    finally:
        phone.vanish()


class TestCheck:
    """`pspd --check` says whether a server could work, and does nothing."""

    def told(self, *flags, **environment):
        result = run(binary("pspd"), "--check", *map(str, flags), **FREE_PORTS | environment)
        return result.returncode, result.stdout, result.stderr

    def test_what_can_work_is_said_to_and_nothing_is_made(self, tmp_path):
        assert self.told("--data", tmp_path / "a/b") == (0, "pspd: the settings can be used\n", "")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.embedded("its directory")
    def test_a_server_that_runs_is_in_nobodys_way(self, server):
        address = "%s:%d" % server.admin
        note = f"pspd: --admin: {address} is in use by pspd (process {server.pid}), which is fine if that is the server itself\n"
        assert self.told("--data", server.data, "--admin", address) == (0, note + "pspd: the settings can be used\n", "")

    def test_a_token_that_is_easily_guessed_is_told(self, tmp_path):
        note = "pspd: --admin-token: a token of fewer than 16 bytes is easily guessed\n"
        for token, told in (("x" * 15, note), ("x" * 16, "")):
            assert self.told("--data", tmp_path, "--admin-token", token) == (0, told + "pspd: the settings can be used\n", "")

    def test_a_port_that_another_program_has_is_told_unless_ports_are_not_to_be_tried(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            code, out, err = self.told("--data", tmp_path / "data", "--mqtt", address)
            assert (code, out) == (2, "") and re.fullmatch(
                rf"pspd: --mqtt: {address} is in use by \S.* \(process {os.getpid()}\)\n", err), err
            assert self.told("--data", tmp_path / "data", "--mqtt", address, "--check=no-ports")[0] == 0
        assert self.told("--data", tmp_path / "data", "--mqtt", "192.0.2.1:1883")[0] == 2

    def test_two_listeners_with_one_port_are_refused_by_the_start_too(self, tmp_path):
        flags = "--http", "127.0.0.1:9999", "--mqtt", "0.0.0.0:9999"
        line = "pspd: --http and --mqtt want the same port: 127.0.0.1:9999, 0.0.0.0:9999\n"
        assert self.told("--data", tmp_path / "data", *flags) == (2, "", line)
        assert refused(*flags, contains=line, data=tmp_path / "data")

    def test_a_parameter_of_the_store_that_libpq_does_not_take_is_refused_by_the_start_too(self, tmp_path):
        flags = "--admin-token", "x" * 16, "--store"
        assert self.told(*flags, "postgres://db/psp?sslmode=verify-full") == (0, "pspd: the settings can be used\n", "")
        for query, words in [
            ("sslmode=verify", 'invalid sslmode value: "verify"'), ("colour=red", 'invalid URI query parameter: "colour"'),
            ("target_session_attrs=any", "target_session_attrs: any: a node needs the server that takes writes: read-write or primary, or leave it out"),
            ("connect_timeout=soon", 'invalid integer value "soon" for connection option "connect_timeout"'),
        ]:
            line = f"pspd: --store: {words}\n"
            assert self.told(*flags, f"postgres://db/psp?{query}") == (2, "", line)
            started = run(binary("pspd"), *flags, f"postgres://db/psp?{query}", **FREE_PORTS)
            assert started.returncode == 2 and line in started.stderr, started
        chinese = self.told(*flags, "postgres://db/psp?sslmode=verify", LC_ALL="zh_CN.UTF-8")
        assert chinese == (2, "", 'pspd：--store：libpq 报告“invalid sslmode value: "verify"”\n')
        missing = tmp_path / "ca.pem"
        line = f"pspd: --store: sslrootcert: {missing}: No such file or directory\n"
        assert self.told(*flags, f"postgres://db/psp?sslmode=verify-ca&sslrootcert={missing}") == (2, "", line)

    def test_what_is_no_regular_file_does_not_hold_it_up(self, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        for flags in [("--config", pipe), ("--https", "127.0.0.1:0", "--tls-cert", pipe, "--tls-key", pipe)]:
            code, _, err = self.told("--data", tmp_path / "data", *flags)
            assert code == 2 and "is no regular file" in err, err

    def test_it_speaks_chinese_where_the_locale_does(self, tmp_path):
        flags = "--data", tmp_path / "data"
        assert self.told(*flags, LC_ALL="", LANG="zh_CN.UTF-8") == (0, "pspd：配置可以使用\n", "")
        assert self.told(*flags, "--loops", "0", LC_ALL="zh_CN.UTF-8")[2] == "pspd：--loops：应为：1 到 256 的整数，而不是 \"0\"\n"

    def test_what_cannot_work_is_said_in_one_line(self, tmp_path):
        (tmp_path / "file").write_text("")
        (tmp_path / "lost").mkdir()
        (tmp_path / "lost/psp.db-wal").write_text("")
        for flags, part in [
            (("--loops", "0"), "--loops: expected a whole number"), (("--data", tmp_path / "file"), "Not a directory"),
            (("--data", tmp_path / "lost"), "shows that a store was here"),
            (("--https", "127.0.0.1:0"), "--https needs --tls-cert"),
            (("--https", "127.0.0.1:0", "--tls-cert", tmp_path / "file", "--tls-key", tmp_path / "file"), "--tls-cert"),
        ]:
            code, out, err = self.told("--data", tmp_path / "data", *flags)
            assert (code, out, err.count("\n")) == (2, "", 1) and part in err, err
