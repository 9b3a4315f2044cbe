# SPDX-License-Identifier: GPL-2.0-only
"""Commands of a page, typed as they stand there."""

import os
import signal
import subprocess
import textwrap
import time

from . import page
from .ktap import fail

LIMIT = 300     # seconds that a step may take


def run(commands, **options):
    """What comes out, and whether it ended by itself; TOUR_VERBOSE=1 shows it, and how long it
    takes. What is not done in time is ended, with all that it has started, and what came
    out until then says so in its last line."""
    started = time.monotonic()
    with subprocess.Popen(["bash", "-c", commands], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True, **options) as shell:
        try:
            shown, done = shell.communicate(timeout=LIMIT)[0], True
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            shown, done = _rest(shell), False
    shown = shown.decode(errors="replace")
    if not done:
        shown += "(not done in %d s)\n" % LIMIT
    if os.environ.get("TOUR_VERBOSE"):
        print("# %.1f s:\n%s" % (time.monotonic() - started, textwrap.indent(
            commands + "\n" + shown, "#   ")), flush=True)
    return shown, done


def _rest(shell):
    """What an ended shell has written. A process that has left its group may still hold the
    pipe: nobody waits for that one."""
    try:
        return shell.communicate(timeout=10)[0]
    except subprocess.TimeoutExpired as late:
        return late.stdout or b""


def follow(steps, times=1, silent=""):
    """Type steps of a page, and compare what comes out; what comes out where the page shows
    nothing is @silent, and anything if that is None. A machine that is busy may lose an
    answer: so the same may be asked several times."""
    for commands, wanted in steps:
        wanted = silent if wanted is None else wanted
        for _ in range(times):
            shown, done = run(commands)
            if not done:    # "..." of the page would match what says so
                fail("%s\ngave\n%s" % (commands, shown))
            if wanted is None or page.matches(shown, wanted):
                break
        else:
            fail("%s\ngave\n%s\nand not\n%s" % (commands, shown, wanted))
