# SPDX-License-Identifier: BSD-2-Clause
"""python step: small.py leaks small objects on one line, while other lines are busier and keep
nothing. heap and rss cannot name the line that leaks, but they must not name another one."""
import json
import sys

from harness import Recording, Target, check, check_nothing_lost, process_of

python, step = sys.argv[1:]
# A busy line may hold this much of its own: libc's blocks, and pages of libc's heap.
LITTLE = 256 << 10

target = Target(python, "small.py", step)
recording = Recording("-p", str(target.pid), "-m", "heap,rss", "-f", "json")
target.run()
decoder, text, profiles = json.JSONDecoder(), recording.stop(), {}
while text.strip():
    profile, end = decoder.raw_decode(text.lstrip())
    profiles[profile["mode"]], text = profile, text.lstrip()[end:]
with open(sys.path[0] + "/../programs/small.py") as file:
    leaks = {number for number, line in enumerate(file, 1) if line.rstrip().endswith("# leak")}
pymalloc = target.book_of(target.pid)["pymalloc"]
for mode, profile in profiles.items():
    process = process_of(profile, target.pid)
    check_nothing_lost(process)
    for line in process["lines"]:
        held = line.get("outstanding_bytes", 0) + line.get("mapped_bytes", 0) + line.get("resident_bytes", 0)
        check(held < LITTLE or (line["file"].endswith("small.py") and line["line"] in leaks),
              mode, "names", line)
    # Small objects are reported apart from the lines, with pymalloc's own figure.
    check(abs(process["small_bytes"] - pymalloc) < 16 * 4096, mode, process["small_bytes"], pymalloc)
    check(process["small_arenas"] * process["small_arena_size"] >= process["small_bytes"],
          mode, "has", process["small_arenas"], "arenas")
    print("%s, %s: %d bytes in small objects, %d of arenas since the attach" % (
        step, mode, process["small_bytes"], process["arena_bytes"]))
rss = process_of(profiles["rss"], target.pid)
check(rss["arena_bytes"] > rss["resident_bytes"], "arenas have", rss["arena_bytes"])
target.end()
