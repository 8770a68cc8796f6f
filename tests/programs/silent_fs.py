# SPDX-License-Identifier: BSD-2-Clause
"""A FUSE file system with one file; opening it never gets an answer. Prints the file's path, or
"skip" and the reason. Ends when its stdin is closed."""
import ctypes
import os
import select
import struct
import sys
import tempfile

# linux/fuse.h
INIT, LOOKUP, GETATTR, OPEN = 26, 1, 3, 14

libc = ctypes.CDLL(None, use_errno=True)
folder = tempfile.mkdtemp()
try:
    device = os.open("/dev/fuse", os.O_RDWR)
except OSError as error:
    print("skip: /dev/fuse: %s" % error)
    sys.exit(0)
options = b"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % device
if libc.mount(b"silent", folder.encode(), b"fuse.silent", 0, options):
    print("skip: mount: %s" % os.strerror(ctypes.get_errno()))
    sys.exit(0)
print(folder + "/file.py", flush=True)


def attributes(node):
    mode = 0o40755 if node == 1 else 0o100644
    return struct.pack("<6Q10I", node, 4096, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


ended = False
while not ended:
    ready, _, _ = select.select([device, sys.stdin], [], [])
    if sys.stdin in ready:
        ended = not os.read(0, 1)
        continue
    message = os.read(device, 1 << 18)
    _, operation, unique, node = struct.unpack_from("<IIQQ", message)
    if operation == INIT:
        answer = struct.pack("<IIIIHHIIHHI7I", 7, 31, 65536, 0, 12, 10, 65536, 1, 0, 0, 0, *[0] * 7)
    elif operation == LOOKUP:
        answer = struct.pack("<QQQQII", 2, 0, 1000, 1000, 0, 0) + attributes(2)
    elif operation == GETATTR:
        answer = struct.pack("<QII", 1000, 0, 0) + attributes(node)
    elif operation == OPEN:
        continue
    else:
        os.write(device, struct.pack("<IiQ", 16, -38, unique))	# ENOSYS
        continue
    os.write(device, struct.pack("<IiQ", 16 + len(answer), 0, unique) + answer)
libc.umount2(folder.encode(), 2)	# MNT_DETACH
os.close(device)
os.rmdir(folder)
