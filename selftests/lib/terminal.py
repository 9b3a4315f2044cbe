# SPDX-License-Identifier: GPL-2.0-only
"""A program on a terminal of its own, with which a test talks."""

import os
import pty
import re
import select
import signal
import time

from . import ktap


class Terminal:
    """@shown is all that it has shown."""

    def __init__(self, *command):
        self.shown, self._read_to = "", 0
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "dumb"  # no colours, no editing
            os.execvp(command[0], command)
        ktap.cleanup(self._end)

    def _read(self, seconds):
        """Whether something has come."""
        if not select.select([self._fd], [], [], max(0, seconds))[0]:
            return False
        try:
            self.shown += os.read(self._fd, 65536).decode()
        except OSError:  # nobody has the other end any more
            return False
        return True

    def wait_for(self, pattern, seconds=300):
        """What has been shown up to there, since the last time."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.shown[self._read_to:])):
            if not self._read(end - time.monotonic()):
                ktap.fail("no %r, but %r" % (pattern, self.shown))
        start, self._read_to = self._read_to, self._read_to + found.end()
        return self.shown[start:self._read_to]

    def type(self, text):
        os.write(self._fd, text.encode())

    def close(self):
        """As a window is closed."""
        os.close(self._fd)
        self._fd = os.open("/dev/null", os.O_RDONLY)

    def end(self):
        """Its exit status, as a shell has it."""
        pid, self.pid = self.pid, None
        while self._read(60):
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return status if status >= 0 else 128 - status

    def _end(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)
