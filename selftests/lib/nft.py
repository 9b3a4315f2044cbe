# SPDX-License-Identifier: GPL-2.0-only
"""Rules of nft(8), by its library: within this process, because to start a
program takes most of a test's time on a machine that is emulated.
"""

import nftables


def nft(ns, rules):
    """Commands, or the content of a file, for nft in a namespace; returns what
    it prints. A `; }` may end a line's block."""
    with ns:  # where its socket is to be, and the interfaces are
        interpreter = nftables.Nftables()
        status, output, error = interpreter.cmd(rules.replace("; }", "\n}\n"))
    if status:
        raise RuntimeError("nft: %s: %s" % (rules, error.strip()))
    return output
