/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a search for shapes in machine code needs to know of an instruction, the same for every
 * architecture: decode_x86.c and decode_arm64.c fill it from Capstone's detail.
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

/* What may begin at some bytes, of what pymalloc.c looks for: so that few have to be decoded. */
enum {
	MAY_LOAD_NEXTPOOL = 1,
	MAY_SET_COUNT = 2,
	MAY_LOAD = 4,
	MAY_COUNT_DOWN = 8,
};

/* The longest instruction, and how far may_begin() may look ahead. */
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

/* A place in code, from where instructions are decoded one after the other. */
struct code_walk {
	const struct architecture *architecture;
	const struct code_bytes *text;
	csh capstone;
	cs_insn *insn;
	uint64_t address; /* of the next instruction */
	struct instruction now;
};

/* Begins a walk of text. 0, and the walk, to be ended by code_walk__end(); or -errno. */
int code_walk__begin(struct code_walk *walk, const struct architecture *architecture,
		     const struct code_bytes *text);

void code_walk__end(struct code_walk *walk);

/* Decodes the next instruction into walk->now, and passes it. False at the text's end, or where
 * the bytes are no instruction. */
bool code_walk__step(struct code_walk *walk);

/* Goes on where the branch in walk->now leads. False where that is not known. */
bool code_walk__follow(struct code_walk *walk);

static inline bool writes(const struct instruction *insn, int reg)
{
	return reg >= 0 && insn->written >> reg & 1;
}

static inline bool branches(const struct instruction *insn)
{
	return insn->branch != BRANCH_NONE;
}

/* A branch that an equality decides. */
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
