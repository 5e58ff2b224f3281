"""How long one call keeps all others from the lane of a shared store while much follows from one change."""

import contextlib
import re

from kit.load import wrk
from kit.nodes import Database, Node
from kit.rows import Row
from kit.servers import device_lines

#: Milliseconds: every push of every node waits meanwhile.
MUST, AIM = 5, 2
LINE = re.compile(r"duration: ([0-9.]+) ms  execute [^:]*: (?:SELECT \* FROM|SELECT|CALL) (?:psp\.)?(\w+)\(")


class Calls:
    """What the primary itself tells of its calls, in milliseconds: their time before the commit, waiting for the lane among it."""

    def __init__(self, database):
        self.log = database.primary.log
        database.primary.set(log_min_messages="log", log_min_duration_statement="0", log_parameter_max_length="0")
        self.taking = set(database.sql("SELECT proname FROM pg_proc WHERE prosrc ~ 'PERFORM take_lane|append_rows_'"))

    @contextlib.contextmanager
    def during(self, found):
        """Appends those that take the lane to `found`."""
        begin = self.log.stat().st_size
        yield
        with self.log.open(errors="replace") as log:
            log.seek(begin)
            told = [match.groups() for line in log if (match := LINE.search(line))]
        found += [float(milliseconds) for milliseconds, name in told if name in self.taking]


def lane(place):
    """An import, a move and a change of holder on one node, alone."""
    size = place.size
    pending = 50 if size.quick else 200_000
    with Database(place) as database, Node(place, database, "node-1") as node:
        node.make_app()
        for org in ("all", "top"):
            node.operate("PUT", f"/psp/admin/orgs/{org}", {"name": org})
        calls = Calls(database)
        imported, moved, changed = [], [], []
        with calls.during(imported):
            node.import_lines(device_lines(range(size.imported)))
        node.groupcast(1, "top")
        node.call("POST", "/psp/push/config", {"type": "groupcast", "org_id": "top", "payload": {"body": "cache=2"}})
        with calls.during(moved):
            node.operate("PUT", "/psp/admin/orgs/all", {"parent_id": "top"})
        node.operate("PUT", "/psp/admin/devices/dev-0", {"user_id": "one"})
        tokens = place.work / "one.txt"
        tokens.write_text("dev-0\n")
        sent = 0
        while sent < pending:
            sent += wrk(place, node, size.seconds, "--devices", tokens, connections=256)["requests"]
        with calls.during(changed):
            node.operate("PUT", "/psp/admin/devices/dev-0", {"user_id": "another"})
    return [
        _row("import", f"an import of {size.imported:,} devices", imported),
        _row("move", f"an organisation of {size.imported:,} devices moves below another", moved),
        _row("holder", f"a device with {sent:,} pending pushes gets another holder", changed),
    ]


def _row(key, what, calls):
    calls.sort()
    ninety_nine = calls[len(calls) * 99 // 100]
    return Row(
        f"lane-{key}", f"{what}: the lane held by one call before its commit, p99", "", ninety_nine, "ms", MUST, AIM,
        note=f"{len(calls)} calls, the longest {calls[-1]:.1f} ms")
