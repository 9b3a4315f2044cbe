# SPDX-License-Identifier: GPL-2.0-only
"""Programs of this tree for users who may not look into the directory that it is in."""

import os
import shutil
import tempfile

from . import ktap


def copied(directory):
    """A copy of a directory, for everyone to read, until the end of the test."""
    home = tempfile.mkdtemp()
    ktap.cleanup(shutil.rmtree, home)
    os.chmod(home, 0o755)
    return shutil.copytree(directory, os.path.join(home, os.path.basename(directory)),
                           ignore=shutil.ignore_patterns("__pycache__"))
