// SPDX-License-Identifier: BSD-2-Clause
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <asm/ptrace.h>

#include "target/usdt_args.h"

#if defined(__x86_64__)

/* The assembler's names for one register, by width. */
static const struct {
	const char *names[4];
	size_t offset;
} registers[] = {
#define LETTER(l)                                                                           \
	{                                                                                   \
		{"r" #l "x", "e" #l "x", #l "x", #l "l"}, offsetof(struct pt_regs, r##l##x) \
	}
	LETTER(a),
	LETTER(b),
	LETTER(c),
	LETTER(d),
#undef LETTER
	{{"rsi", "esi", "si", "sil"}, offsetof(struct pt_regs, rsi)},
	{{"rdi", "edi", "di", "dil"}, offsetof(struct pt_regs, rdi)},
	{{"rbp", "ebp", "bp", "bpl"}, offsetof(struct pt_regs, rbp)},
	{{"rsp", "esp", "sp", "spl"}, offsetof(struct pt_regs, rsp)},
#define NUMBER(n)                                                                            \
	{                                                                                    \
		{"r" #n, "r" #n "d", "r" #n "w", "r" #n "b"}, offsetof(struct pt_regs, r##n) \
	}
	NUMBER(8),
	NUMBER(9),
	NUMBER(10),
	NUMBER(11),
	NUMBER(12),
	NUMBER(13),
	NUMBER(14),
	NUMBER(15),
#undef NUMBER
};

static bool find_register(const char *name, size_t length, __u16 *offset)
{
	size_t i, k;

	for (i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		for (k = 0; k < 4; k++) {
			const char *known = registers[i].names[k];

			if (strlen(known) == length && !memcmp(known, name, length)) {
				*offset = registers[i].offset;
				return true;
			}
		}
	}
	return false;
}

/* "%reg", "$constant", "(%reg)", "offset(%reg)" */
static bool parse_place(const char *text, size_t length, struct marker_arg *arg)
{
	char *end = (char *)text;

	if (text[0] == '%') {
		arg->kind = ARG_REGISTER;
		return find_register(text + 1, length - 1, &arg->reg);
	}
	if (text[0] == '$') {
		arg->kind = ARG_CONSTANT;
		arg->offset = strtoll(text + 1, &end, 0);
		return end == text + length;
	}
	arg->kind = ARG_MEMORY;
	arg->offset = text[0] == '(' ? 0 : strtoll(text, &end, 0);
	if (text[0] != '(') {
		/* strtoll() skips all kinds of blanks, so it can end past the argument. */
		if (end > text + length)
			return false;
		length -= end - text;
		text = end;
	}
	return length > 3 && !memcmp(text, "(%", 2) && text[length - 1] == ')' &&
	       find_register(text + 2, length - 3, &arg->reg);
}

#elif defined(__aarch64__)

static bool find_register(const char *name, size_t length, __u16 *offset)
{
	char *end;
	long number;

	if (length == 2 && !memcmp(name, "sp", 2)) {
		*offset = offsetof(struct user_pt_regs, sp);
		return true;
	}
	if (length < 2 || (name[0] != 'x' && name[0] != 'w'))
		return false;
	number = strtol(name + 1, &end, 10);
	*offset = offsetof(struct user_pt_regs, regs) + number * sizeof(__u64);
	return end == name + length && number >= 0 && number <= 30;
}

/* "x0", "constant", "[sp]", "[x1, 16]" */
static bool parse_place(const char *text, size_t length, struct marker_arg *arg)
{
	size_t name;
	char *end;

	if (text[0] == '[' && text[length - 1] == ']') {
		arg->kind = ARG_MEMORY;
		name = strcspn(text + 1, ",]");
		arg->offset = text[1 + name] == ',' ? strtoll(text + name + 2, &end, 0) : 0;
		return find_register(text + 1, name, &arg->reg);
	}
	arg->kind = ARG_REGISTER;
	if (find_register(text, length, &arg->reg))
		return true;
	arg->kind = ARG_CONSTANT;
	arg->offset = strtoll(text, &end, 0);
	return end == text + length;
}

#else
#error "unsupported architecture"
#endif

bool usdt_args__parse(const char *text, struct marker_arg *args, size_t n)
{
	size_t i, length;
	int size, at;

	for (i = 0; i < n; i++) {
		memset(&args[i], 0, sizeof(args[i]));
		at = 0;
		if (sscanf(text, " %d@%n", &size, &at) != 1 || !at)
			return false;
		if (abs(size) != 1 && abs(size) != 2 && abs(size) != 4 && abs(size) != 8)
			return false;
		args[i].size = size;
		text += at;
		/* Only arm64 has blanks inside an argument, in brackets. */
		length = text[0] == '[' ? strcspn(text, "]") + 1 : strcspn(text, " ");
		if (!length || length > strlen(text) || !parse_place(text, length, &args[i]))
			return false;
		text += length;
	}
	return true;
}
