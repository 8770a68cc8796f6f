# SPDX-License-Identifier: BSD-2-Clause
"""PYTHON, which has pytest: tests that hold too much, or leave too much behind, fail, and name the line; others do not. And
the module's own figures are what its caller has made."""
import os
import re
import subprocess
import sys
import tempfile

from harness import HERE, PYMEMTOP, check

MODULE = os.path.join(HERE, "..", "..", "python")
TESTS = """
import pytest
kept = []

def work(n):
    kept.append(bytearray(n))

@pytest.mark.limit_leaks("1 MB")
def test_leaks():
    work(3 << 20)

@pytest.mark.limit_leaks("1 MB")
def test_drops():
    held = bytearray(8 << 20)

@pytest.mark.limit_memory("24 MB")
def test_high():
    held = bytearray(40 << 20)

@pytest.mark.limit_memory("64 MB")
def test_low():
    held = bytearray(40 << 20)

@pytest.mark.limit_memory("much")
def test_wrong():
    pass

def test_other():
    pass
"""
PROGRAM = """
import pymemtop
kept = []
with pymemtop.record(options=["--peak"]) as recording:
    for n in range(100):
        kept.append(bytearray(49_999))
    held = bytearray((10 << 20) - 1)
    del held
profile = recording.profile
by_line = {line.frame.line: line.held for line in profile.lines if line.frame.file == __file__}
assert by_line[6] - 100 * 50_000 < 2000 and by_line[7] == 10 << 20, by_line
assert profile.peak >= (10 << 20) + 100 * 50_000 and not profile.lost, profile.peak
with pymemtop.record() as second:
    kept.append(bytearray(1_999_999))
line, = [line for line in second.profile.lines if line.frame.file == __file__ and line.held]
assert (line.frame.line, line.held) == (14, 2_000_000), line
change = second.profile.diff(pymemtop.record().stop())
assert [row.held for row in change if row.frame.file == __file__] == [2_000_000], change
try:
    pymemtop.record(pid=2 ** 22 - 1)
except pymemtop.Error as error:
    assert "there is no process" in str(error), error
else:
    raise AssertionError("a process that is not there was recorded")
print("fine")
"""


def run(*argv):
    environment = dict(os.environ, PYTHONPATH=MODULE, PYMEMTOP=PYMEMTOP, PYTHONDONTWRITEBYTECODE="1")
    return subprocess.run([sys.argv[1], *argv], env=environment, cwd=work, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=100)


with tempfile.TemporaryDirectory() as work:
    for name, text in ("test_it.py", TESTS), ("program.py", PROGRAM):
        with open(os.path.join(work, name), "w") as file:
            file.write(text)
    done = run("program.py")
    check(done.returncode == 0 and done.stdout.strip() == "fine", done.stdout)
    done = run("-m", "pytest", "-v", "-p", "pymemtop.pytest_plugin", "test_it.py")
    print(done.stdout)
    got = dict(re.findall(r"::test_(\w+) (PASSED|FAILED)", done.stdout))
    check(got == {"leaks": "FAILED", "drops": "PASSED", "high": "FAILED", "low": "PASSED", "wrong": "FAILED",
                  "other": "PASSED"}, got)
    check(re.search(r"it leaves 3\.0 MiB behind, more than 1\.0 MiB:\n +3\.0 MiB \S+test_it\.py:6 \(work\)", done.stdout),
          "the leak's line is not named")
    check(re.search(r"at its peak, more than 24\.0 MiB:\n +40\.0 MiB \S+test_it\.py:18 \(test_high\)", done.stdout),
          "the peak's line is not named")
    check("'much' is no size" in done.stdout, "a wrong size is not said")
    done = run("-m", "pytest", "-q", "-p", "pymemtop.pytest_plugin", "--mem", "test_it.py", "-k", "low or other")
    check(re.search(r"40\.0 MiB +\d\S* B +test_it\.py::test_low", done.stdout), done.stdout)
