# SPDX-License-Identifier: BSD-2-Clause
"""python children codes files: a year's worth of short-lived children and of code made at run time,
in one recording. Nothing is lost, the sums are right, and pymemtop needs as much at the end as half
way, when it has met as much as it keeps at one time."""
import json
import os
import sys

from harness import Recording, Target, check, read_until

python, (children, codes, files) = sys.argv[1], map(int, sys.argv[2:])
SIZE = 30_001


def needs(pid):
    """Returns the process's own resident bytes, and its open files."""
    with open("/proc/%d/status" % pid) as file:
        rss = next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))
    return {"RssAnon": rss << 10, "descriptors": len(os.listdir("/proc/%d/fd" % pid))}


target = Target(python, "short_lived.py", str(children), str(codes), str(files))
recording = Recording("-p", str(target.pid), "-f", "json")
target.go()
seen = []
for _ in range(10):
    read_until(target.process.stdout, "tenth", "the target")
    seen.append(needs(recording.process.pid))
    target.process.stdin.write("on\n")
target.wait_done()
profile = json.loads(recording.stop())
target.end()
for tenth, amounts in enumerate(seen, 1):
    print("%3d %%: RssAnon %.1f MiB, %d descriptors" % (10 * tenth, amounts["RssAnon"] / (1 << 20),
                                                      amounts["descriptors"]))
lost = {}
for process in profile["processes"]:
    for cause, n in process["lost"].items():
        if n:
            lost[cause] = lost.get(cause, 0) + n
check(not lost, "lost:", lost)
ended = sum(process.get("ended", 0) for process in profile["processes"])
alone = [p for p in profile["processes"] if p["parent"] and not p.get("ended")]
print("%d children summed up, %d by themselves" % (ended, len(alone)))
check(ended + len(alone) == children, "children:", ended, "+", len(alone))
held = [line for process in profile["processes"] for line in process["lines"]
        if line["function"] == "child"]
check(sum(line["outstanding_count"] for line in held) == children, "blocks:",
      sum(line["outstanding_count"] for line in held))
check(sum(line["outstanding_bytes"] for line in held) == children * SIZE, "bytes:",
      sum(line["outstanding_bytes"] for line in held))
made = [line for process in profile["processes"] for line in process["lines"]
        if line["file"].startswith("<made") and line["function"] == "made"]
forgotten = [line for process in profile["processes"] for line in process["lines"]
             if line["file"] == "[forgotten]"]
check(not sum(line["outstanding_count"] for line in made + forgotten), "what came once holds something")
count = sum(line["allocated_count"] for line in made)
if files == 1:
    check(count == codes and not forgotten, "made:", count)
else:
    # Code that ran once under its own name is part of a sum by now, with others that hold nothing.
    more = sum(line["allocated_count"] for line in forgotten)
    check(count < codes <= count + more, "made: %d and %d forgotten" % (count, more))
    print("%d lines by name, %d allocations of lines that were forgotten" % (len(made), more))
# By then pymemtop has met as much as it keeps at one time.
settled = seen[4 if files == 1 else 7]["RssAnon"]
grown = seen[-1]["RssAnon"] - settled
check(grown < settled // 4, "RssAnon has grown by", grown)
check(abs(seen[-1]["descriptors"] - seen[0]["descriptors"]) < 20, "descriptors:", seen)
