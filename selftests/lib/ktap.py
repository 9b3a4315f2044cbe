# SPDX-License-Identifier: GPL-2.0-only
"""Tests that report in KTAP (Documentation/dev-tools/ktap.rst).

A test is a function with @test("H7: what must hold"); the text before the
colon names the rules of the contract that it holds. main() runs those of a
file, or the ones whose text contains a word of the command line. With KTAP_STOP
in the environment the first failure ends it; with KTAP_LIMIT, seconds, a test
that takes longer has failed.

A test may say that it has nothing to say about the kernel that it runs on, which
lacks a feature that it needs: lacks(). It is told from the kernel, by evidence that
a kernel which has the feature and does wrong does not give.
"""

import os
import signal
import sys
import tempfile
import traceback

_tests = []
_cleanups = []


class Failure(Exception):
    """Something that must hold does not."""


class Lacking(Exception):
    """The kernel has not what the test needs."""


def test(text):
    def register(function):
        _tests.append((text, function))
        return function
    return register


def cleanup(function, *args):
    """Call function after this test, the last one registered first."""
    _cleanups.append((function, args))


def fail(text):
    raise Failure(text)


def lacks(feature):
    """The test does not apply: selftests/judge counts that by itself."""
    raise Lacking(feature)


def check(true, text):
    if not true:
        fail(text)


def _shorten(value):
    text = str(value)
    return text if len(text) < 800 else text[:800] + "..."


def equal(got, wanted, what="value"):
    if got != wanted:
        fail("%s: got %s, wanted %s" % (what, _shorten(got),
                                        _shorten(wanted)))


def _note(text):
    for line in str(text).rstrip().split("\n"):
        print("# " + line)


def _attempt(function, *args):
    try:
        function(*args)
        return True
    except Lacking:
        raise
    except Failure as failure:
        frames = traceback.extract_tb(failure.__traceback__)
        # Where the test asks, if it is the test; else where the question is.
        where = [f for f in frames if "/lib/" not in f.filename] or frames
        _note("%s (line %s)" % (failure, where[-1].lineno))
    except (Exception, SystemExit):  # a test that breaks has failed
        _note(traceback.format_exc())
    return False


def _too_long(*_):
    fail("not done in %s s" % os.environ["KTAP_LIMIT"])


def _run(function):
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(int(os.environ.get("KTAP_LIMIT", 0)))
    lacking = ""
    try:
        passed = _attempt(function)
    except Lacking as feature:
        passed, lacking = True, " # SKIP the kernel lacks %s" % feature
    signal.alarm(0)
    while _cleanups:
        undo, args = _cleanups.pop()
        passed &= _attempt(undo, *args)
    return passed, lacking if passed else ""


def _report(number, text, function):
    passed, lacking = _run(function)
    print("%s %d %s%s" % ("ok" if passed else "not ok", number, text, lacking),
          flush=True)
    return passed


class _Beside:
    """A test in a process of its own, whose output is kept until it is asked for."""

    def __init__(self, *what):
        self._said = tempfile.TemporaryFile()
        sys.stdout.flush()
        self.process = os.fork()
        if self.process:
            return
        status = 1
        try:
            os.dup2(self._said.fileno(), 1)
            status = 0 if _report(*what) else 1
            sys.stdout.flush()
        finally:
            os._exit(status)

    def result(self, status):
        """Whether it has passed; one without a word has not."""
        self._said.seek(0)
        said = self._said.read().decode(errors="replace")
        print(said, end="", flush=True)
        return not status and "ok " in said


def _beside(chosen, many):
    """Tests that mostly wait, so many of them at a time; each must be able to stand
    beside the others. They are reported in order. How many have failed."""
    waiting = [(n, *one) for n, one in enumerate(chosen, 1)]
    running, ended, failed = {}, {}, 0
    for number in range(1, len(chosen) + 1):
        while number not in ended:
            while waiting and len(running) < many:
                one = waiting.pop(0)
                test_of = _Beside(*one)
                running[test_of.process] = one, test_of
            process, status = os.wait()
            if process in running:
                one, test_of = running.pop(process)
                ended[one[0]] = test_of, status
        test_of, status = ended.pop(number)
        if not test_of.result(status):
            failed += 1
    return failed


def main(close=None, beside=1):
    words = sys.argv[1:]
    chosen = [t for t in _tests if not words or any(w in t[0] for w in words)]
    print("KTAP version 1\n1..%d" % len(chosen), flush=True)
    if beside > 1 and not os.environ.get("KTAP_STOP"):
        sys.exit(1 if _beside(chosen, beside) or not chosen else 0)
    failed = 0
    for number, (text, function) in enumerate(chosen, 1):
        failed += not _report(number, text, function)
        if failed and os.environ.get("KTAP_STOP"):
            break
    if close and not _attempt(close):
        failed += 1
    sys.exit(1 if failed or not chosen else 0)
