# SPDX-License-Identifier: BSD-2-Clause
"""SLOT: changes one offset of its own description (from CPython 3.13 on), so that nobody else's is like it."""
import ctypes
import sys
import time

runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
ctypes.c_uint64.from_address(runtime + 8 * int(sys.argv[1])).value += 1
print("ready", flush=True)
time.sleep(600)
