"""What the programs need at run time, by what they name themselves."""

import pathlib
import re
import subprocess

from .server import binary


def told(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def linked_packages():
    """The packages of the libraries that the programs name."""
    packages = set()
    for program in ("pspd", "pspctl"):
        named = set(re.findall(r"NEEDED +(\S+)", told("objdump", "-p", binary(program))))
        found = dict(re.findall(r"^\s*(\S+) => (\S+)", told("ldd", binary(program)), re.MULTILINE))
        for path in (pathlib.Path(found[name]).resolve() for name in named if name in found):
            packages.add(told("dpkg-query", "-S", f"*/{path.name}").split(":")[0])
    return packages
