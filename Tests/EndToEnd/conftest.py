"""Fixtures: one server for the tests that can share it, servers of their own for those that break or restart them."""

import contextlib
import os
import signal
import subprocess

import pytest

from kit.device import Device
from kit.mosquitto import Subscriber
from kit.rest import AdminClient
from kit.server import USES_POSTGRES, Server, binary
from kit.world import World

CLIENTS = [(client, version) for client in ("mosquitto_sub", "paho") for version in ("3.1.1", "5.0")]


def pytest_collection_modifyitems(items):
    """Heavy ones last: a quick answer first. Where all servers have a database, what is about files of the embedded store is left out."""
    for item in items:
        if USES_POSTGRES and (mark := item.get_closest_marker("embedded")):
            item.add_marker(pytest.mark.skip(reason=f"of the embedded store: {mark.args[0]}"))
    items.sort(key=lambda item: item.get_closest_marker("heavy") is not None)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the end of the server's log."""
    report = (yield).get_result()
    if report.failed:
        for name in ("server", "own_server"):
            found = item.funcargs.get(name)
            if isinstance(found, Server):
                report.sections.append((f"log of {name}", found.tail()))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server that all tests share: each puts what it needs under names of its own."""
    with Server(tmp_path_factory.mktemp("shared") / "data") as running:
        yield running
        assert running.stop() == 0


@pytest.fixture
def own_server(tmp_path):
    """A server of the test's own, which it may stop, kill and start again."""
    with Server(tmp_path / "data") as running:
        yield running


@pytest.fixture
def world(server):
    return World(server)


@pytest.fixture
def scene(world):
    """An app, an organisation and one device in it."""
    world.caller = world.app()
    world.home = world.org("home")
    world.phone = world.device("phone", world.home)
    return world


@pytest.fixture
def admin(server):
    return AdminClient(server)


@pytest.fixture(params=CLIENTS, ids=lambda param: " ".join(param))
def stock_client(request):
    """Makes devices of one stock client and one version of the protocol; whatever is left of them ends with the test."""
    client, version = request.param
    made = []

    def make(server, registered, **options):
        kind = Subscriber if client == "mosquitto_sub" else Device
        made.append(kind(server, registered.token, registered.secret, version, **options))
        return made[-1]

    make.client, make.version = client, version
    yield make
    for device in made:
        device.vanish()


@pytest.fixture
def device():
    """Makes paho devices; whatever is left of them ends with the test."""
    with contextlib.ExitStack() as stack:

        def make(server, registered, version="5.0", **options):
            made = Device(server, registered.token, registered.secret, version, **options)
            stack.callback(made.vanish)
            return made

        yield make


@pytest.fixture
def pspctl(server):
    """Runs the operator's command line against the shared server."""
    return lambda *arguments, **options: run(binary("pspctl"), *arguments, PSP_DATA=str(server.data), **options)


def run(*command, stdin=None, timeout=60, **environment):
    """Runs a program to its end; its whole process group ends with it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PSP_")} | {"LC_ALL": "C.UTF-8"}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean | environment,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(stdin, timeout)
        return subprocess.CompletedProcess(command, process.returncode, out, err)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
