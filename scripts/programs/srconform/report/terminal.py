# SPDX-License-Identifier: GPL-2.0-only
"""For a terminal: how far a run is, and its summary."""

import sys
import time

from ..case import CONFORMS, OUTCOMES

MARKS = {CONFORMS: "ok", "permitted choice": "may", "deviates (MUST)": "MUST",
         "deviates (SHOULD)": "SHOULD", "silent": "silent", "dead": "DEAD",
         "not applicable": "n/a"}


class Progress:
    """One line that is written over, if the terminal can; else nothing."""

    def __init__(self, stream=sys.stderr, every=0.2):
        self.stream, self.every = stream, every
        self.begun, self.last = time.monotonic(), 0.0

    def __call__(self, done, total, text):
        now = time.monotonic()
        if not self.stream.isatty() or now - self.last < self.every:
            return
        self.last = now
        spent = now - self.begun
        left = spent / done * (total - done) if done else 0
        self.stream.write("\r\x1b[K%3d%%  %d of %d, about %d s left: %s" % (
            100 * done // max(total, 1), done, total, left, text))
        self.stream.flush()

    def end(self):
        if self.stream.isatty():
            self.stream.write("\r\x1b[K")
            self.stream.flush()


def summary(document, everything=False):
    """Lines: what does not conform, or all; then the counts."""
    lines = []
    for row in document["cases"]:
        if everything or row["outcome"] not in (CONFORMS, "not applicable"):
            lines.append("%-6s %-4s %s" % (MARKS[row["outcome"]], row["id"], row["title"]))
            if row["why"]:
                lines.append("%12s%s" % ("", row["why"]))
    counts = ["%d %s" % (document["counts"][o], o) for o in OUTCOMES
              if document["counts"][o]]
    line = document["line"]
    lines.append("%d cases in %.0f s: %s" % (len(document["cases"]), document["seconds"],
                                             ", ".join(counts)))
    lines.append("the line: %d of %d lost, %.1f ms" % (line["lost"], line["sent"],
                                                       line["median_ms"]))
    return "\n".join(lines)
