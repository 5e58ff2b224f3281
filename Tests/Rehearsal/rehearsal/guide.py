"""The commands of a document, as somebody who follows it copies them."""

import pathlib
import re

DOCUMENTS = pathlib.Path(__file__).resolve().parents[3] / "docs"
HEADING = re.compile(r"^#+ (.*)$")


class Step:
    """Lines of a block of code that are run at one place: those below a comment, which says where, up to the next."""

    def __init__(self, heading, comment):
        self.heading, self.comment, self.lines = heading, comment, []
        self.is_taken = self.is_apart = False

    @property
    def name(self):
        return self.comment or self.lines[0]

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"

    def __repr__(self):
        return f"{self.heading}: {self.name}"


class Guide:
    def __init__(self, name, places, apart):
        """`places`: what is elsewhere here than in the document. `apart`: steps that begin so are not rehearsed."""
        text = (DOCUMENTS / name).read_text()
        self.steps = list(steps(replaced(text, places.items())))
        for step in self.steps:
            step.is_apart = str(step).startswith(apart)

    def take(self, heading, beginning, changes=()):
        """The commands below that comment (or of the block with that first line), or the one that begins so; with some changes."""
        below = [step for step in self.steps if step.heading == heading]
        found = [step for step in below if step.name == beginning] or [step for step in below if step.name.startswith(beginning)]
        assert len(found) == 1, f"{heading}: {len(found)} steps begin with {beginning!r}: {found}"
        # Whoever follows it goes from above to below.
        before = below[: below.index(found[0])]
        assert found[0].is_taken or all(step.is_taken or step.is_apart for step in before), f"{found[0]} comes before {before}"
        found[0].is_taken = True
        return replaced(found[0].text, changes)

    def left(self):
        """Steps that nobody has taken."""
        return [step for step in self.steps if not step.is_taken and not step.is_apart]


def replaced(text, pairs):
    for old, new in pairs:
        assert old in text, f"{old!r} is not in {text!r}"
        text = text.replace(old, new)
    return text


def steps(text):
    """Of the blocks for a shell, and of settings, in their order."""
    heading, block = "", None
    for line in text.splitlines():
        if block is None:
            if found := HEADING.match(line):
                heading = found[1]
            elif line.startswith("```"):
                block, is_settings = [], line == "```"
        elif line == "```":
            yield from parts(heading, block, is_settings)
            block = None
        else:
            block.append(line)


def parts(heading, block, is_settings):
    step, end = None, None
    for line in block:
        # A comment in a text that a command reads is a part of it.
        if line.startswith("# ") and not end and not is_settings:
            if step and step.lines:
                yield step
            step = Step(heading, line[2:])
            continue
        step = step or Step(heading, "")
        step.lines.append(line)
        if found := re.search(r"<<'(\w+)'", line):
            end = found[1]
        elif line == end:
            end = None
    if step and step.lines:
        yield step


def commands(name):
    """All that the blocks of a document have but comments: the same in every language."""
    found = []
    for step in steps((DOCUMENTS / name).read_text()):
        found += [re.sub(r"\s+# .*$", "", line) for line in step.lines if not line.startswith("#")]
    return found
