// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/kernel.h"
#include "collect/atomics.h"

/* Those with a result, which came with 5.12. An addition without one is as old as BPF. */
static bool is_new(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC && insn->imm;
}

static int leave_out(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	/* goto +0 */
	static const struct bpf_insn nothing = {.code = BPF_JMP | BPF_JA};
	size_t i, n = bpf_program__insn_cnt(program);
	auto_free struct bpf_insn *insns = calloc(n, sizeof(*insns));

	(void)options;
	(void)cookie;
	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(program), n * sizeof(*insns));
	for (i = 0; i < n; i++) {
		if (is_new(&insns[i]))
			insns[i] = nothing;
	}
	return bpf_program__set_insns(program, insns, n);
}

int atomics__leave_out(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = leave_out);
	static const char *const sections[] = {"uprobe", "uretprobe"};
	static bool done;
	size_t i;
	int id = 0;

	if (done || feature__has(FEATURE_COMPARE_AND_EXCHANGE))
		return 0;
	/* For good: libbpf keeps what it registers for all objects. */
	done = true;
	for (i = 0; id >= 0 && i < sizeof(sections) / sizeof(sections[0]); i++)
		id = libbpf_register_prog_handler(sections[i], BPF_PROG_TYPE_KPROBE, 0, &options);
	return id < 0 ? id : 0;
}
