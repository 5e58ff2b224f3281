"""What the documents for developers name is there."""

import importlib.util
import re

import pytest

from conftest import run
from kit.server import ROOT
from kit.world import World

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


def test_two_languages_that_say_different_things_are_told(tmp_path):
    spec = importlib.util.spec_from_file_location("languages", ROOT / "Tests/Documents/languages.py")
    languages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(languages)

    def told(english, chinese):
        (tmp_path / "a.md").write_text(english)
        (tmp_path / "a.zh-CN.md").write_text(chinese)
        return list(languages.differences(tmp_path / "a.md", tmp_path / "a.zh-CN.md"))

    assert told("# One\n1,024 `--flag`\n", "# 一\n1024 `--flag` `值`\n") == []
    assert told("# One\n20 s\n", "# 一\n30 秒\n") == ["“One”: numbers in English only: 20", "“One”: numbers in Chinese only: 30"]
    assert told("# One\n`--flag`\n", "# 一\n") == ["“One”: code in English only: --flag"]
    assert told("# One\n## Two\n", "# 一\n") == ["one of them ends before “Two”"]
    assert told("# One\n## Two\n", "# 一\n### 二\n") == ["the headings part at “Two” and “二”"]
    # What looks like a heading inside of code is none.
    assert told("# One\n```sh\n# a comment\n```\n", "# 一\n```sh\n# 注释\n```\n") == []


# Shows the status, and keeps what a reader would copy from the answer.
CURL = r"""
curl() {
    answer=$(command curl -sS -w '%{http_code}\n' "$@")
    echo "$answer"
    if [[ $answer =~ \"token\":\"([^\"]+) ]]; then TOKEN=${BASH_REMATCH[1]}; fi
    if [[ $answer =~ \"session_id\":\"([^\"]+) ]]; then SESSION=${BASH_REMATCH[1]}; fi
}"""


@pytest.mark.parametrize("language", ["", ".zh-CN"])
def test_every_call_that_operators_can_paste_does_what_it_says(own_server, language):
    """Each `curl` of the page, in the page's order, against a server of its own."""
    text = (ROOT / f"docs/admin{language}.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6
    script = "".join(blocks).replace("http://127.0.0.1:8081", "http://%s:%d" % own_server.admin)
    script = script.replace("data/admin.token", str(own_server.data / "admin.token"))
    assert "$TASK" in script
    pasted = "\n".join(["set -eu", CURL, f"TASK={task_of(own_server)}", script])
    ended = run("bash", "-c", pasted)
    assert ended.returncode == 0, ended
    calls = len(re.findall(r"^\s*curl ", script, re.MULTILINE))
    statuses = re.findall(r"(\d{3})$", ended.stdout, re.MULTILINE)
    assert len(statuses) == calls and set(statuses) <= {"200", "201", "202", "204"}, ended.stdout


def task_of(server):
    world = World(server)
    registered = world.device("phone", world.org("home"))
    return world.app().to_device(registered.token)
