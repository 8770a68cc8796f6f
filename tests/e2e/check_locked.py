# SPDX-License-Identifier: BSD-2-Clause
"""A kernel in confidentiality lockdown: pymemtop says what forbids recording, and what helps."""
import subprocess
import sys

from harness import PYMEMTOP, Target, check

target = Target(sys.argv[1], "leak.py")
for command in ["record", "-p", str(target.pid), "-d", "1"], ["doctor"]:
    done = subprocess.run([PYMEMTOP, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    print(done.stdout)
    check(done.returncode == 1, "status", done.returncode)
    check("locked down for confidentiality" in done.stdout, "the reason is not there")
    check("lockdown=integrity" in done.stdout, "what helps is not there")
target.run()
check(target.end() == 0, "the target failed")
