# SPDX-License-Identifier: BSD-2-Clause
"""PYTHON SEED [THREADS]: with --peak, each line is as it was when all held most, to the byte."""
import json
import os
import subprocess
import sys
import tempfile

from harness import PYMEMTOP, Recording, Target, check, check_nothing_lost, process_of

python, *arguments = sys.argv[1:]
target = Target(python, "batch.py", *arguments)
recording = Recording("--peak", "-p", str(target.pid), "-f", "json")
target.run()
text = recording.stop()
book, process = target.book_of(target.pid), process_of(json.loads(text), target.pid)
target.end()
check_nothing_lost(process)
got = [sum(line["outstanding_bytes"] + line["mapped_bytes"] for line in process["lines"]
           if line["function"] == name and line["file"].endswith("batch.py")) for name in "abcd"]
print(got, book)
check(got == book["peak"] != book["held"], got, "and not", book["peak"])
check(0 <= process["peak_bytes"] - book["most"] < 20_000, process["peak_bytes"], book["most"])
check(process["peak_seconds"] > 0, process["peak_seconds"])

with tempfile.TemporaryDirectory() as work:
    saved = os.path.join(work, "saved")
    with open(saved, "w") as file:
        file.write(text)
    again = subprocess.run([PYMEMTOP, "report", "-f", "json", saved], capture_output=True, text=True, check=True).stdout
    check(again == text, "it is not saved as it was")
    report = subprocess.run([PYMEMTOP, "report", saved], capture_output=True, text=True, check=True).stdout
check("s after the attach: lines are as they were then" in report, report)
