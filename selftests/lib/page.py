# SPDX-License-Identifier: GPL-2.0-only
"""Pages as a program reads them: docs/lab.md with its map and exercises, the
examples, README.md.

A fenced block of `sh` is what the reader types, and `on=NODE` behind it says where;
the block of `text` below it is what comes out, where `...` stands for anything,
within a line or as one.
"""

import os
import re

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
LAB = "docs/lab.md"
PROSE, COMMANDS, OUTPUT = "prose", "sh", "text"


class Section:

    def __init__(self, title):
        self.title, self.parts = title, []

    def add(self, kind, text):
        text = text.strip("\n")
        if text:
            self.parts.append((kind, text))

    def steps(self):
        """(commands, what must come out or None) in order."""
        found = []
        for kind, text in self.parts:
            if kind == COMMANDS:
                found.append((text, None))
            elif kind == OUTPUT and found:
                found[-1] = (found[-1][0], text)
        return found

    def steps_on(self):
        """(node, commands, what must come out or None) in order."""
        found = []
        for kind, text in self.parts:
            if kind.startswith(COMMANDS + " on="):
                found.append((kind.partition("=")[2], text, None))
            elif kind == OUTPUT and found:
                found[-1] = (*found[-1][:2], text)
        return found


def sections(path=LAB):
    """{title: Section} of a page."""
    with open(os.path.join(TOP, path)) as file:
        text = re.sub(r"<!--.*?-->\n?", "", file.read(), flags=re.S)
    found = {}
    for chunk in re.split(r"^#+ ", text, flags=re.M)[1:]:
        title, _, body = chunk.partition("\n")
        section = found[title] = Section(title)
        pieces = re.split(r"^```(\w+(?: on=\w+)?)\n(.*?)^```\n", body,
                          flags=re.M | re.S)
        section.add(PROSE, pieces[0])
        for at in range(1, len(pieces), 3):
            section.add(pieces[at], pieces[at + 1])
            section.add(PROSE, pieces[at + 2])
    return found


def the_map():
    return next(text for kind, text in sections()["The map"].parts
                if kind == OUTPUT)


def exercises(path=LAB):
    """The sections whose titles begin with a number, in order."""
    return [section for title, section in sections(path).items()
            if re.match(r"\d+\. ", title)]


def _pattern(line):
    """Of a line; blanks count as one, however many."""
    parts = [r"[ \t]+".join(map(re.escape, re.split(r"[ \t]+", part)))
             for part in line.strip().split("...")]
    return r"[ \t]*" + ".*".join(parts) + r"[ \t]*"


def matches(output, wanted):
    """Whether output is what a block of the page says, all of it."""
    pattern = ""
    for line in wanted.strip("\n").split("\n"):
        pattern += (r"(?:.*\n)*" if line.strip() == "..."
                    else _pattern(line) + "\n")
    return re.fullmatch(pattern, output.strip("\n") + "\n") is not None
