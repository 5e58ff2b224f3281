"""Callers and devices that behave, by pspbench: how long a push takes to its answer and to its device."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess

from .server import binary


@dataclasses.dataclass(frozen=True)
class Latency:
    """In milliseconds."""

    median: float
    p99: float

    @staticmethod
    def of(report):
        return Latency(report["latency"]["p50"] / 1000, report["latency"]["p99"] / 1000)


class Load:
    """Devices that are connected, and a caller who pushes to them in turn. Their tokens are PREFIX0, PREFIX1 and so on, their secrets secret-0, secret-1."""

    def __init__(self, server, caller, prefix, devices):
        self.server, self.caller, self.prefix, self.devices = server, caller, prefix, devices

    def __enter__(self):
        self.swarm = subprocess.Popen(
            [binary("pspbench"), "swarm", "--control", "--to", self._address(self.server.mqtt), "--count", str(self.devices), "--user",
             self.prefix + "{}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self._order("connect")
        tally = self._order("wait connected 60")["tally"]
        assert tally["ready"] == self.devices, tally
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.swarm.pid, signal.SIGKILL)
        self.swarm.wait()
        self.swarm.stdin.close()
        self.swarm.stdout.close()

    def push(self, seconds, rate):
        """Pushes for a while; returns how long answers and deliveries took. Everything must be answered well, and arrive once."""
        self._order("reset")
        done = subprocess.run(
            [binary("pspbench"), "push", "--json", "--to", self._address(self.server.http), "--app", self.caller.appkey, "--secret", self.caller.secret,
             "--token", self.prefix + "{}", "--targets", str(self.devices), "--rate", str(rate), "--duration", str(seconds), "--connections", "8"],
            stdout=subprocess.PIPE, text=True, timeout=seconds + 120)
        assert done.returncode == 0, done.stdout
        answers = json.loads(done.stdout)
        devices = self._order(f"wait total {answers['accepted']} 60")
        assert devices["reached"], devices
        devices = self._order("report")
        tally = devices["tally"]
        assert answers["accepted"] > 0 and tally["received"] == answers["accepted"], (answers, tally)
        assert tally["missing"] == tally["repeated"] == tally["lost"] == 0, tally
        return Latency.of(answers), Latency.of(devices)

    def _order(self, text):
        self.swarm.stdin.write(text + "\n")
        self.swarm.stdin.flush()
        return json.loads(self.swarm.stdout.readline())

    @staticmethod
    def _address(address):
        return f"{address[0]}:{address[1]}"
