// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "probes/decode.h"
#include "probes/pymalloc.h"

/* struct pool_header, in Objects/obmalloc.c of 3.8 to 3.11, since then in
 * Include/internal/pycore_obmalloc.h. */
#define POOL_COUNT	   0 /* 32 bits */
#define POOL_FREEBLOCK	   8
#define POOL_NEXTPOOL	   16
#define POOL_SZIDX	   36
#define POOL_NEXTOFFSET	   40
#define POOL_MAXNEXTOFFSET 44

/* How many instructions the compiler may put between those of the shape. */
#define NEAR 16
#define FAR  32

/* Where a free object keeps its successor on the free list: a float in ob_type (3.8 to 3.13), a
 * tuple in ob_item[0] (up to 3.13), anything in ob_refcnt (3.14, pycore_freelist.h). */
#define LINK_OF_FLOATS 8
#define LINK_OF_TUPLES 24
#define LINK_OF_ALL    0

/* A walk from an instruction that may start a shape, and the sites that were found so far. */
struct search {
	struct code_walk walk;
	int pool; /* the register that holds it or, for free lists, the object */
	int size; /* the register with the size class of a pool that is opened */
	struct pymalloc_site *sites;
	size_t n;
};

static bool step(struct search *search)
{
	return code_walk__step(&search->walk);
}

static const struct instruction *now(const struct search *search)
{
	return &search->walk.now;
}

/* Whether the access is to that member of the pool. */
static bool is_member(const struct search *search, const struct memory_access *access,
		      int64_t offset, int size)
{
	return access->at.base == search->pool && access->at.index == NO_REGISTER &&
	       access->at.displacement == offset && access->size == size;
}

/* The access to that member, NULL where there is none. */
static const struct memory_access *member(const struct search *search, int64_t offset, int size,
					  bool writes)
{
	const struct instruction *insn = now(search);
	size_t i;

	for (i = 0; i < insn->naccesses; i++) {
		if (insn->access[i].writes == writes &&
		    is_member(search, &insn->access[i], offset, size))
			return &insn->access[i];
	}
	return NULL;
}

static bool loads(const struct search *search, int64_t offset, int size)
{
	const struct memory_access *access = member(search, offset, size, false);

	return access && access->value != NO_REGISTER;
}

static bool stores(const struct search *search, int64_t offset, int size)
{
	return member(search, offset, size, true);
}

/* After the branch, follows the one way on. False if that leaves the function, or overwrites the
 * pool's register. */
static bool goes_on(struct search *search)
{
	if (now(search)->branch == BRANCH_ALWAYS)
		return code_walk__follow(&search->walk);
	return !now(search)->leaves && !writes(now(search), search->pool);
}

/* After the branch, where calls get a block: checks that the block is loaded and the pool's count
 * incremented. has_block: it was loaded before. */
static bool hands_out(struct search *search, bool has_block)
{
	bool counts = false;
	int i;

	for (i = 0; i < FAR && step(search); i++) {
		has_block |= loads(search, POOL_FREEBLOCK, 8);
		counts |= stores(search, POOL_COUNT, 4);
		if (has_block && counts)
			return true;
		if (!goes_on(search))
			return false;
	}
	return false;
}

/* Whether this instruction reads a pool's nextpool: into the register next, or, NO_REGISTER, to
 * compare it with the pool at once. */
static bool reads_nextpool(struct search *search, int *next)
{
	const struct memory_access *access;
	size_t i;

	for (i = 0; i < now(search)->naccesses; i++) {
		access = &now(search)->access[i];
		search->pool = access->at.base;
		if (access->writes || !is_member(search, access, POOL_NEXTPOOL, 8))
			continue;
		*next = access->value;
		return *next == NO_REGISTER ? compares(now(search), search->pool, NO_REGISTER)
					    : !writes(now(search), search->pool);
	}
	return false;
}

/* Starts at the instruction that reads nextpool. True, and the branch's address, if this is
 * PYMALLOC_TAKES. */
static bool takes(struct search *search, uint64_t *branch)
{
	bool compared, has_block;
	int next, i;

	if (!step(search) || !reads_nextpool(search, &next))
		return false;
	compared = next == NO_REGISTER;
	has_block = loads(search, POOL_FREEBLOCK, 8);
	for (i = 0; i < NEAR; i++) {
		if (!step(search))
			return false;
		if (compared && is_conditional(now(search))) {
			*branch = now(search)->address;
			if (now(search)->branch == BRANCH_IF_NOT_EQUAL &&
			    !code_walk__follow(&search->walk))
				return false;
			return hands_out(search, has_block);
		}
		has_block |= loads(search, POOL_FREEBLOCK, 8);
		if (next != NO_REGISTER && compares(now(search), search->pool, next)) {
			compared = true;
			continue;
		}
		if (now(search)->leaves || branches(now(search)) ||
		    writes(now(search), search->pool) ||
		    writes(now(search), compared ? REGISTER_FLAGS : next))
			return false;
	}
	return false;
}

/* After the branch, where the pool gets another size: checks that all of its fields are written. */
static bool initialises(struct search *search)
{
	bool size = false, next = false, most = false, block = false;
	const struct memory_access *szidx;
	int i;

	for (i = 0; i < FAR && step(search); i++) {
		szidx = member(search, POOL_SZIDX, 4, true);
		if (!size && szidx && szidx->value != NO_REGISTER) {
			size = true;
			search->size = szidx->value;
		}
		next |= stores(search, POOL_NEXTOFFSET, 4) || stores(search, POOL_NEXTOFFSET, 8);
		most |= stores(search, POOL_MAXNEXTOFFSET, 4) || stores(search, POOL_NEXTOFFSET, 8);
		block |= stores(search, POOL_FREEBLOCK, 8);
		if (size && next && most && block)
			return true;
		if (!goes_on(search))
			return false;
	}
	return false;
}

/* Starts at the instruction that sets the pool's count to 1. True, the branch's address and the
 * step, if a pool is opened there. */
static bool opens(struct search *search, uint64_t *branch, enum pymalloc_step *what)
{
	uint64_t begin, next;
	int i;

	if (!step(search) || !now(search)->naccesses)
		return false;
	search->pool = now(search)->access[0].at.base;
	if (!stores(search, POOL_COUNT, 4))
		return false;
	begin = now(search)->address;
	next = now(search)->end;
	for (i = 0; i < NEAR; i++) {
		if (!step(search))
			return false;
		if (is_conditional(now(search)) || now(search)->branch == BRANCH_ALWAYS) {
			*branch = now(search)->address;
			*what = is_conditional(now(search)) ? PYMALLOC_OPENS : PYMALLOC_OPENS_NEW;
			if (now(search)->branch != BRANCH_IF_EQUAL &&
			    !code_walk__follow(&search->walk))
				return false;
			return initialises(search);
		}
		if (stores(search, POOL_SZIDX, 4)) {
			/* No branch: the pool never had a size. */
			*branch = begin;
			*what = PYMALLOC_OPENS_NEW;
			search->walk.address = next;
			return initialises(search);
		}
		if (now(search)->leaves || branches(now(search)) ||
		    writes(now(search), search->pool))
			return false;
	}
	return false;
}

static bool is_same_memory(const struct memory_operand *a, const struct memory_operand *b)
{
	return a->base == b->base && a->index == b->index && a->scale == b->scale &&
	       a->displacement == b->displacement;
}

/* The access that stores at least size bytes of the register; NULL if there is none. */
static const struct memory_access *store_of(const struct instruction *insn, int reg, int size)
{
	size_t i;

	for (i = 0; i < insn->naccesses && reg != NO_REGISTER; i++) {
		if (insn->access[i].writes && insn->access[i].value == reg &&
		    insn->access[i].size >= size)
			return &insn->access[i];
	}
	return NULL;
}

/* After the branch, where calls get the first object of a free list: checks that its successor is
 * loaded and becomes the first, and that the list's count is decremented. list is where the first
 * is kept. */
static bool unlinks(struct search *search, const struct memory_operand *list, bool *floats)
{
	static const int64_t links[] = {LINK_OF_FLOATS, LINK_OF_TUPLES, LINK_OF_ALL};
	int next = NO_REGISTER, less = NO_REGISTER, i;
	bool linked = false, counted = false, loaded;
	const struct memory_access *link;
	size_t k;

	for (i = 0; i < NEAR && step(search); i++) {
		link = store_of(now(search), next, 8);
		linked |= link && is_same_memory(&link->at, list);
		counted |= now(search)->counts_memory_down || store_of(now(search), less, 4);
		if (linked && counted)
			return true;
		if (now(search)->counts_down != NO_REGISTER)
			less = now(search)->counts_down;
		for (k = 0, loaded = false; k < sizeof(links) / sizeof(links[0]) && !loaded; k++) {
			link = member(search, links[k], 8, false);
			if (!link || link->value == NO_REGISTER)
				continue;
			loaded = true;
			next = link->value;
			*floats = links[k] == LINK_OF_FLOATS;
		}
		if (loaded)
			continue;
		if (now(search)->leaves || branches(now(search)) ||
		    (!linked && (writes(now(search), search->pool) ||
				 writes(now(search), list->base) || writes(now(search), next))))
			return false;
	}
	return false;
}

/* Starts at the instruction that loads the first object of a free list, and ends at the branch that
 * tests whether there is one. */
static bool reuses_linked(struct search *search, uint64_t *branch, bool *floats)
{
	struct memory_operand list;
	bool tested = false;
	int i;

	if (!step(search) || !now(search)->naccesses || now(search)->access[0].writes ||
	    now(search)->access[0].size != 8 || now(search)->access[0].value < 0)
		return false;
	search->pool = now(search)->access[0].value;
	list = now(search)->access[0].at;
	if (list.base == search->pool)
		return false;
	for (i = 0; i < 6; i++) {
		if (!step(search))
			return false;
		tested |= now(search)->tested == search->pool;
		if (tested && is_conditional(now(search))) {
			*branch = now(search)->address;
			if (now(search)->branch == BRANCH_IF_NOT_EQUAL &&
			    !code_walk__follow(&search->walk))
				return false;
			return unlinks(search, &list, floats);
		}
		if (now(search)->leaves || branches(now(search)) ||
		    writes(now(search), search->pool) || writes(now(search), list.base))
			return false;
	}
	return false;
}

/* Free lists that are arrays (lists, dicts and others up to 3.13). Starts at the instruction that
 * decrements the count, an int, and ends at the first branch or call after the load of the object
 * at that index. */
static bool reuses_indexed(struct search *search, uint64_t *branch)
{
	bool stored = false, loaded = false;
	const struct instruction *insn = now(search);
	int count, i;

	if (!step(search) || insn->counts_down == NO_REGISTER)
		return false;
	count = insn->counts_down;
	for (i = 0; i < NEAR; i++) {
		if (!step(search))
			return false;
		if (branches(insn) || insn->leaves) {
			*branch = insn->address;
			return stored && loaded && insn->target;
		}
		stored |= store_of(insn, count, 4) && store_of(insn, count, 4)->size == 4;
		if (!loaded && insn->naccesses == 1 && !insn->access[0].writes &&
		    insn->access[0].value >= 0 && insn->access[0].size == 8 &&
		    insn->access[0].at.scale == 8 && insn->access[0].at.index != NO_REGISTER) {
			loaded = true;
			search->pool = insn->access[0].value;
			continue;
		}
		if (loaded && writes(insn, search->pool))
			return false;
	}
	return false;
}

static int add_site(struct search *search, uint64_t address, enum pymalloc_step step)
{
	bool sized = step == PYMALLOC_OPENS || step == PYMALLOC_OPENS_NEW;
	struct pymalloc_site *more;
	size_t i;

	for (i = search->n; i-- > 0;) {
		if (search->sites[i].address == address)
			return 0;
	}
	if (search->pool > MOST_WORD || (sized && search->size > MOST_WORD))
		return 0;
	if (search->n % 64 == 0) {
		more = reallocarray(search->sites, search->n + 64, sizeof(*more));
		if (!more)
			return -ENOMEM;
		search->sites = more;
	}
	search->sites[search->n++] =
		(struct pymalloc_site){address, step, search->pool, sized ? search->size : 0};
	return 0;
}

/* Looks for an object taken from a free list. */
static int look_for_free_list(struct search *search, uint64_t address, unsigned int may)
{
	bool floats = false;
	uint64_t branch;

	search->walk.address = address;
	if (may & MAY_LOAD && reuses_linked(search, &branch, &floats))
		return add_site(search, branch,
				floats ? PYMALLOC_REUSES_FLOAT : PYMALLOC_REUSES_LINKED);
	search->walk.address = address;
	if (may & MAY_COUNT_DOWN && reuses_indexed(search, &branch))
		return add_site(search, branch, PYMALLOC_REUSES);
	return 0;
}

/* Looks for a site that starts at the address. */
static int look(struct search *search, uint64_t address, unsigned int may)
{
	enum pymalloc_step what;
	uint64_t branch;

	search->walk.address = address;
	if (may & MAY_LOAD_NEXTPOOL && takes(search, &branch))
		return add_site(search, branch, PYMALLOC_TAKES);
	search->walk.address = address;
	if (may & MAY_SET_COUNT && opens(search, &branch, &what))
		return add_site(search, branch, what);
	return look_for_free_list(search, address, may);
}

static int compare_sites(const void *a, const void *b)
{
	const struct pymalloc_site *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* Tries every place where an instruction could start: what is none does not have the shape. */
int pymalloc__find_sites(const struct architecture *architecture, const struct code_bytes *text,
			 struct pymalloc_site **sites, size_t *n)
{
	struct search search = {0};
	size_t i;
	unsigned int may;
	int err = code_walk__begin(&search.walk, architecture, text);

	if (err)
		return err;
	for (i = 0; !err && i + MOST_CODE_BYTES <= text->size; i += architecture->alignment) {
		may = architecture->may_begin(text->bytes + i, i);
		if (may)
			err = look(&search, text->address + i, may);
	}
	code_walk__end(&search.walk);
	if (err) {
		free(search.sites);
		return err;
	}
	if (search.n)
		qsort(search.sites, search.n, sizeof(*search.sites), compare_sites);
	*sites = search.sites;
	*n = search.n;
	return 0;
}
