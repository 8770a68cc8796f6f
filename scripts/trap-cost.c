// SPDX-License-Identifier: BSD-2-Clause
/*
 * Measures what a probe costs on this machine, by the instruction that it sits on and by how it is
 * attached: the time that a program which returns at once adds to a call of a function that does
 * nothing. All variants take turns, on functions of this program. make bench runs it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define CALLS  20000
#define ROUNDS 15

#ifdef __x86_64__
__asm__(".text\n"
	"with_push: push %rbx\n pop %rbx\n push_ret: ret\n"
	"with_nop5: .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n ret\n"
	"with_test: test %edi, %edi\n ret\n");
#else
__asm__(".text\n"
	"with_push: stp x29, x30, [sp, #-16]!\n ldp x29, x30, [sp], #16\n push_ret: ret\n"
	"with_nop5: nop\n ret\n"
	"with_test: tst w0, w0\n ret\n");
#endif

extern const char with_push[], push_ret[], with_nop5[], with_test[];

/* From linux/bpf.h of 6.6 and 6.13; Debian 12's is older. */
enum {
	UPROBE_MULTI = 48,
	UPROBE_SESSION = 57,
	UPROBE_MULTI_RETURN = 1,
};

struct link_attr {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t count, multi_flags, pid;
};

/* One probe: at an address, or at the returns of the function that begins there. */
struct probe {
	const char *at;
	bool returns;
	uint32_t multi; /* attach type; 0: a perf event */
};

static const struct variant {
	const char *name;
	const char *function;
	struct probe probes[2];
} variants[] = {
	{"entry, on a push", with_push, {{.at = with_push}}},
	{"entry, on a 5-byte nop", with_nop5, {{.at = with_nop5}}},
	{"entry, on a test", with_test, {{.at = with_test}}},
	{"entry, on a push, uprobe_multi", with_push, {{.at = with_push, .multi = UPROBE_MULTI}}},
	{"entry on a push and uretprobe",
	 with_push,
	 {{.at = with_push}, {.at = with_push, .returns = true}}},
	{"entry on a push and uretprobe, uprobe_multi",
	 with_push,
	 {{.at = with_push, .multi = UPROBE_MULTI},
	  {.at = with_push, .returns = true, .multi = UPROBE_MULTI}}},
	{"entry on a push and return, one session",
	 with_push,
	 {{.at = with_push, .multi = UPROBE_SESSION}}},
	{"entry on a push and the ret instruction",
	 with_push,
	 {{.at = with_push}, {.at = push_ret}}},
};

#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

static uint64_t load_base;

static int load_program(uint32_t attach_type)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach_type);

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "nothing", "GPL", program, 2, &options);
}

static int attach_multi(const struct probe *probe, int program)
{
	uint64_t offset = (uintptr_t)probe->at - load_base;
	struct link_attr attr = {
		.prog_fd = program,
		.attach_type = probe->multi,
		.path = (uintptr_t) "/proc/self/exe",
		.offsets = (uintptr_t)&offset,
		.count = 1,
		.multi_flags = probe->returns ? UPROBE_MULTI_RETURN : 0,
	};

	return syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
}

static int uprobe_type(void)
{
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "r");
	int type = -1;

	if (file && fscanf(file, "%d", &type) != 1)
		type = -1;
	if (file)
		fclose(file);
	return type;
}

static int attach_event(const struct probe *probe, int program)
{
	struct perf_event_attr attr = {
		.type = uprobe_type(),
		.size = sizeof(attr),
		.config = probe->returns,
		.config1 = (uintptr_t) "/proc/self/exe",
		.config2 = (uintptr_t)probe->at - load_base,
	};
	int fd = syscall(SYS_perf_event_open, &attr, getpid(), -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return fd;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, program) || ioctl(fd, PERF_EVENT_IOC_ENABLE)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Returns the probe's descriptor, or a negative number if the kernel lacks this kind. */
static int attach(const struct probe *probe)
{
	int program = load_program(probe->multi), fd;

	if (program < 0)
		return -1;
	fd = probe->multi ? attach_multi(probe, program) : attach_event(probe, program);
	close(program);
	return fd;
}

static double time_calls(const char *function)
{
	struct timespec begin, end;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (i = 0; i < CALLS; i++)
		((void (*)(int))function)(1);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return ((end.tv_sec - begin.tv_sec) * 1e9 + end.tv_nsec - begin.tv_nsec) / CALLS;
}

/* Measures the nanoseconds that the variant adds to a call. Returns 0, or -errno if it cannot be
 * attached. */
static int measure(const struct variant *variant, double *added)
{
	int fds[2] = {-1, -1}, i, err = 0;
	double alone = time_calls(variant->function);

	for (i = 0; i < 2 && variant->probes[i].at; i++) {
		fds[i] = attach(&variant->probes[i]);
		if (fds[i] < 0) {
			err = -errno;
			goto out;
		}
	}
	time_calls(variant->function);
	*added = time_calls(variant->function) - alone;
out:
	for (i = 0; i < 2; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	return err;
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

/* Returns the address at which the first byte of the executable's file is mapped. */
static uint64_t find_load_base(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	uint64_t base = 0;

	if (file && fscanf(file, "%lx", &base) != 1)
		base = 0;
	if (file)
		fclose(file);
	return base;
}

int main(void)
{
	double added[VARIANTS][ROUNDS] = {0};
	int errors[VARIANTS] = {0}, round;
	size_t i;

	load_base = find_load_base();
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < VARIANTS; i++) {
			if (!errors[i])
				errors[i] = measure(&variants[i], &added[i][round]);
		}
	}
	if (errors[0]) {
		fprintf(stderr, "trap-cost: no probe can be put: %s\n", strerror(-errors[0]));
		return EXIT_FAILURE;
	}
	printf("| probes that do nothing | added to a call, ns: median (least) | of the first |\n"
	       "| --- | --- | --- |\n");
	for (i = 0; i < VARIANTS; i++) {
		qsort(added[i], ROUNDS, sizeof(double), compare);
		if (errors[i])
			printf("| %s | not on this kernel: %s | |\n", variants[i].name,
			       strerror(-errors[i]));
		else
			printf("| %s | %.0f (%.0f) | %.2f |\n", variants[i].name,
			       added[i][ROUNDS / 2], added[i][0],
			       added[i][ROUNDS / 2] / added[0][ROUNDS / 2]);
	}
	return 0;
}
