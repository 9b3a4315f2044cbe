# SPDX-License-Identifier: GPL-2.0-only
"""Programs of this tree for users who may not look into the directory that it is in."""

import atexit
import functools
import os
import shutil
import tempfile


@functools.lru_cache(None)
def copied(directory):
    """A copy of a directory, for everyone to read, until this process ends."""
    home = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, home)
    os.chmod(home, 0o755)
    return shutil.copytree(directory, os.path.join(home, os.path.basename(directory)),
                           ignore=shutil.ignore_patterns("__pycache__"))
