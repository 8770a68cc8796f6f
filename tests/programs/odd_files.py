# SPDX-License-Identifier: BSD-2-Clause
"""FOLDER: maps the code of what nobody would: 40 copies of libc, each with its own malloc(); an ELF file whose
table of symbols takes 3 GiB (sparse); one with 300,000 notes and 60,000 sections. Both say that they are a CPython."""
import mmap
import os
import shutil
import struct
import sys
import time

LIBC = "/lib/x86_64-linux-gnu/libc.so.6"
HEADER = b"\x7fELF\x02\x01\x01" + b"\0" * 9
NOTE = struct.pack("<III", 8, 32, 3) + b"stapsdt\0" + struct.pack("<QQQ", 0, 0, 0) + b"x\0y\0z\0\0\0"
NAMES = b"\0_PyRuntime\0.x\0"


def section(kind, offset, size, link=0, entry=0):
    return struct.pack("<IIQQQQIIQQ", 12, kind, 0, 0, offset, size, link, 0, 1, entry)


def write_elf(path, symbols_size, notes, nsections):
    sections = [section(0, 0, 0), section(11, 4096, symbols_size, 2, 24), section(3, 3000, len(NAMES)),
                section(7, 8192, len(notes))]
    sections += [section(1, 0, 0)] * (nsections - len(sections))
    at = 8192 + len(notes) + 63 & ~63
    with open(path, "wb") as file:
        file.write(HEADER + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0x1000, 64, at, 0, 64, 56, 1, 64,
                                        len(sections), 2))
        file.write(struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 65536, 65536, 4096))
        for offset, data in (3000, NAMES), (4096 + 24, struct.pack("<IBBHQQ", 1, 0x11, 0, 1, 0x100, 8)), \
                (8192, notes), (at, b"".join(sections)):
            file.seek(offset)
            file.write(data)
        file.truncate(max(file.seek(0, os.SEEK_END), 4096 + symbols_size, 65536))


def keep(path, offset=0):
    with open(path, "rb") as file:
        kept.append(mmap.mmap(file.fileno(), 0x10000, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC,
                              offset=offset))


kept, folder = [], sys.argv[1]
write_elf(folder + "/symbols", 3 << 30, NOTE, 4)
write_elf(folder + "/notes", 48, NOTE * 300_000, 60_000)
keep(folder + "/symbols")
keep(folder + "/notes")
for i in range(40):
    copy = "%s/libc%d.so" % (folder, i)
    shutil.copy(LIBC, copy)
    keep(copy, 0x26000)
print("ready", flush=True)
time.sleep(600)
