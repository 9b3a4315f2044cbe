#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The recipes of docs/filtering.md, taken out of the page and run: C1, C2, C4,
and the mark. The topology is drawn in lib/standard.py.
"""

import functools
import os
import re

from lib import ktap, packet
from lib.ktap import check, equal, test
from lib.nft import nft
from lib.packet import edit, ip, lsrr, ssrr
from lib.standard import (A, B, FAR, NEXT, NEXT_C, SRC, StandardBench, expect,
                          expect_error, expect_nothing, expect_one)

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../docs/filtering.md")
STRANGER = "10.1.3.77"

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)
tested = set()
dropped = []  # by the recipe of this test: (link, datagram)


def read_recipes():
    """{heading: [(language, block)]} of the page; headings without blocks are
    left out."""
    found, heading = {}, None
    with open(PAGE) as page:
        text = page.read()
    for match in re.finditer(r"^## ([^\n]+)$|^```(\w+)\n(.*?)^```$", text,
                             re.M | re.S):
        if match[1]:
            heading = match[1]
        else:
            found.setdefault(heading, []).append((match[2], match[3]))
    return found


RECIPES = read_recipes()


def undo():
    nft(bench.router, "flush ruleset")
    bench.set(lsrr=1, ssrr=1, mark=0)


def load(heading):
    ktap.cleanup(undo)
    for language, block in RECIPES[heading]:
        command = {"nft": ["nft", "-f", "-"], "sh": ["sh", "-e"]}[language]
        bench.router.run(command, input=block)
    # What tells the bench that all has come out is no part of the recipe.
    if "hook forward" in nft(bench.router, "list ruleset"):
        nft(bench.router, "insert rule inet srcroute forward ip saddr %s "
            "accept" % bench.MARKER)


def recipe(heading):
    """A test that begins with the recipe loaded. What the recipe has dropped has
    to pass when it is gone."""
    tested.add(heading)

    def decorate(function):
        @functools.wraps(function)
        def run():
            dropped.clear()
            load(heading)
            function()
            undo()
            for by, sent in dropped:
                out = bench.exchange(by, sent)
                check(out, "dropped without the recipe: %s" %
                      packet.Packet(sent))
        return run
    return decorate


def passes(sent, link, **changed):
    expect(bench.exchange("a", sent), {link: [edit(sent, ttl=63, **changed)]})


def hit_passes(slot, link="b", recorded=B):
    passes(ip(SRC, A, lsrr(slot)), link, dst=slot,
           options=lsrr(recorded, ptr=8))


def is_dropped(sent, by="a"):
    expect_nothing(bench.exchange(by, sent))
    dropped.append((by, sent))


def hit_is_dropped(slot):
    is_dropped(ip(SRC, A, lsrr(slot)))


def counted():
    """Packets of the counters of the ruleset."""
    text = nft(bench.router, "list ruleset")
    return sum(int(n) for n in re.findall(r"counter packets (\d+)", text))


@test("C1: recipe: source routes to some networks only, the rest untouched")
@recipe("To some networks only")
def some_networks():
    hit_passes(FAR)
    hit_is_dropped(NEXT_C)
    is_dropped(ip(SRC, NEXT_C, lsrr(FAR)))
    equal(counted(), 2, "counter")
    passes(ip(SRC, NEXT_C), "c")


@test("C2, C4: recipe: a stateful firewall lets source routes by their mark, "
      "and the errors about them")
@recipe("A stateful firewall")
def stateful():
    hit_passes(FAR)
    hit_is_dropped(NEXT_C)
    passes(ip(SRC, NEXT_C), "c")
    refused = ip(SRC, A, lsrr("127.0.0.1"))
    expect_error(bench.exchange("a", refused), 3, 5, refused)
    strict = ip(SRC, A, ssrr(FAR))
    expect_error(bench.exchange("a", strict), 3, 5, strict)
    bench.set(mark=0)
    hit_is_dropped(FAR)


@test("C1: recipe: options from some hosts only")
@recipe("From some hosts only")
def some_hosts():
    hit_passes(FAR)
    is_dropped(ip(STRANGER, A, lsrr(FAR)))
    is_dropped(ip(STRANGER, A, lsrr(B, FAR, ptr=8)))
    equal(counted(), 2, "counter")
    passes(ip(STRANGER, FAR), "b")


@test("C1: recipe: hits pass, loose routes for other routers do not")
@recipe("For this router only, none in transit")
def no_transit():
    hit_passes(FAR)
    is_dropped(ip(SRC, "10.9.5.5", lsrr(FAR)))
    equal(counted(), 1, "counter")
    passes(ip(SRC, FAR), "b")


@test("C2: recipe: source routes do not get past masquerading, answers do")
@recipe("Not past masquerading")
def masquerading():
    intruder = ip(NEXT, B, lsrr(SRC))
    is_dropped(intruder, by="b")
    equal(counted(), 1, "counter")
    out = packet.Packet(expect_one(bench.exchange("a", ip(SRC, FAR)), "b"))
    equal(out.src, B, "source, translated")
    answer = ip(FAR, B, payload=packet.udp(sport=9, dport=4000))
    out = packet.Packet(expect_one(bench.exchange("b", answer), "a"))
    equal(out.dst, SRC, "destination, translated back")


@test("C1: recipe: source routes at a limited rate, the rest at any")
@recipe("A limited rate")
def limited():
    out = bench.exchange("a", *[ip(SRC, A, lsrr(FAR))] * 20)
    # A slow machine may take some seconds.
    check(5 <= len(out["b"]) <= 9, "%d of 20" % len(out["b"]))
    equal(counted(), 20 - len(out["b"]), "counter")
    out = bench.exchange("a", *[ip(SRC, FAR)] * 20)
    equal(len(out["b"]), 20, "ordinary ones")


@test("C1: recipe: a counter for every source and next hop")
@recipe("Who sends them where")
def who_where():
    bench.exchange("a", *[ip(SRC, A, lsrr(FAR))] * 2, ip(SRC, FAR),
                   ip(STRANGER, A, lsrr(NEXT_C)))
    text = nft(bench.router, "list set inet srcroute seen")
    seen = {(src, dst): int(n) for src, dst, n in re.findall(
        r"(\S+) \. (\S+) counter packets (\d+)", text)}
    # The first datagram makes the entry; what its counter says of it is nft's.
    equal(sorted(seen), sorted([(SRC, FAR), (STRANGER, NEXT_C)]), "entries")
    check(seen[SRC, FAR] > seen[STRANGER, NEXT_C], "counters: %s" % seen)


@test("Interface: recipe: source routes go another way than the rest")
@recipe("Another way than the rest")
def another_way():
    ktap.cleanup(bench.router.ip, "rule del fwmark 0x100/0x100",
                 "route flush table 100")
    hit_passes(FAR, "c", "10.3.0.1")
    passes(ip(SRC, FAR), "b")


@test("O2: recipe: none, and the source is told")
@recipe("None, and the source is told")
def none():
    for options in lsrr(FAR), ssrr(NEXT):
        sent = ip(SRC, A, options)
        expect_error(bench.exchange("a", sent), 3, 13, sent)
    passes(ip(SRC, FAR), "b")


@test("C1: every recipe of docs/filtering.md has a test here")
def all_tested():
    equal(sorted(tested), sorted(RECIPES), "recipes")


if __name__ == "__main__":
    ktap.main(bench.close)
