"""What is measured: the push server, the floor, and the peers."""

import hashlib
import http.client
import json
import pathlib
import re
import shutil
import socket
import subprocess
import time

from .process import Process
from .tested import free_port

APP, SECRET = "bench", "bench-secret"


def device_lines(numbers, org="all", name="dev", secrets="secret"):
    """An import of devices `dev-N` with the secrets `secret-N`."""
    return "\n".join(
        f'{{"kind":"device","id":"{name}-{i}","platform":"android","org_id":"{org}","secret":"{secrets}-{i}"}}' for i in numbers).encode()


class Identity:
    """A certificate on P-256 and its key, of its own authority."""

    def __init__(self, place):
        self.certificate, self.key = place.work / "tls.pem", place.work / "tls.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-days", "30",
             "-keyout", self.key, "-out", self.certificate], check=True, capture_output=True)

    def flags(self):
        """What has the push server show it to devices."""
        return "--mqtts", "127.0.0.1:0", "--tls-cert", self.certificate, "--tls-key", self.key


class Pspd(Process):
    """The push server on free ports of the loopback address."""

    def __init__(self, place, data="data", loops=1, keep=False, identity=None):
        self.data = place.work / data
        if not keep:
            shutil.rmtree(self.data, ignore_errors=True)
        loopback = ("--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--admin", "127.0.0.1:0")
        super().__init__(
            [place.binary("pspd"), *loopback, "--data", self.data, "--loops", loops, *(identity.flags() if identity else ())],
            place.work / "pspd.log")
        self.read_ready_line()

    def read_ready_line(self):
        """Waits until it serves, and learns its addresses."""
        line = self.line()
        if not line.startswith("ready "):
            raise RuntimeError(f"pspd did not get ready; see {self.log.name}")
        self.seconds_to_ready = time.monotonic() - self.started
        doors = dict(re.findall(r"(\w+)=(\S+)", line))
        self.http, self.mqtt, self.admin, self.mqtts = (doors.get(name) for name in ("http", "mqtt", "admin", "mqtts"))

    def _call(self, address, method, target, body, headers):
        host, port = address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=300)
        try:
            connection.request(method, target, body, headers)
            reply = connection.getresponse()
            text = json.loads(reply.read())
        finally:
            connection.close()
        if text.get("ret") != "SUCCESS":
            raise RuntimeError(f"{method} {target}: HTTP {reply.status} {text}")
        return text["data"]

    @property
    def token(self):
        return (self.data / "admin.token").read_text().strip()

    def operate(self, method, target, body=None):
        """A call of the operators' interface."""
        token = self.token
        body = json.dumps(body).encode() if isinstance(body, dict) else body
        return self._call(self.admin, method, target, body, {"Authorization": f"Bearer {token}"})

    def call(self, method, target, body=None):
        """A signed call."""
        now = str(int(time.time()))
        token = hashlib.md5((APP + SECRET + now).encode()).hexdigest()
        headers = {"appkey": APP, "timestamp": now, "validation-token": token}
        return self._call(self.http, method, target, json.dumps(body).encode() if body else None, headers)

    def make_app(self):
        self.operate("PUT", f"/psp/admin/apps/{APP}", {"name": "bench", "master_secret": SECRET, "interfaces": ["msg", "config"]})

    def make_devices(self, numbers, org="all", name="dev", secrets="secret"):
        """Registers devices `dev-N` with the secrets `secret-N`."""
        self.operate("PUT", f"/psp/admin/orgs/{org}", {"name": org})
        for first in range(numbers.start, numbers.stop, 100_000):
            self.import_lines(device_lines(range(first, min(first + 100_000, numbers.stop)), org, name, secrets))

    def import_lines(self, body):
        told = self.operate("POST", "/psp/admin/import", body)
        while told.get("state") == "running":
            time.sleep(0.05)
            told = self.operate("GET", f"/psp/admin/imports/{told['import_id']}")
        if told["failed"]:
            raise RuntimeError(f"import: {told}")

    def groupcast(self, number, org="all", custom=84):
        """Pushes a marked groupcast; returns its task."""
        mark = f"psp@g{number:010d}@{int(time.time() * 1e6):016d}@"
        payload = {"display_type": "notification", "body": {"title": "load", "custom": mark + "x" * (custom - len(mark))}}
        return self.call("POST", "/psp/push/msg", {"type": "groupcast", "org_id": org, "payload": payload})["task_id"]

    def counts(self, task):
        return self.call("GET", f"/psp/push/task/{task}")["counts"]


class HTTPFloor(Process):
    """Bare evhttp with one fixed reply."""

    def __init__(self, place):
        super().__init__([place.floor("http_floor")], place.work / "floor.log")
        self.http = self.line().removeprefix("ready http=")


class FanoutFloor(Process):
    """Bare bufferevents that send one frame to all."""

    def __init__(self, place, mode):
        super().__init__([place.floor("fanout_floor"), mode], place.work / "floor.log", stdin=True)
        self.mqtt = self.line().removeprefix("ready mqtt=")

    def fanout(self, payload, rounds):
        self.tell(f"fanout {payload} {rounds}")
        told = self.line(timeout=300)
        if not told.startswith("done"):
            raise RuntimeError(f"floor: {told}")


def _wait_for(address, process):
    host, port = address.rsplit(":", 1)
    for _ in range(300):
        if process.process.poll() is not None:
            raise RuntimeError(f"{process.command[0]} has ended; see {process.log.name}")
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"{process.command[0]} does not listen")


def program(name):
    """Where a program of the system is; nothing when it is not installed. Debian keeps servers out of a user's path."""
    servers = ":".join(["/usr/sbin", "/usr/local/sbin", *map(str, pathlib.Path("/usr/lib/postgresql").glob("*/bin"))])
    return shutil.which(name) or shutil.which(name, path=servers)


class Mosquitto(Process):
    """mosquitto, QoS 1, persistence on, no passwords. It writes its store on a timer and at its end: a message is never synced."""

    def __init__(self, place, identity=None, anonymous=True):
        directory = place.work / "mosquitto"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        self.mqtt = self.mqtts = f"127.0.0.1:{free_port()}"
        config = directory / "mosquitto.conf"
        encryption = f"certfile {identity.certificate}\nkeyfile {identity.key}\n" if identity else ""
        config.write_text(
            f"listener {self.mqtt.split(':')[1]} 127.0.0.1\n{encryption}allow_anonymous {'true' if anonymous else 'false'}\npersistence true\n"
            f"persistence_location {directory}/\nmax_queued_messages 10000\nlog_type error\nuser root\n")
        super().__init__([program("mosquitto"), "-c", config], place.work / "mosquitto.log")
        _wait_for(self.mqtt, self)

    @staticmethod
    def installed():
        return program("mosquitto") is not None


class Nats(Process):
    """nats-server with its MQTT listener, and JetStream in memory, which that needs."""

    def __init__(self, place):
        directory = place.work / "nats"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        self.mqtt = f"127.0.0.1:{free_port()}"
        config = directory / "nats.conf"
        config.write_text(
            f'server_name: bench\nlisten: "127.0.0.1:{free_port()}"\njetstream {{ store_dir: "{directory}" }}\n'
            f'mqtt {{ listen: "{self.mqtt}" }}\n')
        super().__init__([program("nats-server"), "-c", config], place.work / "nats.log")
        _wait_for(self.mqtt, self)

    @staticmethod
    def installed():
        return program("nats-server") is not None


class Nchan(Process):
    """nginx with nchan: publishing into memory, one worker."""

    def __init__(self, place):
        directory = place.work / "nginx"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        self.http = f"127.0.0.1:{free_port()}"
        config = directory / "nginx.conf"
        config.write_text(
            f"load_module /usr/lib/nginx/modules/ngx_nchan_module.so;\ndaemon off;\nmaster_process off;\npid {directory}/pid;\n"
            "worker_rlimit_nofile 20000;\nevents { worker_connections 19000; }\n"
            f"http {{ access_log off; client_body_temp_path {directory}; server {{ listen {self.http}; keepalive_requests 100000000;\n"
            "location /psp/push/msg { nchan_publisher; nchan_channel_id all; nchan_message_buffer_length 10; } } }\n")
        super().__init__([program("nginx"), "-c", config, "-e", directory / "error.log"], place.work / "nginx.log")
        _wait_for(self.http, self)

    @staticmethod
    def installed():
        return pathlib.Path("/usr/lib/nginx/modules/ngx_nchan_module.so").exists() and program("nginx") is not None
