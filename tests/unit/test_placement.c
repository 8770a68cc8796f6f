// SPDX-License-Identifier: BSD-2-Clause
/* Where probes are placed: in hand-made functions, and in the libcs that PLACEMENT_LIBS names. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "probes/placement.h"
#include "target/elffile.h"

#if defined(__x86_64__)

#define BASE 0x10000

static const struct placement_spec sized = {.args = ARG(1), .returns = true};
static const struct placement_spec aligned = {.args = ARG(2), .returns = true};
static const struct placement_spec counted = {.args = ARG(1) | ARG(2), .returns = true};
static const struct placement_spec freed = {.args = ARG(1), .null_is_idle = true};
static const struct placement_spec plain = {.args = ARG(1)};

/* The function is the first size bytes of the text. */
static struct placement place_in(const uint8_t *bytes, size_t size, size_t all,
				 const struct placement_spec *wish)
{
	struct code_bytes text = {bytes, all, BASE};
	struct placement placement;

	placement__find(&text, BASE, size, wish, &placement);
	return placement;
}

#define PLACE(wish, ...)                                             \
	({                                                           \
		static const uint8_t bytes[] = {__VA_ARGS__};        \
		place_in(bytes, sizeof(bytes), sizeof(bytes), wish); \
	})

static void assert_at(struct placement placement, unsigned int offset, bool emulated)
{
	assert_int_equal(placement.address - BASE, offset);
	assert_int_equal(placement.emulated, emulated);
}

#define PUSH_RBX    0x53
#define PUSH_R12    0x41, 0x54
#define RET	    0xc3
#define ENDBR64	    0xf3, 0x0f, 0x1e, 0xfa
#define TEST_RDI    0x48, 0x85, 0xff
#define MOV_RDI_RAX 0x48, 0x89, 0xc7 /* rdi = rax */
#define MOV_RBX_RDI 0x48, 0x89, 0xfb /* rbx = rdi */
#define SUB_RSP_24  0x48, 0x83, 0xec, 0x18
#define CALL(d)	    0xe8, d, 0, 0, 0

static void entries(void **state)
{
	(void)state;
	assert_at(PLACE(&sized, PUSH_R12, PUSH_RBX, MOV_RBX_RDI, RET), 0, true);
	/* CET: the function begins behind endbr64. */
	assert_at(PLACE(&sized, ENDBR64, PUSH_RBX, MOV_RBX_RDI, RET), 4, true);
	assert_at(PLACE(&sized, ENDBR64, MOV_RBX_RDI, RET), 4, false);
	/* A later push will do, if nothing was pushed before it. */
	assert_at(PLACE(&sized, MOV_RBX_RDI, PUSH_RBX, RET), 3, true);
}

static void stack_pointers(void **state)
{
	(void)state;
	/* The return is found by the stack pointer at the entry. */
	assert_at(PLACE(&sized, SUB_RSP_24, PUSH_RBX, RET), 0, false);
	assert_at(PLACE(&plain, SUB_RSP_24, PUSH_RBX, RET), 4, true);
	/* mov rsp, rbp sets up no frame: it is another kind of write to rsp. */
	assert_at(PLACE(&plain, 0x48, 0x89, 0xec, PUSH_RBX, RET), 0, false);
}

static void arguments(void **state)
{
	(void)state;
	assert_at(PLACE(&sized, MOV_RDI_RAX, PUSH_RBX, RET), 0, false);
	/* Only arguments that are read matter: here memalign's second. */
	assert_at(PLACE(&aligned, MOV_RDI_RAX, PUSH_RBX, RET), 3, true);
	/* Writes to a part of a register: mov dil, 0; xor esi, esi. mul writes rdx, not rsi. */
	assert_at(PLACE(&sized, 0x40, 0xb7, 0x00, PUSH_RBX, RET), 0, false);
	assert_at(PLACE(&counted, 0x31, 0xf6, PUSH_RBX, RET), 0, false);
	assert_at(PLACE(&counted, 0x48, 0xf7, 0xe6, PUSH_RBX, RET), 3, true);
	assert_at(PLACE(&(struct placement_spec){.args = ARG(3)}, 0x48, 0xf7, 0xe6, PUSH_RBX, RET),
		  0, false);
	/* rep stosq counts rcx down and advances rdi. */
	assert_at(PLACE(&sized, 0xf3, 0x48, 0xab, PUSH_RBX, RET), 0, false);
	/* A system call is the work itself: no place behind it will do. */
	assert_at(PLACE(&sized, 0xb8, 9, 0, 0, 0, 0x0f, 0x05, PUSH_RBX, RET), 0, false);
}

static void branches(void **state)
{
	(void)state;
	/* Every call passes the branch itself, but not what follows it. */
	assert_at(PLACE(&sized, 0x48, 0x39, 0xf7, 0x72, 0x02, PUSH_RBX, RET, RET), 3, true);
	/* A tail call. */
	assert_at(PLACE(&sized, MOV_RBX_RDI, 0xe9, 0x10, 0, 0, 0), 3, true);
	/* A jump through a pointer: no instruction there is emulated. */
	assert_at(PLACE(&sized, 0xff, 0x25, 0x10, 0, 0, 0), 0, false);
	/* A loop back to the place would hit the probe again. */
	assert_at(PLACE(&sized, MOV_RBX_RDI, PUSH_RBX, 0xff, 0xc8, 0x75, 0xfb, RET), 0, false);
	/* A call is emulated; an instruction with a 16-bit prefix is not. */
	assert_at(PLACE(&sized, MOV_RBX_RDI, CALL(0), RET), 3, true);
	assert_at(PLACE(&sized, 0x66, 0x90, MOV_RDI_RAX, RET), 0, false);
	/* Only recent kernels emulate nops of several bytes. */
	assert_at(PLACE(&sized, 0x0f, 0x1f, 0x44, 0, 0, MOV_RDI_RAX, RET), 0, false);
}

static void jumps_from_outside(void **state)
{
	/* mov rbx,rdi; push rbx; ret | jmp to the push, short and long; another call */
	static const uint8_t near[] = {MOV_RBX_RDI, PUSH_RBX, RET, 0xeb, 0xfc};
	static const uint8_t far[] = {MOV_RBX_RDI, PUSH_RBX, RET, 0xe9, 0xf9, 0xff, 0xff, 0xff};
	static const uint8_t conditional[] = {MOV_RBX_RDI, PUSH_RBX, RET,  0x0f, 0x84,
					      0xf8,	   0xff,     0xff, 0xff};
	static const uint8_t other[] = {MOV_RBX_RDI, PUSH_RBX, RET, 0xe8, 0xf6, 0xff, 0xff, 0xff};

	(void)state;
	assert_at(place_in(near, 5, sizeof(near), &sized), 0, false);
	assert_at(place_in(far, 5, sizeof(far), &sized), 0, false);
	assert_at(place_in(conditional, 5, sizeof(conditional), &sized), 0, false);
	/* A call of the function itself is no jump into it. */
	assert_at(place_in(other, 5, sizeof(other), &sized), 3, true);
}

static void null(void **state)
{
	(void)state;
	/* glibc 2.36: free(NULL) returns at once; the place is behind that test. */
	assert_at(PLACE(&freed, TEST_RDI, 0x74, 0x02, PUSH_RBX, RET, RET), 5, true);
	/* The other way round, a pointer that is not NULL jumps. A jump's target is never taken:
	 * the place is the branch, or one further on from the target. */
	assert_at(PLACE(&freed, TEST_RDI, 0x75, 0x01, RET, PUSH_RBX, RET), 3, true);
	assert_at(PLACE(&freed, TEST_RDI, 0x75, 0x01, RET, MOV_RBX_RDI, PUSH_RBX, RET), 9, true);
	/* Nothing suitable behind it: the branch itself. */
	assert_at(PLACE(&freed, TEST_RDI, 0x74, 0x03, MOV_RDI_RAX, RET, RET), 3, true);
	/* Not tests for NULL: test edi, edi; and jg behind test rdi, rdi. */
	assert_at(PLACE(&freed, 0x85, 0xff, 0x74, 0x02, PUSH_RBX, RET, RET), 2, true);
	assert_at(PLACE(&freed, TEST_RDI, 0x7f, 0x02, PUSH_RBX, RET, RET), 3, true);
	/* malloc(0) is a call of interest. */
	assert_at(PLACE(&sized, TEST_RDI, 0x74, 0x02, PUSH_RBX, RET, RET), 3, true);
}

static void nonsense(void **state)
{
	struct code_bytes text = {(const uint8_t *)"", 0, BASE};
	struct placement placement;
	uint8_t bytes[64];
	int i, k;

	(void)state;
	placement__find(&text, BASE, 10, &sized, &placement);
	assert_at(placement, 0, false);
	placement__find(&text, 0, 10, &sized, &placement);
	assert_int_equal(placement.address, 0);
	srand(1);
	for (i = 0; i < 20000; i++) {
		for (k = 0; k < 64; k++)
			bytes[k] = rand();
		placement = place_in(bytes, rand() % 65, 64, i & 1 ? &sized : &freed);
		assert_true(placement.address >= BASE && placement.address <= BASE + 64);
	}
}

/* Every libc that we have has an emulated place in its hot functions. */
static void libcs(void **state)
{
	static const char *const names[] = {"malloc", "calloc", "realloc", "free"};
	const struct placement_spec *const wishes[] = {&sized, &counted, &counted, &freed};
	const char *pattern = getenv("PLACEMENT_LIBS");
	struct placement placement;
	struct elf_symbol symbol;
	struct code_bytes text;
	struct elf_file *elf;
	glob_t files;
	size_t i, k;

	(void)state;
	if (!pattern || glob(pattern, 0, NULL, &files)) {
		skip();
		return;
	}
	for (i = 0; i < files.gl_pathc; i++) {
		elf = elf_file__new(open(files.gl_pathv[i], O_RDONLY));
		assert_non_null(elf);
		assert_int_equal(placement__read_text(elf, &text), 0);
		for (k = 0; k < 4; k++) {
			elf_file__dynamic_symbols(elf, &names[k], 1, &symbol);
			assert_true(symbol.address);
			placement__find(&text, symbol.address, symbol.size, wishes[k], &placement);
			printf("# %-40s %-8s +%-3d %-8s %-20s %s\n",
			       strrchr(files.gl_pathv[i], '/') + 1, names[k],
			       (int)(placement.address - symbol.address),
			       placement.emulated ? "emulated" : "stepped", placement.instruction,
			       placement.why);
			assert_true(placement.emulated);
			assert_true(placement.address >= symbol.address &&
				    placement.address < symbol.address + 64);
		}
		free((void *)text.bytes);
		elf_file__free(elf);
	}
	globfree(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(stack_pointers),
		cmocka_unit_test(arguments),
		cmocka_unit_test(branches),
		cmocka_unit_test(jumps_from_outside),
		cmocka_unit_test(null),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(libcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
	return 0;
}

#endif
