# SPDX-License-Identifier: GPL-2.0-only
"""The configuration that a run expects of the device, as prose and as commands."""

from .plan import IN, OUT

HEAD = """\
        s --- GA %(GA)s ---+ in          out +--- GB %(GB)s --- F
                                 [   device   ]
        m  %(m)s ---------+             +--- n  %(n)s"""


def _addresses(plan):
    """[(side, address/length)] of the device."""
    return [(side, "%s/%d" % (address, prefix.bits)) for side in (IN, OUT)
            for address, prefix in zip(plan.own(side), plan.links[side])]


def _routes(plan):
    return [(plan.far_in, plan.named["GA"]), (plan.far_out, plan.named["GB"])]


def prose(plan):
    """For every device."""
    lines = ["The device is expected to be configured like this "
             "(srconform config has commands):"]
    for side in (IN, OUT):
        own = ["%s/%d" % (a, p.bits) for a, p in zip(plan.own(side), plan.links[side])]
        where = "on its one interface" if plan.single else "on its %s interface" % side
        lines.append("- addresses %s: %s" % (where, ", ".join(own)))
    for prefix, gateway in _routes(plan):
        lines.append("- a route to %s by %s" % (prefix, gateway))
    lines.append("- no default route, and none to %s" % plan.nowhere)
    lines.append("- forwarding on; source routes on; sources checked against these "
                 "routes; no filter; no limit on ICMP errors if it can be set")
    if not plan.single:
        lines.append("- an MTU of 1,280 on its out interface (else cases about fragments "
                     "are left out)")
    return "\n".join(lines)


def linux(plan, names):
    """Commands for Linux."""
    where = _where(plan, names)
    lines = ["ip link set %s up" % name for name in _names(plan, names)]
    lines += ["ip address add %s dev %s" % (address, where[side])
              for side, address in _addresses(plan)]
    lines += ["ip route add %s via %s" % route for route in _routes(plan)]
    if not plan.single:
        lines.append("ip link set %s mtu 1280" % names[1])
    lines += ["sysctl -w net.ipv4.ip_forward=1",
              "sysctl -w net.ipv4.conf.all.accept_source_route=1"]
    lines += ["sysctl -w net.ipv4.conf.%s.%s" % (name.replace(".", "/"), setting)
              for name in ["all"] + _names(plan, names)
              for setting in ("accept_source_route=1", "rp_filter=1")][1:]
    lines += ["sysctl -w net.ipv4.icmp_ratelimit=0",
              "sysctl -w net.ipv4.icmp_msgs_per_sec=100000",
              "sysctl -w net.ipv4.icmp_msgs_burst=10000"]
    return lines


def _where(plan, names):
    """{side: interface}"""
    return {IN: names[0], OUT: names[0] if plan.single else names[1]}


def _names(plan, names):
    return names[:1] if plan.single else names[:2]


def freebsd(plan, names):
    """Commands for FreeBSD."""
    where = _where(plan, names)
    lines = ["ifconfig %s inet %s alias up" % (where[side], address)
             for side, address in _addresses(plan)]
    lines += ["route add -net %s %s" % route for route in _routes(plan)]
    if not plan.single:
        lines.append("ifconfig %s mtu 1280" % names[1])
    lines += ["sysctl net.inet.ip.forwarding=1", "sysctl net.inet.ip.sourceroute=1",
              "sysctl net.inet.ip.accept_sourceroute=1", "sysctl net.inet.icmp.icmplim=0",
              "sysctl net.inet.ip.process_options=1"]
    return lines


def frr(plan, names):
    """Lines as FRR and IOS know them; FRR leaves what is no routing to the kernel."""
    lines = []
    for side, name in zip((IN, OUT), _names(plan, names)):
        sides = (IN, OUT) if plan.single else (side,)
        lines.append("interface %s" % name)
        first = True
        for each, address in _addresses(plan):
            if each in sides:
                lines.append(" ip address %s%s" % (address, "" if first else " secondary"))
                first = False
        if side == OUT:
            lines.append(" ip mtu 1280")
        lines += [" no shutdown", "!"]
    lines += ["ip route %s %s" % route for route in _routes(plan)]
    lines += ["ip source-route", "no ip icmp rate-limit unreachable",
              "! IOS: addresses and routes with a mask instead of a length",
              "! FRR: ip source-route, ip mtu and the rate limit are the kernel's"]
    return lines


STYLES = {"linux": ("Linux", linux), "freebsd": ("FreeBSD", freebsd),
          "frr": ("FRR and IOS", frr)}


def text(plan, style="all", names=("IN", "OUT")):
    """What `srconform config` prints."""
    names = list(names) + ["OUT"]
    parts = []
    if style in ("prose", "all"):
        picture = HEAD % plan.named
        parts.append(picture + "\n\n" + prose(plan))
    for key, (title, commands) in STYLES.items():
        if style in (key, "all"):
            mark = "!" if key == "frr" else "#"
            parts.append("\n".join(["%s %s" % (mark, title)] + commands(plan, names)))
    return "\n\n".join(parts)
