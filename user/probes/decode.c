// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "probes/decode.h"

int code_walk__begin(struct code_walk *walk, const struct architecture *architecture,
		     const struct code_bytes *text)
{
	*walk = (struct code_walk){.architecture = architecture, .text = text};
	if (cs_open(architecture->arch, architecture->mode, &walk->capstone) != CS_ERR_OK)
		return -ENOMEM;
	cs_option(walk->capstone, CS_OPT_DETAIL, CS_OPT_ON);
	walk->insn = cs_malloc(walk->capstone);
	if (walk->insn)
		return 0;
	cs_close(&walk->capstone);
	return -ENOMEM;
}

void code_walk__end(struct code_walk *walk)
{
	cs_free(walk->insn, 1);
	cs_close(&walk->capstone);
}

bool code_walk__step(struct code_walk *walk)
{
	uint64_t at = walk->address;
	const uint8_t *code;
	size_t left;

	if (at < walk->text->address || at - walk->text->address >= walk->text->size)
		return false;
	code = walk->text->bytes + (at - walk->text->address);
	left = walk->text->size - (at - walk->text->address);
	if (!cs_disasm_iter(walk->capstone, &code, &left, &walk->address, walk->insn))
		return false;
	walk->now = (struct instruction){
		.address = at,
		.end = walk->address,
		.compared = {NO_REGISTER, NO_REGISTER},
		.tested = NO_REGISTER,
		.counts_down = NO_REGISTER,
	};
	walk->architecture->decode(walk->capstone, walk->insn, &walk->now);
	return true;
}

bool code_walk__follow(struct code_walk *walk)
{
	if (!walk->now.target)
		return false;
	walk->address = walk->now.target;
	return true;
}
