"""`pspctl store hosts`: what is wrong with a host of the database shows before it is the primary."""

import contextlib
import json
import os
import re
import signal
import subprocess

import pytest

from conftest import run
from kit.postgres import Postgres, migrate, uri
from kit.server import Server, binary
from kit.waiting import eventually
from kit.wall_clock import WallClock


@pytest.fixture(scope="module")
def postgres():
    with Postgres() as directory:
        yield directory


@pytest.fixture(scope="module")
def primary(postgres):
    server = postgres.make(["host all shut 127.0.0.1/32 reject"], synchronous_standby_names="").start()
    for role in ("psp", "shut", "few"):
        server.sql(f"CREATE ROLE {role} LOGIN")
    server.sql("CREATE DATABASE psp OWNER psp")
    migrate(binary("pspctl"), server.uri("psp", "psp"))
    return server


@pytest.fixture(scope="module")
def standby(postgres, primary):
    server = postgres.make_standby(primary, "db2")
    # As docs/cluster.md has it, before it may be promoted.
    server.set(synchronous_standby_names="ANY 1 (db1)")
    server.start()
    primary.set(synchronous_standby_names="ANY 1 (db2)")
    eventually(lambda: primary.sql("SELECT sync_state FROM pg_stat_replication") == ["quorum"], "it is waited for")
    return server


def asked(servers, *flags, user="psp", status=None, **environment):
    ended = run(binary("pspctl"), "store", "hosts", uri(servers, "psp", user), *flags, **environment)
    assert ended.returncode in ((0, 1) if status is None else (status,)), ended
    assert not ended.stderr, ended
    return ended.stdout


def levels(servers, *flags, **options):
    """Of each subject the worst level, and what is said of it."""
    told = json.loads(asked(servers, "--json", *flags, **options))["findings"]
    worst = sorted(told, key=lambda finding: ("good", "warning", "fault").index(finding["level"]))
    return {finding["subject"]: (finding["level"], finding["text"]) for finding in worst}


def place(server):
    return f"{server.host}:{server.port}"


def test_a_primary_and_its_standby_are_as_they_should_be(primary, standby):
    text = asked([primary, standby], "--nodes", "3", status=0)
    assert "LOOK" not in text, text
    assert re.search(rf"^ok +{place(primary)}: primary, PostgreSQL \d+\.\d+, \d+ of 200 connections .*ANY 1 \(db2\)$", text, re.M), text
    assert re.search(rf"^ok +{place(standby)}: standby, ", text, re.M), text
    shown = json.loads(asked([primary, standby], "--json", status=0))
    assert [host["role"] for host in shown["hosts"]] == ["primary", "standby"] and shown["nodes"] == 0
    assert "备库" in asked([standby, primary], LC_ALL="zh_CN.UTF-8")
    # `target_session_attrs` keeps no standby from being asked.
    assert run(binary("pspctl"), "store", "hosts", uri([primary, standby], "psp", "psp", target_session_attrs="read-write")).returncode == 0


def test_who_is_not_let_in_is_told_with_what_to_do(primary, standby):
    before = (standby.directory / "pg_hba.conf").read_text().splitlines()
    standby.write("pg_hba.conf", ["host all psp 127.0.0.1/32 reject", *before])
    standby.set()
    try:
        found = eventually(lambda: refusing(levels([primary, standby]), standby), "the standby has read its file")
    finally:
        standby.write("pg_hba.conf", before)
        standby.set()
    assert "pg_hba.conf" in found[place(standby)][1] and found[place(primary)][0] == "good"
    eventually(lambda: levels([primary, standby])[place(standby)][0] == "good", "it is let in again")
    found = levels([primary, standby], user="shut", status=1)
    assert {place(server): found[place(server)][0] for server in (primary, standby)} == {place(primary): "fault", place(standby): "fault"}


def refusing(found, server):
    return found if found[place(server)][0] == "fault" else None


def test_connections_are_judged_by_nodes_and_by_the_limits_of_the_role(primary, standby):
    both = [primary, standby]
    assert levels(both, "--nodes", "30")[place(standby)][0] == "good"
    assert levels(both, "--nodes", "31")[place(standby)][0] == "warning"
    assert levels(both, "--nodes", "50", status=1)[place(standby)][0] == "fault"
    primary.sql("ALTER ROLE few CONNECTION LIMIT 3")
    found = levels(both, user="few", status=1)
    # A standby has it from the primary.
    assert found[place(primary)] == ("fault", "the role's CONNECTION LIMIT is 3, and a node holds 4: ALTER ROLE … CONNECTION LIMIT 26")
    assert found[place(standby)][0] == "good"


def test_what_nodes_live_is_counted(primary, standby, tmp_path):
    with Server(tmp_path / "data", store=uri([primary, standby], "psp", "psp")) as node:
        shown = json.loads(asked([standby, primary], "--json", status=0))
        assert shown["nodes"] == 1
        # The server's own doctor tells it with all else.
        ended = run(binary("pspctl"), "doctor", "--store", uri([primary, standby], "psp", "psp"), "--json", PSP_DATA=str(node.data))
        told = {finding["subject"]: finding["level"] for finding in json.loads(ended.stdout)["findings"]}
        assert told[place(standby)] == "good" and told["state"] == "good", ended


def test_a_server_is_one_however_it_is_named(primary, standby):
    port = primary.port
    named_twice = f"postgres://psp@127.0.0.1:{port},localhost:{port},127.0.0.1:{standby.port}/psp"
    ended = run(binary("pspctl"), "store", "hosts", named_twice)
    assert ended.returncode == 0 and f"127.0.0.1:{port} and localhost:{port} are the same server" in ended.stdout, ended
    # By one of its addresses, as a node would.
    ended = run(binary("pspctl"), "store", "hosts", f"postgres://psp@localhost:{port}/psp")
    assert ended.returncode == 0 and f"ok    localhost:{port}: primary" in ended.stdout, ended


def test_a_standby_that_has_not_come_back_yet_is_waited_for(primary, standby):
    """It tries again each `wal_retrieve_retry_interval`: 5 s."""
    primary.stop(signal.SIGINT)
    primary.start()
    assert "LOOK" not in asked([primary, standby], "--nodes", "3", status=0)


def test_a_primary_whose_sessions_only_read(primary, standby):
    primary.set(default_transaction_read_only="on")
    try:
        eventually(lambda: primary.sql("SHOW default_transaction_read_only") == ["on"], "it has read that")
        assert "default_transaction_read_only" in fault_of(levels([primary, standby], status=1), primary)
    finally:
        primary.set(default_transaction_read_only="off")
    eventually(lambda: primary.sql("SHOW default_transaction_read_only") == ["off"], "and this")


def test_commits_that_nobody_confirms(primary, standby):
    primary.sql("CREATE TABLE psp.waits()", "psp")
    primary.sql("ALTER TABLE psp.waits OWNER TO psp", "psp")
    primary.set(synchronous_standby_names="ANY 1 (nobody)")
    try:
        eventually(lambda: primary.sql("SHOW synchronous_standby_names") == ["ANY 1 (nobody)"], "it has read that")
        # A superuser may see whom it names.
        found = levels([primary, standby], user="postgres")
        assert found[place(primary)][0] == "warning" and "names none of the standbys" in found[place(primary)][1], found
        command = ["psql", "-X", "-q", "-d", primary.uri("psp", "psp"), "-c", "INSERT INTO psp.waits DEFAULT VALUES"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as waiting:
            found = eventually(lambda: fault_of(levels([primary, standby]), primary), "the commit waits")
            primary.set(synchronous_standby_names="ANY 1 (db2)")
            assert waiting.wait(60) == 0
    finally:
        primary.set(synchronous_standby_names="ANY 1 (db2)")
        primary.sql("DROP TABLE psp.waits", "psp")
    assert "compare synchronous_standby_names" in found


def test_an_address_that_leaves_out_the_primary(standby):
    level, text = levels([standby], status=1)["database's primary"]
    assert level == "fault" and "does not name: add it" in text


def test_a_standby_of_another_past_is_told_although_it_is_connected(postgres):
    """The standby that had less was promoted: the other one asks it in vain, and again and again."""
    first = postgres.make(synchronous_standby_names="").start()
    first.sql("CREATE ROLE psp LOGIN")
    first.sql("CREATE DATABASE psp OWNER psp")
    less, more = (postgres.make_standby(first, name).start() for name in ("less", "more"))
    eventually(lambda: first.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == ["2"], "both follow")
    less.stop(signal.SIGINT)
    first.sql("CREATE TABLE written()")
    eventually(lambda: more.sql("SELECT to_regclass('written')") == ["written"], "one has what the other has not")
    first.stop()
    less.start().promote()
    more.write("postgresql.auto.conf", [f"primary_conninfo = 'host=127.0.0.1 port={less.port} user=postgres'"])
    more.set()
    fault = eventually(lambda: fault_of(levels([less, more]), more), "it asks the new primary")
    for _ in range(2):
        assert fault_of(levels([less, more], status=1), more), fault
        less.sql("SELECT pg_switch_wal()")
    # The primary has written more by now.
    assert re.search("receives nothing|connected to no primary", fault_of(levels([less, more], status=1), more))
    for server in (less, more):
        server.stop()


def fault_of(found, server):
    level, text = found[place(server)]
    return text if level == "fault" else None


def test_one_that_is_no_copy_one_that_follows_nobody_and_a_clock(postgres, primary, standby):
    alone = postgres.make(max_connections="10").start()
    alone.sql("CREATE ROLE psp LOGIN")
    alone.sql("CREATE DATABASE psp OWNER psp")
    found = levels([primary, alone], status=1)
    assert found["database's primary"][0] == "fault" and "initdb" in found["database's primary"][1], found
    alone.stop()
    found = levels([primary, alone], status=1)
    assert found[place(alone)][0] == "fault" and found[place(primary)][0] == "good", found

    with contextlib.closing(WallClock(postgres.directory)) as clock:
        clock.set_ahead(3600)
        lost = postgres.make_standby(primary, "db3")
        lost.environment = os.environ | clock.server.environment
        lost.write("postgresql.auto.conf", [f"primary_conninfo = 'host=127.0.0.1 port={alone.port}'"])
        lost.start()
        ended = asked([primary, lost], status=1)
        assert re.search(rf"^FIX +{place(lost)}: it (is connected to no primary|receives nothing)", ended, re.M), ended
        assert re.search(rf"^FIX +{place(lost)}: its clock is 3[56]\d\d s ahead of that of {place(primary)}", ended, re.M), ended
        lost.stop()


def test_a_password_file_that_is_not_there_is_told_once(primary, standby):
    ended = run(binary("pspctl"), "store", "hosts", uri([primary, standby], "psp", "psp"), "--password-file", "/nowhere")
    assert ended.returncode == 1 and not ended.stdout and ended.stderr.count("/nowhere") == 1, ended
    told = run(binary("pspctl"), "doctor", "--password-file", "/nowhere")
    assert told.returncode == 2 and "--store" in told.stderr, told


def test_an_address_that_is_none_is_a_mistake_of_use():
    for address in ("sqlite:/tmp", "postgres://psp:secret@db1/psp", "postgres://db1/psp?nothing=1"):
        ended = run(binary("pspctl"), "store", "hosts", address)
        assert ended.returncode == 2 and "Error" in ended.stderr, ended
