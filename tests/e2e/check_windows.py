# SPDX-License-Identifier: BSD-2-Clause
"""python mode: within a budget, a mode watches in windows only: what is kept is first, and about as much as it is; what is
dropped is not there. Between windows, and afterwards, nothing is probed."""
import json
import subprocess
import sys

from harness import DEADLINE, PYMEMTOP, Interpreter, check, read_until

python, mode = sys.argv[1:]
target = Interpreter(python).run("kept.py")
pid = int(target.stdout.readline().split()[1])
recorder = subprocess.Popen([PYMEMTOP, "record", "-v", "-p", str(pid), "-m", mode, "--max-overhead", "20", "--min-age", "1",
                             "-f", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
# More than a few windows, and the last of what counts is old enough.
for _ in range(12):
    read_until(recorder.stderr, "pymemtop: window of", "pymemtop")
recorder.send_signal(2)
profile = json.loads(recorder.communicate(timeout=DEADLINE)[0])
check(recorder.returncode == 0, "status", recorder.returncode)
end_rate = target.communicate("end\n", timeout=DEADLINE)[0]
turns = int(end_rate)

windows, process = profile["windows"], profile["processes"][0]
print(windows)
check(windows["count"] >= 12 and windows["min_age_seconds"] == 1 and 0 < windows["seconds"], windows)
check(abs(windows["max_overhead"] - 0.2) < 1e-9 and windows["overhead"] > 0, windows)
lines = {}
for line in process["lines"]:
    # Without its class: before 3.11 a name has none.
    name = line["function"].split(".")[-1] if line["file"].endswith("kept.py") else "library"
    held = lines.setdefault(name, [0, 0])
    held[0] += line["outstanding_bytes"]
    held[1] += line["outstanding_count"]
print("turns", turns, "of which", profile["duration_seconds"], "s were recorded:", lines)
kept = sum(held[0] for name, held in lines.items() if name in ("__init__", "keep", "keep_block"))
everything = sum(held[0] for held in lines.values())
check(kept > 0.9 * everything, kept, everything)
first = max(process["lines"], key=lambda line: line["outstanding_bytes"])
check(first["function"] == "keep_block", first)
blocks = lines["keep_block"][1]
if mode == "objects":
    blocks /= 2         # an object, and its bytes
    types = {row["type"]: row["count"] for line in process["lines"] if line["function"] == "keep"
             for row in line.get("types", [])}
    check(types.get("Event", 0) > 0.9 * sum(types.values()), types)
    events, texts = lines["keep"][1], lines["__init__"][1]
    check(0.6 < texts / events / 2 < 1.6, events, texts)
    check(0.6 < events / blocks < 1.6, events, blocks)
# The program also ran before, and after: it cannot have kept more than it has in all, but for the sample's error.
check(turns * 0.2 < blocks < turns * 1.6, blocks, turns)
