# SPDX-License-Identifier: GPL-2.0-only
"""Work for the other processor while a test runs."""

import os
import signal

from . import ktap


def use_processor(number):
    os.sched_setaffinity(0, {number})


def beside(work):
    """Call work() again and again on the second processor, for the length of a
    test."""
    pid = os.fork()
    if not pid:
        try:
            use_processor(1)
            while os.getppid() != 1:
                work()
        finally:
            os._exit(1)
    ktap.cleanup(os.waitpid, pid, 0)
    ktap.cleanup(os.kill, pid, signal.SIGKILL)
