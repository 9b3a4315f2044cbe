# SPDX-License-Identifier: GPL-2.0-only
"""ip(8), started once for many commands: on a machine that is emulated most of
a test's time is else its start.
"""

import os
import subprocess


class Failed(RuntimeError):
    """ip(8) has refused a command."""


class Batch:
    """An ip(8) of the namespace in which it is made, that waits for commands.

    It remembers the indices of interfaces. What another process does to them
    it does not hear of: end it then.
    """

    # What it is asked last is no command, so it says which number that was,
    # and whether all before are done.
    _LAST = "."

    def __init__(self):
        self._owner = os.getpid()
        self._number = 0
        self._process = subprocess.Popen(
            ["ip", "-force", "-batch", "-"], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def usable(self):
        """Is it this process's own, not one that a fork has left it with?"""
        return self._owner == os.getpid()

    def run(self, *lines):
        """All of them; Failed, with all that was said, if any has failed."""
        self._number += len(lines) + 1
        self._process.stdin.write("".join(
            line + "\n" for line in (*lines, self._LAST)).encode())
        self._process.stdin.flush()
        said = self._read(b"Command failed -:%d\n" % self._number)
        if "Command failed" in said:
            raise Failed("ip: %s: %s" % ("; ".join(lines), said))

    def _read(self, end):
        said = b""
        while not said.endswith(end):
            more = os.read(self._process.stderr.fileno(), 1 << 16)
            if not more:
                raise Failed("ip has ended: " + said.decode())
            said += more
        return said[:said.rindex(b"Object")].decode()

    def end(self):
        if self.usable():
            self._process.kill()  # which does nothing at this time
            self._process.wait()
        self._process.stdin.close()
        self._process.stderr.close()
