"""Processes with a network and paths that nobody else sees, and that end together."""

import contextlib
import os
import pathlib
import signal
import subprocess

from .network import die_with_parent


class Enclosure:
    def __init__(self, network):
        self.network = network
        self.process = None

    def enter(self, script, *arguments, spaces=(), environment=None):
        """Runs a shell's script as its first process: with that all others end. `spaces`: what it has for itself, as unshare(1) has it,
        beside mounts and processes."""
        command = ["unshare", "--mount", "--pid", *spaces, "--fork", "--kill-child", "--mount-proc", "sh", "-c", script, "sh", *arguments]
        self.process = subprocess.Popen(
            command, cwd="/", env=environment, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=self._before_exec)

    def _before_exec(self):
        die_with_parent()
        self.network.join()

    def first(self):
        """The number of its first process outside; `None` where there is none."""
        with contextlib.suppress(OSError):
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            return int(children[0]) if children else None

    def kill(self):
        """As by a loss of power: everything in it at once. Returns when nothing of it runs."""
        if not self.process:
            return
        with contextlib.suppress(ProcessLookupError, TypeError):
            os.kill(self.first(), signal.SIGKILL)  # the system ends all of its name space before this one is gone
        self.process.kill()
        self.process.wait()
        self.process = None
