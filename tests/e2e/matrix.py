# SPDX-License-Identifier: BSD-2-Clause
"""Every CPython that can be had, by every attribution that it offers, through the same
checks against its own books: as TAP, and at the end as a table."""
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from harness import interpreters

HERE = os.path.dirname(os.path.abspath(__file__))

# Column, check and arguments.
CHECKS = [
    ("blocks", ["check_blocks.py"], []),
    ("objects", ["check_objects.py"], ["requests"]),
    ("strings", ["check_objects.py"], ["strings"]),
    # Not of Debian's debug build, of which only the sum is compared.
    ("free lists", ["check_objects.py"], ["rows"]),
    ("inspect", ["check_inspect.py"], []),
    ("retained", ["check_retained.py"], []),
    ("stacks", ["check_stacks.py"], []),
    ("names", ["check_names.py"], []),
    ("lines", ["check_added.py"], []),
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


def cell(row, check, unfit):
    """What one check said of one row: (skipped, equal or WRONG; what it is; its words)."""
    (name, build, attribution, start), (column, script, arguments) = row, check
    what = "%s (%s), %s: %s" % (name, build, attribution, column)
    why = unfit or start.startswith("skip: ") and (start[6:] or "no reason given")
    if why:
        return "skipped", what, why
    good, said = run(script, name, start, attribution, arguments)
    return "equal" if good else "WRONG", what, said


def main():
    unfit, table = None, []
    if os.geteuid():
        unfit = "needs root"
    elif not os.path.exists("/sys/kernel/btf/vmlinux"):
        unfit = "needs a kernel with BTF"
    cells = [(row, check) for row in rows(sys.argv[1:]) for check in CHECKS]
    print("1..%d" % len(cells), flush=True)
    if not cells:
        raise SystemExit("no such rows")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda pair: cell(*pair, unfit), cells)
        for number, ((row, check), (result, what, said)) in enumerate(zip(cells, results), 1):
            if check is CHECKS[0]:
                table.append(["%s, %s" % row[:2], row[2]])
            table[-1].append(result)
            print("%s %d %s%s" % ("not ok" if result == "WRONG" else "ok", number, what,
                                  " # skip " + said if result == "skipped" else ""), flush=True)
            for line in said.splitlines() if result == "WRONG" else []:
                print("# " + line)
    head = ["CPython", "attribution", *(check[0] for check in CHECKS)]
    widths = [max(len(row[i]) for row in [head, *table]) for i in range(len(head))]
    for row in [head, *table]:
        print("# " + "  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())


main()
