#!/usr/bin/env python3
"""Holds Chinese texts to the rules that all of them follow: documents, what the programs say, and short heads in deploy/.

- A space stands between Chinese and Latin letters, digits or `code`; none at punctuation.
- 使用人 is who holds devices (`user_id`). 用户 is who has an account on a machine, or looks at a screen; 用户名 is MQTT's user name.

    python3 Tests/Documents/chinese.py            # exit status 1 and a list when a text does otherwise
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HAN = "[\u4e00-\u9fff]"
UNSPACED = re.compile(f"{HAN}[A-Za-z0-9`]|[A-Za-z0-9`%]{HAN}")
# Where 用户 is right: of a machine, and of what a screen shows.
USER = re.compile("用户名|(?:其他|所有|同一|当前|服务|服务器|运行 `?pspd`? |以|以其|单元|由|号进程、|HAProxy )的?用户|`pspd` 的用户|展示给用户")
# The text of the interface's first error code is not ours: a customer's document has it so.
GIVEN = "请求参数没有appkey"
FENCE = re.compile(r"^\s*```")


def documents():
    """Lines of prose of each Chinese document."""
    for path in [*ROOT.glob("*.zh-CN.md"), *ROOT.glob("docs/*.zh-CN.md"), *ROOT.glob("examples/*.zh-CN.md")]:
        in_code = False
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if FENCE.match(line):
                in_code = not in_code
            elif not in_code:
                # Targets of links, and what stands in code: its ends are what meets Chinese.
                line = re.sub(r"\]\([^)]*\)", "]", line)
                yield path, number, re.sub(r"`([^`]*)`", lambda code: "`" + re.sub(HAN, "x", code[1]) + "`", line)


def sources():
    """Lines of what the programs say. What stands in \\(…) is a value, whose ends are not known here."""
    for path in ROOT.glob("Sources/**/*.swift"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(HAN, line) and not line.lstrip().startswith("//"):
                yield path, number, re.sub(r"\\\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)", "\u0001", line).replace(GIVEN, "")


def heads():
    """Comments and summaries of what is deployed."""
    for path in ROOT.glob("deploy/**/*"):
        if path.is_file():
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if re.search(HAN, line):
                    yield path, number, re.sub(r"`([^`]*)`", lambda code: "`" + re.sub(HAN, "x", code[1]) + "`", line)


def faults(line):
    for found in UNSPACED.finditer(line):
        yield f"a space is missing: {line[max(0, found.start() - 10) : found.end() + 10].strip()}"
    for found in re.finditer("用户", USER.sub("", line)):
        yield f"用户, where 使用人 is meant, or a context that {pathlib.Path(__file__).name} does not know: {line.strip()[:80]}"


def main():
    wrong = 0
    for texts in (documents(), sources(), heads()):
        for path, number, line in texts:
            for fault in faults(line):
                print(f"lint: {path.relative_to(ROOT)}:{number}: {fault}", file=sys.stderr)
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
