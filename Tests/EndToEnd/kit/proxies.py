"""Real balancers in front of a server, with configurations of the test's or those of deploy/."""

import contextlib
import csv
import os
import shutil
import signal
import socket
import subprocess

from .waiting import PATIENCE, eventually


def program(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
    assert found, f"{name} is not installed: make deps"
    return found


class Proxy:
    """A process that ends with the `with`."""

    def __init__(self, directory, name, text):
        self.directory = directory
        self.file = directory / f"{name}.conf"
        self.file.write_text(text)
        self.log = directory / f"{name}.log"
        self.process = None

    def command(self):
        raise NotImplementedError

    def __enter__(self):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, start_new_session=True)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def wait_for(self, port):
        def answers():
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
                return True

        eventually(answers, lambda: self.log.read_text())


class HAProxy(Proxy):
    def __init__(self, directory, text):
        self.socket = directory / "haproxy.sock"
        super().__init__(directory, "haproxy", text.replace("global\n", f"global\n    stats socket {self.socket} level user\n", 1))

    def command(self):
        return [program("haproxy"), "-db", "-f", str(self.file)]

    def checks(self):
        """What it thinks of each server, by the name of its backend: its state, and what the last check has given."""
        return {row["pxname"]: (row["status"], row["check_status"]) for row in self._servers()}

    def states(self):
        """UP or DOWN, by backend and server."""
        return {f"{row['pxname']}/{row['svname']}": row["status"].split()[0] for row in self._servers()}

    def _servers(self):
        if not self.socket.exists():
            assert self.process.poll() is None, self.log.read_text()
            return []
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(self.socket))
            connection.sendall(b"show stat\n")
            text = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
        rows = csv.DictReader(text.removeprefix("# ").splitlines())
        return [row for row in rows if row["svname"] not in ("FRONTEND", "BACKEND")]


class Nginx(Proxy):
    """Of what belongs into `http`, and of what belongs into `stream`."""

    STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so"

    def __init__(self, directory, text, stream=None):
        temporary = " ".join(
            f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        super().__init__(
            directory, "nginx", (f"load_module {self.STREAM};\n" if stream else "") + f"daemon off; master_process off; pid {directory}/nginx.pid; error_log stderr;\n"
            f"events {{}}\nhttp {{ access_log off; {temporary}\n{text}\n}}\n" + (f"stream {{\n{stream}\n}}\n" if stream else ""))

    def command(self):
        return [program("nginx"), "-e", "stderr", "-c", str(self.file)]
