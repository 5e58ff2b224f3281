"""A device by mosquitto_sub, the command line client of Eclipse Mosquitto."""

import json
import os
import signal
import subprocess
import threading

from .waiting import PATIENCE

VERSIONS = {"3.1.1": "mqttv311", "5.0": "mqttv5"}


class Subscriber:
    """One process. Its own log (`-d`) tells what it sees of the protocol."""

    def __init__(self, server, token, secret, version="5.0", *, keepalive=60, topic="psp/push/#", trust=None):
        self.server, self.token, self.secret, self.version = server, token, secret, version
        self.keepalive = keepalive
        self.topic = topic
        self.trust = trust  # None: in clear
        self.received = []
        self.lines = []
        self.changed = threading.Condition()
        self.process = self.reader = None

    def begin_connecting(self):
        host, port = self.server.mqtts if self.trust else self.server.mqtt
        command = [
            # Whole lines at once, also into a pipe.
            "stdbuf", "-oL", "mosquitto_sub", "-d", "-V", VERSIONS[self.version], "-h", host, "-p", str(port), "-u", self.token, "-P",
            self.secret, "-q", "1", "-k", str(self.keepalive), "-t", self.topic, "-F", "> %t %p",
        ]
        if self.trust:
            command += ["--cafile", str(self.trust.authority.certificate), "--tls-alpn", "mqtt"]
            if self.trust.own:
                command += ["--cert", str(self.trust.own.certificate), "--key", str(self.trust.own.key)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()
        return self

    def connect(self):
        self.begin_connecting()
        self.wait_line("received CONNACK (0)")
        return self

    def _read(self, process):
        for line in process.stdout:
            with self.changed:
                if line.startswith("> "):
                    topic, payload = line[2:].split(" ", 1)
                    self.received.append((topic, json.loads(payload)))
                else:
                    self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def wait(self, condition, what, timeout=PATIENCE):
        with self.changed:
            assert self.changed.wait_for(condition, timeout), f"{self.token}: not within {timeout} s: {what}; {self.lines}"

    def wait_line(self, part):
        """Returns when its log has a line that holds `part`."""
        self.wait(lambda: any(part in line for line in self.lines), part)

    def tasks(self, topic="psp/push/msg"):
        with self.changed:
            return [message["task_id"] for at, message in self.received if at == topic]

    def wait_for(self, *task_ids, topic="psp/push/msg"):
        wanted = set(task_ids)
        self.wait(lambda: wanted <= {message["task_id"] for at, message in self.received if at == topic}, wanted)
        with self.changed:
            return [message for at, message in self.received if at == topic and message["task_id"] in wanted]

    def stall(self):
        """Stops the process where it is: it neither reads nor pings."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.killpg(self.process.pid, signal.SIGCONT)

    def wait_ended(self):
        """Returns the exit status of a client that gives up by itself."""
        return self.process.wait(PATIENCE)

    def disconnect(self):
        """SIGTERM: it says DISCONNECT."""
        self._end(signal.SIGTERM)

    def vanish(self):
        self._end(signal.SIGKILL)

    def _end(self, how):
        if not self.process:
            return
        try:
            os.killpg(self.process.pid, how)
            os.killpg(self.process.pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.process = None

    def __enter__(self):
        return self.connect()

    def __exit__(self, *_):
        self.vanish()
