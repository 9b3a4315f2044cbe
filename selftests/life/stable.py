#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What docs/stability.md promises: the interface of the last release, as
selftests/interface.json has it, is there still.

What is gone stands there too, with the words by which CHANGELOG.md says so.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess

from lib.ktap import check, equal, main, test
from lib.netns import Netns

TOP = pathlib.Path(__file__).resolve().parents[2]
KEPT = json.loads((TOP / "selftests/interface.json").read_text())
RELEASE = next(name for name in KEPT if re.match(r"\d", name))
OLD, GONE = KEPT[RELEASE], KEPT["gone since " + RELEASE]
EVENTS = "/sys/kernel/tracing/events/srcroute"
CONF = "/proc/sys/net/ipv4/srcroute/conf/"
SRTRACE = (os.environ.get("SRTRACE") or shutil.which("srtrace", path=os.pathsep.join(
    [str(TOP / "out/srtrace"), os.environ["PATH"]])))
router = Netns("stable")


def still(names):
    """Those that are promised to be there."""
    return [name for name in names if name not in GONE]


@test("Interface: every setting of the last release is there, with its default and "
      "its highest value")
def settings():
    for name, (most, initial) in OLD["settings"].items():
        for scope in "all", "default", "lo":
            path = CONF + scope + "/" + name
            equal(router.sysctl(path), str(initial), path)
            router.sysctl(path, most)
            equal(router.sysctl(path), str(most), path)
            router.sysctl(path, initial)
    equal(router.sysctl("net.ipv4.srcroute.router_id"), OLD["router_id"], "router_id")


@test("S: every counter of the last release is there, and each reason has its number")
def counters():
    names = [name for dev, name in router.counters() if dev == "lo"]
    for name in still(OLD["counters beside"]):
        check(name in names, name)
    outcomes = [name for name in names if name not in ("received", "icmp_suppressed")]
    equal(outcomes[:len(OLD["outcomes"])], [name for name, _ in OLD["outcomes"]], "order")
    with router.open("/proc/net/srcroute") as file:
        for line in file:
            check(re.fullmatch(r"\S+ [a-z_]+ \d+\n", line), line)


@test("I1, S: each outcome of the last release has the ICMP error that it had")
def errors():
    table = (TOP / "include/srcroute/outcome.h").read_text()
    now = {name: None if kind == "0" else "%s/%s" % (kind, code) for name, kind, code in
           re.findall(r'X\(\w+, "(\w+)", (\d+), (\d+),', table)}
    for name, error in OLD["outcomes"]:
        equal(now[name], error, name)


@test("Interface: every tracepoint of the last release has the fields that it had, "
      "of the same type")
def tracepoints():
    for event, fields in OLD["tracepoints"].items():
        with open("%s/%s/format" % (EVENTS, event)) as file:
            now = {name: (kind, int(size or 0)) for kind, name, size in re.findall(
                r"field:(\w+) (\w+)(?:\[(\d+)\])?;", file.read())}
        for kind, name, size in fields:
            equal(now.get(name), (kind, size), "%s: %s" % (event, name))


@test("S: every metric of the last release is there, with its labels")
def metrics():
    text = router.run([str(TOP / "scripts/programs/srcroute-metrics")])
    for name, labels in OLD["metrics"].items():
        if name in GONE or name == "srcroute_unavailable":  # if there is one
            continue
        found = re.search(r"^%s(?:\{(.*)\})? \d+$" % name, text, re.M)
        check(found, name)
        equal(re.findall(r'(\w+)="', found[1] or ""), labels, name)


@test("srtrace: every option of the last release is told of, and a wrong one has the "
      "exit status that it had")
def tracer():
    usage = subprocess.run([SRTRACE, "-h"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout
    for option in OLD["srtrace options"]:
        check(option in ("-help", "-version") or
              re.search(r"[ ,]-%s\b" % option, usage), option)
    for words, status in (["--help"], 0), (["--version"], 0), (["-V"], 0), \
            (["--no-such"], 2), ([], 2):
        done = subprocess.run([SRTRACE, *words], check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        equal(done.returncode, status, words)


@test("Interface: what is gone since the last release, CHANGELOG.md says")
def gone():
    text = " ".join((TOP / "CHANGELOG.md").read_text().split("\n## %s" % RELEASE)[0].split())
    for name, words in GONE.items():
        check(words in text, "%s: no '%s'" % (name, words))


if __name__ == "__main__":
    main(router.close)
