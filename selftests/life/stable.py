#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What docs/stability.md promises: the interface of the last release, as
selftests/interface.json has it, is there still.

What is gone stands there too, with the words by which CHANGELOG.md says so.

    stable.py --print    that file anew, for a release that has what is here
"""

import json
import os
import pathlib
import re
import subprocess
import sys

from lib.ktap import check, equal, main, test
from lib.netns import Netns
from lib.tracer import PROGRAM

TOP = pathlib.Path(__file__).resolve().parents[2]
KEPT = json.loads((TOP / "selftests/interface.json").read_text())
RELEASE = next(name for name in KEPT if re.match(r"\d", name))
OLD, GONE = KEPT[RELEASE], KEPT["gone since " + RELEASE]
EVENTS = "/sys/kernel/tracing/events/srcroute"
CONF = "/proc/sys/net/ipv4/srcroute/conf/"
SCRIPTS = TOP / "scripts/programs"
# How each program is asked for its options, and its man page.
ASKED = {"srtrace": ([[PROGRAM, "-h"]], "srtrace.8"),
         "srcroute-status": ([[SCRIPTS / "srcroute_status/srcroute-status", "-h"]],
                             "srcroute-status.1"),
         # "lab" has those of "run", too; the interpreter takes seconds to start in a guest.
         "srconform": ([[SCRIPTS / "srconform/srconform", *words, "-h"]
                        for words in ([], ["lab"], ["config"])], "srconform.1")}
SCHEMAS = ("docs/srtrace.schema.json", "docs/srcroute-status.schema.json",
           "scripts/programs/srconform/report/schema.json")
router = Netns("stable")


def settings():
    """Of each its highest value and its default."""
    found = {}
    with router:
        names = sorted(os.listdir(CONF + "lo"))
    for name in names:
        path = CONF + "lo/" + name
        initial = int(router.sysctl(path))
        for most in (2 ** 32 - 1, *range(9, -1, -1)):
            try:
                router.sysctl(path, most)
            except OSError:
                continue
            found[name] = [most, initial]
            break
        router.sysctl(path, initial)
    return found


def outcomes():
    """In order, each with its ICMP error."""
    table = (TOP / "include/srcroute/outcome.h").read_text()
    return [[name, None if kind == "0" else "%s/%s" % (kind, code)] for name, kind, code in
            re.findall(r'X\(\w+, "(\w+)", (\d+), (\d+),', table)]


def counters():
    return [name for dev, name in router.counters() if dev == "lo"]


def tracepoints():
    """Of each the fields: type, name, size of an array."""
    found = {}
    for event in sorted(os.listdir(EVENTS)):
        path = "%s/%s/format" % (EVENTS, event)
        if not os.path.exists(path):
            continue
        with open(path) as file:
            found[event] = [[kind, name, int(size or 0)] for kind, name, size in re.findall(
                r"field:(\w+) (\w+)(?:\[(\d+)\])?;", file.read())
                if not name.startswith("common_")]
    return found


def metrics():
    text = router.run([str(SCRIPTS / "srcroute-metrics")])
    return {name: re.findall(r'(\w+)="', labels or "") for name, labels in
            re.findall(r"^(\w+)(?:\{(.*)\})? \d+$", text, re.M)}


def options(program):
    found = set()
    for command in ASKED[program][0]:
        text = subprocess.run(command, check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        found.update(re.findall(r"(?<![\w-])--?[A-Za-z0-9][\w-]*", text))
    return sorted(found)


def statuses(program):
    text = (TOP / "docs/man" / ASKED[program][1]).read_text()
    return re.findall(r"^\.It (\d+)$",
                      text.split(".Sh EXIT STATUS")[1].split("\n.Sh ")[0], re.M)


def members(schema, path=""):
    """Paths of all properties that a document may have."""
    found = set()
    if isinstance(schema, list):
        for part in schema:
            found |= members(part, path)
    elif isinstance(schema, dict):
        for key, part in schema.items():
            if key == "properties":
                for name, value in part.items():
                    found |= {path + "/" + name} | members(value, path + "/" + name)
            elif key in ("$defs", "definitions"):
                for name, value in part.items():
                    found |= members(value, path + "#" + name)
            else:
                found |= members(part, path)
    return found


def cases():
    text = subprocess.run([SCRIPTS / "srconform/srconform", "list"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return re.findall(r"^([A-Z]+\d+)\b", text, re.M)


def rules():
    return re.findall(r"^- ([A-Z]\d+) ", (TOP / "docs/SPEC.md").read_text(), re.M)


def offered():
    """All that, as text: a line for each kind."""
    version = re.match(r"\w+ \((.*?)\)", (TOP / "debian/changelog").read_text())[1]
    now = {"settings": settings(), "router_id": router.sysctl("net.ipv4.srcroute.router_id"),
           "outcomes": outcomes(),
           "counters beside": [name for name in counters()
                               if name not in dict(outcomes())],
           "tracepoints": tracepoints(), "metrics": metrics(),
           "options": {program: " ".join(options(program)) for program in ASKED},
           "exit statuses": {program: " ".join(statuses(program)) for program in ASKED},
           "members": {path: " ".join(sorted(members(json.loads((TOP / path).read_text()))))
                       for path in SCHEMAS},
           "cases of srconform": " ".join(cases()), "rules": " ".join(rules())}
    return "{\n%s,\n%s: {\n%s\n },\n%s: {}\n}" % (
        ' "SPDX-License-Identifier": "GPL-2.0-only"', ' "%s"' % version,
        ",\n".join("  %s: %s" % (json.dumps(kind), json.dumps(value))
                   for kind, value in now.items()),
        ' "gone since %s"' % version)


def still(old, now, what):
    """All of old, but for what is known to be gone, is in now."""
    missing = [name for name in old if name not in now and name not in GONE]
    equal(missing, [], what)


@test("Interface: every setting of the last release is there, with its default and "
      "its highest value")
def settings_stay():
    for name, (most, initial) in OLD["settings"].items():
        for scope in "all", "default", "lo":
            path = CONF + scope + "/" + name
            equal(router.sysctl(path), str(initial), path)
            router.sysctl(path, most)
            equal(router.sysctl(path), str(most), path)
            router.sysctl(path, initial)
    equal(router.sysctl("net.ipv4.srcroute.router_id"), OLD["router_id"], "router_id")


@test("S: every counter of the last release is there, and each reason has its number")
def counters_stay():
    names = counters()
    still(OLD["counters beside"], names, "counters")
    names = [name for name in names if name in dict(outcomes())]
    equal(names[:len(OLD["outcomes"])], [name for name, _ in OLD["outcomes"]], "order")
    with router.open("/proc/net/srcroute") as file:
        for line in file:
            check(re.fullmatch(r"\S+ [a-z_]+ \d+\n", line), line)


@test("I1, S: each outcome of the last release has the ICMP error that it had")
def errors_stay():
    now = dict(outcomes())
    for name, error in OLD["outcomes"]:
        equal(now[name], error, name)


@test("Interface: every tracepoint of the last release has the fields that it had, "
      "of the same type")
def tracepoints_stay():
    now = tracepoints()
    for event, fields in OLD["tracepoints"].items():
        still(map(tuple, fields), map(tuple, now[event]), event)


@test("S: every metric of the last release is there, with its labels")
def metrics_stay():
    now = metrics()
    still(OLD["metrics"], now, "metrics")
    for name, labels in OLD["metrics"].items():
        if name not in GONE:
            equal(now[name], labels, name)


@test("Interface: programs have the options and exit statuses of the last release, and a "
      "wrong option is one of usage")
def programs_stay():
    for program in ASKED:
        still(OLD["options"][program].split(), options(program), program)
        equal(statuses(program), OLD["exit statuses"][program].split(), program)
        asked = [(["--version"], 0), (["--no-such"], 2)]
        if program == "srtrace":
            asked += [(["--help"], 0), (["-V"], 0), ([], 2)]
        for words, status in asked:
            done = subprocess.run([ASKED[program][0][0][0], *words], check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            equal(done.returncode, status, [program, *words])


@test("Interface: JSON has every member of the last release")
def members_stay():
    for path in SCHEMAS:
        still(OLD["members"][path].split(), members(json.loads((TOP / path).read_text())), path)


@test("Interface: srconform has every case of the last release, and the contract every rule")
def ids_stay():
    still(OLD["cases of srconform"].split(), cases(), "cases")
    still(OLD["rules"].split(), rules(), "rules")


@test("Interface: what is gone since the last release, CHANGELOG.md says")
def gone():
    text = " ".join((TOP / "CHANGELOG.md").read_text().split("\n## %s" % RELEASE)[0].split())
    for name, words in GONE.items():
        check(words in text, "%s: no '%s'" % (name, words))


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        print(offered())
        router.close()
    else:
        main(router.close)
