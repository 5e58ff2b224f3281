"""What Prometheus reads, and a real one that reads it."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import urllib.parse

from .ports import free_port
from .proxies import program
from .waiting import eventually

SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def get(address, target, timeout=30):
    """One GET without anything: status, headers, body."""
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def scrape(server):
    """The text of `/metrics`."""
    status, headers, text = get(server.admin, "/metrics")
    assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", (status, headers.items())
    return text


def samples(text):
    """Each sample's value, by its name and its labels."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        assert match, line
        key = match["name"], tuple(sorted(LABEL.findall(match["labels"] or "")))
        assert key not in found, f"twice: {line}"
        found[key] = float(match["value"])
    return found


def families(text):
    """The kind of each family, by its name."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


class Metrics:
    """The samples of one scrape: `metrics("psp_sessions", loop="0")`, or the sum over the labels that are left out."""

    def __init__(self, server):
        self.samples = samples(scrape(server))

    def __call__(self, name, **labels):
        values = self._values(name, labels)
        assert values, f"no {name} with {labels}"
        return sum(values)

    def sum(self, name, **labels):
        """The same, 0 where there is none."""
        return sum(self._values(name, labels))

    def _values(self, name, labels):
        wanted = {(key, str(value)) for key, value in labels.items()}
        return [value for (found, own), value in self.samples.items() if found == name and wanted <= set(own)]


def promtool(*arguments, text=None):
    return subprocess.run([program("promtool"), *arguments], input=text, capture_output=True, text=True)


class Prometheus:
    """A real one, on a free port, that ends with the `with`."""

    def __init__(self, directory, configuration):
        self.directory = directory
        self.file = directory / "prometheus.yml"
        self.file.write_text(configuration)
        self.address = "127.0.0.1", free_port()
        self.log = directory / "prometheus.log"

    def __enter__(self):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program("prometheus"), f"--config.file={self.file}", f"--storage.tsdb.path={self.directory / 'tsdb'}",
                 f"--web.listen-address={self.address[0]}:{self.address[1]}"],
                stdout=log, stderr=log, cwd=self.directory, start_new_session=True)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ask(self, path, **parameters):
        """What its interface answers; `None` while it begins."""
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError):
            status, _, text = get(self.address, f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
            if status == 200:
                return json.loads(text)["data"]
        return None

    def value(self, expression):
        """The only sample's value, `None` where there is none."""
        result = (self.ask("query", query=expression) or {"result": []})["result"]
        return float(result[0]["value"][1]) if result else None

    def firing(self):
        """The names of the alerts that fire."""
        alerts = (self.ask("alerts") or {"alerts": []})["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def wait_firing(self, name, timeout=30):
        eventually(lambda: name in self.firing(), lambda: f"{name}: {self.ask('alerts')}\n{self.log.read_text()[-2000:]}", timeout)
