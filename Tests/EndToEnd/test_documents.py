"""What the documents for developers name is there."""

import re

from kit.server import ROOT

SOURCES = ROOT / "Sources"


def test_every_source_file_that_the_architecture_names_is_there():
    text = (ROOT / "docs/architecture.md").read_text()
    named = [name for name in re.findall(r"`([A-Za-z0-9+/]+\.swift)`", text) if name != "Package.swift"]
    assert len(named) > 30
    names = {path.name for path in SOURCES.rglob("*.swift")}
    for name in named:
        first = name.split("/")[0]
        if (SOURCES / first).is_dir() and first != name:
            assert (SOURCES / name).is_file(), name
        else:
            # Named after a file of the same folder or module.
            assert name.split("/")[-1] in names, name


def test_every_module_is_drawn_and_described():
    text = (ROOT / "docs/architecture.md").read_text()
    package = (ROOT / "Package.swift").read_text()
    modules = [name for name in re.findall(r'\.target\(\s*name: "(\w+)"', package) if (SOURCES / name).is_dir()]
    swift = [name for name in modules if list((SOURCES / name).rglob("*.swift"))]
    assert {"Base", "Libevent", "Web", "Push", "SQLiteStore"} <= set(swift)
    for name in swift:
        assert re.search(rf'^\s+{name}\["{name}<br/>', text, re.MULTILINE), f"{name} is not in the picture"
        assert re.search(rf"^### .*\b{name}\b", text, re.MULTILINE), f"{name} has no paragraph"
