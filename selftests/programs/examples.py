#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The examples of docs/examples/: what each page tells the reader to type, in the lab of
`make lab`. In a guest of scripts/bed/vm, where nf_srcroute is loaded.
"""

import os
import subprocess
import textwrap
import time

from lib import ktap, lab, page
from lib.ktap import check, equal, fail, test

FOLDER = "docs/examples"
os.environ["PATH"] = os.pathsep.join([
    os.path.join(lab.TOP, "scripts/lab/bin"), os.path.join(lab.TOP, "out/srtrace"),
    os.environ["PATH"]])
place = lab.Lab(lambda text: print("# " + text, flush=True))
tried = set()


def run(commands):
    started = time.monotonic()
    done = subprocess.run(["bash", "-c", commands], text=True, timeout=300,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if os.environ.get("TOUR_VERBOSE"):
        print("# %.1f s:\n%s" % (time.monotonic() - started, textwrap.indent(
            commands + "\n" + done.stdout, "#   ")), flush=True)
    return done.stdout


def follow(name):
    """Type what a page has, and compare what comes out: nothing, if the page shows
    nothing. A machine that is busy may lose an answer: the same is asked three times."""
    place.settle()
    tried.add(name)
    steps = [step for section in page.sections(FOLDER + "/" + name).values()
             for step in section.steps()]
    check(steps, "nothing to type in " + name)
    for commands, wanted in steps:
        for _ in range(3):
            shown = run(commands)
            if page.matches(shown, wanted or ""):
                break
        else:
            fail("%s\ngave\n%s\nand not\n%s" % (commands, shown, wanted))


@test("H1, I3: example: the two directions of an asymmetric path")
def asymmetric():
    follow("asymmetric.md")


@test("H7: example: which addresses are one router")
def aliases():
    follow("aliases.md")


@test("H2, H5: example: a backup path is tried before it is needed")
def backup():
    follow("backup.md")


@test("H2: example: the loss of one direction alone")
def loss():
    follow("loss.md")


@test("I2: example: the MTU of a path that routing does not use")
def mtu():
    follow("mtu.md")


@test("H5, H7: example: a lesson about RFC 791")
def lesson():
    follow("lesson.md")


@test("H7, H5: example: the three examples of the draft of 1987")
def draft():
    follow("draft.md")


@test("Interface: every example has its test here")
def all_tried():
    pages = {name for name in os.listdir(os.path.join(lab.TOP, FOLDER))
             if name.endswith(".md")}
    equal(pages, tried, "pages")


if __name__ == "__main__":
    ktap.main(place.close)
