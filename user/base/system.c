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

#include "base/log.h"
#include "base/system.h"

/* PROC_PID_INIT_INO, linux/proc_ns.h */
#define INITIAL_PID_NAMESPACE 0xeffffffc

#define LOCKDOWN "/sys/kernel/security/lockdown"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The first line of a file; false if it cannot be read. */
static bool read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	bool got = file && fgets(line, size, file);

	if (file)
		fclose(file);
	if (got)
		line[strcspn(line, "\n")] = '\0';
	return got;
}

static int look_at_kernel(char *said, size_t size)
{
	struct utsname name;
	int major, minor;

	if (uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2) {
		snprintf(said, size, "the kernel does not tell its version");
		return -ENOSYS;
	}
	if (major > 5 || (major == 5 && minor >= 10)) {
		snprintf(said, size, "Linux %s, %s", name.release, name.machine);
		return 0;
	}
	snprintf(said, size, "Linux %s is too old: 5.10 or later is needed", name.release);
	return -ENOSYS;
}

static int look_for_btf(char *said, size_t size)
{
	if (!access("/sys/kernel/btf/vmlinux", R_OK)) {
		snprintf(said, size, "/sys/kernel/btf/vmlinux");
		return 0;
	}
	snprintf(said, size,
		 "this kernel has no BTF (/sys/kernel/btf/vmlinux): it needs "
		 "CONFIG_DEBUG_INFO_BTF");
	return -ENOSYS;
}

/* CAP_SYS_ADMIN includes CAP_BPF and CAP_PERFMON (capability.h, bpf_capable(), perfmon_capable()),
 * and permits mounting tracefs, where it is not mounted. */
static const struct {
	int number;
	const char *name;
	bool with_admin;
} capabilities[] = {
	{CAP_BPF, "CAP_BPF", true},
	{CAP_PERFMON, "CAP_PERFMON", true},
	{CAP_SYS_PTRACE, "CAP_SYS_PTRACE", false},
	{CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", false},
};

static bool has_capability(uint64_t effective, int number)
{
	return effective >> number & 1;
}

static int look_at_capabilities(char *said, size_t size)
{
	FILE *status = fopen("/proc/self/status", "re");
	uint64_t effective = 0;
	char line[256], missing[128] = "";
	size_t i;

	while (status && fgets(line, sizeof(line), status)) {
		if (sscanf(line, "CapEff: %" SCNx64, &effective) == 1)
			break;
	}
	if (status)
		fclose(status);
	for (i = 0; i < COUNT(capabilities); i++) {
		if (has_capability(effective, capabilities[i].number) ||
		    (capabilities[i].with_admin && has_capability(effective, CAP_SYS_ADMIN)))
			continue;
		if (missing[0])
			strcat(missing, ", ");
		strcat(missing, capabilities[i].name);
	}
	if (missing[0])
		snprintf(said, size, "run it with sudo: it lacks %s", missing);
	else
		snprintf(said, size, "all that are needed");
	return missing[0] ? -EPERM : 0;
}

static int look_at_namespace(char *said, size_t size)
{
	struct stat st;

	if (!stat("/proc/self/ns/pid", &st) && st.st_ino == INITIAL_PID_NAMESPACE) {
		snprintf(said, size, "the host's");
		return 0;
	}
	snprintf(said, size,
		 "it runs in a container's PID namespace, where BPF sees other process ids; "
		 "run it on the host, or with the host's PID namespace");
	return -ENOSYS;
}

/* kernel_lockdown(7). Without securityfs mounted the file is missing, and the mode unknown. */
static int look_at_lockdown(char *said, size_t size)
{
	char line[128];

	if (!read_line(LOCKDOWN, line, sizeof(line))) {
		snprintf(said, size, "none that is known");
		return 0;
	}
	if (!strstr(line, "[confidentiality]")) {
		snprintf(said, size, "%s",
			 strstr(line, "[integrity]") ? "integrity, which does no harm" : "none");
		return 0;
	}
	snprintf(
		said, size,
		"the kernel is locked down for confidentiality (" LOCKDOWN "), which "
		"forbids BPF programs to read memory: boot it with lockdown=integrity, or without");
	return -EPERM;
}

static int look_at_jit(char *said, size_t size)
{
	char line[16] = "";

	/* Without the file, the compiler is always on. */
	if (read_line("/proc/sys/net/core/bpf_jit_enable", line, sizeof(line)) && line[0] == '0') {
		snprintf(said, size,
			 "the kernel's BPF compiler is off, and its interpreter refuses "
			 "some programs: sysctl net.core.bpf_jit_enable=1");
		return -ENOSYS;
	}
	snprintf(said, size, "on");
	return 0;
}

static int look_at_preemption(char *said, size_t size)
{
	struct utsname name;

	snprintf(said, size, "%s",
		 uname(&name)			      ? "not known"
		 : strstr(name.version, "PREEMPT_RT") ? "PREEMPT_RT, which was never tried"
		 : strstr(name.version, "PREEMPT")    ? "possible"
						      : "none");
	return 0;
}

static const struct system_check checks[] = {
	{"kernel", true, look_at_kernel},
	{"BTF", true, look_for_btf},
	{"capabilities", true, look_at_capabilities},
	{"PID namespace", true, look_at_namespace},
	{"lockdown", true, look_at_lockdown},
	{"BPF compiler", true, look_at_jit},
	{"preemption", false, look_at_preemption},
};

const struct system_check *system_check__get(size_t i)
{
	return i < COUNT(checks) ? &checks[i] : NULL;
}

int system__check(void)
{
	char said[256];
	size_t i;
	int err;

	for (i = 0; i < COUNT(checks); i++) {
		err = checks[i].required ? checks[i].look(said, sizeof(said)) : 0;
		if (err) {
			log_error("%s", said);
			return err;
		}
	}
	return 0;
}
