# SPDX-License-Identifier: GPL-2.0-only
"""The module itself, for tests that load and unload it."""

import os

from .ktap import equal
from .netns import sh

_PLACES = ("/sys/module/nf_srcroute", "/proc/sys/net/ipv4/srcroute",
           "/proc/net/srcroute")


def traces():
    """What of it there is to be seen."""
    return [place for place in _PLACES if os.path.exists(place)]


def load(path):
    sh(["insmod", path])


def unload():
    sh(["rmmod", "nf_srcroute"])
    equal(traces(), [], "left behind")


def references():
    with open("/proc/modules") as file:
        return next(int(line.split()[2]) for line in file
                    if line.startswith("nf_srcroute "))
