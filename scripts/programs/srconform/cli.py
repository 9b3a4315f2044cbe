# SPDX-License-Identifier: GPL-2.0-only
"""The command line."""

import argparse
import importlib
import json
import sys

from . import VERSION, cases
from .bed import Bed
from .plan import Plan, Prefix
from .port import PortError
from .report import terminal
from .session import Session
from .tries import LineError
from .wiring import WiringError

CONFORMS, DEVIATES, USAGE, PRIVILEGE, DEVICE = 0, 1, 2, 3, 4
REPORTS = ("markdown", "html", "ktap", "junit")
PROFILES = ("rfc", "linux", "strict")


class UsageError(Exception):
    """A wrong command line that argparse does not find."""


def _plan_options(parser):
    parser.add_argument("--in", dest="inside", metavar="IF", default="",
                        help="the interface to the device's in side")
    parser.add_argument("--out", dest="outside", metavar="IF", default="",
                        help="... to its out side; without it, all goes by one interface")
    parser.add_argument("--dut", metavar="A,B", default="192.0.2.1,198.51.100.1",
                        help="the device's addresses (ADDRESS[/LENGTH], 24 by default)")
    parser.add_argument("--lab", metavar="PREFIX", default="198.18.0.0/16",
                        help="for everything else that is played (198.18.0.0/16)")


def _parser():
    parser = argparse.ArgumentParser(
        prog="srconform", description="What does a router do with IPv4 options? Asks it, "
        "rule by rule.", epilog="Exit status: 0 conforms, 1 deviates in a MUST, 2 usage, "
        "3 privilege, 4 device or wiring. See srconform(1).")
    parser.add_argument("--version", action="version", version="srconform " + VERSION)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    run = commands.add_parser("run", help="judge a device")
    _plan_options(run)
    run.add_argument("--profile", choices=PROFILES, default="rfc",
                     help="which permitted choices are taken for right")
    run.add_argument("--select", metavar="H,T", default="", help="families or cases")
    run.add_argument("-j", "--json", metavar="FILE", nargs="?", const="-",
                     help="the document, on standard output without FILE")
    for name, what in (("markdown", "Markdown"), ("html", "a page of HTML"),
                       ("ktap", "KTAP"), ("junit", "JUnit XML"),
                       ("pcapng", "all frames, a comment on each of a case")):
        run.add_argument("--" + name, metavar="FILE", help=what)
    run.add_argument("--all", action="store_true", help="show what conforms, too")
    run.add_argument("--name", default="", help="of the device, for the reports")
    run.add_argument("--seed", type=int, default=1, help="of the fuzz (1)")
    run.add_argument("--rounds", type=int, default=3, help="times each case is sent (3)")
    run.add_argument("--patience", type=float, default=8.0, metavar="SECONDS",
                     help="how long a device may be dead before it is given up (8)")
    run.add_argument("-q", "--quiet", action="store_true", help="no configuration at the "
                     "start, no progress")
    check = commands.add_parser("check", help="only look at wiring and configuration")
    _plan_options(check)
    config = commands.add_parser("config", help="the configuration that it expects")
    _plan_options(config)
    config.add_argument("--style", choices=("prose", "linux", "freebsd", "frr", "all"),
                        default="all")
    config.add_argument("--names", metavar="IN,OUT", default="IN,OUT",
                        help="the device's names of its interfaces")
    show = commands.add_parser("list", help="the cases")
    show.add_argument("--select", metavar="H,T", default="", help="families or cases")
    explain = commands.add_parser("explain", help="a case: its rule, and how to see it by "
                                  "hand")
    _plan_options(explain)
    explain.add_argument("cases", nargs="+", metavar="CASE")
    diff = commands.add_parser("diff", help="what differs between two runs")
    diff.add_argument("files", nargs=2, metavar="FILE.json")
    report = commands.add_parser("report", help="make reports of a document again")
    report.add_argument("file", metavar="FILE.json")
    for name in ("markdown", "html", "ktap", "junit"):
        report.add_argument("--" + name, metavar="FILE")
    several = commands.add_parser("matrix", help="several runs as one table of Markdown")
    several.add_argument("files", nargs="+", metavar="FILE.json")
    commands.add_parser("lab", help="run, with its options, on this machine's Linux in "
                        "network namespaces", prefix_chars=" ")
    return parser


def make_plan(args):
    """The Plan of the options."""
    single = not args.outside and bool(args.inside)
    dut = args.dut.split(",")
    try:
        for one in dut:
            Prefix(one)
        if not single and len(dut) != 2:
            raise UsageError("--dut wants two addresses, A,B")
        return Plan(dut[:1] if single else dut, args.lab, single)
    except (ValueError, OSError) as error:
        raise UsageError("--dut or --lab: %s" % error) from error


def _selected(text):
    try:
        return cases.select([word for word in text.split(",") if word])
    except ValueError as error:
        raise UsageError(str(error)) from error


def _bed(args):
    if not args.inside:
        raise UsageError("--in is wanted")
    return Bed(make_plan(args), args.inside, args.outside or None)


def _write(path, text):
    if path == "-":
        sys.stdout.write(text)
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def write_reports(args, document):
    """Those that were asked for."""
    for name in REPORTS:
        path = getattr(args, name)
        if path:
            module = importlib.import_module("srconform.report." + name)
            _write(path, module.text(document))


def run(args):
    """srconform run."""
    from . import config
    from .report import schema
    chosen = _selected(args.select)
    bed = _bed(args)
    try:
        if not args.quiet:
            sys.stderr.write(config.prose(bed.plan) + "\n")
        progress = terminal.Progress()
        session = Session(bed, args.profile, rounds=args.rounds, patience=args.patience,
                          seed=args.seed, say=(lambda *_: None) if args.quiet else progress)
        session.prepare()
        if not args.quiet:
            sys.stderr.write("".join("+ %s\n" % one for one in session.wiring.checks))
        session.run(chosen)
        if not args.quiet:
            progress.end()
        document = session.document(args.name)
        schema.check(document)
        if args.pcapng:
            from .report import capture
            capture.write(args.pcapng, bed.capture, session.results)
    finally:
        bed.close()
    if args.json:
        _write(args.json, json.dumps(document, indent=1) + "\n")
    write_reports(args, document)
    if args.json != "-":
        print(terminal.summary(document, args.all))
    return document["status"]


def check(args):
    """srconform check."""
    bed = _bed(args)
    try:
        session = Session(bed)
        session.prepare()
    finally:
        bed.close()
    for one in session.wiring.checks + sorted(session.wiring.lacks.values()):
        print("+ " + one)
    return CONFORMS


def show_config(args):
    """srconform config."""
    from . import config
    print(config.text(make_plan(args), args.style, args.names.split(",")))
    return CONFORMS


def show_list(args):
    """srconform list."""
    for case in _selected(args.select):
        print("%-4s %-7s %-24s %s" % (case.id, case.rule.level, "%s, %s" % (
            case.rule.rfc, case.rule.section.split(",")[0]), case.title))
    return CONFORMS


def explain_cases(args):
    """srconform explain."""
    from . import explain
    plan = make_plan(args)
    print("\n\n".join(explain.text(case, plan) for word in args.cases
                      for case in _selected(word)))
    return CONFORMS


def _load(path):
    from .report import schema
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        schema.check(document)
        return document
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError("%s: %s" % (path, error)) from error


def diff(args):
    """srconform diff."""
    from . import diff as differ
    text, same = differ.text(*[_load(path) for path in args.files], args.files)
    print(text)
    return CONFORMS if same else DEVIATES


def report(args):
    """srconform report."""
    write_reports(args, _load(args.file))
    return CONFORMS


def matrix(args):
    """srconform matrix."""
    from .report import matrix as page
    sys.stdout.write(page.text([_load(path) for path in args.files]))
    return CONFORMS


COMMANDS = {"run": run, "check": check, "config": show_config, "list": show_list,
            "explain": explain_cases, "diff": diff, "report": report, "matrix": matrix}


def main(argv=None):
    """The exit status."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["lab"]:     # all that follows is run's
        from . import lab
        return lab.main(argv[1:])
    parser = _parser()
    args = parser.parse_args(argv)
    if not args.command:
        parser.print_help()
        return USAGE
    try:
        return COMMANDS[args.command](args)
    except UsageError as error:
        status, text = USAGE, error
    except PermissionError as error:
        status, text = PRIVILEGE, "%s: CAP_NET_RAW is needed" % error
    except (PortError, WiringError, LineError) as error:
        status, text = DEVICE, error
    except KeyboardInterrupt:
        status, text = 130, "interrupted"
    print("srconform: %s" % text, file=sys.stderr)
    return status
