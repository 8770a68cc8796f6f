# SPDX-License-Identifier: BSD-2-Clause
"""Writes the line tables of the standard library's code objects, and what
co_positions() makes of them: for the unit test of our own decoder."""
import os
import sys
import sysconfig


def visit(code):
    lines = " ".join(str(line or 0) for line, *_ in code.co_positions())
    if len(code.co_linetable) < 60_000:
        print(code.co_firstlineno, code.co_linetable.hex(), lines)
    for const in code.co_consts:
        if hasattr(const, "co_code"):
            visit(const)


library = sysconfig.get_path("stdlib")
for name in sorted(os.listdir(library)):
    if name.endswith(".py"):
        with open(os.path.join(library, name), "rb") as file:
            try:
                visit(compile(file.read(), name, "exec"))
            except SyntaxError:
                pass
