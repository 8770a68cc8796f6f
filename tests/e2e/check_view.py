# SPDX-License-Identifier: BSD-2-Clause
"""CHECK PID [GO]: the live view of a process that runs idle.py, or grows.py, as it looks on a terminal."""
import re
import sys

from harness import PYMEMTOP, check
from terminal import Terminal

LEAVE_ALTERNATE_SCREEN = b"\x1b[?1049l"


def leave(terminal):
    terminal.press("q")
    status = terminal.wait()
    check(status == 0, "the view ended with", status)
    check(LEAVE_ALTERNATE_SCREEN in terminal.written, "the terminal was not restored")


def table(terminal):
    terminal.until_shows("idle.py:7")
    check(any("Outstanding" in line for line in terminal.lines()), "there are no titles")
    # Where a path has no room, its beginning goes: the file's name, the line and the function stay.
    terminal.resize(20, 90)
    terminal.until_shows("\u2026/")
    row, = [line for line in terminal.lines() if "idle.py:7" in line]
    print(row)
    check(row.endswith(")") and len(row) <= 90, row)
    leave(terminal)


def mode(terminal):
    terminal.until_shows("mode heap")
    terminal.press("m")
    terminal.until_shows("before the attach")
    check(any("RssAnon" in line for line in terminal.lines()), "the head is not that of rss")
    leave(terminal)


def types(terminal):
    terminal.until_shows("Outstanding")
    terminal.press("o")
    terminal.until_shows("Types of all objects")
    terminal.until_shows("Grown")
    with open(sys.argv[3], "w"):
        pass
    terminal.resize(20, 100)
    # The screen is read while it is drawn: the whole row is waited for, its path's end at its right edge.
    row = r"^ *21,000 +\+20,000 .*  Grown  \u2026.*/grows\.py:9$"
    terminal.until(lambda lines: any(re.search(row, line) for line in lines), "the row of Grown")
    terminal.press("o")
    terminal.until_shows("Outstanding")
    leave(terminal)


{"table": table, "mode": mode, "types": types}[sys.argv[1]](Terminal([PYMEMTOP, "-p", sys.argv[2]], columns=120))
