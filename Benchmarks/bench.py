#!/usr/bin/env python3
"""Runs the scenarios, prints one table of ratios, and writes docs/performance.md.

    python3 Benchmarks/bench.py [--quick] [--only NAME]... [--runs N] [--work DIR] [--bin DIR] [--docs DIR] [--results FILE]
    python3 Benchmarks/bench.py --render | --list [--json]

--quick    small sizes, one run: shows only that the scenarios run; nothing is written
--only     this scenario only (may be given again); the other rows of docs/performance.md stay as they were last measured
--results  where what was measured is kept; else results.json in the work folder
--render   measures nothing, writes the page anew
--list     the scenarios, and the programs that each needs and this machine lacks
Exit status: 0 all rows met, 1 a row is missed, 2 a scenario failed.
"""

import argparse
import dataclasses
import json
import pathlib
import sys
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Benchmarks"))

from kit.pace import pace  # noqa: E402
from kit.page import write_page  # noqa: E402
from kit.place import QUICK, Place, Size, conditions  # noqa: E402
from kit.rows import Row, text_table  # noqa: E402
from kit.servers import program  # noqa: E402
from scenarios import devices, groupcast, lane, rest, scale, shared, tls  # noqa: E402

#: What a scenario cannot do without; other peers are left out where they are not installed.
NEEDS = {
    "rest": ["wrk"], "rest-online": ["mosquitto"], "storm": ["mosquitto"], "tls": ["mosquitto", "openssl"], "store": ["wrk"], "loops-rest": ["wrk"],
    "shared": ["wrk", "initdb"], "lane": ["wrk", "initdb"],
}

SCENARIOS = {
    "rest": rest.offline,
    "rest-online": rest.online,
    "fanout": groupcast.fanout,
    "idle": devices.idle,
    "tls": tls.tls,
    "stalled": devices.stalled,
    "storm": devices.storm,
    "latency": rest.latency,
    "beside": groupcast.beside,
    "store": groupcast.store,
    "start": scale.start,
    "operators": scale.beside,
    "loops-rest": rest.two_loops,
    "loops-groupcast": groupcast.two_loops,
    "shared": shared.shared,
    "lane": lane.lane,
}


def main():
    options = arguments()
    if options.list:
        return list_scenarios(options.json)
    size = QUICK if options.quick else Size()
    if options.runs:
        size = dataclasses.replace(size, runs=options.runs)
    place = Place(ROOT, options.work, options.bin, size)
    stored = options.results or place.work / ("quick.json" if options.quick else "results.json")
    results = json.loads(stored.read_text()) if stored.exists() else {}
    failed = [] if options.render else measure(place, options.only or list(SCENARIOS), results, stored)
    rows = [Row(**row) for name in SCENARIOS for row in results.get(name, {}).get("rows", [])]
    print(text_table(rows))
    print(f"data directory on {place.file_system}: {place.work}")
    if not options.quick:
        write_page(pathlib.Path(options.docs), rows, results)
    if failed:
        return 2
    return 0 if options.quick else int(any(row.verdict == "MISSED" for row in rows))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=list(SCENARIOS))
    parser.add_argument("--runs", type=int)
    parser.add_argument("--work", default=ROOT / ".build/bench")
    parser.add_argument("--bin", default=ROOT / ".build/release")
    parser.add_argument("--docs", default=ROOT / "docs")
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def missing_programs(name):
    return [need for need in NEEDS.get(name, []) if not program(need)]


def list_scenarios(as_json):
    found = [{"name": name, "about": run.__doc__, "missing": missing_programs(name)} for name, run in SCENARIOS.items()]
    if as_json:
        print(json.dumps(found))
        return 0
    for scenario in found:
        lacks = f" (lacks {', '.join(scenario['missing'])}: make bench-deps)" if scenario["missing"] else ""
        print(f"{scenario['name']:<16} {scenario['about']}{lacks}")
    return 0


def measure(place, names, results, stored):
    """Runs scenario after scenario, and keeps what each found at once; returns the names of those that failed."""
    failed = []
    for name in names:
        missing = missing_programs(name)
        if missing:
            print(f"{name}: left out, as there is no {', '.join(missing)}: make bench-deps", file=sys.stderr)
            continue
        began, before = time.monotonic(), pace()
        print(f"{name}: {SCENARIOS[name].__doc__ or ''}", file=sys.stderr, flush=True)
        try:
            rows = SCENARIOS[name](place)
            if place.size.quick:
                # Figures of small sizes meet or miss nothing.
                rows = [dataclasses.replace(row, must=None, aim=None) for row in rows]
        except Exception:
            traceback.print_exc()
            failed.append(name)
            continue
        print(text_table(rows), f"({time.monotonic() - began:.0f} s)", sep="\n", file=sys.stderr, flush=True)
        results[name] = {
            "rows": [dataclasses.asdict(row) for row in rows],
            "conditions": conditions(place),
            "paces": [before, pace()],
            "at": time.strftime("%Y-%m-%d"),
        }
        stored.write_text(json.dumps(results, indent=1))
    return failed


if __name__ == "__main__":
    sys.exit(main())
