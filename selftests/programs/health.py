#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The metrics of scripts/programs/srcroute-metrics: S. The topology is drawn in
lib/standard.py.
"""

import json
import os
import re
import tempfile

from lib import ktap
from lib.ktap import check, equal, test
from lib.netns import Netns
from lib.packet import ip, lsrr, ssrr
from lib.standard import A, FAR, SRC, StandardBench

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../../scripts/programs/srcroute-metrics")
MONITORING = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "../../docs/monitoring")
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})?'
                    r' (\d+)')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\\n]|\\[\\"n])*)"')

bench = StandardBench()
bench.set(lsrr=1, ssrr=1)


def parse(text):
    """{(metric, labels): value}. Fails where Prometheus would: a sample without
    a type, metrics in pieces, a sample twice, no newline at the end."""
    check(text.endswith("\n"), "no newline at the end")
    types, samples, order = {}, {}, []
    for line in text.splitlines():
        if line.startswith("# "):
            _, word, name, rest = line.split(" ", 3)
            check(word in ("HELP", "TYPE"), line)
            if word == "TYPE":
                check(name not in types, "%s: two types" % name)
                check(rest in ("counter", "gauge"), line)
                types[name] = rest
            continue
        match = SAMPLE.fullmatch(line)
        check(match, "no sample: %s" % line)
        name = match[1]
        check(name in types, "%s: no type" % name)
        check(types[name] == "gauge" or name.endswith("_total"), name)
        if name not in order[-1:]:
            check(name not in order, "%s: in pieces" % name)
            order.append(name)
        labels = frozenset((key, re.sub(r"\\(.)", r"\1", value))
                           for key, value in LABEL.findall(match[2] or ""))
        check((name, labels) not in samples, "twice: %s" % line)
        samples[name, labels] = int(match[3])
    return samples


def expected(**more):
    """What /proc/net/srcroute says, as metrics."""
    samples = {("srcroute_loaded", frozenset(more.items())): 1}
    for (dev, counter), value in bench.router.counters().items():
        labels = dict(more, device=dev)
        name = "srcroute_%s_total" % counter
        if counter not in ("received", "icmp_suppressed"):
            name, labels["outcome"] = "srcroute_outcomes_total", counter
        samples[name, frozenset(labels.items())] = value
    return samples


@test("S: srcroute-metrics gives every counter of every interface, in the format "
      "of Prometheus")
def all_counters():
    bench.exchange("a", ip(SRC, A, lsrr(FAR)), ip(SRC, A, lsrr("127.0.0.1")),
                   ip(SRC, A, ssrr(FAR)))
    samples = parse(bench.router.run([SCRIPT]))
    equal(samples, expected(), "metrics")
    for counter, value in ("hop", 1), ("bad_next", 1), ("not_adjacent", 1):
        equal(samples["srcroute_outcomes_total", frozenset(
            {("device", "a"), ("outcome", counter)})], value, counter)


@test("S: ... an interface's odd name included")
def odd_name():
    name = 'q"\\{x'
    bench.router.run(["ip", "link", "add", "name", name, "type", "dummy"])
    ktap.cleanup(bench.router.run, ["ip", "link", "del", name])
    samples = parse(bench.router.run([SCRIPT]))
    check(("srcroute_received_total", frozenset({("device", name)})) in samples,
          "no metrics for %s" % name)
    equal(samples, expected(), "metrics")


@test("S: ... of a namespace by its name, with a label")
def named_namespace():
    here = Netns("outside")
    ktap.cleanup(here.close)
    text = here.run([SCRIPT, "-n", bench.router.name])
    equal(parse(text), expected(netns=bench.router.name), "metrics")
    text = here.run(SCRIPT + " -n srr-none || echo failed")
    check("failed" in text and "#" not in text,
          "a namespace that is not there: " + text)


@test("S: srcroute-metrics replaces a file at once, readable by all, and leaves "
      "nothing else")
def atomic():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "srcroute.prom")
        for _ in range(2):
            bench.router.run([SCRIPT, path])
            with open(path) as file:
                equal(parse(file.read()), expected(), "metrics")
            equal(os.stat(path).st_mode & 0o777, 0o644, "mode")
            equal(os.listdir(directory), ["srcroute.prom"], "directory")
        before = os.stat(path).st_ino
        bench.router.run([SCRIPT, path])
        check(os.stat(path).st_ino != before, "written in place")
        # A failure leaves it as it was.
        before = os.stat(path)
        bench.router.run([SCRIPT, "-n", "srr-none", path], check=False)
        equal(os.stat(path), before, "the file after a failure")
        equal(os.listdir(directory), ["srcroute.prom"], "directory")


def asked_for():
    """{metric: labels} that the dashboard and the alerts ask for."""
    with open(MONITORING + "/alerts.yml") as file:
        text = re.sub(r"^\s*#.*|^.*(?:summary|description): .*", "", file.read(),
                      flags=re.M)
    with open(MONITORING + "/dashboard.json") as file:
        board = json.load(file)
    queries = [one["query"] for one in board["templating"]["list"]]
    queries += [target["expr"] for panel in board["panels"]
                for target in panel["targets"]]
    found = {}
    for query in [text] + queries:
        for match in re.finditer(r"\b(srcroute_\w+|node_\w+)\s*(\{[^}]*\})?", query):
            found.setdefault(match[1], set()).update(
                re.findall(r"(\w+)\s*[!=]~?\"", match[2] or ""))
        for labels in re.findall(r"by \(([^)]*)\)", query):
            found.setdefault("by", set()).update(labels.split(", "))
    return found


@test("S: srcroute-metrics gives every metric and label that docs/monitoring/ asks for")
def monitored():
    with tempfile.TemporaryDirectory() as directory:
        # One for whose settings there was no memory, as well.
        fake = os.path.join(directory, "cat")
        with open(fake, "w") as file:
            file.write('#!/bin/sh\n/bin/cat "$@" && echo c unavailable 1\n')
        os.chmod(fake, 0o755)
        text = bench.router.run([SCRIPT], env={**os.environ, "PATH": directory + ":" +
                                               os.environ["PATH"]})
    given = {}
    for name, labels in parse(text):
        given.setdefault(name, {"instance"}).update(key for key, _ in labels)
    check("srcroute_unavailable" in given, "no srcroute_unavailable")
    # Of node_exporter, for each file that it has read.
    given["node_textfile_mtime_seconds"] = {"instance", "file"}
    given["by"] = given["srcroute_outcomes_total"]
    asked = asked_for()
    check(len(asked) >= 7, "asked for: %s" % sorted(asked))
    for name, labels in asked.items():
        check(name in given, "%s is no metric" % name)
        check(labels <= given[name], "%s: labels %s" % (name, sorted(labels)))


if __name__ == "__main__":
    ktap.main(bench.close)
