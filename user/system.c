// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/capability.h>

#include <bpf/libbpf.h>

#include "say.h"
#include "system.h"

/* PROC_PID_INIT_INO, linux/proc_ns.h */
#define INITIAL_PID_NAMESPACE 0xeffffffc

/* CAP_SYS_ADMIN holds CAP_BPF and CAP_PERFMON, and lets tracefs be mounted. */
static const struct {
	int number;
	const char *name;
} capabilities[] = {
	{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE" },
	{ CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE" },
};

static int check_capabilities(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	uint64_t effective = 0;
	char line[256], missing[128] = "";
	size_t i;

	if (!status)
		return -errno;
	while (fgets(line, sizeof(line), status)) {
		if (sscanf(line, "CapEff: %" SCNx64, &effective) == 1)
			break;
	}
	fclose(status);
	for (i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		if (effective >> capabilities[i].number & 1)
			continue;
		if (missing[0])
			strcat(missing, ", ");
		strcat(missing, capabilities[i].name);
	}
	if (!missing[0])
		return 0;
	say_error("run it with sudo: it lacks %s", missing);
	return -EPERM;
}

/* Whether the kernel is that version or a later one. */
static bool kernel_is_from(int wanted_major, int wanted_minor, char *release, size_t size)
{
	struct utsname name;
	int major, minor;

	if (uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		return false;
	snprintf(release, size, "%s", name.release);
	return major > wanted_major || (major == wanted_major && minor >= wanted_minor);
}

static int check_kernel(void)
{
	char release[65] = "?";

	if (!kernel_is_from(5, 10, release, sizeof(release))) {
		say_error("Linux %s is too old: 5.10 or later is needed", release);
		return -ENOSYS;
	}
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		say_error("this kernel has no BTF (/sys/kernel/btf/vmlinux): it needs "
			  "CONFIG_DEBUG_INFO_BTF");
		return -ENOSYS;
	}
	return 0;
}

static int check_namespace(void)
{
	struct stat st;

	if (!stat("/proc/self/ns/pid", &st) && st.st_ino == INITIAL_PID_NAMESPACE)
		return 0;
	say_error("it runs in a container's PID namespace, where BPF sees other process ids; run "
		  "it on the host, or with the host's PID namespace");
	return -ENOSYS;
}

int system__check(void)
{
	int err = check_capabilities();

	if (!err)
		err = check_kernel();
	return err ? err : check_namespace();
}

/* That hash maps allocate safely cannot be probed for; where a distribution has
 * brought it to an older kernel, preallocation does no harm. */
struct system_features system__features(void)
{
	char release[65];

	return (struct system_features){
		.task_storage = libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE,
							BPF_FUNC_task_storage_get, NULL) == 1,
		.bpf_allocator = kernel_is_from(6, 1, release, sizeof(release)),
	};
}
