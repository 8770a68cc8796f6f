# SPDX-License-Identifier: BSD-2-Clause
"""WHEEL: installed by pip into a virtual environment, and its program run below other systems' roots, it records a process."""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

from harness import check, interpreters

wheel = sys.argv[1]
PROGRAM = "kept = [bytearray(100_000) for _ in range(50)]\n"


def run(*argv, **kwargs):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=200, **kwargs)
    check(done.returncode == 0, argv, done.returncode, done.stdout[-1000:], done.stderr[-2000:])
    return done.stdout


def holds(text, what):
    process, = json.loads(text)["processes"]
    line = max(process["lines"], key=lambda line: line["outstanding_bytes"])
    check(line["file"].endswith("held.py") and line["line"] == 1, what, line)
    check(50 * 100_000 <= line["outstanding_bytes"] < 51 * 101_000, what, line)
    print("%s: CPython %s, %d bytes" % (what, process["python"], line["outstanding_bytes"]))


with tempfile.TemporaryDirectory() as folder:
    held = os.path.join(folder, "held.py")
    with open(held, "w") as file:
        file.write(PROGRAM)
    run("/usr/bin/python3.11", "-m", "venv", os.path.join(folder, "venv"))
    pip = os.path.join(folder, "venv", "bin", "pip")
    run(pip, "install", "--no-index", "--quiet", wheel)
    program = os.path.join(folder, "venv", "bin", "pymemtop")
    check(run(program, "--version").startswith("pymemtop "), "version")
    holds(run(program, "record", "-f", "json", "--", "/usr/bin/python3.11", held), "a virtual environment")

    roots = {}
    for _, _, _, start in interpreters():
        if start.startswith("chroot:"):
            _, root, python = start.split(":")
            roots.setdefault(root, python)
    for root, python in roots.items():
        inside = tempfile.mkdtemp(dir=root + "/tmp" if os.path.isdir(root + "/tmp") else root)
        try:
            shutil.copy(program, inside)
            shutil.copy(held, inside)
            os.makedirs(root + "/proc", exist_ok=True)
            os.makedirs(root + "/sys", exist_ok=True)
            at = inside[len(root):]
            holds(run("unshare", "--mount", "sh", "-c", 'mount -t proc proc "$0/proc" && mount --bind /sys "$0/sys" && '
                      'exec chroot "$0" "$@"', root, at + "/pymemtop", "record", "-f", "json", "--", python,
                      at + "/held.py"), os.path.basename(root))
        finally:
            shutil.rmtree(inside)
    run(pip, "uninstall", "--yes", "--quiet", "pymemtop")
    check(not glob.glob(os.path.join(folder, "venv", "bin", "pymemtop*")), "uninstalled")
