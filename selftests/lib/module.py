# SPDX-License-Identifier: GPL-2.0-only
"""The module itself, for tests that load and unload it."""

import ctypes
import glob
import os
import pathlib

from .ktap import equal, fail
from .netns import Netns, sh
from .tracing import run_of

# finit_module(2), delete_module(2): kmod(8) takes longer to start than they do.
_FINIT, _DELETE = {"x86_64": (313, 176), "s390x": (344, 129),
                   "aarch64": (273, 106), "armv7l": (379, 129)}[os.uname().machine]
_libc = ctypes.CDLL(None, use_errno=True)
_TOP = pathlib.Path(__file__).resolve().parents[2]
_PLACES = ("/sys/module/nf_srcroute", "/proc/sys/net/ipv4/srcroute",
           "/proc/net/srcroute")


def traces():
    """What of it there is to be seen."""
    return [place for place in _PLACES if os.path.exists(place)]


def _syscall(*args):
    if _libc.syscall(*args):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def information(field, path):
    return sh(["modinfo", "-F", field, path], check=False).strip()


def file():
    """Where the module is that has been loaded: built for a guest or by `make`, or
    installed, or one of scripts/check/mutants. The kernel keeps what tells it from
    others, and not the path."""
    with open("/sys/module/nf_srcroute/srcversion") as kept:
        wanted = kept.read().strip()
    for path in ("%s/out/build/%s/nf_srcroute.ko" % (_TOP, os.uname().release),
                 "%s/nf_srcroute.ko" % _TOP, "nf_srcroute",
                 *sorted(glob.glob("%s/out/mutants/*.ko" % _TOP))):
        if information("srcversion", path) == wanted:
            return path
    return fail("the file of the loaded module is not to be found")


def load(path, parameters=""):
    fd = os.open(path, os.O_RDONLY)
    try:
        _syscall(_FINIT, fd, ctypes.c_char_p(parameters.encode()), 0)
    finally:
        os.close(fd)


def remove(name):
    _syscall(_DELETE, ctypes.c_char_p(name.encode()), os.O_NONBLOCK)


def unload():
    remove("nf_srcroute")
    equal(traces(), [], "left behind")


def order_of_end(action):
    """What of these runs during action(), in order: the end of an interface's data,
    and of the namespaces', behind which the code goes."""
    return run_of(["free_iface_rcu", "srcroute_netns_exit"], action,
                  everyone=True)


def references():
    with open("/proc/modules") as file:
        return next(int(line.split()[2]) for line in file
                    if line.startswith("nf_srcroute "))


def keep_hooks():
    """A namespace with hooks of another, to be kept while ours come and go.

    The kernel patches a jump into its receive path with the first hook in any
    namespace, and out with the last. QEMU's emulation of two processors does not
    always survive that."""
    keeper = Netns("keeper")
    keeper.run("nft -f -", input="".join(
        "table ip t { chain %s { type filter hook %s priority 0\n}\n}\n" % (
            hook, hook) for hook in ("prerouting", "forward", "output")))
    return keeper
