# SPDX-License-Identifier: GPL-2.0-only
"""Is the device connected and configured as config.py says? Asked with ordinary
datagrams, so that a case never fails for a cable or a route.
"""

import struct

from . import wire
from .option import Loose
from .plan import IN, OUT
from .runner import MAGIC

FORWARD, NO_ROUTE = "forwarded", "no route"


class WiringError(Exception):
    """What is wrong, in words for the person at the device."""


class _Probe:
    """One ordinary datagram, and what came of it."""

    def __init__(self):
        self.answers = []

    def add(self, _, answer):
        self.answers.append(answer)

    @property
    def out(self):
        return next((a for a in self.answers if a.kind == "out"), None)

    @property
    def error(self):
        return next((a for a in self.answers if a.kind == "error"), None)


class Wiring:
    """Carries out the checks; `checks` is what was found, `lacks` what cases cannot
    have, with the reason."""

    def __init__(self, runner):
        self.runner, self.bed, self.plan = runner, runner.bed, runner.plan
        self.checks, self.lacks = [], {}

    def probe(self, src, dst, side=IN, *, size=0, frag=0, options=(), tries=3):
        """Send until something comes."""
        probe = _Probe()
        for _ in range(tries):
            token, ident = self.runner.new_token(probe, 0)
            source = self.runner.new_source()
            resolve = lambda name: self.plan.resolve(name, source)  # noqa: E731,B023
            body = (MAGIC + struct.pack("!I", token)).ljust(size, b"\0")
            octets = wire.build(resolve(src), resolve(dst), b"".join(
                o.octets(resolve) for o in options), wire.udp(body), ident=ident,
                frag=frag)
            self.bed.send(side, octets, resolve(src))
            if self.bed.pump(1.0, lambda: probe.answers):
                break
        return probe

    def note(self, text):
        self.checks.append(text)

    def run(self):
        """All checks; WiringError ends them."""
        self.hardware()
        self.ways()
        self.extras()

    def hardware(self):
        missing = self.bed.find_dut()
        if self.bed.looped:
            raise WiringError("%s and %s are on the same wire: what is sent on one comes "
                              "back on the other; with one wire use --in alone"
                              % (self.bed.ports[IN].name, self.bed.ports[OUT].name))
        for side, address in missing:
            self._missing(side, address)
        self.note("the device answers ARP for %s" % ", ".join(
            self.plan.own(IN) + [a for a in self.plan.own(OUT)
                                 if a not in self.plan.own(IN)]))

    def _missing(self, side, address):
        port = self.bed.ports[side].name
        others = [a for a in self.plan.own(side) if a in self.bed.claims[side]]
        if others:
            raise WiringError(
                "the device answers for %s on %s, but nobody does for %s: add that "
                "address to the same interface (srconform config shows how)"
                % (others[0], port, address))
        if not self.plan.single and self.bed.other_side(side, address):
            raise WiringError("somebody answers for %s on the other side: are the "
                              "interfaces swapped?" % address)
        raise WiringError(
            "nobody answers ARP for %s on %s: is the cable there, is the device's "
            "interface up, has it the address %s?" % (address, port, address))

    def ways(self):
        """The routes, each with its own word if it is missing."""
        names = self.plan.named
        wanted = [
            ("m", "n", IN, "between its own links"),
            ("s", "n", IN, "from %s to its own links" % self.plan.far_in),
            ("s", "F", IN, "to %s by %s" % (self.plan.far_out, names["GB"])),
            ("F", "s", OUT, "to %s by %s" % (self.plan.far_in, names["GA"]))]
        if "n2" in names:
            wanted.append(("s", "n2", IN, "to %s" % self.plan.links[OUT][1]))
        for src, dst, side, text in wanted:
            self._way(src, dst, side, text)
            self.note("it forwards %s" % text)

    def _way(self, src, dst, side, text):
        probe = self.probe(src, dst, side)
        goal = self.plan.resolve(dst)
        if probe.out:
            expected = OUT if side == IN else IN
            if probe.out.side != expected and not self.plan.single:
                raise WiringError("the device sends %s out by the %s side; by the %s side "
                                  "was expected: are the interfaces swapped?"
                                  % (goal, probe.out.side, expected))
            hop = self.plan.route(self.plan.resolve(dst, self.plan.source(0)))[1]
            if probe.out.mac != self.plan.mac(probe.out.side, hop):
                raise WiringError("the device sends %s to another gateway than %s"
                                  % (goal, hop))
            return
        if probe.error:
            error = probe.error.error
            raise WiringError(
                "the device does not forward %s: it answers ICMP %d/%d (%s); is there a "
                "route, and is forwarding on?" % (text, error.type, error.code,
                                                  wire_word(error.type, error.code)))
        asked = goal in self.bed.asked[OUT if side == IN else IN]
        raise WiringError(
            "the device does not forward %s, and says nothing: is forwarding on (Linux: "
            "net.ipv4.ip_forward=1), is a filter in the way, is reverse-path filtering "
            "strict without a route back?%s" % (text, " It has asked by ARP for %s and "
                                                "was answered." % goal if asked else ""))

    def extras(self):
        """What only some cases need."""
        if self.plan.single:
            self.lacks["two"] = "needs a second interface (--out)"
        if self.probe("s", "X", tries=2).out:
            self.lacks["nowhere"] = "the device has a route to %s (a default route?)" \
                % self.plan.nowhere
        else:
            self.note("it has no route to %s" % self.plan.nowhere)
        if self.plan.single:
            self.lacks["mtu"] = "needs a second interface (--out)"
        elif self._passes_whole(self.probe("s", "F", size=1400 - 28, frag=wire.DF)):
            self.lacks["mtu"] = "the out side takes 1,400 octets: set its MTU to 1,280"
        else:
            self.note("the MTU of its out side is below 1,400")
        if not self.probe("s", "A", options=[Loose("n")]).out:
            self.note("WARNING: it does not forward a loose source route: are source "
                      "routes on? Cases about them will not get what they expect")

    @staticmethod
    def _passes_whole(probe):
        """A device may fragment it in spite of DF: cases tell of that."""
        return probe.out and not probe.out.datagram.frag & (wire.MF | 0x1FFF)


def wire_word(type_, code):
    return {(3, 0): "network unreachable", (3, 1): "host unreachable",
            (3, 9): "network prohibited", (3, 10): "host prohibited",
            (3, 13): "administratively prohibited", (3, 5): "source route failed",
            (11, 0): "TTL exceeded", (12, 0): "parameter problem",
            (3, 4): "fragmentation needed"}.get((type_, code), "other")
