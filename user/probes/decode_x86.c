// SPDX-License-Identifier: BSD-2-Clause
#include "probes/decode.h"

/* The word of struct pt_regs (asm/ptrace.h) that holds a register. */
static int word_of(unsigned int reg)
{
	static const struct {
		unsigned int parts[4];
		int word;
	} words[] = {
		{{X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B}, 0},
		{{X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B}, 1},
		{{X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B}, 2},
		{{X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B}, 3},
		{{X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL}, 4},
		{{X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL}, 5},
		{{X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B}, 6},
		{{X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B}, 7},
		{{X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B}, 8},
		{{X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B}, 9},
		{{X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL}, 10},
		{{X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL}, 11},
		{{X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL}, 12},
		{{X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL}, 13},
		{{X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL}, 14},
		{{X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL}, 19},
		{{X86_REG_RIP, X86_REG_EIP}, REGISTER_PC},
		{{X86_REG_EFLAGS}, REGISTER_FLAGS},
	};
	size_t i, k;

	if (reg == X86_REG_INVALID)
		return NO_REGISTER;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (k = 0; k < 4; k++) {
			if (words[i].parts[k] == reg)
				return words[i].word;
		}
	}
	return REGISTER_OTHER;
}

static int register_of(const cs_x86_op *op)
{
	return op->type == X86_OP_REG ? word_of(op->reg) : NO_REGISTER;
}

/* Finds the operands in memory. lea has none: it only computes an address. */
static void find_accesses(const cs_insn *insn, struct instruction *result)
{
	const cs_x86 *x86 = &insn->detail->x86;
	bool moves = insn->id == X86_INS_MOV && x86->op_count == 2;
	int i;

	for (i = 0; i < x86->op_count && i < 2 && insn->id != X86_INS_LEA; i++) {
		const cs_x86_op *op = &x86->operands[i];
		struct memory_access *access = &result->access[result->naccesses];

		if (op->type != X86_OP_MEM)
			continue;
		*access = (struct memory_access){
			.at = {word_of(op->mem.base), word_of(op->mem.index), op->mem.scale,
			       op->mem.disp},
			.size = op->size,
			.writes = op->access & CS_AC_WRITE,
			.value = moves ? register_of(&x86->operands[1 - i]) : NO_REGISTER,
		};
		if (op->mem.segment != X86_REG_INVALID)
			access->at.index = REGISTER_OTHER;
		if (access->at.base == REGISTER_PC)
			access->at.displacement += result->end;
		result->naccesses++;
	}
}

static void find_written(csh capstone, const cs_insn *insn, struct instruction *result)
{
	cs_regs read, written;
	uint8_t nread, nwritten, i;
	int word;

	if (cs_regs_access(capstone, insn, read, &nread, written, &nwritten)) {
		result->written = ~0ULL;
		return;
	}
	for (i = 0; i < nwritten; i++) {
		word = word_of(written[i]);
		if (word >= 0)
			result->written |= 1ULL << word;
	}
}

static void find_branch(csh capstone, const cs_insn *insn, struct instruction *result)
{
	const cs_x86_op *op = insn->detail->x86.operands;

	result->leaves = cs_insn_group(capstone, insn, CS_GRP_CALL) ||
			 cs_insn_group(capstone, insn, CS_GRP_RET) ||
			 cs_insn_group(capstone, insn, CS_GRP_INT);
	if (op[0].type == X86_OP_IMM)
		result->target = op[0].imm;
	if (!cs_insn_group(capstone, insn, CS_GRP_JUMP))
		return;
	switch (insn->id) {
	case X86_INS_JMP:
		result->branch = BRANCH_ALWAYS;
		break;
	case X86_INS_JE:
		result->branch = BRANCH_IF_EQUAL;
		break;
	case X86_INS_JNE:
		result->branch = BRANCH_IF_NOT_EQUAL;
		break;
	default:
		result->branch = BRANCH_OTHER;
	}
}

static bool is_one(const cs_x86_op *op, int64_t one)
{
	return op->type == X86_OP_IMM && op->imm == one;
}

static bool subtracts_one(const cs_insn *insn)
{
	const cs_x86_op *op = insn->detail->x86.operands;

	return insn->id == X86_INS_DEC || (insn->id == X86_INS_SUB && is_one(&op[1], 1)) ||
	       (insn->id == X86_INS_ADD && is_one(&op[1], -1));
}

static void decode(csh capstone, const cs_insn *insn, struct instruction *result)
{
	const cs_x86_op *op = insn->detail->x86.operands;

	find_accesses(insn, result);
	find_written(capstone, insn, result);
	find_branch(capstone, insn, result);
	if (insn->id == X86_INS_CMP) {
		result->compared[0] = register_of(&op[0]);
		result->compared[1] = register_of(&op[1]);
	} else if (insn->id == X86_INS_TEST && register_of(&op[0]) == register_of(&op[1])) {
		result->tested = register_of(&op[0]);
	} else if (subtracts_one(insn)) {
		result->counts_down = register_of(&op[0]);
		result->counts_memory_down = op[0].type == X86_OP_MEM;
	}
}

/* Whether a memory operand with the displacement 16, nextpool's, may follow, at b[3] or after a SIB
 * byte. */
static bool may_load_nextpool(const uint8_t *b)
{
	if ((b[0] & 0xf8) != 0x48 || (b[1] != 0x8b && b[1] != 0x39 && b[1] != 0x3b) ||
	    (b[2] & 0xc0) != 0x40)
		return false;
	return (b[2] & 7) == 4 ? b[4] == 16 : b[3] == 16;
}

/* mov dword ptr [reg], 1: without a displacement or, if the register needs one, with 0. */
static bool may_set_count(const uint8_t *b)
{
	const uint8_t *at = b + (b[0] == 0x41);
	int size = 2;

	if (at[0] != 0xc7 || (at[1] & 0x38))
		return false;
	size += (at[1] & 7) == 4;
	size += (at[1] & 0xc0) == 0x40;
	return (at[1] & 0xc0) <= 0x40 && at[size] == 1 && !at[size + 1] && !at[size + 2] &&
	       !at[size + 3];
}

/* mov reg, [memory] of 8 bytes */
static bool may_load(const uint8_t *b)
{
	return (b[0] & 0xf8) == 0x48 && b[1] == 0x8b && (b[2] & 0xc0) != 0xc0;
}

/* sub reg, 1 */
static bool may_count_down(const uint8_t *b)
{
	const uint8_t *at = b + ((b[0] & 0xf0) == 0x40);

	return at[0] == 0x83 && (at[1] & 0xf8) == 0xe8 && at[2] == 1;
}

static unsigned int may_begin(const uint8_t *bytes, size_t before)
{
	(void)before;
	return (may_load_nextpool(bytes) ? MAY_LOAD_NEXTPOOL : 0) |
	       (may_set_count(bytes) ? MAY_SET_COUNT : 0) | (may_load(bytes) ? MAY_LOAD : 0) |
	       (may_count_down(bytes) ? MAY_COUNT_DOWN : 0);
}

const struct architecture x86_architecture = {
	.arch = CS_ARCH_X86,
	.mode = CS_MODE_64,
	.alignment = 1,
	.may_begin = may_begin,
	.decode = decode,
};
