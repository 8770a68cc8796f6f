/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/limits.h"
#include "modes/mode.h"
#include "profile/filter.h"
#include "profile/group.h"
#include "render/differences.h"
#include "render/renderer.h"
#include "session/session.h"
#include "serve/http.h"
#include "target/selection.h"

/* Of --fail-if. */
#define MOST_LIMITS 16

struct options {
	const struct command *command;
	pid_t *pids;
	size_t npids;
	bool all;	  /* every CPython process of the selection: options__find_all() */
	bool no_children; /* not those that run already */
	bool merge;	  /* one part for each program */
	struct selection selection;
	char **argv;			 /* of a program to start; NULL: none */
	double duration;		 /* seconds; 0: not given */
	double interval;		 /* seconds; 0: not given */
	const char *format;		 /* as given; NULL: it is not */
	const struct renderer *renderer; /* NULL: only inspect has that format */
	const char *output;		 /* NULL: stdout */
	struct render_options render;
	const struct mode *modes[MOST_COLLECTORS];
	size_t nmodes;		      /* at least 1 once parsed */
	enum attribution attribution; /* 0: auto */
	struct collector_options collector;
	struct images *images; /* shared by all processes that we look at */
	struct filter filter;
	bool no_holders;		  /* inspect: only types */
	struct limit limits[MOST_LIMITS]; /* record: --fail-if */
	size_t nlimits;
	bool types;	      /* record: which objects are alive, too */
	const char *type;     /* inspect: whose instances are described; NULL: none */
	const char *core;     /* inspect: the core file; NULL: processes */
	const char *root;     /* inspect: where the core's files are; "": here */
	const char *files[2]; /* saved profiles */
	size_t nfiles;
	enum group_by group;				/* diff: what is told apart */
	const struct differences_renderer *differences; /* diff: the format */
	double max_overhead;				/* a part: 0.01 for 1 %; 0: not given */
	double min_age;					/* seconds; 0: not given */
	bool markers;		  /* lines: at each line, by CPython's markers */
	struct http_options http; /* serve: where, and who may */
	const char *token_file;	  /* serve: what the token is read from; NULL: none */
	bool is_open;		  /* serve: to everybody, as the user says */
	const char *engine;	  /* fleet: its address; NULL: not given */
	const char *ca, *program; /* fleet: whom to trust, and which programs; NULL: not given */
	double since, until;	  /* fleet: seconds; since 1970, 0: not given */
	double before, after;	  /* fleet diff: seconds since 1970; 0: not given */
	bool is_json, show_query; /* fleet */
	bool explain;		  /* only print where the probes would be */
	unsigned int verbose;	  /* 2: libbpf, too */
};

/* Reads the command line; may print help and exit. Returns 0, -EINVAL, having said what is wrong,
 * or -ENOMEM. Call options__free() in any case. */
int options__parse(struct options *options, int argc, char **argv);
void options__free(struct options *options);

/* --all: sets the pids to every CPython of the selection that runs now; else adds those that their
 * processes have started. Returns 0 or -errno, having said why. */
int options__find_all(struct options *options);

/* Returns the options of a session, which waits in loop. */
struct session_options options__session(const struct options *options, struct loop *loop);

/* argp children for commands: general ones for all, observing ones for those that observe; and what
 * they are made of, for commands with more. */
extern const struct argp general_argp, observing_argp;
extern const struct argp_child general_children[], observing_children[];

/* Says what is wrong with the command line. Evaluates to -EINVAL. */
#define usage_error(...) (log_error(__VA_ARGS__), -EINVAL)

/* Parses a whole number from least to most. Returns 0, or -EINVAL, having said what is wrong. */
int options__parse_number(const char *option, const char *text, unsigned int least,
			  unsigned int most, unsigned int *number);

/* Appends a word, which outlives the list, to a list of n. Returns 0 or -ENOMEM. */
int options__add_word(const char ***words, size_t *n, const char *word);

/* An argp help filter that puts the list of commands before the text behind the options. */
char *options__list_commands(int key, const char *text, void *input);

/* The parser of the options that commands share, for those that list some of them on their own. */
int options__parse_option(int key, char *arg, struct argp_state *state);

/* Handles ARGP_KEY_INIT for a command's parser: gives its children the same input. */
void options__init_children(struct argp_state *state);

#endif /* OPTIONS_H */
