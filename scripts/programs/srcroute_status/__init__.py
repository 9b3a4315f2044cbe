# SPDX-License-Identifier: GPL-2.0-only
"""srcroute-status: what a router is doing with source routes.

    outcomes.py   what can become of a datagram, as the module has it
    netlink.py    interfaces, addresses, rules and routes, as the kernel has them
    system.py     settings, counters and versions, from /proc and /sys
    firewall.py   rules of nftables that drop source routes
    obstacles.py  what stands in the way
    status.py     all of these as one document, and that as one screen
    explain.py    what would become of a datagram
    live.py       datagrams as they are decided
    cli.py        the command line
"""

VERSION = "unreleased"  # the package says which


class StatusError(Exception):
    """The program cannot do what it was asked for: a sentence, an exit status."""

    def __init__(self, text, status):
        super().__init__(text)
        self.status = status


# Exit statuses. What has become of a datagram is in outcomes.py.
FINE, STOPPED, USAGE, PRIVILEGE, NOT_LOADED, SYSTEM = range(6)

# What to do about NOT_LOADED: it may be installed, or just built.
LOAD = "modprobe nf_srcroute, or in a clone: insmod nf_srcroute.ko"
