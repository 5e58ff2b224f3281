"""A short run of everything: what `make chaos` does for minutes. And the whole way from the server to the verdict: a true history is
altered, and the checker finds it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from chaos import history as events
from chaos.network import what_is_missing
from chaos.plan import FAULTS, plan, usual
from chaos.report import pauses
from chaos.verdict import check
from kit.waiting import eventually

SEED = int(os.environ.get("PSP_CHAOS_SEED", "0")) or time.time_ns() % 1_000_000
SECONDS = 35
HERE = pathlib.Path(__file__).parent


def chaos(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "chaos", *arguments],
        env=os.environ | {"PYTHONPATH": str(HERE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


#: Three nodes take as long again, and do not keep every rule yet: `docs/testing.md` tells which.
SIZES = [1, 3] if os.environ.get("PSP_LONG_TESTS") else [1]


@pytest.fixture(scope="module", params=SIZES, ids=lambda nodes: f"{nodes} nodes")
def run(request, tmp_path_factory):
    """One run of each for all tests of this file: its result and its history."""
    if request.param > 1 and what_is_missing():
        pytest.skip(what_is_missing())
    directory = tmp_path_factory.mktemp("chaos")
    print(f"PSP_CHAOS_SEED={SEED}")
    process = chaos(
        "--nodes", str(request.param), "--seed", str(SEED), "--minutes", str(SECONDS / 60), "--json", "--keep", str(directory)
    )
    out, err = process.communicate(timeout=SECONDS * 10)
    assert process.returncode in (0, 1), err
    return json.loads(out), events.load(directory / "history.jsonl"), err


def test_no_rule_is_broken(run):
    result, _, err = run
    assert not result["violations"] and not result["strange"], f"{json.dumps(result, indent=1)}\n{err}"


def test_every_usual_fault_happened(run):
    result, history, _ = run
    missing = set(usual(3 if history[0].shared else 1)) - set(result["left_out"]) - {name for name, number in result["faults"].items() if number}
    assert not missing, result["faults"]


def test_a_lost_message_would_be_found(run):
    """The frames of one message to one device are taken out of the true history."""
    _, history, _ = run
    assert not check(history)
    devices = {event.conn: event.device for event in history if type(event) is events.Connect}
    victim = next(event for event in history if type(event) is events.Frame and event.key.startswith("probe"))
    taken = {
        (event.conn, event.packet, event.t)
        for event in history
        if type(event) is events.Frame and event.key == victim.key and devices[event.conn] == devices[victim.conn]
    }
    altered = [event for event in history if type(event) is not events.Frame or (event.conn, event.packet, event.t) not in taken]
    assert ("lost", victim.key, devices[victim.conn]) in {(each.rule, each.task, each.device) for each in check(altered)}


def test_a_message_that_comes_again_would_be_found(run):
    _, history, _ = run
    index, victim = next(
        (index, event) for index, event in enumerate(history) if type(event) is events.Frame and not event.version
    )
    again = victim._replace(packet=victim.packet + 1)
    altered = [*history[: index + 1], again, *history[index + 1 :]]
    assert ("repeated", victim.key) in {(each.rule, each.task) for each in check(altered)}


def test_the_same_seed_is_the_same_plan():
    places = {"node": 3, "database": 1, "edge": 7, "cell": 3, "device": 40}
    assert plan(7, 600, tuple(FAULTS), places) == plan(7, 600, tuple(FAULTS), places) != plan(8, 600, tuple(FAULTS), places)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("nodes", [1, 3])
def test_a_short_plan_has_every_fault(seed, nodes):
    places = {"node": nodes, "database": 1, "edge": 7, "cell": 3, "device": 40}
    actions = plan(seed, SECONDS, usual(nodes), places)
    assert {action.name for action in actions} == set(usual(nodes))
    assert all(0 < action.start < SECONDS * 0.9 and action.start + action.lasts <= SECONDS + 0.01 for action in actions)


def test_a_long_plan_with_patroni_has_every_fault():
    """Each of the database's takes a minute or two."""
    places = {"node": 3, "patroni": 1, "database": 1, "edge": 9, "cell": 3, "device": 40}
    actions = plan(SEED, 1200, usual(3, patroni=True), places)
    assert {action.name for action in actions} == set(usual(3, patroni=True))
    assert not {action.name for action in actions} & {name for name, kind in FAULTS.items() if kind.scope == "database"}


def test_a_pause_is_the_longest_time_without_a_success_while_a_fault_lasts():
    def pushed(t, outcome):
        return events.Push(t - 0.1, t, "node1", "k", "police", "msg", "device", "d", False, "", 1, None, None, outcome, None)

    def fault(t, edge, name, node=None):
        return events.Fault(t, edge, name, node, None, {})

    power = [pushed(11, 2302), pushed(12, 0), pushed(40, None), pushed(47, 0), pushed(48, 0)]
    stop = [fault(70, "begin", "stop", "node1"), pushed(99, 0), fault(99, "end", "stop", "node1")]
    history = [pushed(3, 0), fault(10, "begin", "power"), *power, fault(60, "end", "power"), *stop]
    assert pauses(history) == {"power": [35]}


def begin(directory):
    """A run that goes on, and its server."""
    process = chaos("--seed", "1", "--minutes", "1", "--keep", str(directory))
    published = directory / "node1" / "pspd.json"
    eventually(published.exists, "the server serves", timeout=60)
    return process, json.loads(published.read_text())["pid"]


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_nothing_stays_behind_when_it_is_interrupted(tmp_path):
    process, server = begin(tmp_path)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2 and "cleaned up" in err, err
    assert not is_running(server)


def test_nothing_stays_behind_when_it_is_killed(tmp_path):
    process, server = begin(tmp_path)
    process.kill()
    process.communicate()
    eventually(lambda: not is_running(server), "the server has ended")


def test_it_says_so_when_a_fault_is_unknown():
    process = chaos("--faults", "kill,flood")
    _, err = process.communicate(timeout=60)
    assert process.returncode and "flood" in err
