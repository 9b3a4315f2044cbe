# SPDX-License-Identifier: GPL-2.0-only
"""Commands of a page, typed as they stand there."""

import os
import subprocess
import textwrap
import time

from . import page
from .ktap import fail


def run(commands, **options):
    """What comes out; TOUR_VERBOSE=1 shows it, and how long it takes."""
    started = time.monotonic()
    done = subprocess.run(["bash", "-c", commands], text=True, timeout=300,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if os.environ.get("TOUR_VERBOSE"):
        print("# %.1f s:\n%s" % (time.monotonic() - started, textwrap.indent(
            commands + "\n" + done.stdout, "#   ")), flush=True)
    return done.stdout


def follow(steps, times=1, silent=""):
    """Type steps of a page, and compare what comes out; what comes out where the page shows
    nothing is @silent, and anything if that is None. A machine that is busy may lose an
    answer: so the same may be asked several times."""
    for commands, wanted in steps:
        wanted = silent if wanted is None else wanted
        for _ in range(times):
            shown = run(commands)
            if wanted is None or page.matches(shown, wanted):
                break
        else:
            fail("%s\ngave\n%s\nand not\n%s" % (commands, shown, wanted))
