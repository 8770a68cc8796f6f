// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "placement.h"

uint64_t placement__of_entry(const struct elf_file *elf, uint64_t address)
{
	static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	uint8_t code[sizeof(endbr64)];

	/* Always single-stepped by the kernel, and it changes nothing. */
	if (elf_file__read(elf, address, code, sizeof(code)) == sizeof(code) &&
	    !memcmp(code, endbr64, sizeof(code)))
		return address + sizeof(endbr64);
	return address;
}
