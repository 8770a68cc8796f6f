# SPDX-License-Identifier: BSD-2-Clause
"""file step...: a function that claims to be in that file allocates, and the process changes its
rights, or what it is, before or after."""
import os
import sys

NOBODY = 65534


def drop():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def allocate():
    kept.extend(make(5000) for _ in range(100))


def say():
    print("done", flush=True)
    sys.stdin.readline()


steps = {
    "drop": drop,
    "allocate": allocate,
    "say": say,
    # A program that takes root's rights, and waits for a password.
    "setuid": lambda: os.execv("/usr/bin/su", ["su"]),
    "end": lambda: os._exit(0),
}
names, kept = {}, []
exec(compile("\n\ndef make(n): return bytearray(n)", sys.argv[1], "exec"), names)
make = names["make"]
print("ready", flush=True)
sys.stdin.readline()
for step in sys.argv[2:]:
    steps[step]()
