# SPDX-License-Identifier: BSD-2-Clause
"""The checks to run on every kernel: name and command; PYTHON stands for the interpreter."""

RESIDENT = "blocks,mappings,threads,trimmed,child"

CHECKS = {
    "doctor": ["check_doctor.py"],
    "heap": ["check_report.py", "PYTHON", "heap"],
    "rss": ["check_report.py", "PYTHON", "rss"],
    "lines": ["check_report.py", "PYTHON", "lines"],
    "blocks": ["check_blocks.py", "PYTHON", "frames"],
    "blocks-usdt": ["check_blocks.py", "PYTHON", "usdt"],
    "blocks-entry": ["check_blocks.py", "PYTHON", "frames", "--probe-at-entry"],
    "stacks": ["check_stacks.py", "PYTHON", "frames"],
    "stacks-usdt": ["check_stacks.py", "PYTHON", "usdt"],
    "objects": ["check_objects.py", "PYTHON", "frames", "requests"],
    "holders": ["check_holders.py", "PYTHON", "requests"],
    "counts": ["check_counts.py", "PYTHON"],
    "resident": ["check_resident.py", "PYTHON", "frames", RESIDENT],
    "resident-usdt": ["check_resident.py", "PYTHON", "usdt", RESIDENT],
    "resident-huge": ["check_resident.py", "PYTHON", "frames", "huge"],
    "resident-unseen": ["check_resident.py", "PYTHON", "frames", "blocks,unseen"],
    "resident-moved": ["check_resident.py", "PYTHON", "frames", "shared,mappings"],
    "resident-common": ["check_resident.py", "PYTHON", "frames", "common"],
    "resident-numpy": ["check_resident.py", "PYTHON", "frames", "numpy"],
    "resident-many": ["check_resident.py", "PYTHON", "frames", "many"],
    "resident-sample": ["check_resident.py", "PYTHON", "frames", "blocks", "--sample", "10"],
    "lines-added": ["check_added.py", "PYTHON", "frames"],
    "lines-lists": ["check_lines.py", "PYTHON", "lists", "--markers"],
    "lines-chunks": ["check_lines.py", "PYTHON", "chunks", "--markers"],
    "lines-flow": ["check_lines.py", "PYTHON", "flow", "--markers"],
    "names": ["check_names.py", "PYTHON", "frames", "exit"],
    "native": ["check_odd.py", "PYTHON", "frames", "native"],
    "spawn": ["check_odd.py", "PYTHON", "frames", "spawn"],
    "spawned": ["check_odd.py", "PYTHON", "frames", "spawned"],
    "execute": ["check_odd.py", "PYTHON", "frames", "execute"],
    "many": ["check_odd.py", "PYTHON", "frames", "many"],
    "dying": ["check_odd.py", "PYTHON", "frames", "dying"],
    "sites": ["check_odd.py", "PYTHON", "frames", "sites"],
    "peak": ["check_peak.py", "PYTHON", "1"],
    "windows": ["check_windows.py", "PYTHON", "heap"],
    "windows-objects": ["check_windows.py", "PYTHON", "objects"],
    "untouched": ["check_untouched.py", "PYTHON", "frames"],
}

# For a kernel that is locked down, on which all others are refused.
LOCKED = {"locked": ["check_locked.py", "PYTHON"]}

# For a processor that does not mark pages as used: after a fork, the kernel's own access to a page
# fails until the program has used it. What is lost is counted as such.
LOSSY = ["doctor", "heap", "rss", "lines", "blocks", "blocks-usdt", "blocks-entry", "stacks-usdt",
         "counts", "resident", "resident-huge"]

# The short list: takes a minute or so under emulation.
SHORT = ["doctor", "heap", "rss", "blocks", "blocks-usdt", "objects", "stacks",
         "resident", "resident-common", "lines-added"]
