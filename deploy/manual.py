#!/usr/bin/env python3
"""Writes the manual pages from what the programs say of themselves: manual.py PSPD PSPCTL DIRECTORY"""

import json
import os
import pathlib
import subprocess
import sys


def said(*command):
    # The pages are English, whatever the language of whoever makes them.
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def escaped(text):
    """Lines that nroff shows as they are."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").splitlines()
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in lines)


def section(title, text):
    return f".SH {title}\n.nf\n{escaped(text)}\n.fi\n"


def page(name, number, summary, version, sections):
    head = f'.TH {name.upper()} {number} "" "psp {version}"\n.SH NAME\n{name} \\- {escaped(summary)}\n'
    return head + "".join(section(*each) for each in sections)


def server_page(pspd, version):
    first, _, rest = said(pspd, "--help").partition("\n")
    files = (
        "/etc/pspd/pspd.yaml  settings, of the Debian package\n/var/lib/pspd        the data directory, likewise: store, admin token, lock\n")
    ends = "0  ended by a signal, and nothing was lost\n1  something that may be otherwise at the next try\n2  something that will be the same\n"
    signals = "SIGTERM, SIGINT  end; a second one waits for nobody\nSIGHUP           read again what can be\n"
    return page("pspd", 8, first.removeprefix("pspd: "), version, [
        ("DESCRIPTION", rest.strip("\n")), ("SIGNALS", signals), ("FILES", files), ("EXIT STATUS", ends), ("SEE ALSO", "pspctl(1)")])


def commands(command, path=()):
    """All that do something, in order."""
    below = [each for each in command.get("subcommands", []) if each["commandName"] != "help"]
    if not below:
        yield path
    for each in below:
        yield from commands(each, path + (each["commandName"],))


def operator_page(pspctl, version):
    # Not strict: the dump has line breaks in its texts as they are.
    top = json.loads(said(pspctl, "--experimental-dump-help"), strict=False)["command"]
    helps = [(" ".join(path), said(pspctl, *path, "--help")) for path in commands(top)]
    sections = [("DESCRIPTION", said(pspctl, "--help"))]
    sections += [(f'"PSPCTL {name.upper()}"', text) for name, text in helps]
    return page("pspctl", 1, top["abstract"].rstrip("."), version, [*sections, ("SEE ALSO", "pspd(8)")])


def main(pspd, pspctl, directory):
    version = said(pspd, "--version").split()[1]
    target = pathlib.Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    (target / "pspd.8").write_text(server_page(pspd, version))
    (target / "pspctl.1").write_text(operator_page(pspctl, version))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
