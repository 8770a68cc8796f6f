// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "base/log.h"

/* More than the largest element that a mode keeps per thread: struct marker_stack. */
#define LARGE_ELEMENT (28 << 10)

static bool has_helper(enum bpf_prog_type type, enum bpf_func_id helper)
{
	return libbpf_probe_bpf_helper(type, helper, NULL) == 1;
}

/* Whether the kernel's BTF has a type of that name and kind. */
static bool has_type(const char *name, unsigned int kind)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && btf__find_by_name_kind(btf, name, kind) > 0;

	btf__free(btf);
	return has;
}

static bool has_member(const char *name, const char *member)
{
	struct btf *btf = btf__load_vmlinux_btf();
	const struct btf_type *type;
	bool has = false;
	int id, i;

	id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT) : 0;
	type = id > 0 ? btf__type_by_id(btf, id) : NULL;
	for (i = 0; type && !has && i < btf_vlen(type); i++)
		has = !strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), member);
	btf__free(btf);
	return has;
}

static bool try_task_storage(void)
{
	return has_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_task_storage_get);
}

/* Makes a map of task storage with elements of that size. Its key and value must have BTF. Returns
 * a descriptor or -errno. */
static int make_task_storage(unsigned int size)
{
	struct btf *btf = btf__new_empty();
	int number, byte, value, fd = -ENOMEM;

	if (!btf)
		return fd;
	number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	byte = btf__add_int(btf, "char", 1, BTF_INT_CHAR);
	value = btf__add_array(btf, number, byte, size);
	if (value > 0 && !btf__load_into_kernel(btf)) {
		LIBBPF_OPTS(bpf_map_create_opts, options);

		options.map_flags = BPF_F_NO_PREALLOC;
		options.btf_fd = btf__fd(btf);
		options.btf_key_type_id = number;
		options.btf_value_type_id = value;
		fd = bpf_map_create(BPF_MAP_TYPE_TASK_STORAGE, "pymemtop_try", 4, size, 0,
				    &options);
	}
	btf__free(btf);
	return fd;
}

/* Since 6.19 elements are at most 8 KiB; some of those kernels refuse the map, others each
 * element. */
static bool try_large_storage(void)
{
	auto_close int map = make_task_storage(LARGE_ELEMENT);
	auto_close int task = syscall(SYS_pidfd_open, getpid(), 0);
	auto_free void *element = calloc(1, LARGE_ELEMENT);

	return map >= 0 && task >= 0 && element && try_task_storage() &&
	       !bpf_map_update_elem(map, &task, element, BPF_ANY);
}

/* Trying it would put a warning in the log of a kernel without it ("trace type BPF program uses
 * run-time allocation"). Kernels with it have a struct bpf_mem_alloc, ma, in the hash. */
static bool try_hash_allocation(void)
{
	return has_member("bpf_htab", "ma");
}

static bool try_compare_and_exchange(void)
{
	/* *(u64 *)(r10 - 8) = 0; r0 = 0; r1 = 1; r0 = cmpxchg(r10 - 8, r0, r1); exit */
	static const struct bpf_insn insns[] = {
		{.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = 1},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
		 .dst_reg = BPF_REG_10,
		 .src_reg = BPF_REG_1,
		 .off = -8,
		 .imm = BPF_CMPXCHG},
		{.code = BPF_JMP | BPF_EXIT},
	};
	auto_close int program = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "pymemtop_try", "GPL", insns,
					       sizeof(insns) / sizeof(insns[0]), NULL);

	return program >= 0;
}

static bool try_percpu_lookup(void)
{
	return has_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_map_lookup_percpu_elem);
}

static bool try_fault_tracepoints(void)
{
	return has_type("btf_trace_page_fault_user", BTF_KIND_TYPEDEF);
}

/* Attaches a program that does nothing to the kernel's handling of page faults. */
static bool try_fault_fentry(void)
{
	/* r0 = 0; exit */
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY);
	int id = libbpf_find_vmlinux_btf_id("handle_mm_fault", BPF_TRACE_FENTRY);
	auto_close int program = -1, link = -1;

	if (id > 0) {
		options.attach_btf_id = id;
		program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "pymemtop_try", "GPL", insns, 2,
					&options);
	}
	if (program >= 0)
		link = bpf_raw_tracepoint_open(NULL, program);
	return link >= 0;
}

/* Kernels that hold counts back in each task keep a process's in a struct mm_rss_stat. */
static bool try_rss_stat(void)
{
	return !has_type("mm_rss_stat", BTF_KIND_STRUCT);
}

/* A kernel without the request says ENOTTY; one with it says EINVAL for a size of 0
 * (pagemap_scan_get_args() in fs/proc/task_mmu.c). */
static bool try_pagemap_scan(void)
{
	char argument[96] = {0};
	auto_close int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && (!ioctl(fd, _IOWR('f', 16, argument), argument) || errno != ENOTTY);
}

/* Inherited events with sampling reads, which keep perf from swapping contexts between tasks. */
static bool try_own_contexts(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.disabled = 1,
		.inherit = 1,
		.sample_type = PERF_SAMPLE_READ | PERF_SAMPLE_TID,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static const struct {
	const char *name;
	const char *substitute;
	bool (*try)(void);
} features[FEATURES] = {
	[FEATURE_TASK_STORAGE] =
		{
			"task storage in uprobes (5.12): what is kept of each thread",
			"a hash by thread id",
			try_task_storage,
		},
	[FEATURE_LARGE_STORAGE] =
		{
			"elements of task storage above 8 KiB (5.12 to 6.18): stacks of markers",
			"a hash by thread id",
			try_large_storage,
		},
	[FEATURE_HASH_ALLOCATION] =
		{
			"hash elements that are allocated in any context (6.1): memory for what there is",
			"smaller hashes, allocated beforehand",
			try_hash_allocation,
		},
	[FEATURE_COMPARE_AND_EXCHANGE] =
		{
			"compare-and-exchange in programs (5.12): a table of live heap blocks",
			"a hash of all of them",
			try_compare_and_exchange,
		},
	[FEATURE_PERCPU_LOOKUP] =
		{
			"look-up of another CPU's element (5.19): exact counters of resident memory",
			"counters as a kernel of that age keeps them, without parts for each CPU",
			try_percpu_lookup,
		},
	[FEATURE_FAULT_TRACEPOINTS] =
		{
			"tracepoints exceptions:page_fault_user and _kernel (x86): mode rss",
			"the function handle_mm_fault()",
			try_fault_tracepoints,
		},
	[FEATURE_FAULT_FENTRY] =
		{
			"fentry of handle_mm_fault(): mode rss where there are no such tracepoints",
			"a kprobe",
			try_fault_fentry,
		},
	[FEATURE_RSS_STAT] =
		{
			"tracepoint kmem:rss_stat at each change of resident memory (6.2): mode lines",
			"also the end of handle_mm_fault()",
			try_rss_stat,
		},
	[FEATURE_PAGEMAP_SCAN] =
		{
			"PAGEMAP_SCAN (6.7): which pages are resident, found by the kernel",
			"/proc/PID/pagemap, page by page",
			try_pagemap_scan,
		},
	[FEATURE_OWN_CONTEXTS] =
		{
			"perf events that stay with their task (6.12): probes of forked children",
			"a thread that holds the probes of each child",
			try_own_contexts,
		},
};

bool feature__has(enum feature feature)
{
	static enum { UNTRIED, MISSING, THERE } known[FEATURES];

	if (known[feature] == UNTRIED)
		known[feature] = features[feature].try() ? THERE : MISSING;
	return known[feature] == THERE;
}

const char *feature__name(enum feature feature)
{
	return features[feature].name;
}

const char *feature__substitute(enum feature feature)
{
	return features[feature].substitute;
}

void kernel_features__log(void)
{
	int i;

	/* Trying one takes milliseconds, and some read the kernel's whole BTF. */
	for (i = 0; log_is_verbose() && i < FEATURES; i++)
		log_detail("%s: %s%s", features[i].name,
			   feature__has(i) ? "yes" : "no; in its place: ",
			   feature__has(i) ? "" : features[i].substitute);
}
