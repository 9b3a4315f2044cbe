# SPDX-License-Identifier: GPL-2.0-only
"""All frames as pcapng, with a comment on each frame of a case: which case and rule it
belongs to, and what came of it. Wireshark shows it as frame.comment.
"""

import struct

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_COMMENT, _NAME, _RESOLUTION, _APPLICATION = 1, 2, 9, 4


def _option(code, value):
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def _block(kind, body):
    body += b"\0" * (-len(body) % 4)
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _section():
    body = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    return _block(_SECTION, body + _option(_APPLICATION, b"srconform") + _option(0, b""))


def _interface(name):
    return _block(_INTERFACE, struct.pack("<HHI", 1, 0, 0) +
                  _option(_NAME, name.encode()) + _option(_RESOLUTION, b"\x09") +
                  _option(0, b""))


def _packet(frame, number, comment):
    when = int(frame.time * 1e9)
    body = struct.pack("<IIIII", number, when >> 32, when & 0xFFFFFFFF,
                       len(frame.octets), len(frame.octets))
    body += frame.octets + b"\0" * (-len(frame.octets) % 4)
    if comment:
        body += _option(_COMMENT, comment.encode()) + _option(0, b"")
    return _block(_PACKET, body)


def comments(results):
    """{frame: text} for what the cases have sent, and by id for what has come."""
    texts, sent = {}, {}
    for case, result in results.items():
        texts[case.id] = "%s: %s. %s [%s%s]" % (
            case.id, case.title, case.rule, result.outcome,
            ": " + result.why if result.why else "")
        for one in result.tries:
            sent.update(dict.fromkeys(one.frames, case.id))
    return texts, sent


def write(path, frames, results):
    """The file."""
    texts, sent = comments(results)
    sides = ("in", "out")
    with open(path, "wb") as file:
        file.write(_section() + b"".join(_interface(side) for side in sides))
        for frame in sorted(frames, key=lambda f: f.time):
            case = sent.get(frame, frame.comment)
            text = texts.get(case, "")
            if text:
                text = ("sent by " if frame.sent else "came back for ") + text
            file.write(_packet(frame, sides.index(frame.side), text))
