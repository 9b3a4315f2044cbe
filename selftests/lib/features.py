# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel has, where tests need to know: by what it shows of itself, so that
one that has a feature and does wrong is not taken for one that lacks it."""

import functools
import os

from . import ktap, packet
from .netns import sh
from .nft import nft
from .queue import Queue
from .standard import FAR, SRC


@functools.lru_cache(None)
def _symbols():
    with open("/proc/kallsyms") as file:
        return {line.split()[2] for line in file}


def has(symbol):
    return symbol in _symbols()


def need_live_frames():
    if not has("xdp_test_run_init_page"):
        ktap.lacks("live frames of BPF_PROG_TEST_RUN (Linux 5.18)")


def segments():
    """Which actions of SRv6 there are that lead IPv4 into a VRF."""
    return [action for action, symbol in
            (("End.DT4", "input_action_end_dt4"),
             ("End.DT46", "input_action_end_dt46")) if has(symbol)]


def need_segments():
    if not segments():
        ktap.lacks("SRv6's End.DT4 and End.DT46 (Linux 5.11, 5.14)")


def need_bpf_routes():
    if not has("bpf_build_state"):
        ktap.lacks("BPF programs on routes (CONFIG_LWTUNNEL_BPF)")


def need_rules():
    if not has("fib4_rule_configure"):
        ktap.lacks("routing rules (CONFIG_IP_MULTIPLE_TABLES)")


def need_hash_fields():
    if not os.path.exists("/proc/sys/net/ipv4/fib_multipath_hash_fields"):
        ktap.lacks("a choice of what the multipath hash is of (Linux 5.14)")


def need_udp_segmentation(ns, dev):
    """By a veth of the namespace. Without, the kernel cuts where the socket is."""
    if "tx-udp-segmentation: off [fixed]" in ns.run("ethtool -k " + dev):
        ktap.lacks("UDP segmentation by a veth (Linux 5.12)")


def need_napi_of_veth():
    if not has("veth_set_features"):
        ktap.lacks("NAPI of a veth without XDP (Linux 5.13)")


def need_hooks_of_segments():
    sh("modprobe nf_conntrack")
    if not os.path.exists("/proc/sys/net/netfilter/nf_hooks_lwtunnel"):
        ktap.lacks("netfilter hooks in SRv6 (Linux 5.15)")


def _event_tells(event, field):
    with open("/sys/kernel/tracing/events/%s/format" % event) as file:
        return field in file.read()


def has_percpu_callers():
    known = _event_tells("percpu/percpu_alloc_percpu", "call_site")
    if not known:
        print("# this kernel does not tell whose memory of CPUs is (Linux 5.19)")
    return known


@functools.lru_cache(None)
def has_drop_reasons():
    known = _event_tells("skb/kfree_skb", "reason")
    if not known:
        print("# this kernel gives no reasons (Linux 5.17): a drop is seen, not why")
    return known


def check_drop(lines, reason, what):
    """Is among these events skb/kfree_skb one with the reason?"""
    if has_drop_reasons():
        lines = [line.split("reason: ")[1] for line in lines]
        ktap.check(reason in lines, "%s: drop reasons %s" % (what, lines))
    ktap.check(lines, "%s: no drop" % what)


def queue_takes_options(bench):
    """May a program change the options of what it has been given by NFQUEUE? Linux
    7.2 discards such a verdict. Tried on a datagram that is not the module's."""
    instead = packet.ip(SRC, FAR, bytes([packet.NOP] * 4))
    nft(bench.router, "table ip probe { chain c { type filter hook forward priority "
        "0; ip saddr %s queue num 99; } }" % SRC)
    queue = Queue(bench.router, 99)
    try:
        bench.send("a", packet.ip(SRC, FAR))
        queue.wait(1)
        queue.accept(instead)
        return bool(bench.collect())
    finally:
        queue.close()
        nft(bench.router, "delete table ip probe")


def need_queue_that_takes_options(bench):
    if not queue_takes_options(bench):
        ktap.lacks("NFQUEUE verdicts that change options (gone since Linux 7.2)")
