# SPDX-License-Identifier: GPL-2.0-only
"""What stands in the way of source routes, and what to do about it."""

import collections

from . import LOAD, firewall

# stops: nothing comes through. may: some may not.
# interface: "" where it is about all
Obstacle = collections.namedtuple("Obstacle", "kind severity interface text remedy")
STOPS, MAY = "stops", "may"


def _sysctl(name, key, value):
    """The command; an interface's dots are slashes to sysctl(8)."""
    return "sysctl net.ipv4.conf.%s.%s=%s" % (name.replace(".", "/"), key, value)


def _of_interface(system, name, settings):
    """Of one that forwards source routes."""
    if not system.forwards(name):
        remedy = _sysctl(name, "forwarding", 1) if system.ip_forward() else \
            "sysctl net.ipv4.ip_forward=1"
        yield Obstacle("forwarding", STOPS, name, "forwarding is off (%s): every hit is "
                       "refused as no_route, and transit is the kernel's, which drops it"
                       % ("net.ipv4.conf.%s.forwarding is 0" % name if
                          system.ip_forward() else "net.ipv4.ip_forward is 0"), remedy)
    if system.rp_filter(name) == 1:
        yield Obstacle("rp_filter", MAY, name, "rp_filter is strict: what comes from a "
                       "source that is reached by another interface is dropped as "
                       "bad_source", "sysctl net.ipv4.conf.all.rp_filter=0 "
                       "net.ipv4.conf.%s.rp_filter=2" % name.replace(".", "/"))
    if not system.accepts(name):
        where = "all" if not system.ipv4("all", "accept_source_route") else name
        yield Obstacle("accept_source_route", MAY, name, "accept_source_route is 0: "
                       "forwarding does not mind, but this router itself does not take "
                       "complete routes that end here", _sysctl(
                           where, "accept_source_route", 1))
    if settings["nonlocal"] == 0:
        yield Obstacle("nonlocal", MAY, name, "nonlocal is 0: a hit whose next address is "
                       "reached by another interface is refused", "sysctl net.ipv4."
                       "srcroute.conf.%s.nonlocal=1" % name.replace(".", "/"))


def _of_links(system, links, settings):
    """What the kind of an interface brings with it."""
    by_index = {link.index: link for link in links}
    for link in links:
        on = 1 in (settings.get(link.name, {}).get(key) for key in ("lsrr", "ssrr"))
        if not on:
            continue
        if link.kind == "bridge" and system.bridge_calls_iptables():
            yield Obstacle("br_netfilter", STOPS, link.name, "bridge-nf-call-iptables is "
                           "1: what comes in over a bridge is left to the kernel",
                           "sysctl net.bridge.bridge-nf-call-iptables=0")
        master = by_index.get(link.master)
        if master and master.kind == "bridge":
            yield Obstacle("bridge_port", STOPS, link.name, "belongs to the bridge %s, "
                           "whose settings count" % master.name, "sysctl net.ipv4."
                           "srcroute.conf.%s.lsrr=1" % master.name.replace(".", "/"))
        if link.kind == "vrf":
            yield Obstacle("vrf", MAY, link.name, "is a VRF: its settings count for what "
                           "SRv6 brings into it, those of its interfaces for all else",
                           "set lsrr and ssrr of the interfaces in it")
        if not link.up:
            # As are those that the modules of tunnels make in each namespace.
            yield Obstacle("down", MAY, link.name, "down", "ip link set dev %s up" %
                           link.name)


def find(system, links, settings, counters):
    """settings: {interface: {setting: value}}; [Obstacle], the worst first."""
    if not system.loaded():
        return [Obstacle("not_loaded", STOPS, "", "nf_srcroute is not loaded: the kernel "
                         "alone decides about source routes", LOAD)]
    found = []
    for name, values in counters.items():
        if "unavailable" in values:
            found.append(Obstacle(
                "unavailable", STOPS, name, "there was no memory for its settings: its "
                "source routes are the kernel's", "sysctl net.ipv4.srcroute.conf.default."
                "mark=0, when there is memory, gives it conf/default"))
    forwarding = {name: some for name, some in settings.items()
                  if 1 in (some.get("lsrr"), some.get("ssrr"))}
    down = [link.name for link in links if not link.up]
    for name, some in forwarding.items():
        if name not in down:
            found += _of_interface(system, name, some)
    found += _of_links(system, links, settings)
    if forwarding:
        found += [Obstacle("firewall", MAY, "", "chain %s: %s" % one,
                           "docs/filtering.md has rules that let source routes pass")
                  for one in firewall.drops(system)]
    else:
        found.append(Obstacle("all_off", STOPS, "", "lsrr and ssrr are 1 on no interface: "
                              "no source route is forwarded by srcroute",
                              "sysctl net.ipv4.srcroute.conf.INTERFACE.lsrr=1"))
    return sorted(found, key=lambda one: one.severity != STOPS)
