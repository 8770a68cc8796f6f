// SPDX-License-Identifier: BSD-2-Clause
/* Prints what shells and the man page need to know of the command line, from its tables. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "modes/modes.h"
#include "render/renderers.h"
#include "target/target.h"

typedef void (*option_visitor)(const struct argp *argp, const struct argp_option *option);

/* Visits a command's options of one group, including its title (no name, no key), or with 0 those
 * of all groups. */
static void visit_options(const struct argp *argp, int group, option_visitor visit)
{
	const struct argp_option *option;
	const struct argp_child *child;

	for (option = argp->options; option && (option->name || option->key || option->doc);
	     option++) {
		if (!group || option->group == group)
			visit(argp, option);
	}
	for (child = argp->children; child && child->argp; child++)
		visit_options(child->argp, group, visit);
}

static bool has_letter(const struct argp_option *option)
{
	return option->key > 0 && option->key < 256 && isprint(option->key);
}

static void print_modes(void)
{
	const struct mode *mode;
	size_t i;

	for (i = 0; (mode = mode__get(i)); i++)
		printf("%s%s", i ? " " : "", mode->name);
}

static void print_formats(void)
{
	const struct renderer *renderer;
	size_t i;

	for (i = 0; (renderer = renderer__get(i)); i++)
		printf("%s%s", i ? " " : "", renderer->name);
}

static void print_attributions(void)
{
	const char *name;
	size_t i;

	for (i = 0; (name = attribution__name(i)); i++)
		printf("%s%s", i ? " " : "", name);
}

/* Print what an option's argument can be, by the argument's name in the option table. */
static const struct {
	const char *arg;
	void (*print)(void);
} arguments[] = {
	{"MODE[,MODE]", print_modes},
	{"FORMAT", print_formats},
	{"HOW", print_attributions},
};

static void (*argument_of(const struct argp_option *option))(void)
{
	size_t i;

	for (i = 0; option->arg && i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		if (!strcmp(option->arg, arguments[i].arg))
			return arguments[i].print;
	}
	return NULL;
}

static bool takes_pid(const struct argp_option *option)
{
	return option->arg && !strncmp(option->arg, "PID", 3);
}

static void print_bash_word(const struct argp *argp, const struct argp_option *option)
{
	(void)argp;
	if (option->name)
		printf(" --%s", option->name);
	if (has_letter(option))
		printf(" -%c", option->key);
}

static void print_bash_argument(const struct argp *argp, const struct argp_option *option)
{
	(void)argp;
	if (!option->name || !option->arg)
		return;
	printf("\t--%s", option->name);
	if (has_letter(option))
		printf("|-%c", option->key);
	if (argument_of(option)) {
		fputs(") words=\"", stdout);
		argument_of(option)();
		fputs("\" ;;\n", stdout);
	} else {
		printf(") %s ;;\n",
		       takes_pid(option) ? "words=$(pgrep python 2>/dev/null)" : "return");
	}
}

static void print_bash(void)
{
	const struct command *command;
	size_t i;

	fputs("_pymemtop() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal command=top words='' i\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\t[ \"${COMP_WORDS[i]}\" != -- ] || return\n"
	      "\t\tcase ${COMP_WORDS[i]} in ",
	      stdout);
	for (i = 0; (command = command__get(i)); i++)
		printf("%s%s", i ? "|" : "", command->name);
	fputs(") command=${COMP_WORDS[i]}; break ;; esac\n"
	      "\tdone\n"
	      "\t[ \"$prev\" != = ] || prev=${COMP_WORDS[COMP_CWORD-2]}\n"
	      "\t[ \"$cur\" != = ] || cur=''\n"
	      "\tcase $prev in\n",
	      stdout);
	/* record takes every option that other commands take. */
	visit_options(command__find("record")->argp, 0, print_bash_argument);
	fputs("\tesac\n"
	      "\t[ -n \"$words\" ] || case $command in\n",
	      stdout);
	for (i = 0; (command = command__get(i)); i++) {
		printf("\t%s) words=\"", command->name);
		visit_options(command->argp, 0, print_bash_word);
		fputs("\" ;;\n", stdout);
	}
	fputs("\tesac\n"
	      "\t[ \"$COMP_CWORD\" != 1 ] || words=\"$words",
	      stdout);
	for (i = 0; (command = command__get(i)); i++)
		printf(" %s", command->name);
	fputs("\"\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	      "}\n"
	      "complete -o default -F _pymemtop pymemtop\n",
	      stdout);
}

static void print_zsh(void)
{
	fputs("autoload -U +X bashcompinit && bashcompinit\n", stdout);
	print_bash();
}

/* Prints text between single quotes. */
static void print_quoted(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

/* The caller frees the result if it is not the option's own text. */
static char *help_of(const struct argp *argp, const struct argp_option *option)
{
	char *text = (char *)option->doc;

	return text && argp->help_filter ? argp->help_filter(option->key, text, NULL) : text;
}

static void print_fish_option(const struct argp *argp, const struct argp_option *option)
{
	(void)argp;
	if (!option->name || !option->doc)
		return;
	printf("complete -c pymemtop -l %s", option->name);
	if (has_letter(option))
		printf(" -s '%c'", option->key);
	if (option->arg)
		fputs(" -r", stdout);
	if (argument_of(option)) {
		fputs(" -f -a '", stdout);
		argument_of(option)();
		putchar('\'');
	} else if (takes_pid(option)) {
		fputs(" -f -a '(pgrep python)'", stdout);
	}
	fputs(" -d '", stdout);
	print_quoted(option->doc);
	fputs("'\n", stdout);
}

static void print_fish(void)
{
	const struct command *command;
	size_t i;

	for (i = 0; (command = command__get(i)); i++) {
		printf("complete -c pymemtop -n __fish_use_subcommand -f -a %s -d '",
		       command->name);
		print_quoted(command->help);
		fputs("'\n", stdout);
	}
	visit_options(command__find("record")->argp, 0, print_fish_option);
}

/* Escapes what has a meaning in roff. */
static void print_roff(const char *text)
{
	for (; text && *text; text++) {
		if (*text == '-' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

static void print_man_option(const struct argp *argp, const struct argp_option *option)
{
	char *help;

	if (!option->name && !option->key) {
		printf(".SS \"%.*s\"\n", (int)strcspn(option->doc, ":;"), option->doc);
		return;
	}
	fputs(".TP\n\\fB", stdout);
	if (has_letter(option))
		printf("\\-%c\\fR, \\fB", option->key);
	fputs("\\-\\-", stdout);
	print_roff(option->name);
	fputs("\\fR", stdout);
	if (option->arg)
		printf("=\\fI%s\\fR", option->arg);
	putchar('\n');
	help = help_of(argp, option);
	print_roff(help);
	if (help != option->doc)
		free(help);
	fputs(".\n", stdout);
}

/* Prints options in the order in which argp shows them: negative groups last. */
static void print_man(void)
{
	static const int groups[] = {1, 2, 3, 4, -1};
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		visit_options(command__find("record")->argp, groups[i], print_man_option);
}

static const struct {
	const char *name;
	void (*print)(void);
} outputs[] = {
	{"bash", print_bash},
	{"zsh", print_zsh},
	{"fish", print_fish},
	{"man", print_man},
};

#define OUTPUTS (sizeof(outputs) / sizeof(outputs[0]))

static int run_completion(const struct options *options)
{
	size_t i = 0;

	while (strcmp(outputs[i].name, options->argv[0]))
		i++;
	outputs[i].print();
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int parse_completion_option(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	options__init_children(state);
	return 0;
}

static int check_completion(const struct options *options)
{
	size_t i;

	for (i = 0; options->argv && !options->argv[1] && i < OUTPUTS; i++) {
		if (!strcmp(outputs[i].name, options->argv[0]))
			return 0;
	}
	return usage_error("completion: for which shell? Give bash, zsh or fish");
}

static const struct argp completion_argp = {
	.parser = parse_completion_option,
	.children = general_children,
	.args_doc = "bash|zsh|fish",
	.doc = "Writes what the shell needs to complete pymemtop's command line.\v"
	       "Example:\n"
	       "  pymemtop completion bash > /etc/bash_completion.d/pymemtop",
};

const struct command completion_command = {
	.name = "completion",
	.help = "for a shell, to complete these words: bash, zsh or fish",
	.argp = &completion_argp,
	.check = check_completion,
	.run = run_completion,
};
