"""A disk that fails on demand, under one server's data directory."""

import os
import pathlib
import shutil
import subprocess

from .server import Server

SOURCE = pathlib.Path(__file__).with_name("faults.c")


def compiler():
    swift = shutil.which("swift")
    beside = str(pathlib.Path(os.path.realpath(swift)).with_name("clang")) if swift else None
    for candidate in ("clang", "cc", "gcc", beside):
        if candidate and (found := shutil.which(candidate)):
            return found
    raise FileNotFoundError("no C compiler: the Swift toolchain has one")


class FaultyDisk:
    def __init__(self, directory):
        self.library = directory / "faults.so"
        self.control = directory / "fault"
        subprocess.run([compiler(), "-shared", "-fPIC", "-O1", "-o", self.library, SOURCE, "-ldl"], check=True)
        self.server = Server(
            directory / "data",
            environment={"LD_PRELOAD": str(self.library), "FAULT_FILE": str(self.control), "FAULT_DIR": f"{directory}/data/"},
        )

    def fail(self, how):
        """`full`, `quota`, `write`, `sync` or `hold`, from now on. Whole at once: the server reads it at any moment."""
        made = self.control.with_suffix(".new")
        made.write_text(how)
        made.rename(self.control)

    def heal(self):
        self.control.unlink(missing_ok=True)
