"""Ten thousand devices on one node: within the 20,000 descriptors that a process may have, the swarm's and the server's."""

import json
import subprocess

import pytest

from kit.server import binary

DEVICES = 10_000


def crowd(server, *flags):
    """Connects the devices, sends groupcasts to all of them, and returns what the swarm and the server counted."""
    command = [binary("pspbench"), "crowd", "--data", str(server.data), "--devices", str(DEVICES), "--json", *flags]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    figures = json.loads(ended.stdout)
    assert figures["groupcasts"] > 0
    assert figures["targeted"] == figures["delivered"] == figures["groupcasts"] * DEVICES
    assert figures["tally"]["missing"] == figures["tally"]["repeated"] == 0
    return figures


@pytest.mark.heavy
@pytest.mark.parametrize("version", ["4", "5"])
def test_a_groupcast_reaches_ten_thousand_devices_once(own_server, version):
    figures = crowd(own_server, "--mqtt", version)
    assert figures["tally"]["received"] == figures["delivered"]


@pytest.mark.heavy
def test_so_it_does_while_five_hundred_pushes_a_second_go_to_single_devices(own_server):
    figures = crowd(own_server, "--pushes", "500")
    assert figures["pushesTargeted"] == figures["pushesDelivered"] > 0
    assert figures["tally"]["received"] == figures["delivered"] + figures["pushesDelivered"]
