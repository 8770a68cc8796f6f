// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "probes/decode.h"

#define STACK_POINTER 31 /* struct user_pt_regs: regs[31], sp, pc, pstate (asm/ptrace.h) */

/* The word of struct user_pt_regs that holds a register. Capstone numbers x29 and x30 apart from
 * the others. */
static int word_of(unsigned int reg)
{
	if (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28)
		return reg - ARM64_REG_X0;
	if (reg >= ARM64_REG_W0 && reg <= ARM64_REG_W30)
		return reg - ARM64_REG_W0;
	switch (reg) {
	case ARM64_REG_INVALID:
	case ARM64_REG_XZR:
	case ARM64_REG_WZR:
		return NO_REGISTER;
	case ARM64_REG_X29:
		return 29;
	case ARM64_REG_X30:
		return 30;
	case ARM64_REG_SP:
	case ARM64_REG_WSP:
		return STACK_POINTER;
	case ARM64_REG_NZCV:
		return REGISTER_FLAGS;
	default:
		return REGISTER_OTHER;
	}
}

static int register_of(const cs_arm64_op *op)
{
	return op->type == ARM64_OP_REG ? word_of(op->reg) : NO_REGISTER;
}

static bool is_wide(unsigned int reg)
{
	return (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28) || reg == ARM64_REG_X29 ||
	       reg == ARM64_REG_X30 || reg == ARM64_REG_XZR;
}

/* Loads and stores that the shapes have, and how many bytes they move; 0: as many as the register
 * has. */
static const struct {
	unsigned int id;
	bool writes;
	int size;
} moves[] = {
	{ARM64_INS_LDR, false, 0},  {ARM64_INS_LDUR, false, 0}, {ARM64_INS_LDP, false, 0},
	{ARM64_INS_LDRB, false, 1}, {ARM64_INS_LDRH, false, 2}, {ARM64_INS_LDRSW, false, 4},
	{ARM64_INS_STR, true, 0},   {ARM64_INS_STUR, true, 0},	{ARM64_INS_STP, true, 0},
	{ARM64_INS_STRB, true, 1},  {ARM64_INS_STRH, true, 2},
};

/* The second of a pair lies after the first. */
static void find_accesses(const cs_insn *insn, struct instruction *result)
{
	const cs_arm64 *arm64 = &insn->detail->arm64;
	const cs_arm64_op *memory = NULL;
	size_t i;
	int k, size;

	for (k = 0; k < arm64->op_count; k++) {
		if (arm64->operands[k].type == ARM64_OP_MEM)
			memory = &arm64->operands[k];
	}
	for (i = 0; i < sizeof(moves) / sizeof(moves[0]) && moves[i].id != insn->id; i++)
		;
	if (!memory || i == sizeof(moves) / sizeof(moves[0]))
		return;
	for (k = 0; k < 2 && k < memory - arm64->operands; k++) {
		const cs_arm64_op *value = &arm64->operands[k];

		size = moves[i].size ? moves[i].size : is_wide(value->reg) ? 8 : 4;
		result->access[k] = (struct memory_access){
			.at = {word_of(memory->mem.base), word_of(memory->mem.index),
			       1 << (memory->shift.type == ARM64_SFT_LSL ? memory->shift.value : 0),
			       memory->mem.disp + k * size},
			.size = size,
			.writes = moves[i].writes,
			.value = register_of(value),
		};
		if (arm64->writeback)
			result->access[k].at.index = REGISTER_OTHER;
		result->naccesses++;
	}
}

/* Whether the instruction does not write its first operand. */
static bool only_reads(unsigned int id)
{
	static const unsigned int ids[] = {
		ARM64_INS_STR, ARM64_INS_STUR, ARM64_INS_STP, ARM64_INS_STRB, ARM64_INS_STRH,
		ARM64_INS_CMP, ARM64_INS_CMN,  ARM64_INS_TST, ARM64_INS_CCMP, ARM64_INS_CCMN,
		ARM64_INS_CBZ, ARM64_INS_CBNZ, ARM64_INS_TBZ, ARM64_INS_TBNZ, ARM64_INS_B,
	};
	size_t i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

static void find_written(const cs_insn *insn, struct instruction *result)
{
	const cs_arm64 *arm64 = &insn->detail->arm64;
	bool is_pair = insn->id == ARM64_INS_LDP || insn->id == ARM64_INS_LDPSW;
	int i, word;

	for (i = 0; i < arm64->op_count && i < (is_pair ? 2 : 1) && !only_reads(insn->id); i++) {
		word = register_of(&arm64->operands[i]);
		if (word >= 0)
			result->written |= 1ULL << word;
	}
	for (i = 0; i < arm64->op_count && arm64->writeback; i++) {
		if (arm64->operands[i].type == ARM64_OP_MEM)
			result->written |= 1ULL << word_of(arm64->operands[i].mem.base);
	}
	/* subs, adds, ands, and cmp, which is subs. */
	if (arm64->update_flags)
		result->written |= 1ULL << REGISTER_FLAGS;
}

static void find_branch(const cs_insn *insn, struct instruction *result)
{
	const cs_arm64 *arm64 = &insn->detail->arm64;
	const cs_arm64_op *last = &arm64->operands[arm64->op_count - 1];

	switch (insn->id) {
	case ARM64_INS_B:
		result->branch = arm64->cc == ARM64_CC_EQ   ? BRANCH_IF_EQUAL
				 : arm64->cc == ARM64_CC_NE ? BRANCH_IF_NOT_EQUAL
				 : arm64->cc == ARM64_CC_INVALID || arm64->cc == ARM64_CC_AL
					 ? BRANCH_ALWAYS
					 : BRANCH_OTHER;
		break;
	case ARM64_INS_CBZ:
	case ARM64_INS_CBNZ:
		result->branch = insn->id == ARM64_INS_CBZ ? BRANCH_IF_EQUAL : BRANCH_IF_NOT_EQUAL;
		result->tested = register_of(&arm64->operands[0]);
		break;
	case ARM64_INS_TBZ:
	case ARM64_INS_TBNZ:
	case ARM64_INS_BR:
		result->branch = BRANCH_OTHER;
		break;
	case ARM64_INS_BL:
	case ARM64_INS_BLR:
	case ARM64_INS_RET:
	case ARM64_INS_BRK:
	case ARM64_INS_SVC:
		result->leaves = true;
		break;
	default:
		return;
	}
	if (arm64->op_count && last->type == ARM64_OP_IMM)
		result->target = last->imm;
}

static void decode(csh capstone, const cs_insn *insn, struct instruction *result)
{
	const cs_arm64 *arm64 = &insn->detail->arm64;
	const cs_arm64_op *op = arm64->operands;

	(void)capstone;
	find_accesses(insn, result);
	find_written(insn, result);
	find_branch(insn, result);
	if (insn->id == ARM64_INS_CMP && arm64->op_count == 2) {
		result->compared[0] = register_of(&op[0]);
		result->compared[1] = register_of(&op[1]);
		result->written |= 1ULL << REGISTER_FLAGS;
	} else if (insn->id == ARM64_INS_SUB && arm64->op_count == 3 &&
		   op[2].type == ARM64_OP_IMM && op[2].imm == 1) {
		result->counts_down = register_of(&op[0]);
	}
}

static uint32_t word_at(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* How many instructions back a constant may have been loaded. */
#define MOST_BACK 16

/* Whether the register was last given a constant, and that is 1: mov w, #1. */
static bool holds_one(const uint8_t *bytes, size_t before, uint32_t reg)
{
	uint32_t word;
	size_t i;

	for (i = 1; i <= MOST_BACK && 4 * i <= before; i++) {
		word = word_at(bytes - 4 * i);
		if ((word & 0xffe0001f) == (0x52800000 | reg))
			return (word >> 5 & 0xffff) == 1;
	}
	return false;
}

/* C4 of the Arm Architecture Reference Manual, DDI 0487: ldr x, [x, #16] and ldp x, x, ...; str w,
 * [x]; ldr and ldur x, [x, #imm]; sub w, w, #1. */
static unsigned int may_begin(const uint8_t *bytes, size_t before)
{
	uint32_t word = word_at(bytes);

	if ((word & 0xfffffc00) == 0xf9400800)
		return MAY_LOAD_NEXTPOOL | MAY_LOAD;
	if ((word & 0xffc00000) == 0xa9400000)
		return MAY_LOAD_NEXTPOOL | MAY_LOAD;
	if ((word & 0xfffffc00) == 0xb9000000)
		return holds_one(bytes, before, word & 31) ? MAY_SET_COUNT : 0;
	if ((word & 0xffc00000) == 0xf9400000 || (word & 0xffe00c00) == 0xf8400000)
		return MAY_LOAD;
	return (word & 0xfffffc00) == 0x51000400 ? MAY_COUNT_DOWN : 0;
}

const struct architecture arm64_architecture = {
	.arch = CS_ARCH_ARM64,
	.mode = CS_MODE_LITTLE_ENDIAN,
	.alignment = 4,
	.may_begin = may_begin,
	.decode = decode,
};
