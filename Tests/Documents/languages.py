#!/usr/bin/env python3
"""Holds each document that exists in two languages to its twin: what one says, the other says too.

Sections are compared in their order: the level of the heading, and inside it the numbers and the words in `code`. Sentences are the
translator's business; a limit, a port, a flag or an error code that stands on one side only is a mistake of whoever changed it last.

    python3 Tests/Documents/languages.py            # exit status 1 and a list when something differs
"""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What callers, developers of devices and operators read.
TRANSLATED = [
    "README", "examples/README", "docs/rest", "docs/protocol", "docs/no-push", "docs/admin", "docs/operations", "docs/cluster",
    "docs/configuration",
]

HEADING = re.compile(r"^(#+) (.*)$")
FENCE = re.compile(r"^\s*```")
LINK_TARGET = re.compile(r"\]\([^)]*\)")
CODE = re.compile(r"`([^`]+)`")
NUMBER = re.compile(r"(?<![A-Za-z0-9_.])\d[\d,]*(?:\.\d+)*")


class Section:
    """A heading and what stands below it, up to the next heading."""

    def __init__(self, level, title):
        self.level, self.title = level, title
        self.numbers = collections.Counter()
        self.code = set()

    def read(self, text):
        text = LINK_TARGET.sub("]", text)
        self.numbers.update(number.replace(",", "") for number in NUMBER.findall(text))

    def read_prose(self, line):
        self.read(line)
        # What is not ASCII is an example's text and may be translated.
        self.code.update(code for code in CODE.findall(line) if code.isascii())


def sections(path):
    found = [Section(0, "the beginning")]
    in_code = False
    for line in path.read_text().splitlines():
        if FENCE.match(line):
            in_code = not in_code
        elif in_code:
            found[-1].read(line)
        elif heading := HEADING.match(line):
            found.append(Section(len(heading[1]), heading[2]))
            found[-1].read_prose(heading[2])
        else:
            found[-1].read_prose(line)
    return found


def differences(english, chinese):
    """Sentences that say what one of the two has and the other has not."""
    left, right = sections(english), sections(chinese)
    shape = [section.level for section in left], [section.level for section in right]
    if shape[0] != shape[1]:
        for mine, other in zip(left, right):
            if mine.level != other.level:
                yield f"the headings part at “{mine.title}” and “{other.title}”"
                return
        rest = (left if len(left) > len(right) else right)[min(len(left), len(right))]
        yield f"one of them ends before “{rest.title}”"
        return
    for mine, other in zip(left, right):
        for name, one, two in (("numbers", mine.numbers, other.numbers), ("code", mine.code, other.code)):
            for side, more in (("English", one - two), ("Chinese", two - one)):
                if more:
                    listed = sorted(more.elements() if isinstance(more, collections.Counter) else more)
                    yield f"“{mine.title}”: {name} in {side} only: {', '.join(listed)}"


def main():
    wrong = 0
    for name in TRANSLATED:
        english, chinese = ROOT / f"{name}.md", ROOT / f"{name}.zh-CN.md"
        if not (english.exists() and chinese.exists()):
            print(f"lint: {name}.md and {name}.zh-CN.md: one of the two is missing", file=sys.stderr)
            wrong += 1
            continue
        for difference in differences(english, chinese):
            print(f"lint: {name}.md, {name}.zh-CN.md: {difference}", file=sys.stderr)
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
