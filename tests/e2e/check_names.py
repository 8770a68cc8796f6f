# SPDX-License-Identifier: BSD-2-Clause
"""python attribution [exit]: the names of names.py; with exit, those of a process that is gone."""
import json
import sys

from harness import Recording, Target, check, check_nothing_lost, process_of

python, attribution, *args = sys.argv[1:]
target = Target(python, "names.py", *args, *(["markers"] if attribution == "usdt" else []))
recording = Recording("-p", str(target.pid), "-f", "json", "--attribution", attribution)
target.run()
if args:
    target.process.wait()
    profile = json.loads(recording.wait())
else:
    profile = json.loads(recording.stop())
process = process_of(profile, target.pid)
check(process["state"] == ("exited" if args else "running"), process["state"])
check_nothing_lost(process)

expected = {
    20000: ("<string>", "unnamed", 6),
    20001: ("/tmp/größe/文件.py", "größe", 6),
    20002: ("/tmp/emoji-\U0001f40d.py", "名前", 6),
    20003: ("/tmp/with blank; and semicolon.py", "f", 6),
    20004: ("/tmp/undecodable-\\udcff.py", "f", 6),
    20005: ("/tmp/control-\\x1b[31m\\x0a.py", "f", 6),
    20006: ("/tmp/" + "long/" * 150 + "x.py", "f" * 200, 6),
    20007: ("/tmp/subclass.py", "<module>", 6),
    20008: ("/tmp/größe.py", "<module>", 6),
    22000: ("/tmp/huge.py", "<module>", 40001),
}
expected.update({21000 + i: ("/tmp/gone-%03d.py" % i, "gone%03d" % i, 6) for i in range(300)})
if attribution == "usdt":
    del expected[20004]

found = {stack["outstanding_bytes"]: stack["frames"] for stack in process["stacks"]}
# The line of huge.py may hold something else as well.
found.update({22000: stack["frames"] for stack in process["stacks"]
              if stack["frames"][0]["file"] == "/tmp/huge.py" and stack["outstanding_bytes"] >= 22000})
for size, (file, function, line) in expected.items():
    check(size in found, "no stack with", size, "bytes: it should be", file)
    leaf = found[size][0]
    check((leaf["file"], leaf["function"], leaf["line"]) == (file, function, line), "wanted", file,
          function, line, "got", leaf)
imported = found[23000]
check(imported[0]["file"].endswith("/imported.py"), imported[0])
check(any(frame["file"] == "<frozen importlib._bootstrap>" for frame in imported), imported)
target.end()
