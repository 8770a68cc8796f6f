# SPDX-License-Identifier: BSD-2-Clause
"""python attribution: mode lines without markers has what lines.py makes and lets go of on the
lines that do so, with the lines that call them, whatever the version."""
import json
import sys

from harness import PROGRAMS, Recording, Target, check, check_nothing_lost, process_of

python, attribution = sys.argv[1:]
PROGRAM = PROGRAMS + "/lines.py"
# Pages of files that were taken from the process come back on any line, sixteen at a time.
SLACK = 1 << 20


def lines_of(function):
    target = Target(python, "lines.py", function)
    recording = Recording("-p", str(target.pid), "-m", "lines", "-f", "json", "--attribution",
                          attribution)
    target.run()
    process = process_of(json.loads(recording.stop()), target.pid)
    target.end()
    check_nothing_lost(process)
    with open(PROGRAM) as file:
        text = file.read().splitlines()
    lines = {text[line["line"] - 1].strip(): line["added_bytes"] for line in process["lines"]
             if line["file"].endswith("lines.py")}
    whole = sum(stack["added_bytes"] for stack in process["stacks"])
    check(whole == process["added_bytes"], "stacks", whole, "process", process["added_bytes"])
    return lines


def compare(lines, expected):
    for line, size in expected.items():
        print("%-45s %12d %12d" % (line, size, lines.get(line, 0)))
        check(abs(lines.get(line, 0) - size) < SLACK, line, "has", lines.get(line), "not", size)


def main():
    compare(lines_of("lists"), {"a = [1] * (10 ** 6)": 8_000_000,
                                "b = [2] * (2 * 10 ** 7)": 160_000_000,
                                "del b": -160_000_000,
                                "globals()[name]()": 0})
    compare(lines_of("threads"), {"held.append(bytes(range(250)) * 200_000)": 50_000_000,
                                  "held.append(bytes(range(200)) * 400_000)": 80_000_000})


main()
