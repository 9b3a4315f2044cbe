# SPDX-License-Identifier: GPL-2.0-only
"""srcroute-status: where it is, and what its JSON has to be. Its own modules can be
imported once this one is."""

import json
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PROGRAMS = os.path.join(TOP, "scripts/programs")
PROGRAM = os.path.join(PROGRAMS, "srcroute_status/srcroute-status")
sys.path.append(PROGRAMS)
from srconform.report import schema  # noqa: E402

with open(os.path.join(TOP, "docs/srcroute-status.schema.json")) as file:
    SCHEMA = json.load(file)


def check_schema(document, name):
    """Is it what docs/srcroute-status.schema.json has under this name?"""
    schema._check(document, SCHEMA["$defs"][name], SCHEMA, "")
