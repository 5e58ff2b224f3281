"""`python -m chaos`: runs, judges, reports. Exit status 0: no rule was broken; 1: one was; 2: it could not be run."""

import argparse
import asyncio
import json
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "EndToEnd"))

from chaos.verdict import check  # noqa: E402
from chaos.history import load  # noqa: E402
from chaos.plan import FAULTS, usual  # noqa: E402
from chaos.report import explain, summary, table  # noqa: E402
from chaos.run import Run, Settings  # noqa: E402


MANY = 16  # callers, where it is measured how long none of them gets an answer


def arguments():
    faults = "\n".join(f"  {name:12} {kind.text}" for name, kind in FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="chaos",
        description=__doc__.splitlines()[0],
        epilog=f"faults:\n{faults}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="how long faults go on (10)")
    parser.add_argument("--seed", type=int, help="the same seed is the same plan")
    parser.add_argument(
        "--faults", help="names with commas between; all; usual (the default); with a minus before a name: without it"
    )
    parser.add_argument("--nodes", type=int, default=1, help="more than one: over PostgreSQL, behind HAProxy (1)")
    parser.add_argument("--patroni", action="store_true", help="Patroni and etcd choose PostgreSQL's primary")
    parser.add_argument("--rate", type=float, default=30.0, help="calls a second (30)")
    parser.add_argument("--devices", type=int, default=40, help="(40)")
    parser.add_argument("--keep", type=pathlib.Path, help="keep the history and the logs there, whatever comes out")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the summary")
    parser.add_argument("--judge", type=pathlib.Path, metavar="HISTORY", help="judge a kept history, run nothing")
    return parser.parse_args()


def named(text, nodes, patroni):
    """The faults that a text names, of those that there are with so many nodes."""
    possible = usual(nodes, patroni)
    found = list(possible) if not text or text.startswith("-") else []
    for word in (text or "").split(","):
        if word in ("all", "usual"):
            found += possible
        elif word.startswith("-"):
            found = [name for name in found if name != word[1:]]
        elif word in possible:
            found.append(word)
        elif word:
            raise SystemExit(f"chaos: no fault is named {word!r}; there are {', '.join(possible)}")
    return tuple(dict.fromkeys(found))


async def until_interrupted(run):
    """Ctrl-C and SIGTERM end the run by the way of its own cleaning up."""
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    return await run.run(interrupted)


def judge(history, seconds, faults, left_out, strange, as_json, seed):
    begin = time.monotonic()
    violations = check(history)
    took = time.monotonic() - begin
    rows = summary(history, max(seconds, 0.001), faults)
    if as_json:
        print(
            json.dumps(
                {
                    "seed": seed,
                    "seconds": round(seconds, 1),
                    "faults": faults,
                    "left_out": left_out,
                    "summary": {name: [number, more] for name, number, more in rows},
                    "events": len(history),
                    "judged_in": round(took, 2),
                    "violations": [violation.__dict__ for violation in violations],
                    "strange": strange,
                },
                indent=1,
            )
        )
    else:
        print(f"\nchaos: seed {seed}, {seconds:.0f} s, {len(history)} events judged in {took:.1f} s")
        print(table(rows))
        for name, reason in left_out.items():
            print(f"  left out: {name} ({reason})")
        print("\n".join([*(f"strange answer: {each}" for each in strange[:20]), *explain(history, violations)]))
        print("no rule was broken" if not violations else f"{len(violations)} violations")
    return not violations and not strange


def main():
    options = arguments()
    if options.judge:
        history = load(options.judge)
        return 0 if judge(history, history[-1].t, {}, {}, [], options.json, history[0].seed) else 1
    seed = options.seed if options.seed is not None else time.time_ns() % 1_000_000
    if options.patroni and options.nodes < 2:
        raise SystemExit("chaos: Patroni takes several nodes: --nodes 3")
    directory = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="chaos-"))
    directory.mkdir(parents=True, exist_ok=True)
    faults = named(options.faults, options.nodes, options.patroni)
    print(f"chaos: seed {seed}, {options.minutes:g} minutes, faults {','.join(faults)}", file=sys.stderr)
    settings = Settings(
        seed, options.minutes * 60, faults, directory, nodes=options.nodes, patroni=options.patroni, devices=options.devices,
        rate=options.rate, callers=MANY if options.patroni else Settings.callers,
    )
    status = 2
    try:
        outcome = asyncio.run(until_interrupted(Run(settings)))
        if outcome is None:
            print("chaos: interrupted; everything is cleaned up", file=sys.stderr)
        else:
            is_good = judge(
                outcome.history, outcome.seconds, outcome.faults, outcome.left_out, outcome.strange, options.json, seed
            )
            status = 0 if is_good else 1
    finally:
        if status == 0 and not options.keep:
            shutil.rmtree(directory)
        else:
            nodes = (f"NODES={options.nodes} " if options.nodes > 1 else "") + ("PATRONI=1 " if options.patroni else "")
            repeat = f"make chaos {nodes}SEED={seed} MINUTES={options.minutes:g} FAULTS={','.join(faults)}"
            print(f"chaos: history and logs are in {directory}; again: {repeat}", file=sys.stderr)
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Exception:  # could not be run: not the server's fault
        traceback.print_exc()
        sys.exit(2)
