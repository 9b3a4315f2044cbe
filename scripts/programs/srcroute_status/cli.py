# SPDX-License-Identifier: GPL-2.0-only
"""The command line."""

import argparse
import json
import math
import shutil
import socket
import sys

from . import (FINE, NOT_LOADED, STOPPED, SYSTEM, USAGE, VERSION, StatusError, explain,
               live, netlink, obstacles, status)
from .system import System


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, without the usage of everything."""

    def error(self, message):
        raise StatusError("%s; srcroute-status --help shows what there is" % message,
                          USAGE)


def _seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError("%r is no number of seconds, which is more than 0 "
                                         "and at most 86400" % text)
    return value


def _number(what, least, most):
    """The type of an option."""
    def parse(text):
        try:
            value = int(text, 0)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError("%r is no %s, which is a number from %d to %d"
                                             % (text, what, least, most))
        return value
    return parse


def _address(text):
    """A number. Only dotted quads: no name, and no short forms."""
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        raise StatusError("%r is no IPv4 address, such as 192.0.2.1" % text,
                          USAGE) from None
    return netlink.number(text)


def _slots(text):
    slots = [] if text == "-" else [_address(one) for one in text.split(",")]
    if len(slots) > explain.SLOTS_MAX:
        raise StatusError("a source route has room for %d addresses, not for %d" % (
            explain.SLOTS_MAX, len(slots)), USAGE)
    return slots


PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17}


def _protocol(text):
    if text in PROTOCOLS:
        return PROTOCOLS[text]
    return _number("protocol: icmp, tcp, udp", 0, 255)(text)


def _datagram_options(parser):
    group = parser.add_argument_group("the datagram of --explain")
    group.add_argument("--in", dest="iface", metavar="IF", help="the interface that it "
                       "comes in by")
    group.add_argument("--strict", action="store_true", help="SSRR in place of LSRR")
    for name, least, most, value, what in (
            ("pointer", 0, 255, 4, "of the option"), ("ttl", 0, 255, 64, ""),
            ("size", 20, 65535, 0, "octets, with its header"), ("tos", 0, 255, 0, ""),
            ("mark", 0, 2**32 - 1, 0, "that nftables or tc has given it"),
            ("sport", 0, 65535, 0, "for rules of routing"),
            ("dport", 0, 65535, 0, "the same"), ("icmp-type", 0, 255, 8, ""),
            ("offset", 0, 8191, 0, "of a fragment, in units of 8 octets")):
        group.add_argument("--" + name, type=_number(name, least, most), metavar="N",
                           default=value, help=what + (
                               " (%d)" % value if value else ""))
    group.add_argument("--df", action="store_true", help="it must not be fragmented")
    group.add_argument("--proto", type=_protocol, default=17, metavar="P",
                       help="icmp, tcp, udp or a number (udp)")


def _parser():
    parser = Parser(
        prog="srcroute-status", description="What is this router doing with IPv4 source "
        "routes, and what stands in their way?", epilog="Exit status: 0 nothing stands in "
        "the way, 1 something does, 2 usage, 3 privilege, 4 the module is not loaded, 5 "
        "the system lacks something. With --explain 0 forwarded, 10 and more another "
        "outcome. See srcroute-status(1).")
    parser.add_argument("-V", "--version", action="version",
                        version="srcroute-status " + VERSION)
    parser.add_argument("-j", "--json", action="store_true", help="as JSON, for programs")
    parser.add_argument("-w", "--wait", metavar="SECONDS", type=_seconds,
                        help="count for so long, and show rates")
    parser.add_argument("--explain", nargs=3, metavar=("SRC", "DST", "ROUTE"),
                        help="what would become of a datagram with these addresses of the "
                        "header, and those of the option, with commas between them (- for "
                        "none); needs --in")
    parser.add_argument("--live", action="store_true", help="datagrams as they are decided, "
                        "until Ctrl-C, -w or -c; with --in, of one interface")
    parser.add_argument("-c", "--count", type=_number("count", 1, 2**31), metavar="N",
                        help="with --live: end after so many")
    parser.add_argument("--outcome", metavar="COUNTER", help="with --live: these alone")
    parser.add_argument("--address", metavar="A", help="with --live: those of this source, "
                        "destination, arrival or recorded address")
    _datagram_options(parser)
    return parser


def show_status(args):
    """The screen."""
    document = status.gather(System(), args.wait or 0)
    if args.json:
        print(json.dumps(document, indent=1))
    else:
        print(status.screen(document, shutil.get_terminal_size().columns
                            if sys.stdout.isatty() else None))
    if not document["loaded"]:
        return NOT_LOADED
    return STOPPED if any(one["severity"] == obstacles.STOPS
                          for one in document["obstacles"]) else FINE


def show_explanation(args):
    """--explain"""
    src, dst = map(_address, args.explain[:2])
    slots = _slots(args.explain[2])
    if not args.iface:
        raise StatusError("--explain wants --in INTERFACE, by which the datagram comes in",
                          USAGE)
    datagram = explain.Datagram(
        src, dst, slots, args.iface, args.strict, args.pointer, args.ttl, args.size,
        args.df, args.tos, args.mark, args.proto, (args.sport, args.dport),
        args.icmp_type, args.offset)
    router = explain.Router(System())
    router.check_interface(args.iface)
    document = explain.Explanation(router, datagram).document()
    print(json.dumps(document, indent=1) if args.json else explain.screen(document))
    return document["status"]


def show_live(args):
    """--live"""
    if args.address:
        _address(args.address)
    chosen = live.Filter(args.iface, args.outcome, args.address)
    lost = live.run(chosen, args.count, args.wait, lambda one: print(
        json.dumps(one) if args.json else live.line(one)))
    if lost:
        print("srcroute-status: %d events were lost: they came faster than they could be "
              "shown" % lost, file=sys.stderr)
    return FINE


def _check_mode(args):
    """Options that mean nothing where they stand."""
    if args.live and args.explain:
        raise StatusError("--live and --explain do not go together", USAGE)
    for name in ("count", "outcome", "address"):
        if getattr(args, name) and not args.live:
            raise StatusError("--%s goes with --live" % name, USAGE)
    if args.iface and not (args.live or args.explain):
        raise StatusError("--in goes with --explain or --live", USAGE)
    if args.explain and args.wait:
        raise StatusError("--wait does not go with --explain", USAGE)


def main(argv=None):
    """Carry out a command line; the exit status."""
    try:
        args = _parser().parse_args(argv)
        _check_mode(args)
        if args.live:
            return show_live(args)
        return show_explanation(args) if args.explain else show_status(args)
    except StatusError as error:
        text, code = error, error.status
    except KeyboardInterrupt:
        text, code = "interrupted", 130
    except OSError as error:
        text, code = error, SYSTEM
    sys.stdout.flush()
    print("srcroute-status: %s" % text, file=sys.stderr)
    return code
