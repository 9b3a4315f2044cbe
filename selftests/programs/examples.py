#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The examples of docs/examples/: what each page tells the reader to type, in the lab of
`make lab`. In a guest of scripts/bed/vm, where nf_srcroute is loaded.
"""

import os

from lib import ktap, lab, page, typed
from lib.ktap import check, equal, test

FOLDER = "docs/examples"
os.environ["PATH"] = os.pathsep.join([
    os.path.join(lab.TOP, "scripts/lab/bin"), os.path.join(lab.TOP, "out/srtrace"),
    os.environ["PATH"]])
place = lab.Lab(lambda text: print("# " + text, flush=True))
tried = set()


def follow(name):
    """Type what a page has, and compare what comes out."""
    place.settle()
    tried.add(name)
    steps = [step for section in page.sections(FOLDER + "/" + name).values()
             for step in section.steps()]
    check(steps, "nothing to type in " + name)
    typed.follow(steps, times=3)


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
