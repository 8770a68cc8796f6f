# SPDX-License-Identifier: BSD-2-Clause
"""python: what inspect finds in core files, by gcore and of the kernel's, is what it finds in the process; and cores
that are damaged are refused, or looked at as far as they go."""
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

from harness import PYMEMTOP, Target, check

python = sys.argv[1]
SMALL_PROGRAM = "import time; rows = [str(i) * 3 for i in range(9999)]; print('ready', flush=True); time.sleep(999)"
# Offsets in an ELF header: e_type, e_machine, e_phnum.
TYPE, MACHINE, SEGMENTS = 16, 18, 56


def run(*args):
    return subprocess.run([PYMEMTOP, "inspect", *args], capture_output=True, text=True, timeout=100)


def objects(*args):
    done = run("-f", "json", *args)
    check(done.returncode == 0, args, done.stderr)
    process, = json.loads(done.stdout)["processes"]
    return process


def compare(live, core, what):
    print("%s: %d objects, in the process %d" % (what, core["objects"], live["objects"]))
    check(core["pid"] == live["pid"] and core["python"] == live["python"], core["pid"], core["python"])
    # Before 3.13 the line of a class comes from its source, which is not read for a core.
    for row in live["types"] + core["types"]:
        row.pop("line", None)
    for part in ("objects", "bytes", "types", "retained_bytes", "holders"):
        check(core[part] == live[part], what, part, "differs")
    check(0 < core["dumped_bytes"] and not core["missing_bytes"], core["dumped_bytes"], core["missing_bytes"])


def kernel_core(folder, pid):
    """Makes the kernel dump the process, which ends; False if it pipes cores to some program."""
    with open("/proc/sys/kernel/core_pattern") as file:
        if file.read().strip() != "core":
            return False
    resource.prlimit(pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    os.kill(pid, signal.SIGABRT)
    return True


def refused(name, words, *args):
    done = run("--core", name, *args)
    check(done.returncode == 1 and words in done.stderr and not done.stdout, words, done.returncode, done.stderr)
    print(done.stderr.strip())


def damaged(core, folder):
    with open(core, "rb") as file:
        good = file.read()
    name = os.path.join(folder, "damaged")

    def write(data):
        with open(name, "wb") as file:
            file.write(data)

    def patched(offset, value):
        return good[:offset] + struct.pack("<H", value) + good[offset + 2:]

    write(good[:100])
    refused(name, "cut off within its headers")
    write(b"not an ELF file" * 100)
    refused(name, "is no core file")
    write(patched(TYPE, 2))
    refused(name, "is no core file")
    write(patched(MACHINE, 183 if struct.unpack_from("<H", good, MACHINE)[0] != 183 else 62))
    refused(name, "another architecture")
    write(patched(SEGMENTS, 0))
    refused(name, "headers are damaged")
    refused(folder, "is no core file")
    refused(core, "cannot be opened; --root DIR", "--root", folder)

    write(good[:len(good) * 2 // 3])
    done = run("--core", name)
    print("cut off:", done.returncode, (done.stdout + done.stderr).splitlines()[:3])
    check("is cut off" in done.stdout if done.returncode == 0 else done.stderr, done.returncode)
    # Headers, notes and memory full of nonsense: an answer or an error, in bounded time.
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    for round in range(30):
        bad = bytearray(good)
        end = len(bad) if round % 2 else 40000
        for _ in range(chance.choice((3, 100, 10000))):
            bad[chance.randrange(64, end)] = chance.randrange(256)
        write(bad)
        done = run("--core", name, *chance.choice(([], ["--no-holders"], ["--type", "list"])))
        check(done.returncode in (0, 1) and (done.returncode == 0) == bool(done.stdout), done.returncode, done.stderr)


with tempfile.TemporaryDirectory() as folder:
    target = Target(python, "alive.py")
    target.run()
    live = objects("-p", str(target.pid))
    gcore = shutil.which("gcore")
    check(gcore, "there is no gcore")
    subprocess.run([gcore, "-o", os.path.join(folder, "core"), str(target.pid)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    compare(live, objects("--core", os.path.join(folder, "core.%d" % target.pid)), "gcore")
    target.end()

    program = subprocess.Popen([python, "-c", SMALL_PROGRAM], stdout=subprocess.PIPE, cwd=folder)
    program.stdout.readline()
    live = objects("-p", str(program.pid))
    if kernel_core(folder, program.pid):
        program.wait()
        compare(live, objects("--core", os.path.join(folder, "core")), "the kernel")
        damaged(os.path.join(folder, "core"), folder)
    else:
        program.kill()
