# SPDX-License-Identifier: GPL-2.0-only
"""Grace periods of RCU, for tests of what must wait for them. They turn knobs of the
machine, so only for guests."""

import os
import time

from . import ktap

_EXPEDITED = "/sys/kernel/rcu_expedited"
_RUNTIME = "/proc/sys/kernel/sched_rt_runtime_us"
# Since Linux 6.12 this gives ordinary threads their part beside those of real time.
_FAIR_SERVER = "/sys/kernel/debug/sched/fair_server/cpu1/runtime"


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)


def expedited():
    """For the length of a test, the kernel waits for readers as briefly as it can, but
    not for what call_rcu() has put off."""
    _write(_EXPEDITED, "1")
    ktap.cleanup(_write, _EXPEDITED, "0")


def _thread():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with open("/proc/%s/comm" % pid) as file:
            if file.read().strip() in ("rcu_preempt", "rcu_sched"):
                return int(pid)
    return ktap.fail("no thread for grace periods")


def hold_callbacks(seconds):
    """What call_rcu() has put off waits so long: the thread that ends grace periods
    does not get its processor, the second. Expedited ones do without."""
    with open(_RUNTIME) as file:
        limited = file.read().strip() != "-1"
    if limited:  # who asks for what there is may be told that it is busy
        _write(_RUNTIME, "-1")
    if os.path.exists(_FAIR_SERVER):
        _write(_FAIR_SERVER, "0")
    os.sched_setaffinity(_thread(), {1})
    end = time.monotonic() + seconds
    ready, begun = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.sched_setaffinity(0, {1})
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
            os.write(begun, b"1")
            while time.monotonic() < end:
                pass
        finally:
            os._exit(0)
    ktap.cleanup(os.waitpid, pid, 0)
    os.read(ready, 1)
    os.close(ready)
    os.close(begun)
