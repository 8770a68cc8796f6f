# SPDX-License-Identifier: BSD-2-Clause
"""Measures how --max-overhead's estimate of what a line keeps comes near the truth, with time and with the
budget: a program keeps an object with two texts a turn, parses JSON beside, and counts its turns.

Writes build/bench/convergence.json and doc/convergence.svg, and prints the table. With a run's seconds and
the number of runs of each budget as arguments: 60 and 3 if there are none.
"""
import bisect
import json
import mmap
import os
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PYMEMTOP = os.path.join(HERE, "..", "pymemtop")
PYTHON = "/usr/bin/python3.11"
BUDGETS = [1, 2, 5, 10]     # percent
COLOURS = {1: "#c33", 2: "#e90", 5: "#393", 10: "#36c"}
STEP = 3                    # seconds from one estimate to the next

TARGET = """
import json, mmap, os, struct, sys, time
with open(sys.argv[1], "r+b") as file:
    count = mmap.mmap(file.fileno(), 4096)
text = json.dumps([{"id": i, "name": "name %d" % i, "tags": ["a", "b", str(i)]} for i in range(6)])
kept = []

class Event:
    __slots__ = ("who", "what")

def keep(n):
    event = Event()
    event.who, event.what = "user %d" % n, "page %d" % n
    kept.append(event)

n = 0
while True:
    json.loads(text)
    json.dumps({"answer": n, "items": [n, n + 1]})
    keep(n)
    n += 1
    if n % 64 == 0:
        struct.pack_into("q", count, 0, n)
    if n % 1024 == 0:
        time.sleep(0.001)
"""
OBJECTS = 3                 # that keep() keeps at each call


def read_documents(text):
    decoder, documents, at = json.JSONDecoder(), [], 0
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        documents.append(document)
        while at < len(text) and text[at].isspace():
            at += 1
    return documents


def kept_objects(profile):
    return sum(line["outstanding_count"] for line in profile["processes"][0]["lines"]
               if line["function"] == "keep")


def turns_at(series, moment):
    at = min(max(bisect.bisect(series, (moment, 0)), 1), len(series) - 1)
    (t0, n0), (t1, n1) = series[at - 1:at + 1]
    return n0 + (n1 - n0) * (moment - t0) / (t1 - t0)


def measure(budget, seconds):
    """Returns the estimates, as parts of the truth, by seconds since the attach; and what was seen of the cost."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(4096))
        file.flush()
        count = mmap.mmap(file.fileno(), 4096)
        target = subprocess.Popen([PYTHON, "-c", TARGET, file.name])
        time.sleep(1)
        recorder = subprocess.Popen(
            [PYMEMTOP, "record", "-v", "-p", str(target.pid), "-m", "objects", "--max-overhead", str(budget), "-d",
             str(seconds), "-i", str(STEP), "-f", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in recorder.stderr:
            if line == "pymemtop: recording\n":
                break
        start, series = time.monotonic(), []
        # A pipe that nobody reads would hold the recorder up.
        output = tempfile.TemporaryFile("w+")
        reader = subprocess.Popen(["cat"], stdin=recorder.stdout, stdout=output)
        silent = subprocess.Popen(["cat"], stdin=recorder.stderr, stdout=subprocess.DEVNULL)
        while recorder.poll() is None:
            series.append((time.monotonic(), struct.unpack_from("q", count)[0]))
            time.sleep(0.1)
        reader.wait()
        silent.wait()
        target.kill()
        target.wait()
    output.seek(0)
    points, begin = [], turns_at(series, start)
    for profile in read_documents(output.read()):
        after = profile["duration_seconds"]
        points.append((after, kept_objects(profile) / OBJECTS / (turns_at(series, start + after) - begin)))
    return points, profile["windows"]["overhead"]


def svg(results):
    """Draws each run as a line: the estimate as a part of the truth, over time."""
    left, top, width, height, most = 60, 30, 620, 260, 2.0
    longest = max(points[-1][0] for runs in results.values() for points, _ in runs)

    def place(seconds, part):
        return left + seconds / longest * width, top + height - min(part, most) / most * height

    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">'
           % (left + width + 120, top + height + 60), '<rect width="100%" height="100%" fill="white"/>']
    out.append('<rect x="%d" y="%.1f" width="%d" height="%.1f" fill="#eee"/>'
               % (left, place(0, 1.2)[1], width, place(0, 0.8)[1] - place(0, 1.2)[1]))
    for tick in (0, 0.5, 0.8, 1, 1.2, 1.5, 2):
        y = place(0, tick)[1]
        out.append('<text x="%d" y="%.1f" text-anchor="end" fill="#666">%g</text>' % (left - 6, y + 4, tick))
        out.append('<path d="M%d %.1fh%d" stroke="%s"/>' % (left, y, width, "#888" if tick == 1 else "#ddd"))
    for tick in range(0, int(longest) + 1, 10):
        x = place(tick, 0)[0]
        out.append('<text x="%.1f" y="%d" text-anchor="middle" fill="#666">%d s</text>' % (x, top + height + 16, tick))
    for number, (budget, runs) in enumerate(results.items()):
        for points, _ in runs:
            out.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>'
                       % (" ".join("%.1f,%.1f" % place(*point) for point in points), COLOURS[budget]))
        out.append('<text x="%d" y="%d" fill="%s">%d %%</text>'
                   % (left + width + 12, top + 20 + 18 * number, COLOURS[budget], budget))
    out.append('<text x="%d" y="%d" fill="#666">what a line is said to keep, as a part of what it keeps; the grey band is '
               'a fifth either way; CPython 3.11, %d CPUs</text>' % (left, top + height + 40, os.cpu_count()))
    return "\n".join(out + ["</svg>", ""])


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    results = {}
    for budget in BUDGETS:
        results[budget] = [measure(budget, seconds) for _ in range(runs)]
        print("| %d %% | %s |" % (budget, " | ".join(
            "%s; cost %.1f %%" % (", ".join("%.0f s: %.2f" % points[i] for i in (2, len(points) // 2, -1)),
                                  100 * cost) for points, cost in results[budget])), flush=True)
    os.makedirs(os.path.join(HERE, "..", "build", "bench"), exist_ok=True)
    with open(os.path.join(HERE, "..", "build", "bench", "convergence.json"), "w") as file:
        json.dump(results, file, indent=1)
    with open(os.path.join(HERE, "..", "doc", "convergence.svg"), "w") as file:
        file.write(svg(results))


if __name__ == "__main__":
    main()
