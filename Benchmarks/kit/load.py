"""What puts load on a server: devices, publishers, callers."""

import json
import subprocess

from .process import Process
from .servers import APP, SECRET


class Swarm(Process):
    """Devices, told what to do; each answer is the swarm's own report."""

    def __init__(self, place, address, count, first=0, *flags):
        super().__init__(
            [place.binary("pspbench"), "swarm", "--control", "--to", address, "--count", count, "--first", first, *flags],
            place.work / "swarm.log", stdin=True)
        self.count = count

    def __call__(self, order, timeout=700.0):
        self.tell(order)
        told = json.loads(self.line(timeout))
        if "error" in told:
            raise RuntimeError(told["error"])
        return told

    def connect(self):
        """Returns when all are connected."""
        self("connect")
        report = self("wait connected 300")
        tally = report["tally"]
        if tally["ready"] != self.count:
            raise RuntimeError(f"{tally['ready']} of {self.count} connected: {tally.get('lastLoss')}")
        return report

    def each(self, count, seconds=300):
        """Returns when each device has so many messages since the last reset."""
        return self._reached(f"wait each {count} {seconds}")

    def total(self, count, seconds=300):
        """Returns when all devices together have so many."""
        return self._reached(f"wait total {count} {seconds}")

    def _reached(self, order):
        report = self(order)
        if not report["reached"]:
            raise RuntimeError(f"{order}: only {report['tally']}")
        return report

    def __exit__(self, *_):
        if self.process.poll() is None:
            try:
                self.tell("quit")
                self.line()
            except (OSError, RuntimeError, TimeoutError):
                pass  # it ends now in any case
        self.stop()


def _run(command, timeout, accepted=(0,)):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout)
    if done.returncode not in accepted:
        raise RuntimeError(f"{command[0]}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().rsplit("\n", 1)[-1])


def publish(place, server, topic, *flags):
    """Publishes at QoS 1 to a broker."""
    return _run([place.binary("pspbench"), "publish", "--json", "--to", server.mqtt, "--topic", topic, *flags], 600)


def push(place, server, *flags):
    """Pushes by REST at a rate."""
    return _run([place.binary("pspbench"), "push", "--json", "--to", server.http, "--app", APP, "--secret", SECRET, *flags], 900)


def start_push(place, server, *flags):
    """The same beside something else; `finish` it."""
    command = [place.binary("pspbench"), "push", "--json", "--to", server.http, "--app", APP, "--secret", SECRET, *flags]
    return subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)


def finish(running, timeout=600):
    told, _ = running.communicate(timeout=timeout)
    report = json.loads(told)
    if report["refused"] or report["unanswered"]:
        raise RuntimeError(f"pushes were refused: {report['lastTrouble']}")
    return report


def wrk(place, server, seconds, *options, connections=64):
    """Signed pushes as fast as they are answered."""
    report = _run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", place.root / "deploy/wrk/push.lua",
         f"http://{server.http}", "--", "--app", APP, "--secret", SECRET, *options], seconds + 120)
    if report["refused"] or report["failed"]:
        raise RuntimeError(f"wrk: {report}")
    return report
