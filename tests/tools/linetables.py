# SPDX-License-Identifier: BSD-2-Clause
"""folder: has each interpreter write its line tables into the folder, for the unit test."""
import concurrent.futures
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from harness import PROGRAMS, Interpreter, interpreters

folder = os.path.abspath(sys.argv[1])
os.makedirs(folder, exist_ok=True)


def write(name, build, interpreter):
    path = os.path.join(folder, name)
    with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(folder), delete=False) as file:
        process = interpreter.run("linetables.py", stdout=file)
        process.stdin.close()
        if process.wait() or not os.path.getsize(file.name):
            print("%s (%s) cannot write its line tables" % (name, build), file=sys.stderr)
            os.unlink(file.name)
        else:
            os.rename(file.name, path)


def is_written(name):
    path = os.path.join(folder, name)
    program = os.path.join(PROGRAMS, "linetables.py")
    return os.path.exists(path) and os.path.getmtime(path) > os.path.getmtime(program)


# Prepare all interpreters first: two can share a root.
wanted = {name: (name, build, Interpreter(start)) for name, build, _, start in interpreters()
          if not start.startswith("skip: ") and not is_written(name)}
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    list(pool.map(lambda one: write(*one), wanted.values()))
