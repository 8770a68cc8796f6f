// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <capstone/capstone.h>

#include "probes/pymalloc.h"

#if defined(__x86_64__)

/* struct pool_header, Objects/obmalloc.c of 3.8 to 3.11, Include/internal/pycore_obmalloc.h
 * since. */
#define POOL_COUNT	   0 /* 32 bits */
#define POOL_FREEBLOCK	   8
#define POOL_NEXTPOOL	   16
#define POOL_SZIDX	   36
#define POOL_NEXTOFFSET	   40
#define POOL_MAXNEXTOFFSET 44

/* Instructions that the compiler may put between those of the shape. */
#define NEAR 16
#define FAR  32

/* PyObject: ob_refcnt, and ob_type. Where a float's successor on its free list is (3.8 to 3.13), a
 * tuple's (ob_item[0], up to 3.13), and anything's (3.14, pycore_freelist.h). */
#define LINK_OF_FLOATS 8
#define LINK_OF_TUPLES 24
#define LINK_OF_ALL    0

/* The walk from an instruction that may begin the shape. */
struct walk {
	csh capstone;
	cs_insn *insn;
	const struct code_bytes *text;
	uint64_t address;  /* of the next instruction */
	unsigned int pool; /* the register that holds it */
	unsigned int size; /* the one that holds the size class of one that is opened */
};

struct list {
	struct pymalloc_site *sites;
	size_t n;
};

/* Decodes the instruction at walk->address, and passes it. */
static bool step(struct walk *walk)
{
	uint64_t at = walk->address;
	const uint8_t *code;
	size_t left;

	if (at < walk->text->address || at - walk->text->address >= walk->text->size)
		return false;
	code = walk->text->bytes + (at - walk->text->address);
	left = walk->text->size - (at - walk->text->address);
	return cs_disasm_iter(walk->capstone, &code, &left, &walk->address, walk->insn);
}

static const cs_x86_op *operand(const struct walk *walk, int i)
{
	return &walk->insn->detail->x86.operands[i];
}

static bool is_register(const cs_x86_op *op, unsigned int reg)
{
	return op->type == X86_OP_REG && op->reg == reg;
}

/* A member of the pool. */
static bool is_member(const struct walk *walk, const cs_x86_op *op, int64_t offset, int size)
{
	return op->type == X86_OP_MEM && op->mem.base == walk->pool &&
	       op->mem.index == X86_REG_INVALID && op->mem.segment == X86_REG_INVALID &&
	       op->mem.disp == offset && op->size == size;
}

/* Of two operands: whether the instruction reads, or writes, that member. */
static bool loads(const struct walk *walk, int64_t offset, int size)
{
	return walk->insn->detail->x86.op_count == 2 && walk->insn->id == X86_INS_MOV &&
	       is_member(walk, operand(walk, 1), offset, size);
}

static bool stores(const struct walk *walk, int64_t offset, int size)
{
	return walk->insn->detail->x86.op_count >= 1 && operand(walk, 0)->access & CS_AC_WRITE &&
	       is_member(walk, operand(walk, 0), offset, size);
}

static bool is_conditional(const struct walk *walk)
{
	return walk->insn->id == X86_INS_JE || walk->insn->id == X86_INS_JNE;
}

static bool writes(const struct walk *walk, unsigned int reg)
{
	cs_regs read, written;
	uint8_t nread, nwritten, i;

	if (cs_regs_access(walk->capstone, walk->insn, read, &nread, written, &nwritten))
		return true;
	for (i = 0; i < nwritten; i++) {
		if (written[i] == reg)
			return true;
	}
	return false;
}

static bool leaves(const struct walk *walk)
{
	return cs_insn_group(walk->capstone, walk->insn, CS_GRP_CALL) ||
	       cs_insn_group(walk->capstone, walk->insn, CS_GRP_RET) ||
	       cs_insn_group(walk->capstone, walk->insn, CS_GRP_INT);
}

static bool jumps(const struct walk *walk)
{
	return cs_insn_group(walk->capstone, walk->insn, CS_GRP_JUMP);
}

/* Goes on where a direct jump leads. False where it is none. */
static bool follow(struct walk *walk)
{
	if (operand(walk, 0)->type != X86_OP_IMM)
		return false;
	walk->address = operand(walk, 0)->imm;
	return true;
}

/* Past the branch, along the one way on. False where that leaves the function, or the pool is known
 * no more. */
static bool goes_on(struct walk *walk)
{
	if (walk->insn->id == X86_INS_JMP)
		return follow(walk);
	return !leaves(walk) && !writes(walk, walk->pool);
}

/* Past the branch, on the way of those that get a block here: it is loaded, and the pool's count
 * grows by one. has_block: it was loaded before. */
static bool hands_out(struct walk *walk, bool has_block)
{
	bool counts = false;
	int i;

	for (i = 0; i < FAR && step(walk); i++) {
		has_block |= loads(walk, POOL_FREEBLOCK, 8);
		counts |= stores(walk, POOL_COUNT, 4);
		if (has_block && counts)
			return true;
		if (!goes_on(walk))
			return false;
	}
	return false;
}

/* Whether this compares the pool with its nextpool: in memory, or in a register, next. */
static bool compares(const struct walk *walk, unsigned int next)
{
	const cs_x86_op *a = operand(walk, 0), *b = operand(walk, 1);

	if (walk->insn->id != X86_INS_CMP)
		return false;
	if (next == X86_REG_INVALID)
		return (is_register(a, walk->pool) && is_member(walk, b, POOL_NEXTPOOL, 8)) ||
		       (is_register(b, walk->pool) && is_member(walk, a, POOL_NEXTPOOL, 8));
	return (is_register(a, walk->pool) && is_register(b, next)) ||
	       (is_register(b, walk->pool) && is_register(a, next));
}

/* From the instruction that reads nextpool on. True, and where the branch is. */
static bool takes(struct walk *walk, uint64_t *branch)
{
	unsigned int next = X86_REG_INVALID;
	bool compared = false, has_block = false;
	uint64_t at;
	int i;

	if (!step(walk) || walk->insn->detail->x86.op_count != 2)
		return false;
	if (walk->insn->id == X86_INS_MOV && operand(walk, 1)->type == X86_OP_MEM) {
		walk->pool = operand(walk, 1)->mem.base;
		next = operand(walk, 0)->reg;
		if (!loads(walk, POOL_NEXTPOOL, 8) || next == walk->pool)
			return false;
	} else if (walk->insn->id == X86_INS_CMP) {
		walk->pool = operand(walk, operand(walk, 0)->type == X86_OP_MEM ? 0 : 1)->mem.base;
		compared = compares(walk, X86_REG_INVALID);
		if (!compared)
			return false;
	} else {
		return false;
	}
	for (i = 0; i < NEAR; i++) {
		at = walk->address;
		if (!step(walk))
			return false;
		if (compared && is_conditional(walk)) {
			*branch = at;
			if (walk->insn->id == X86_INS_JNE && !follow(walk))
				return false;
			return hands_out(walk, has_block);
		}
		has_block |= loads(walk, POOL_FREEBLOCK, 8);
		if (next != X86_REG_INVALID && compares(walk, next)) {
			compared = true;
			continue;
		}
		if (leaves(walk) || jumps(walk) || writes(walk, walk->pool) ||
		    (!compared && writes(walk, next)) || (compared && writes(walk, X86_REG_EFLAGS)))
			return false;
	}
	return false;
}

/* Past the branch, where the pool is made one of another size: all of that is written. */
static bool initialises(struct walk *walk)
{
	bool size = false, next = false, most = false, block = false;
	int i;

	for (i = 0; i < FAR && step(walk); i++) {
		if (!size && stores(walk, POOL_SZIDX, 4) && operand(walk, 1)->type == X86_OP_REG) {
			size = true;
			walk->size = operand(walk, 1)->reg;
		}
		next |= stores(walk, POOL_NEXTOFFSET, 4) || stores(walk, POOL_NEXTOFFSET, 8);
		most |= stores(walk, POOL_MAXNEXTOFFSET, 4) || stores(walk, POOL_NEXTOFFSET, 8);
		block |= stores(walk, POOL_FREEBLOCK, 8);
		if (size && next && most && block)
			return true;
		if (!goes_on(walk))
			return false;
	}
	return false;
}

/* From the instruction that sets the pool's count to 1 on: to the branch, and what it is. */
static bool opens(struct walk *walk, uint64_t *branch, enum pymalloc_step *what)
{
	uint64_t begin = walk->address, next, at;
	int i;

	if (!step(walk) || walk->insn->id != X86_INS_MOV || operand(walk, 0)->type != X86_OP_MEM)
		return false;
	walk->pool = operand(walk, 0)->mem.base;
	if (!stores(walk, POOL_COUNT, 4))
		return false;
	next = walk->address;
	for (i = 0; i < NEAR; i++) {
		at = walk->address;
		if (!step(walk))
			return false;
		if (is_conditional(walk) || walk->insn->id == X86_INS_JMP) {
			*branch = at;
			*what = is_conditional(walk) ? PYMALLOC_OPENS : PYMALLOC_OPENS_NEW;
			if (walk->insn->id != X86_INS_JE && !follow(walk))
				return false;
			return initialises(walk);
		}
		if (stores(walk, POOL_SZIDX, 4)) {
			/* No branch: the pool never had a size. */
			*branch = begin;
			*what = PYMALLOC_OPENS_NEW;
			walk->address = next;
			return initialises(walk);
		}
		if (leaves(walk) || jumps(walk) || writes(walk, walk->pool))
			return false;
	}
	return false;
}

/* Whether two operands name the same memory. */
static bool is_same_memory(const cs_x86_op *a, const x86_op_mem *b)
{
	return a->type == X86_OP_MEM && a->mem.base == b->base && a->mem.index == b->index &&
	       a->mem.scale == b->scale && a->mem.segment == b->segment;
}

/* In relation to the instruction pointer it is another displacement each time. */
static int64_t displacement(const struct walk *walk, const x86_op_mem *mem)
{
	return mem->disp + (mem->base == X86_REG_RIP ? (int64_t)walk->address : 0);
}

/* Whether this counts one less, in memory. */
static bool counts_down(const struct walk *walk)
{
	const cs_x86_op *a = operand(walk, 0), *b = operand(walk, 1);

	if (a->type != X86_OP_MEM)
		return false;
	return walk->insn->id == X86_INS_DEC ||
	       (walk->insn->id == X86_INS_SUB && b->type == X86_OP_IMM && b->imm == 1) ||
	       (walk->insn->id == X86_INS_ADD && b->type == X86_OP_IMM && b->imm == -1);
}

/* Past the branch, on the way of those that get the first of a free list: its successor is loaded,
 * and becomes the first, and there is one less. list is where that is kept, at that
 * displacement. */
static bool unlinks(struct walk *walk, const x86_op_mem *list, int64_t at, bool *floats)
{
	unsigned int next = X86_REG_INVALID;
	bool linked = false, counted = false;
	const cs_x86_op *from;
	int i;

	for (i = 0; i < NEAR && step(walk); i++) {
		linked |= next != X86_REG_INVALID && walk->insn->id == X86_INS_MOV &&
			  is_same_memory(operand(walk, 0), list) &&
			  displacement(walk, &operand(walk, 0)->mem) == at &&
			  is_register(operand(walk, 1), next);
		counted |= counts_down(walk);
		if (linked && counted)
			return true;
		from = operand(walk, 1);
		if (loads(walk, LINK_OF_FLOATS, 8) || loads(walk, LINK_OF_TUPLES, 8) ||
		    loads(walk, LINK_OF_ALL, 8)) {
			next = operand(walk, 0)->reg;
			*floats = from->mem.disp == LINK_OF_FLOATS;
			continue;
		}
		if (leaves(walk) || jumps(walk) ||
		    (!linked && (writes(walk, walk->pool) || writes(walk, list->base) ||
				 (next != X86_REG_INVALID && writes(walk, next)))))
			return false;
	}
	return false;
}

/* From the instruction that loads the first of a free list on, to the branch that tells whether
 * there is one. walk->pool is the object's register here. */
static bool reuses_linked(struct walk *walk, uint64_t *branch, bool *floats)
{
	x86_op_mem list;
	int64_t list_at;
	bool tested = false;
	uint64_t at;
	int i;

	if (!step(walk) || walk->insn->id != X86_INS_MOV || operand(walk, 1)->type != X86_OP_MEM ||
	    operand(walk, 0)->type != X86_OP_REG || operand(walk, 0)->size != 8)
		return false;
	walk->pool = operand(walk, 0)->reg;
	list = operand(walk, 1)->mem;
	list_at = displacement(walk, &list);
	if (list.base == walk->pool)
		return false;
	for (i = 0; i < 6; i++) {
		at = walk->address;
		if (!step(walk))
			return false;
		if (tested && is_conditional(walk)) {
			*branch = at;
			if (walk->insn->id == X86_INS_JNE && !follow(walk))
				return false;
			return unlinks(walk, &list, list_at, floats);
		}
		tested |= walk->insn->id == X86_INS_TEST &&
			  is_register(operand(walk, 0), walk->pool) &&
			  is_register(operand(walk, 1), walk->pool);
		if (leaves(walk) || jumps(walk) || writes(walk, walk->pool) ||
		    writes(walk, list.base))
			return false;
	}
	return false;
}

/* Free lists that are arrays (lists, dicts and others up to 3.13): from the instruction that
 * counts one less on, to the first branch or call behind the load of that one. */
static bool reuses_indexed(struct walk *walk, uint64_t *branch)
{
	bool stored = false, loaded = false;
	unsigned int count;
	uint64_t at;
	int i;

	if (!step(walk) || walk->insn->id != X86_INS_SUB || operand(walk, 0)->type != X86_OP_REG)
		return false;
	count = operand(walk, 0)->reg;
	for (i = 0; i < NEAR; i++) {
		at = walk->address;
		if (!step(walk))
			return false;
		if (jumps(walk) || cs_insn_group(walk->capstone, walk->insn, CS_GRP_CALL)) {
			*branch = at;
			return stored && loaded && operand(walk, 0)->type == X86_OP_IMM;
		}
		if (leaves(walk))
			return false;
		stored |= walk->insn->id == X86_INS_MOV && operand(walk, 0)->type == X86_OP_MEM &&
			  is_register(operand(walk, 1), count);
		if (!loaded && walk->insn->id == X86_INS_MOV &&
		    operand(walk, 0)->type == X86_OP_REG && operand(walk, 0)->size == 8 &&
		    operand(walk, 1)->type == X86_OP_MEM && operand(walk, 1)->mem.scale == 8 &&
		    operand(walk, 1)->mem.index != X86_REG_INVALID) {
			loaded = true;
			walk->pool = operand(walk, 0)->reg;
			continue;
		}
		if (loaded && writes(walk, walk->pool))
			return false;
	}
	return false;
}

/* The word of struct pt_regs that a register, or its lower half, is; -1: none. */
static int word_of(csh capstone, unsigned int reg)
{
	static const char *const words[][2] = {
		{"r15", "r15d"}, {"r14", "r14d"}, {"r13", "r13d"}, {"r12", "r12d"}, {"rbp", "ebp"},
		{"rbx", "ebx"},	 {"r11", "r11d"}, {"r10", "r10d"}, {"r9", "r9d"},   {"r8", "r8d"},
		{"rax", "eax"},	 {"rcx", "ecx"},  {"rdx", "edx"},  {"rsi", "esi"},  {"rdi", "edi"},
	};
	const char *name = cs_reg_name(capstone, reg);
	size_t i;

	for (i = 0; name && i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(name, words[i][0]) || !strcmp(name, words[i][1]))
			return i;
	}
	return -1;
}

static int add_site(struct list *list, const struct walk *walk, uint64_t address,
		    enum pymalloc_step step)
{
	int pool = word_of(walk->capstone, walk->pool), size = 0;
	struct pymalloc_site *more;
	size_t i;

	for (i = list->n; i-- > 0;) {
		if (list->sites[i].address == address)
			return 0;
	}
	if (step == PYMALLOC_OPENS || step == PYMALLOC_OPENS_NEW)
		size = word_of(walk->capstone, walk->size);
	if (pool < 0 || size < 0)
		return 0;
	if (list->n % 64 == 0) {
		more = reallocarray(list->sites, list->n + 64, sizeof(*more));
		if (!more)
			return -ENOMEM;
		list->sites = more;
	}
	list->sites[list->n++] = (struct pymalloc_site){address, step, pool, size};
	return 0;
}

/* Whether a memory operand's displacement of 16 may follow, at b[3] or behind a SIB byte. */
static bool may_read_nextpool(const uint8_t *b)
{
	if ((b[0] & 0xf8) != 0x48 || (b[1] != 0x8b && b[1] != 0x39 && b[1] != 0x3b) ||
	    (b[2] & 0xc0) != 0x40)
		return false;
	return (b[2] & 7) == 4 ? b[4] == POOL_NEXTPOOL : b[3] == POOL_NEXTPOOL;
}

/* mov dword ptr [reg], 1: without a displacement, or, where the register needs one, of 0. */
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

/* mov reg, [memory] of 8 bytes: what loads the first of a free list is one of them. */
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

/* What takes an object from a free list, if anything. */
static int look_for_free_list(struct walk *walk, struct list *list, uint64_t address,
			      const uint8_t *bytes)
{
	bool floats = false;
	uint64_t branch;

	walk->address = address;
	if (may_load(bytes) && reuses_linked(walk, &branch, &floats))
		return add_site(list, walk, branch,
				floats ? PYMALLOC_REUSES_FLOAT : PYMALLOC_REUSES_LINKED);
	walk->address = address;
	if (may_count_down(bytes) && reuses_indexed(walk, &branch))
		return add_site(list, walk, branch, PYMALLOC_REUSES);
	return 0;
}

/* What begins with these bytes, if anything. */
static int look(struct walk *walk, struct list *list, uint64_t address, const uint8_t *bytes)
{
	enum pymalloc_step what;
	uint64_t branch;

	walk->address = address;
	if (may_read_nextpool(bytes))
		return takes(walk, &branch) ? add_site(list, walk, branch, PYMALLOC_TAKES) : 0;
	if (may_set_count(bytes) && opens(walk, &branch, &what))
		return add_site(list, walk, branch, what);
	return look_for_free_list(walk, list, address, bytes);
}

static int compare_sites(const void *a, const void *b)
{
	const struct pymalloc_site *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* Every byte is taken for the beginning of an instruction: what is none has not the shape. */
int pymalloc__find_sites(const struct code_bytes *text, struct pymalloc_site **sites, size_t *n)
{
	struct walk walk = {.text = text};
	struct list list = {0};
	size_t i;
	int err = 0;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &walk.capstone) != CS_ERR_OK)
		return -ENOMEM;
	cs_option(walk.capstone, CS_OPT_DETAIL, CS_OPT_ON);
	walk.insn = cs_malloc(walk.capstone);
	if (!walk.insn)
		err = -ENOMEM;
	for (i = 0; !err && i + 16 <= text->size; i++)
		err = look(&walk, &list, text->address + i, text->bytes + i);
	if (walk.insn)
		cs_free(walk.insn, 1);
	cs_close(&walk.capstone);
	if (err) {
		free(list.sites);
		return err;
	}
	if (list.n)
		qsort(list.sites, list.n, sizeof(*list.sites), compare_sites);
	*sites = list.sites;
	*n = list.n;
	return 0;
}

#else

int pymalloc__find_sites(const struct code_bytes *text, struct pymalloc_site **sites, size_t *n)
{
	(void)text;
	*sites = NULL;
	*n = 0;
	return 0;
}

#endif
