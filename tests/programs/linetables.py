# SPDX-License-Identifier: BSD-2-Clause
"""Writes the line tables of the standard library's code objects, and what Python itself makes of
them, for the unit test of our decoders. One per line: the kind of table, the first line, the table,
and the line of each instruction, 0 if it has none."""
import dis
import os
import sys
import sysconfig
import warnings


def lines_of(code):
    """Returns a line for each instruction of two bytes."""
    if sys.version_info >= (3, 11):
        return [line or 0 for line, *_ in code.co_positions()]
    lines = [0] * (len(code.co_code) // 2)
    if sys.version_info >= (3, 10):
        ranges = code.co_lines()
    else:
        starts = [(0, code.co_firstlineno), *dis.findlinestarts(code), (len(code.co_code), None)]
        ranges = [(at, end, line) for (at, line), (end, _) in zip(starts, starts[1:])]
    for at, end, line in ranges:
        for i in range(at // 2, end // 2):
            lines[i] = line or 0
    return lines


kind, table = (("locations", "co_linetable") if sys.version_info >= (3, 11) else
               ("pep626", "co_linetable") if sys.version_info >= (3, 10) else
               ("lnotab", "co_lnotab"))


def visit(code):
    if len(getattr(code, table)) < 60_000:
        # A table can be empty: everything is on the first line.
        print(kind, code.co_firstlineno, getattr(code, table).hex() or "-",
              *lines_of(code))
    for const in code.co_consts:
        if hasattr(const, "co_code"):
            visit(const)


warnings.simplefilter("ignore")
library = sysconfig.get_path("stdlib")
for folder, folders, names in os.walk(library):
    folders[:] = sorted(set(folders) - {"test", "tests", "idlelib", "site-packages",
                                        "dist-packages", "__pycache__"})
    for name in sorted(names):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), "rb") as file:
                try:
                    visit(compile(file.read(), name, "exec", dont_inherit=True))
                except (SyntaxError, UnicodeDecodeError):
                    pass
