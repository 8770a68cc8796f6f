// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <capstone/capstone.h>

#include "probes/placement.h"

static void set(struct placement *placement, uint64_t address, const cs_insn *insn, bool emulated,
		const char *why)
{
	placement->address = address;
	placement->emulated = emulated;
	placement->why = why;
	if (insn)
		snprintf(placement->instruction, sizeof(placement->instruction), "%.15s%s%.46s",
			 insn->mnemonic, insn->op_str[0] ? " " : "", insn->op_str);
	else
		snprintf(placement->instruction, sizeof(placement->instruction), "(not decoded)");
}

#if defined(__x86_64__)

/* Instructions to look at, from the entry on. */
#define MOST_INSTRUCTIONS 24

/* A walk along the instructions that every call executes. */
struct walk {
	csh capstone;
	const struct code_bytes *text;
	uint64_t function, end;
	const struct placement_spec *spec;
	unsigned int intact; /* arguments, as bits */
	int64_t pushed;	     /* bytes on the stack since the entry */
	bool tested;	     /* the last instruction tested whether the first argument is NULL */
	bool past_null;	     /* calls with NULL have branched off */
};

/*
 * What arch/x86/kernel/uprobes.c has emulated since before 5.10: push of a register
 * (push_setup_xol_insn(): no prefix but REX.B), and nop, jmp, jcc, call rel
 * (branch_setup_xol_insn(); no prefixes here, to be safe). Longer nops came later.
 */
static bool is_emulated(const uint8_t *b, size_t size)
{
	if (size == 1)
		return (b[0] >= 0x50 && b[0] <= 0x57) || b[0] == 0x90;
	if (size == 2 && b[0] == 0x41)
		return b[1] >= 0x50 && b[1] <= 0x57;
	if (size == 2)
		return b[0] == 0xeb || (b[0] >= 0x70 && b[0] <= 0x7f);
	if (size == 5)
		return b[0] == 0xe8 || b[0] == 0xe9;
	return size == 6 && b[0] == 0x0f && b[1] >= 0x80 && b[1] <= 0x8f;
}

/* The number of the argument that a register is, or is part of, in the System V ABI; 0: none. */
static int argument_of(csh capstone, unsigned int reg)
{
	static const char *const names[][4] = {
		{"rdi", "edi", "di", "dil"}, {"rsi", "esi", "si", "sil"},
		{"rdx", "edx", "dx", "dl"},  {"rcx", "ecx", "cx", "cl"},
		{"r8", "r8d", "r8w", "r8b"}, {"r9", "r9d", "r9w", "r9b"},
	};
	const char *name = cs_reg_name(capstone, reg);
	int i, k;

	for (i = 0; name && i < 6; i++) {
		for (k = 0; k < 4; k++) {
			if (!strcmp(name, names[i][k]))
				return i + 1;
		}
	}
	return name && !strcmp(name, "dh") ? 3 : name && !strcmp(name, "ch") ? 4 : 0;
}

static bool is_in_group(const cs_insn *insn, uint8_t group)
{
	int i;

	for (i = 0; i < insn->detail->groups_count; i++) {
		if (insn->detail->groups[i] == group)
			return true;
	}
	return false;
}

static bool is_direct_branch(const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;

	return (insn->id == X86_INS_LOOP || insn->id == X86_INS_LOOPE ||
		insn->id == X86_INS_LOOPNE || is_in_group(insn, CS_GRP_JUMP) ||
		is_in_group(insn, CS_GRP_CALL)) &&
	       x86->op_count == 1 && x86->operands[0].type == X86_OP_IMM;
}

static uint64_t branch_target(const cs_insn *insn)
{
	return insn->detail->x86.operands[0].imm;
}

/* Whether the function itself jumps to the address. */
static bool is_target_within(struct walk *walk, uint64_t address)
{
	const uint8_t *code = walk->text->bytes + (walk->function - walk->text->address);
	size_t left = walk->end - walk->function;
	uint64_t at = walk->function;
	cs_insn *insn = cs_malloc(walk->capstone);
	bool found = false;

	while (insn && !found && cs_disasm_iter(walk->capstone, &code, &left, &at, insn))
		found = is_direct_branch(insn) && branch_target(insn) == address;
	/* If it does not decode to the end, branches may be hidden. */
	found |= !insn || left > 0;
	if (insn)
		cs_free(insn, 1);
	return found;
}

/* Whether a disassembly starting at from meets a branch to the address. */
static bool sweep_finds_branch(struct walk *walk, uint64_t from, uint64_t end, uint64_t address)
{
	const uint8_t *code = walk->text->bytes + (from - walk->text->address);
	cs_insn *insn = cs_malloc(walk->capstone);
	size_t left = end - from;
	bool found = !insn;

	while (insn && !found && left) {
		if (cs_disasm_iter(walk->capstone, &code, &left, &from, insn)) {
			found = is_direct_branch(insn) && branch_target(insn) == address;
		} else {
			code++;
			from++;
			left--;
		}
	}
	if (insn)
		cs_free(insn, 1);
	return found;
}

/* How far a short jump reaches, and the longest instruction. */
#define SHORT_REACH 130
#define LONGEST	    15

/* Short jumps come from nearby. We do not know where instructions begin there, so try each possible
 * beginning; disassemblies soon fall in step. */
static bool is_short_target_from_outside(struct walk *walk, uint64_t address)
{
	const struct code_bytes *text = walk->text;
	uint64_t low = address - text->address > SHORT_REACH + LONGEST
			       ? address - SHORT_REACH - LONGEST
			       : text->address;
	uint64_t high = text->address + text->size - address > SHORT_REACH
				? address + SHORT_REACH
				: text->address + text->size;
	int i;

	for (i = 0; i < LONGEST; i++) {
		if (low + i < walk->function &&
		    sweep_finds_branch(walk, low + i, walk->function, address))
			return true;
		if (walk->end + i < high && sweep_finds_branch(walk, walk->end + i, high, address))
			return true;
	}
	return false;
}

/*
 * Whether code outside the function could jump to the address. Takes every byte for the start of a
 * long branch, so none is missed; at worst it rejects a good place.
 */
static bool is_target_from_outside(struct walk *walk, uint64_t address)
{
	const struct code_bytes *text = walk->text;
	size_t at = address - text->address, i;
	const uint8_t *b = text->bytes;
	int32_t distance;

	for (i = 0; i + 6 <= text->size + 1; i++) {
		if (text->address + i >= walk->function && text->address + i < walk->end)
			continue;
		if (b[i] == 0xe8 || b[i] == 0xe9) {
			memcpy(&distance, b + i + 1, sizeof(distance));
			if (i + 5 + distance == at)
				return true;
		} else if (b[i] == 0x0f && (b[i + 1] & 0xf0) == 0x80 && i + 6 <= text->size) {
			memcpy(&distance, b + i + 2, sizeof(distance));
			if (i + 6 + distance == at)
				return true;
		}
	}
	return is_short_target_from_outside(walk, address);
}

static bool qualifies(struct walk *walk, const cs_insn *insn)
{
	if (!is_emulated(insn->bytes, insn->size) ||
	    (walk->intact & walk->spec->args) != walk->spec->args ||
	    (walk->spec->returns && walk->pushed))
		return false;
	if (insn->address == walk->function)
		return true;
	return !is_target_within(walk, insn->address) &&
	       !is_target_from_outside(walk, insn->address);
}

static bool tests_first_argument(const struct walk *walk, const cs_insn *insn)
{
	const cs_x86_op *op = insn->detail->x86.operands;

	return insn->id == X86_INS_TEST && op[0].type == X86_OP_REG && op[1].type == X86_OP_REG &&
	       op[0].reg == X86_REG_RDI && op[1].reg == X86_REG_RDI && (walk->intact & ARG(1));
}

/* Notes what the instruction changes. False if the walk ends. */
static bool pass(struct walk *walk, const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;
	cs_regs read, written;
	uint8_t nread, nwritten, i;
	int argument;

	if (insn->id == X86_INS_SYSCALL ||
	    cs_regs_access(walk->capstone, insn, read, &nread, written, &nwritten))
		return false;
	for (i = 0; i < nwritten; i++) {
		argument = argument_of(walk->capstone, written[i]);
		if (argument)
			walk->intact &= ~ARG(argument);
		if (written[i] != X86_REG_RSP)
			continue;
		if (insn->id == X86_INS_PUSH)
			walk->pushed += 8;
		else if (insn->id == X86_INS_SUB && x86->operands[1].type == X86_OP_IMM)
			walk->pushed += x86->operands[1].imm;
		else
			return false;
	}
	return true;
}

/* Where all calls of interest go from here; 0 if they part, or leave. */
static uint64_t next(struct walk *walk, const cs_insn *insn)
{
	bool jump = is_in_group(insn, CS_GRP_JUMP);

	if (!jump && !is_in_group(insn, CS_GRP_CALL) && !is_in_group(insn, CS_GRP_RET) &&
	    !is_in_group(insn, CS_GRP_INT))
		return insn->address + insn->size;
	if (!jump || !is_direct_branch(insn) || !walk->spec->null_is_idle || !walk->tested)
		return 0;
	walk->past_null = true;
	if (insn->id == X86_INS_JE)
		return insn->address + insn->size;
	return insn->id == X86_INS_JNE ? branch_target(insn) : 0;
}

static const char *why(const struct walk *walk, uint64_t address)
{
	if (walk->past_null)
		return "the first emulated one behind the test for NULL";
	return address == walk->function
		       ? "the entry, and emulated"
		       : "the first emulated one that all calls pass, with the arguments intact";
}

static void walk_function(struct walk *walk, struct placement *placement)
{
	uint64_t address = walk->function, at;
	cs_insn *insn = cs_malloc(walk->capstone);
	const uint8_t *code;
	size_t left;
	int i;

	for (i = 0;
	     insn && address >= walk->function && address < walk->end && i < MOST_INSTRUCTIONS;
	     i++) {
		at = address;
		code = walk->text->bytes + (address - walk->text->address);
		left = walk->end - address;
		if (!cs_disasm_iter(walk->capstone, &code, &left, &at, insn))
			break;
		if (address == walk->function)
			set(placement, address, insn, false, "nothing better: the entry");
		/* It only marks a valid entry: the function begins after it. */
		if (insn->id == X86_INS_ENDBR64 && address == walk->function) {
			walk->function = address += insn->size;
			continue;
		}
		if ((!placement->emulated || walk->past_null) && qualifies(walk, insn)) {
			set(placement, address, insn, true, why(walk, address));
			if (walk->past_null || !walk->spec->null_is_idle)
				break;
		}
		address = next(walk, insn);
		walk->tested = tests_first_argument(walk, insn);
		if (!address || !pass(walk, insn))
			break;
	}
	if (insn)
		cs_free(insn, 1);
}

void placement__find(const struct code_bytes *text, uint64_t function, size_t size,
		     const struct placement_spec *spec, struct placement *placement)
{
	struct walk walk = {
		.text = text,
		.function = function,
		.spec = spec,
		.intact = ~0u,
	};

	set(placement, function, NULL, false, "nothing better: the entry");
	if (function < text->address || function - text->address >= text->size)
		return;
	if (size > text->size - (function - text->address))
		size = text->size - (function - text->address);
	walk.end = function + size;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &walk.capstone) != CS_ERR_OK)
		return;
	cs_option(walk.capstone, CS_OPT_DETAIL, CS_OPT_ON);
	walk_function(&walk, placement);
	cs_close(&walk.capstone);
}

#else

void placement__find(const struct code_bytes *text, uint64_t function, size_t size,
		     const struct placement_spec *spec, struct placement *placement)
{
	(void)text;
	(void)size;
	(void)spec;
	set(placement, function, NULL, false, "the entry: nothing near it is emulated here");
}

#endif

int placement__read_text(const struct elf_file *elf, struct code_bytes *text)
{
	uint8_t *bytes;

	if (!elf_file__code_range(elf, &text->address, &text->size))
		return -ENOEXEC;
	bytes = malloc(text->size);
	if (!bytes)
		return -ENOMEM;
	text->size = elf_file__read(elf, text->address, bytes, text->size);
	text->bytes = bytes;
	return 0;
}
