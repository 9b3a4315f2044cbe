# SPDX-License-Identifier: GPL-2.0-only
"""What is sent and what belongs to it: a case sent once, an ordinary datagram, and the
line that these tell of.
"""


class LineError(Exception):
    """Too much gets lost."""


class Try:
    """A case sent once."""

    def __init__(self, case, source):
        self.case, self.source = case, source
        self.sent = []          # (side, octets)
        self.answers = {}       # {index of sent: [Answer]}
        self.marked = False
        self.frames = []

    def add(self, index, answer):
        self.answers.setdefault(index, []).append(answer)


class Mark:
    """The ordinary datagram behind a try, or one of a flow."""

    def __init__(self, owner=None):
        self.owner, self.sent, self.came, self.copies = owner, 0.0, 0.0, 0
        self.hop = None     # (side, hardware address) where it came

    def add(self, _, answer):
        self.copies += 1
        self.hop = self.hop or (answer.side, answer.mac)
        self.came = self.came or answer.time
        if self.owner:
            self.owner.marked = True


class Line:
    """What the way through the device is like, by ordinary datagrams."""

    def __init__(self, marks):
        came = [m for m in marks if m.came]
        times = sorted(m.came - m.sent for m in came)
        self.sent, self.lost = len(marks), len(marks) - len(came)
        self.copies = sum(m.copies for m in came) - len(came)
        self.median = times[len(times) // 2] if times else 0.0
        self.worst = times[-1] if times else 0.0

    @property
    def loss(self):
        return self.lost / self.sent if self.sent else 0.0

    def as_dict(self):
        return {"sent": self.sent, "lost": self.lost, "copies": self.copies,
                "median_ms": round(self.median * 1000, 3),
                "worst_ms": round(self.worst * 1000, 3)}
