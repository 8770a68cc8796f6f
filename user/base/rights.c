// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cap-ng.h>
#include <linux/capability.h>

#include "base/log.h"
#include "base/rights.h"

/* Before Linux 5.11, memory of BPF maps is limited, which CAP_SYS_RESOURCE lifts; it also lifts the
 * limit of open files. */
static const unsigned int needed[] = {CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_OVERRIDE,
				      CAP_SYS_RESOURCE};

static void keep(unsigned int capability)
{
	capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, capability,
		      -1);
}

int rights__keep_recording(void)
{
	bool has[CAP_LAST_CAP + 1] = {false};
	bool needs_mount = access("/sys/kernel/tracing/uprobe_events", F_OK) != 0;
	unsigned int i;

	for (i = 0; i <= CAP_LAST_CAP; i++)
		has[i] = capng_have_capability(CAPNG_EFFECTIVE, i);
	capng_clear(CAPNG_SELECT_BOTH);
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (has[needed[i]])
			keep(needed[i]);
	}
	/* CAP_SYS_ADMIN stands for the first two. */
	if (has[CAP_SYS_ADMIN] && (needs_mount || !has[CAP_BPF] || !has[CAP_PERFMON]))
		keep(CAP_SYS_ADMIN);
	/* Taking some off the bounding set takes CAP_SETPCAP. */
	if (capng_apply(has[CAP_SETPCAP] ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		log_error("rights that are not needed cannot be given up: %s", strerror(errno));
		return -EPERM;
	}
	return 0;
}
