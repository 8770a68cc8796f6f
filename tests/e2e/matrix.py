# SPDX-License-Identifier: BSD-2-Clause
"""Every CPython that can be had, by every attribution that it offers, through the same
checks against its own books: as TAP, and at the end as a table."""
import os
import subprocess
import sys

from harness import interpreters

HERE = os.path.dirname(os.path.abspath(__file__))

# Column, check and arguments.
CHECKS = [
    ("blocks", ["check_blocks.py"], []),
    ("objects", ["check_objects.py"], ["requests"]),
    ("strings", ["check_objects.py"], ["strings"]),
    # Not of Debian's debug build, of which only the sum is compared.
    ("free lists", ["check_objects.py"], ["rows"]),
    ("stacks", ["check_stacks.py"], []),
    ("names", ["check_names.py"], []),
    ("resident", ["check_resident.py"], ["blocks,mappings,threads,trimmed,child"]),
    ("children", ["check_program.py"], ["fork_pool.py"]),
    ("threads", ["check_odd.py"], ["churn"]),
    ("native threads", ["check_odd.py"], ["callbacks"]),
    ("without GIL", ["check_odd.py"], ["blocked"]),
    ("depth", ["check_odd.py"], ["deep"]),
    ("subinterpreters", ["check_odd.py"], ["subinterpreters"]),
]


def run(script, name, python, attribution, arguments):
    environment = dict(os.environ)
    if name.endswith("d"):
        # A debug build's default adds to what is asked for.
        environment["PYTHONMALLOC"] = "pymalloc"
    done = subprocess.run(["timeout", "120", sys.executable, "-u", os.path.join(HERE, *script),
                           python, attribution, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
                          env=environment)
    return done.returncode == 0, done.stdout


def rows(wanted):
    for name, build, attributions, start in interpreters():
        for attribution in attributions.split():
            if all(word in "%s %s %s" % (name, build, attribution) for word in wanted):
                yield name, build, attribution, start


def main():
    number, table, unfit = 0, [], None
    if os.geteuid():
        unfit = "needs root"
    elif not os.path.exists("/sys/kernel/btf/vmlinux"):
        unfit = "needs a kernel with BTF"
    chosen = list(rows(sys.argv[1:]))
    print("1..%d" % (len(chosen) * len(CHECKS)), flush=True)
    for name, build, attribution, start in chosen:
        cells = []
        for column, script, arguments in CHECKS:
            what = "%s (%s), %s: %s" % (name, build, attribution, column)
            number += 1
            why = unfit or start.startswith("skip: ") and (start[6:] or "no reason given")
            if why:
                print("ok %d %s # skip %s" % (number, what, why), flush=True)
                cells.append("skipped")
                continue
            good, said = run(script, name, start, attribution, arguments)
            print("%s %d %s" % ("ok" if good else "not ok", number, what), flush=True)
            for line in "" if good else said.splitlines():
                print("# " + line)
            cells.append("equal" if good else "WRONG")
        table.append(["%s, %s" % (name, build), attribution, *cells])
    head = ["CPython", "attribution", *(check[0] for check in CHECKS)]
    widths = [max(len(row[i]) for row in [head, *table]) for i in range(len(head))]
    for row in [head, *table]:
        print("# " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


main()
