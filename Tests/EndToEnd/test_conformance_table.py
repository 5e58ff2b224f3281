"""docs/conformance.md against the standards' lists of statements and against the tests that it names."""

import collections
import pathlib
import re

import pytest

from kit.server import ROOT

PAGE = (ROOT / "docs" / "conformance.md").read_text()
STANDARDS = ("3.1.1", "5.0")
VERDICT = re.compile(r"kept|client|broken|difference \d+(?:, \d+)*|n/a: .+")


def section(title):
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]


def rows(standard):
    """The table of a standard: statement, verdict, and the tests as (file, name)."""
    for line in section(f"MQTT {standard}").splitlines():
        if line.startswith("| MQTT-"):
            statement, _, verdict, tests = (cell.strip() for cell in line.strip("|").split("|"))
            named = [re.fullmatch(r"`([\w/]+)`: (.+)", test) for test in tests.split("<br>") if test]
            assert None not in named, line
            yield statement, verdict, [test.groups() for test in named]


def both():
    return [(standard, *row) for standard in STANDARDS for row in rows(standard)]


SOURCES = [path for path in (ROOT / "Tests").rglob("*") if path.suffix in (".py", ".swift")]


def source(file):
    """The text of the one file of that name; a folder may stand before it."""
    found = [path for path in SOURCES if f"/{path.with_suffix('').as_posix()}".endswith(f"/{file}")]
    assert len(found) == 1, (file, found)
    return found[0].read_text()


@pytest.mark.parametrize("standard", STANDARDS)
def test_every_statement_of_the_standard_is_there_once_and_in_its_order(standard):
    # The lists are those of Appendix B, of all statements.
    listed = pathlib.Path(__file__).with_name("conformance").joinpath(f"mqtt-{standard}.txt").read_text().split()
    assert [statement for statement, _, _ in rows(standard)] == listed


def test_every_verdict_has_what_it_needs():
    for standard, statement, verdict, tests in both():
        assert VERDICT.fullmatch(verdict), (standard, statement, verdict)
        if verdict != "client" and not verdict.startswith("n/a"):
            assert tests, f"{standard} {statement}: nothing shows it"


def test_every_test_that_is_named_is_there():
    named = {test for _, _, _, tests in both() for test in tests}
    assert len(named) > 100
    for file, name in named:
        text = source(file)
        assert f"def {name}(" in text or f'"{name}"' in text, f"{file} has no {name}"


def test_the_differences_are_those_that_are_explained():
    explained = re.findall(r"^(\d+)\. \*\*", section("Differences"), re.MULTILINE)
    used = {number for _, _, verdict, _ in both() if verdict.startswith("difference") for number in re.findall(r"\d+", verdict)}
    assert used == set(explained)


def test_what_is_broken_has_a_test_that_is_marked_and_nothing_else_is_marked():
    broken = {statement for _, statement, verdict, _ in both() if verdict == "broken"}
    assert broken == set(re.findall(r"^- (MQTT-[\d.-]+):", section("Broken") if broken else "", re.MULTILINE))
    text = source("test_conformance")
    marked = re.findall(r'xfail\(strict=True, reason="\[(MQTT-[\d.-]+)\]', text)
    assert len(marked) == text.count("xfail(")
    assert set(marked) == broken


def test_the_numbers_are_those_of_the_tables():
    for standard in STANDARDS:
        count = collections.Counter(re.match(r"n/a|\w+", verdict)[0] for _, verdict, _ in rows(standard))
        numbers = [count[kind] for kind in ("kept", "difference", "broken", "n/a", "client")]
        line = " | ".join(map(str, [f"MQTT {standard}", *numbers, sum(numbers)]))
        assert f"| {line} |" in PAGE
