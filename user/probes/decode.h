/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions in a form that is the same for every architecture, with what a search for shapes in
 * machine code needs. decode_x86.c and decode_arm64.c make it of Capstone's detail.
 */
#ifndef DECODE_H
#define DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <capstone/capstone.h>

#include "probes/placement.h"

/* Registers are words of struct pt_regs (struct user_pt_regs on arm64), whatever part of one the
 * instruction uses. */
enum {
	NO_REGISTER = -1,
	REGISTER_FLAGS = 61,
	REGISTER_PC = 62,    /* only as a base */
	REGISTER_OTHER = 63, /* of vectors, segments, ... */
};

struct memory_operand {
	int base, index;
	int scale;	      /* of the index */
	int64_t displacement; /* from a base of 0 where that is the program counter */
};

struct memory_access {
	struct memory_operand at;
	int size; /* bytes */
	bool writes;
	int value; /* the register that is loaded or stored; NO_REGISTER: something else */
};

enum branch {
	BRANCH_NONE,
	BRANCH_ALWAYS,
	BRANCH_IF_EQUAL, /* or the tested register is 0 */
	BRANCH_IF_NOT_EQUAL,
	BRANCH_OTHER,
};

struct instruction {
	uint64_t address, end;
	struct memory_access access[2];
	size_t naccesses;
	uint64_t written; /* bits: registers */
	/* Registers that are compared; with only one, it is with the memory that is read. */
	int compared[2];
	int tested;	 /* whether it is 0 */
	int counts_down; /* by one */
	bool counts_memory_down;
	enum branch branch;
	uint64_t target; /* of the branch or call; 0: not known */
	bool leaves;	 /* calls, returns, traps */
};

/* Which shapes of pymalloc.c may start at some bytes. It only saves decoding the others. */
enum {
	MAY_LOAD_NEXTPOOL = 1,
	MAY_SET_COUNT = 2,
	MAY_LOAD = 4,
	MAY_COUNT_DOWN = 8,
};

/* may_begin() gets at least as many. The longest instruction has 15. */
#define MOST_CODE_BYTES 16

struct architecture {
	cs_arch arch;
	cs_mode mode;
	size_t alignment; /* of instructions */
	/* before: how many bytes of the code lie before these. */
	unsigned int (*may_begin)(const uint8_t *bytes, size_t before);
	void (*decode)(csh capstone, const cs_insn *insn, struct instruction *result);
};

extern const struct architecture x86_architecture, arm64_architecture;

#if defined(__aarch64__)
#define native_architecture arm64_architecture
#else
#define native_architecture x86_architecture
#endif

/* Decodes instructions one after the other. */
struct code_walk {
	const struct architecture *architecture;
	const struct code_bytes *text;
	csh capstone;
	cs_insn *insn;
	uint64_t address; /* of the next instruction */
	struct instruction now;
};

/* Prepares a walk of text, which outlives it. 0, and the caller ends it by code_walk__end(); or
 * -ENOMEM. The caller sets walk->address before the first step. */
int code_walk__begin(struct code_walk *walk, const struct architecture *architecture,
		     const struct code_bytes *text);

void code_walk__end(struct code_walk *walk);

/* Decodes the next instruction into walk->now, and moves past it. False at the end of the text, or
 * if the bytes are no instruction. */
bool code_walk__step(struct code_walk *walk);

/* Follows the branch in walk->now. False if its target is unknown. */
bool code_walk__follow(struct code_walk *walk);

static inline bool writes(const struct instruction *insn, int reg)
{
	return reg >= 0 && insn->written >> reg & 1;
}

static inline bool branches(const struct instruction *insn)
{
	return insn->branch != BRANCH_NONE;
}

/* Whether it is a branch that depends on an equality. */
static inline bool is_conditional(const struct instruction *insn)
{
	return insn->branch == BRANCH_IF_EQUAL || insn->branch == BRANCH_IF_NOT_EQUAL;
}

static inline bool compares(const struct instruction *insn, int a, int b)
{
	return (insn->compared[0] == a && insn->compared[1] == b) ||
	       (insn->compared[0] == b && insn->compared[1] == a);
}

#endif /* DECODE_H */
