# SPDX-License-Identifier: BSD-2-Clause
"""json pprof: a profile as pprof says the same as it does as json. Decoded here, and by Go's pprof
where that is installed."""
import collections
import gzip
import json
import shutil
import subprocess
import sys

from harness import check

TYPES = [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"),
         ("inuse_space", "bytes")]


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def varints(data):
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value - (1 << 64) if value >> 63 else value


def fields(data):
    """The fields of a message, by number."""
    found, at = collections.defaultdict(list), 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            check(key & 7 == 2, "wire type", key & 7)
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            check(len(value) == size, "a field is cut off")
        found[key >> 3].append(value)
    return found


def decode(path):
    """Sample types, and values by the frames of each sample, leaf first."""
    with gzip.open(path) as file:
        profile = fields(file.read())
    strings = [string.decode() for string in profile[6]]
    check(strings[0] == "" and len(set(strings)) == len(strings), "strings", strings[:5])
    functions, places = {}, {}
    for number, message in enumerate(map(fields, profile[5]), 1):
        check(message[1] == [number], "function", number, "has id", message[1])
        functions[number] = strings[message[2][0]], strings[message[4][0]]
    for number, message in enumerate(map(fields, profile[4]), 1):
        check(message[1] == [number], "location", number, "has id", message[1])
        line = fields(message[4][0])
        name, file = functions[line[1][0]]
        places[number] = file, line[2][0], name
    values = {}
    for message in map(fields, profile[2]):
        labels = {strings[label[1][0]]: label for label in map(fields, message[3])}
        frames = tuple(places[number] for number in varints(message[1][0]))
        key = labels["pid"][3][0], frames
        check(key not in values, "twice:", key)
        values[key] = list(varints(message[2][0]))
    types = [tuple(strings[fields(message)[field][0]] for field in (1, 2)) for message in profile[1]]
    check(strings[profile[14][0]] == "inuse_space", "default", profile[14])
    return types, values


def main():
    with open(sys.argv[1]) as file:
        profile = json.load(file)
    types, values = decode(sys.argv[2])
    check(types == TYPES, "types", types)
    wanted = {}
    for process in profile["processes"]:
        for stack in process["stacks"]:
            row = [stack["allocated_count"], stack["allocated_bytes"],
                   stack["outstanding_count"] + stack["mapped_count"],
                   stack["outstanding_bytes"] + stack["mapped_bytes"]]
            if any(row):
                wanted[process["pid"], tuple((f["file"], f["line"], f["function"] or f["file"])
                                             for f in stack["frames"])] = row
    check(wanted == values, "stacks differ:", {key: (wanted.get(key), values.get(key))
                                               for key in set(wanted) ^ set(values)})
    total = sum(row[3] for row in wanted.values())
    print("%d stacks, %d bytes" % (len(wanted), total))
    go = shutil.which("go")
    if go:
        done = subprocess.run([go, "tool", "pprof", "-raw", sys.argv[2]], capture_output=True,
                              text=True)
        check(done.returncode == 0, done.stderr)
        samples = done.stdout[done.stdout.index("Samples:"):done.stdout.index("Locations")]
        theirs = sum(int(line.split(":")[0].split()[3]) for line in samples.splitlines()[2:]
                     if line.split(":")[0].replace("-", "").split()[:1] and
                     line.split(":")[0].split()[0].lstrip("-").isdigit())
        check(theirs == total, "Go's pprof finds", theirs, "not", total)
        print("Go's pprof agrees")


if __name__ == "__main__":
    main()
