"""The systemd units: valid, and with nothing allowed that the server does not need; and sockets that systemd holds."""

import os
import shutil
import socket
import subprocess
import threading

import pytest

from kit.server import ROOT, Server, binary
from kit.waiting import PATIENCE, eventually

pytestmark = pytest.mark.embedded("its unit has a directory")

UNIT = ROOT / "deploy/systemd/pspd.service"


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)


def test_the_unit_is_valid(tmp_path):
    text = UNIT.read_text()
    assert "/usr/local/bin/pspd" in text
    unit = shutil.copy(UNIT, tmp_path)
    with open(unit, "w") as file:
        file.write(text.replace("/usr/local/bin/pspd", binary("pspd")))
    result = analyze("verify", "--man=no", unit)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_the_sockets_are_valid(tmp_path):
    for unit in [UNIT, *UNIT.parent.glob("*.socket")]:
        (tmp_path / unit.name).write_text(unit.read_text().replace("/usr/local/bin/pspd", binary("pspd")))
    result = analyze("verify", "--man=no", *tmp_path.glob("*.socket"))
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_the_unit_is_exposed_as_little_as_it_can_be():
    # In tenths: below 2.0.
    result = analyze("security", "--offline=true", "--threshold=19", str(UNIT))
    assert result.returncode == 0, result.stdout


# Sockets that are handed over


class Holder:
    """What systemd does with sockets: it binds them, keeps them, and hands them to one process after the other."""

    def __init__(self, data, *names, flags=()):
        self.data, self.names, self.flags = data, names, flags
        self.sockets = {name: socket.create_server(("127.0.0.1", 0), backlog=512) for name in names}

    def address(self, name):
        return self.sockets[name].getsockname()

    def start(self):
        """A process whose descriptors from 3 on are the sockets; the shell becomes it, so that the number in LISTEN_PID is its own."""
        server = Server(self.data, *self.flags)
        descriptors = [held.fileno() for held in self.sockets.values()]
        # Out of the way first: one may be where another is to go.
        moves = " ".join(f"{100 + index}<&{descriptor}" for index, descriptor in enumerate(descriptors))
        places = " ".join(f"{3 + index}<&{100 + index} {100 + index}<&-" for index in range(len(descriptors)))
        names = ":".join(self.names)
        script = f'exec {moves}; exec {places}; LISTEN_PID=$$ LISTEN_FDS={len(descriptors)} LISTEN_FDNAMES={names} exec "$@"'
        command = ["bash", "-c", script, "-", *server.command()]
        server.command = lambda: command
        spawn = server._spawn

        def spawned():
            for descriptor in descriptors:
                os.set_inheritable(descriptor, True)
            popen, given = subprocess.Popen, {"pass_fds": descriptors}
            subprocess.Popen = lambda *arguments, **more: popen(*arguments, **more, **given)
            try:
                spawn()
            finally:
                subprocess.Popen = popen

        server._spawn = spawned
        return server.start()

    def close(self):
        for held in self.sockets.values():
            held.close()


def asks(address):
    """One request on a connection of its own; nobody may refuse the connection."""
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: pspd\r\nConnection: close\r\n\r\n")
        try:
            return connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        except ConnectionResetError:
            return False


def test_a_restart_refuses_no_connection(tmp_path):
    holder = Holder(tmp_path / "data", "mqtt", "http", flags=["--loops", "2"])
    ending, answered, failures = threading.Event(), [], []

    def ask():
        while not ending.is_set():
            try:
                answered.append(asks(holder.address("http")))
            except OSError as failure:
                failures.append(failure)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    server = holder.start()
    assert (server.http, server.mqtt) == (holder.address("http"), holder.address("mqtt"))
    try:
        for asker in askers:
            asker.start()
        for _ in range(2):
            before = len(answered)
            eventually(lambda: len(answered) > before + 50, "requests are answered")
            # Although they come without end, the server ends: what waits is the next one's.
            assert server.stop() == 0
            # Somebody connects to no server at all.
            with socket.create_connection(holder.address("mqtt"), timeout=PATIENCE) as device:
                server = holder.start()
                device.sendall(bytes.fromhex("100c00044d5154540402003c0000"))
                assert device.recv(4) == b"\x20\x02\x00\x05"
        before = len(answered)
        eventually(lambda: len(answered) > before + 50, "requests are answered")
    finally:
        ending.set()
        for asker in askers:
            asker.join(PATIENCE)
        server.kill()
        holder.close()
    assert not failures
    # Who was there when the server closed what was quiet may have to ask again.
    assert answered.count(False) < len(answered) / 10


def test_systemds_own_program_hands_sockets_over(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "--fdname=http", *(f"-E{name}=127.0.0.1:0" for name in ("PSP_MQTT", "PSP_ADMIN")),
               binary("pspd"), "--data", str(tmp_path / "data")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    try:
        eventually(lambda: answers(("127.0.0.1", port)), (tmp_path / "log").read_text)
        assert f"http=127.0.0.1:{port} ".encode() in process.stdout.readline()
        process.terminate()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


def answers(address):
    try:
        return asks(address)
    except OSError:
        return False


@pytest.mark.parametrize(
    "names, count, complaint", [("web", 1, "web"), ("http:http", 2, "http"), ("", 1, '""'), ("http", 2, "FileDescriptorName=")])
def test_a_socket_that_nobody_knows_ends_the_start(tmp_path, names, count, complaint):
    script = f'LISTEN_PID=$$ LISTEN_FDS={count} LISTEN_FDNAMES={names} exec "$@"'
    result = subprocess.run(
        ["bash", "-c", script, "-", binary("pspd"), "--data", str(tmp_path / "data")], capture_output=True, text=True, timeout=PATIENCE,
        env={"PATH": os.environ["PATH"]})
    assert result.returncode == 2 and "LISTEN_FDNAMES" in result.stderr and complaint in result.stderr, result
