# SPDX-License-Identifier: BSD-2-Clause
"""All modes load here, and each program takes at most half of what the verifier would follow: on
other kernels, the same programs take more."""
import re
import subprocess
import sys

from harness import PYMEMTOP, check

LIMIT = 500_000

done = subprocess.run([PYMEMTOP, "doctor"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
print(done.stdout)
check(done.returncode == 0, "doctor's status is", done.returncode)
counts = re.findall(r"^ +(\w+) +(\S+) verified instructions$", done.stdout, re.M)
check(len(counts) > 20, "programs of all modes:", len(counts))
for name, count in counts:
    check(int(count.replace(",", "")) <= LIMIT, name, "takes", count, "instructions to verify")
