"""docs/performance.md, from what was measured."""

import pathlib

from .pace import told
from .plots import bars
from .rows import HEAD

NOTES = pathlib.Path(__file__).resolve().parents[1] / "notes"

INTRODUCTION = """# Performance

Written by `make bench`, which measures again: `make bench-deps` installs the peers. Absolute figures on a shared machine mean little, so every figure is
processor time or memory per unit of work, of all threads of the process, and is compared with a yardstick that was measured in the same run. A row is the median of
{runs} runs; in brackets the lowest and the highest. One event loop (`--loops 1`) unless the row says otherwise.
"""

METHOD = """## How it is measured

- **REST**: `wrk -t1 -c64` with [deploy/wrk/push.lua](../deploy/wrk/README.md): signed pushes, 200 bytes of payload, devices drawn at random. The floor gets the same requests.
- **Devices**: `pspbench swarm`, one process, an MQTT connection each, spread over source addresses 127.0.x.y; it acknowledges every message, checks sequence and
  repetitions, and takes the latency from a time stamp in the payload. Brokers are measured by the same client.
- **TLS**: `pspbench swarm --tls`, by the same sessions of OpenSSL as the server. Handshakes: 10,000 connections that close as soon as theirs is done, 200 at a time, and the
  server's user and system time over all of them, accepting and closing included. Both servers show the same certificate (P-256) and are asked for the same version and suite; who
  resumes has a ticket of its own, since one of TLS 1.3 is used once. An idle device: as without TLS. `make bench BENCH="--only tls"` measures these alone.
- **Processor time** is user and system time of the process from `/proc/PID/stat`, until it has nothing more to do: what it does later, in the background, is counted.
- **The floor** is C on libevent with the same flags of the event base ([Benchmarks/floor](../Benchmarks/floor)): what is left when a server does nothing.
- **A p99 of 200 or 50 pushes a second is that of the disk** as much as of the program: every push is synced, and on a shared disk a sync takes 30 to 150 ms now and then, with
  other work beside it or without. One such stall decides the p99 of a run, so for these rows the range says more than the median.
- mosquitto runs with persistence on and without passwords; it writes its store on a timer, and never syncs a message. Here every push is synced before its reply.
"""


def write_page(docs, rows, results):
    if not rows:
        return
    docs.mkdir(parents=True, exist_ok=True)
    runs = max(len(row.samples) for row in rows)
    parts = [INTRODUCTION.format(runs=runs), _conditions(results), "## Results\n", _table(rows), _missed(rows), _plots(docs, rows), METHOD]
    (docs / "performance.md").write_text("\n".join(part for part in parts if part))


def _conditions(results):
    newest = max(results.values(), key=lambda result: result["at"])
    # Parts may have been measured later than the rest.
    revisions = {result["conditions"].get("revision", "unknown"): None for result in results.values()}
    conditions = newest["conditions"] | {"revision": ", ".join(revisions)}
    if paces := [each for result in results.values() for each in result.get("paces", [])]:
        conditions["pace"] = told(paces)
    lines = [f"| {name} | {value} |" for name, value in conditions.items()]
    return "\n".join(["## Conditions\n", "| | |", "|---|---|", f"| date | {newest['at']} |", *lines, ""])


def _table(rows):
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for row in rows:
        cells = row.cells()
        cells[0] += f" ({row.note})" if row.note else ""
        cells[-1] = f"**{cells[-1]}**" if row.verdict == "MISSED" else cells[-1]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _missed(rows):
    missed = [row for row in rows if row.verdict == "MISSED"]
    if not missed:
        return "Every row is within its limit.\n"
    parts = ["## Missed\n"]
    for row in missed:
        note = NOTES / f"{row.key}.md"
        parts.append(f"**{row.scenario}**, against {row.yardstick or 'the limit'}: {row.cells()[3]}, where {row.limit(row.must)} is the limit.\n")
        if note.exists():
            parts.append(note.read_text())
    return "\n".join(parts)


#: File, title, rows: each row's own figure is drawn once, and its yardstick.
PLOTS = (
    ("rest", "CPU a push by REST, µs", {"rest": "durable push", "rest-marked": "with out_biz_no and tag", "rest-nchan": None}),
    ("delivery", "CPU a delivery of a groupcast, µs", {"fanout": "pspd", "fanout-mosquitto": None, "fanout-nats": None}),
    ("memory", "memory of an idle device, bytes", {"idle": "pspd", "idle-mosquitto": None}),
    ("storm", "CPU a device in a connect storm, µs", {"storm": "pspd, pushed to each", "storm-group": "pspd, pushed to all"}),
)


def _plots(docs, rows):
    by_key = {row.key: row for row in rows}
    parts = []
    for name, title, keys in PLOTS:
        own, others = {}, {}
        for key, label in keys.items():
            if key in by_key:
                if label:
                    own[label] = by_key[key].value
                others[by_key[key].yardstick.split(":")[0].split(",")[0]] = by_key[key].reference
        if own:
            (docs / f"performance-{name}.svg").write_text(bars(title, own, others))
            parts.append(f"![{title}](performance-{name}.svg)\n")
    return "\n".join(parts)
