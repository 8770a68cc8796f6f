// SPDX-License-Identifier: BSD-2-Clause
/* Where pymalloc hands out slots: code shapes as compilers make them, and some that only look
 * alike. Also pools, read from our own process. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "inspect/pools.h"
#include "probes/pymalloc.h"

#define BASE 0x10000

/* Words of struct pt_regs. */
enum { R12 = 3, RBP = 4, RBX = 5, RAX = 10, RDX = 12 };

/* Finds the sites in the code, which is followed by nothing but returns. */
static size_t find_in(const uint8_t *bytes, size_t size, struct pymalloc_site *sites)
{
	uint8_t code[512];
	struct code_bytes text = {code, sizeof(code), BASE};
	struct pymalloc_site *found;
	size_t n;

	memset(code, 0xc3, sizeof(code));
	memcpy(code, bytes, size);
	assert_int_equal(pymalloc__find_sites(&x86_architecture, &text, &found, &n), 0);
	if (n)
		memcpy(sites, found, (n < 4 ? n : 4) * sizeof(*found));
	free(found);
	return n;
}

#define FIND(sites, ...)                                  \
	({                                                \
		static const uint8_t b[] = {__VA_ARGS__}; \
		find_in(b, sizeof(b), sites);             \
	})

static void assert_site(struct pymalloc_site site, unsigned int offset, enum pymalloc_step step,
			unsigned int pool)
{
	assert_int_equal(site.address - BASE, offset);
	assert_int_equal(site.step, step);
	assert_int_equal(site.pool, pool);
}

#define RET		  0xc3
#define LOAD_RDX_NEXTPOOL 0x48, 0x8b, 0x50, 0x10 /* rdx = [rax+16] */
#define CMP_RDX_RAX	  0x48, 0x39, 0xc2
#define JE_SLOW		  0x74, 0x40
#define LOAD_R8_FREEBLOCK 0x4c, 0x8b, 0x40, 0x08 /* r8 = [rax+8] */
#define COUNT_ONE_MORE	  0x83, 0x00, 0x01	 /* [rax] += 1 */
/* Of the pool in rdx: [rdx] = 1; szidx = nextoffset = ebx; freeblock = rax; the rest. */
#define SET_COUNT  0xc7, 0x02, 0x01, 0, 0, 0
#define INITIALISE 0x89, 0x5a, 0x24, 0x89, 0x5a, 0x28, 0x48, 0x89, 0x42, 0x08, 0x89, 0x4a, 0x2c

static void takes(void **state)
{
	struct pymalloc_site sites[4];

	(void)state;
	assert_int_equal(FIND(sites, LOAD_RDX_NEXTPOOL, CMP_RDX_RAX, JE_SLOW, LOAD_R8_FREEBLOCK,
			      COUNT_ONE_MORE, RET),
			 1);
	assert_site(sites[0], 7, PYMALLOC_TAKES, RAX);
	/* cmp [r12+16], r12; jne to inc [r12]; rbx = [r12+8] */
	assert_int_equal(FIND(sites, 0x4d, 0x39, 0x64, 0x24, 0x10, 0x75, 0x01, RET, 0x41, 0xff,
			      0x04, 0x24, 0x49, 0x8b, 0x5c, 0x24, 0x08, RET),
			 1);
	assert_site(sites[0], 5, PYMALLOC_TAKES, R12);
}

static void looks_alike(void **state)
{
	struct pymalloc_site sites[4];

	(void)state;
	/* rax = [rax+32] in between: another pool is compared. */
	assert_int_equal(FIND(sites, LOAD_RDX_NEXTPOOL, 0x48, 0x8b, 0x40, 0x20, CMP_RDX_RAX,
			      JE_SLOW, LOAD_R8_FREEBLOCK, COUNT_ONE_MORE, RET),
			 0);
	/* Nothing is counted. */
	assert_int_equal(FIND(sites, LOAD_RDX_NEXTPOOL, CMP_RDX_RAX, JE_SLOW, LOAD_R8_FREEBLOCK,
			      RET),
			 0);
	/* Nothing is compared. */
	assert_int_equal(FIND(sites, LOAD_RDX_NEXTPOOL, JE_SLOW, LOAD_R8_FREEBLOCK, COUNT_ONE_MORE,
			      RET),
			 0);
	/* A count is set, but nothing else of a pool. */
	assert_int_equal(FIND(sites, SET_COUNT, 0x39, 0xe9, 0x74, 0x02, 0x89, 0x5a, 0x24, RET), 0);
	/* A linked list without a count: [rdx+32] */
	assert_int_equal(FIND(sites, 0x48, 0x8b, 0x42, 0x20, 0x48, 0x85, 0xc0, JE_SLOW, 0x48, 0x8b,
			      0x48, 0x08, 0x48, 0x89, 0x4a, 0x20, RET),
			 0);
}

static void opens(void **state)
{
	struct pymalloc_site sites[4];

	(void)state;
	/* cmp ecx, ebx; je */
	assert_int_equal(FIND(sites, SET_COUNT, 0x39, 0xd9, 0x74, 0x0e, INITIALISE, RET), 1);
	assert_site(sites[0], 8, PYMALLOC_OPENS, RDX);
	assert_int_equal(sites[0].size, RBX);
	/* jmp: it never had a size */
	assert_int_equal(FIND(sites, SET_COUNT, 0xeb, 0x00, INITIALISE, RET), 1);
	assert_site(sites[0], 6, PYMALLOC_OPENS_NEW, RDX);
	/* This one never had a size either, and there is no branch. */
	assert_int_equal(FIND(sites, SET_COUNT, INITIALISE, RET), 1);
	assert_site(sites[0], 0, PYMALLOC_OPENS_NEW, RDX);
}

static void reuses(void **state)
{
	struct pymalloc_site sites[4];

	(void)state;
	/* rax = [rdx+32]; rcx = its type; [rdx+24] -= 1; [rdx+32] = rcx */
	assert_int_equal(FIND(sites, 0x48, 0x8b, 0x42, 0x20, 0x48, 0x85, 0xc0, JE_SLOW, 0x48, 0x8b,
			      0x48, 0x08, 0x83, 0x6a, 0x18, 0x01, 0x48, 0x89, 0x4a, 0x20, RET),
			 1);
	assert_site(sites[0], 7, PYMALLOC_REUSES_FLOAT, RAX);
	/* eax -= 1; [rdx+16] = eax; rbx = [rdx+rax*8+32]; test edx, edx; jne */
	assert_int_equal(FIND(sites, 0x83, 0xe8, 0x01, 0x89, 0x42, 0x10, 0x48, 0x98, 0x48, 0x8b,
			      0x5c, 0xc2, 0x20, 0x85, 0xd2, 0x75, 0x01, RET),
			 1);
	assert_site(sites[0], 15, PYMALLOC_REUSES, RBX);
}

#define ARM64_RET 0xd65f03c0

/* The sites in arm64's code. */
static size_t find_in_arm64(const uint32_t *words, size_t n, struct pymalloc_site *sites)
{
	uint32_t code[128];
	struct code_bytes text = {(uint8_t *)code, sizeof(code), BASE};
	struct pymalloc_site *found;
	size_t i;

	for (i = 0; i < 128; i++)
		code[i] = i < n ? words[i] : ARM64_RET;
	assert_int_equal(pymalloc__find_sites(&arm64_architecture, &text, &found, &n), 0);
	if (n)
		memcpy(sites, found, (n < 4 ? n : 4) * sizeof(*found));
	free(found);
	return n;
}

#define FIND_ARM64(sites, ...)                                     \
	({                                                         \
		static const uint32_t w[] = {__VA_ARGS__};         \
		find_in_arm64(w, sizeof(w) / sizeof(w[0]), sites); \
	})

#define B_EQ	  0x54000800 /* far ahead: to the returns */
#define MOV_W4(n) (0x52800004 | (n) << 5)
#define INITIALISE4 \
	0xf9000424, 0x29048835, 0xb9002c23 /* of x1: [8] = x4; [36, 40] = w21, w2; [44] = w3 */

static void arm64(void **state)
{
	struct pymalloc_site sites[4];

	(void)state;
	/* ldr x3, [x2, #16]; cmp x2, x3; b.eq; ldr x21, [x2, #8]; ldr, add, str w1, [x2] */
	assert_int_equal(FIND_ARM64(sites, 0xf9400843, 0xeb03005f, B_EQ, 0xf9400455, 0xb9400041,
				    0x11000421, 0xb9000041),
			 1);
	assert_site(sites[0], 8, PYMALLOC_TAKES, 2);
	/* ldp x5, x9, [x4, #8]; cmp x9, x4; b.ne over the ret; ldr, add, str w1, [x4] */
	assert_int_equal(FIND_ARM64(sites, 0xa940a485, 0xeb04013f, 0x54000041, ARM64_RET,
				    0xb9400081, 0x11000421, 0xb9000081),
			 1);
	assert_site(sites[0], 8, PYMALLOC_TAKES, 4);
	/* The same, but what is compared was loaded from elsewhere since: ldr x9, [x1, #32]. */
	assert_int_equal(FIND_ARM64(sites, 0xa940a485, 0xf9401029, 0xeb04013f, 0x54000041,
				    ARM64_RET, 0xb9400081, 0x11000421, 0xb9000081),
			 0);
	/* mov w4, #1; str w4, [x1]; cmp w21, w0; b.eq; the rest */
	assert_int_equal(FIND_ARM64(sites, MOV_W4(1), 0xb9000024, 0x6b0002bf, B_EQ, INITIALISE4),
			 1);
	assert_site(sites[0], 12, PYMALLOC_OPENS, 1);
	assert_int_equal(sites[0].size, 21);
	assert_int_equal(FIND_ARM64(sites, MOV_W4(1), 0xb9000024, INITIALISE4), 1);
	assert_site(sites[0], 4, PYMALLOC_OPENS_NEW, 1);
	/* Not 1, as in a node of a syntax tree. */
	assert_int_equal(FIND_ARM64(sites, MOV_W4(12), 0xb9000024, INITIALISE4), 0);
	/* ldr x0, [x1, #32]; cbz x0; ldr x2, [x0, #8]; ldr, sub, str w3, [x1, #40];
	 * str x2, [x1, #32] */
	assert_int_equal(FIND_ARM64(sites, 0xf9401020, 0xb4000800, 0xf9400402, 0xb9402823,
				    0x51000463, 0xb9002823, 0xf9001022),
			 1);
	assert_site(sites[0], 4, PYMALLOC_REUSES_FLOAT, 0);
	/* sub w1, w1, #1; str w1, [x2, #16]; ldr x0, [x3, w1, sxtw #3]; bl */
	assert_int_equal(FIND_ARM64(sites, 0x51000421, 0xb9001041, 0xf861d860, 0x94000040), 1);
	assert_site(sites[0], 12, PYMALLOC_REUSES, 0);
}

#define SLOT 64

/* A pool with five slots that were once taken; the second and the fourth are free. */
static struct pool_header *make_pool(uint8_t *at)
{
	struct pool_header *header = (void *)at;
	uint8_t *slots = at + sizeof(*header);

	*header = (struct pool_header){
		.count = 3,
		.freeblock = (uintptr_t)(slots + SLOT),
		.arena = 7,
		.size_class = SLOT / SMALLEST_SLOT - 1,
		.nextoffset = sizeof(*header) + 5 * SLOT,
		.maxnextoffset = MAX_POOL_SIZE - SLOT,
	};
	*(uint64_t *)(slots + SLOT) = (uintptr_t)(slots + 3 * SLOT);
	*(uint64_t *)(slots + 3 * SLOT) = 0;
	return header;
}

struct seen {
	uint64_t address;
	size_t n;
	struct pool pool;
};

static int see(void *context, const struct pool *pool)
{
	struct seen *seen = context;

	if (pool->address == seen->address) {
		seen->n++;
		seen->pool = *pool;
	}
	return 0;
}

static size_t look(struct seen *seen, enum pools_read how)
{
	struct pool_reader *reader;
	size_t torn;

	seen->n = 0;
	if (pool_reader__new(address_space__of_process(getpid()), MAX_POOL_SIZE, &reader))
		skip();
	assert_int_equal(pool_reader__look(reader, how, see, seen, &torn), 0);
	pool_reader__free(reader);
	return torn;
}

static void pools(void **state)
{
	uint8_t *memory = mmap(NULL, 4 * MAX_POOL_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *at = memory + (-(uintptr_t)memory & (MAX_POOL_SIZE - 1));
	struct seen seen = {.address = (uintptr_t)at};
	struct pool_header *header = make_pool(at);

	(void)state;
	assert_int_equal(look(&seen, POOLS_WHOLE), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.pool.slot_size, SLOT);
	assert_int_equal(seen.pool.arena, 7);
	assert_int_equal(seen.pool.nlive, 3);
	assert_memory_equal(seen.pool.live, "\1\0\1\0\1", 5);
	/* The count says that more are taken than the free list leaves. */
	header->count = 4;
	assert_int_equal(look(&seen, POOLS_WHOLE), 1);
	assert_int_equal(seen.n, 0);
	/* The header alone reports that count. */
	look(&seen, POOLS_HEADERS);
	assert_int_equal(seen.pool.nlive, 4);
	/* A free list that loops. */
	header->count = 3;
	*(uint64_t *)(at + sizeof(*header) + 3 * SLOT) = header->freeblock;
	assert_int_equal(look(&seen, POOLS_WHOLE), 1);
	/* A free list that leads out of the pool: not a pool. */
	header->freeblock = (uintptr_t)at + MAX_POOL_SIZE;
	look(&seen, POOLS_WHOLE);
	assert_int_equal(seen.n, 0);
	munmap(memory, 4 * MAX_POOL_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes),  cmocka_unit_test(looks_alike), cmocka_unit_test(opens),
		cmocka_unit_test(reuses), cmocka_unit_test(arm64),	 cmocka_unit_test(pools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
