"""The scenarios of `make bench` at small size: that they run, and find every message where it should be. No figure counts here."""

import json
import pathlib
import subprocess
import sys

import pytest

from kit.server import ROOT, binary

BENCH = ROOT / "Benchmarks" / "bench.py"


def bench(*options, timeout=900):
    return subprocess.run([sys.executable, str(BENCH), *map(str, options)], capture_output=True, text=True, timeout=timeout)


def scenarios():
    """Their names, as `--list` prints them, and the programs that each needs besides ours."""
    return json.loads(bench("--list", "--json").stdout)


@pytest.mark.heavy
@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario["name"])
def test_scenario_runs(scenario, tmp_path):
    if scenario["missing"]:
        pytest.skip(f"no {', '.join(scenario['missing'])}: make bench-deps")
    # On a disk: pytest's own folder may be in memory, which a scenario refuses.
    work = ROOT / ".build" / "bench-quick" / scenario["name"]
    ended = bench("--quick", "--only", scenario["name"], "--work", work, "--bin", pathlib.Path(binary("pspbench")).parent, "--docs", tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = json.loads((work / "quick.json").read_text())[scenario["name"]]["rows"]
    assert rows and all(row["must"] is None for row in rows)
    assert not (tmp_path / "performance.md").exists(), "small sizes are never written as results"


def test_a_page_is_written_from_what_was_measured(tmp_path):
    row = {"key": "rest", "scenario": "a push", "yardstick": "C", "measure": 3.0, "unit": "x", "must": 2.4, "aim": 2.0, "value": 30.0,
           "reference": 10.0, "samples": [2.9, 3.0, 3.1]}
    result = {"rest": {"rows": [row], "conditions": {"data directory": "ext4"}, "at": "2026-01-01"}}
    (tmp_path / "results.json").write_text(json.dumps(result))
    ended = bench("--render", "--work", ROOT / ".build" / "bench-quick", "--results", tmp_path / "results.json", "--docs", tmp_path)
    assert ended.returncode == 1, "a row that misses its limit shows in the exit status: " + ended.stderr
    page = (tmp_path / "performance.md").read_text()
    assert "| a push | C | 30.00 / 10.00 µs | 3.00 x (2.90 to 3.10) | 2.4 x | 2 x | **MISSED** |" in page
    assert (tmp_path / "performance-rest.svg").read_text().startswith("<svg")
