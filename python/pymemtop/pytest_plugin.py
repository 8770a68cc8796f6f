# SPDX-License-Identifier: BSD-2-Clause
"""pytest: what each test leaves behind and needs at most (--mem), and limits with pytest-memray's names: a test marked
limit_memory("24 MB") fails if its peak is higher, one marked limit_leaks("1 MB") if it leaves more behind. The lines that
did it are named. Each such test is recorded on its own, from outside."""
import gc
import os
import re

import pytest

import pymemtop

UNITS = {"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
SHOWN = 5
KEY = pytest.StashKey()


def parse_size(text):
    """As pytest-memray reads sizes: units are powers of 1,024."""
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?B?)\s*", str(text), re.IGNORECASE)
    if not found or found[2].upper() not in UNITS:
        raise ValueError("%r is no size: give one like '24 MB'" % (text,))
    return float(found[1]) * UNITS[found[2].upper()]


def pytest_addoption(parser):
    parser.getgroup("pymemtop").addoption(
        "--mem", action="store_true", help="print what each test leaves behind, and the most that it held")


def pytest_configure(config):
    config.addinivalue_line("markers", "limit_memory(size): fail if the test's peak is higher, as '24 MB'")
    config.addinivalue_line("markers", "limit_leaks(size): fail if the test leaves more behind, as '1 MB'")
    config.stash[KEY] = []


def lines_of(profile):
    """Without our own, which read what the recording says, and what is nobody's line."""
    own = os.path.dirname(os.path.abspath(__file__)) + os.sep
    return [line for line in profile.lines if line.held > 0 and line.frame.line and not line.frame.file.startswith(own)]


def left_behind(profile):
    return sum(line.held for line in lines_of(profile))


def describe(profile):
    return "\n".join("    " + str(line) for line in lines_of(profile)[:SHOWN])


def limit(item, name):
    marker = item.get_closest_marker(name)
    if not marker:
        return None
    try:
        return parse_size(marker.args[0])
    except (IndexError, ValueError) as error:
        pytest.fail("%s: %s" % (name, error), pytrace=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    most, leaks = limit(item, "limit_memory"), limit(item, "limit_leaks")
    if most is None and leaks is None and not item.config.getoption("--mem"):
        yield
        return
    gc.collect()
    try:
        # The peak's lines are as they were then; what is left is another recording's.
        peak = pymemtop.record(options=["--peak"]) if most is not None or item.config.getoption("--mem") else None
        left = pymemtop.record(mode="objects") if leaks is not None or item.config.getoption("--mem") else None
    except pymemtop.Error as error:
        pytest.fail("the test's memory cannot be recorded: %s" % error, pytrace=False)
    outcome = yield
    gc.collect()
    held = left.stop() if left else None
    highest = peak.stop() if peak else None
    row = (item.nodeid, highest, held)
    item.config.stash[KEY].append(row)
    if outcome.excinfo:
        return
    failed = []
    if most is not None and highest.peak > most:
        failed.append("it held %s at its peak, more than %s:\n%s" % (
            pymemtop.size(highest.peak), pymemtop.size(most), describe(highest)))
    if leaks is not None and left_behind(held) > leaks:
        failed.append("it leaves %s behind, more than %s:\n%s" % (
            pymemtop.size(left_behind(held)), pymemtop.size(leaks), describe(held)))
    if failed:
        outcome.force_exception(pytest.fail.Exception("\n".join(failed), pytrace=False))


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash[KEY]
    if not config.getoption("--mem") or not rows:
        return
    terminalreporter.section("memory, by pymemtop")
    terminalreporter.write_line("%12s  %12s  %s" % ("Peak", "Left behind", "Test"))
    for name, highest, held in sorted(rows, key=lambda row: -(row[1].peak or 0)):
        terminalreporter.write_line("%12s  %12s  %s" % (
            pymemtop.size(highest.peak), pymemtop.size(left_behind(held)), name))
        for line in lines_of(held)[:1]:
            terminalreporter.write_line(" " * 28 + str(line))
