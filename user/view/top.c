// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ncurses.h>

#include "base/log.h"
#include "base/signals.h"
#include "modes/modes.h"
#include "session/session.h"
#include "view/panels.h"
#include "view/top.h"

/* Returns the mode that the key m leads to, or NULL if there is no other. */
static const struct mode *next_mode(const struct mode *mode)
{
	size_t n, i, at = 0;

	for (n = 0; mode__get(n); n++) {
		if (mode__get(n) == mode)
			at = n;
	}
	for (i = 1; i < n; i++) {
		if (mode__get((at + i) % n)->switchable)
			return mode->switchable ? mode__get((at + i) % n) : NULL;
	}
	return NULL;
}

/* The state of the view. */
struct view {
	struct session *session;
	struct loop *loop;
	const struct top_options *options;
	const struct mode *mode; /* the one shown */
	bool types;		 /* in place of lines */
	bool merge;		 /* programs in place of processes */
	bool has_chosen;	 /* the user, which of both */
	bool ends;
};

static int on_key(void *context)
{
	(void)context;
	return LOOP_LEAVE;
}

static void say(const char *text)
{
	mvaddstr(LINES - 1, 0, text);
	clrtoeol();
	refresh();
}

/* Changes to another mode, which is recorded from when it is first shown. If that fails, the
 * present mode stays, and the terminal shows why once the view has ended. */
static void change_mode(struct view *view)
{
	const struct mode *other = next_mode(view->mode);

	if (!other)
		return;
	say("changing the mode ...");
	if (!session__add_mode(view->session, other))
		view->mode = other;
	clearok(stdscr, TRUE);
}

/* Shows types in place of lines, and back. They are looked at from when they are first shown. */
static void change_panel(struct view *view)
{
	if (!session__see_types(view->session))
		view->types = !view->types;
}

/* Fewer rows of each process show no line worth looking at. */
#define LEAST_ROWS 5

/* Whether there are so many processes that nothing could be seen of them: then their programs are
 * shown, unless the user has chosen. */
static bool are_too_many(struct view *view, const struct profile *profile)
{
	if (view->has_chosen || view->merge || profile->nprocesses < 2 ||
	    (size_t)(LINES - 1) >= profile->nprocesses * LEAST_ROWS)
		return false;
	view->merge = true;
	return true;
}

/* Returns whether the table must be redrawn. */
static bool take_keys(struct view *view)
{
	bool redraw = false;
	int key;

	while ((key = getch()) != ERR) {
		if (key == 'q' || key == 'Q')
			view->ends = true;
		if (key == 'm')
			change_mode(view);
		if (key == 'o')
			change_panel(view);
		if (key == 'g') {
			view->merge = !view->merge;
			view->has_chosen = true;
		}
		redraw |= key == 'm' || key == 'o' || key == 'g' || key == KEY_RESIZE;
	}
	return redraw;
}

static int show(struct view *view)
{
	struct profile_options how = {.order = BY_VALUE, .next = true, .merge = view->merge};
	const struct mode *mode = view->mode, *other = next_mode(mode);
	struct profile *profile;
	char keys[128];
	int err = session__profile(view->session, mode, &how, &profile);

	if (!err && are_too_many(view, profile)) {
		profile__free(profile);
		how.merge = true;
		err = session__profile(view->session, mode, &how, &profile);
	}
	if (err)
		return err;
	snprintf(keys, sizeof(keys), "q quits%s%s  o %s  g %s  mode %s%s%s",
		 other ? "  m mode " : "", other ? other->name : "",
		 view->types ? "lines" : "types", view->merge ? "processes" : "programs",
		 mode->name, mode->warning ? ": " : "", mode->warning ?: "");
	erase();
	if (view->types)
		types_panel__draw(profile);
	else
		lines_panel__draw(profile);
	mvaddnstr(LINES - 1, 0, keys, COLS);
	refresh();
	profile__free(profile);
	return 0;
}

/* Runs until q, a signal, or the end of the duration. Returns 0 or -errno. */
static int watch(struct view *view)
{
	const double interval = view->options->interval;
	const double end = view->options->duration ? view->options->duration : INFINITY;
	double next = 0, now;
	int err;

	for (;;) {
		now = session__elapsed(view->session);
		if (view->ends || signals__caught() || now >= end)
			return 0;
		if (now >= next) {
			err = show(view);
			if (err)
				return err;
			next = session__elapsed(view->session) + interval;
		}
		now = session__elapsed(view->session);
		/* Without a target, the keys still work. */
		if (session__is_alive(view->session))
			err = session__wait(view->session, fmax(fmin(next, end) - now, 0));
		else
			err = loop__wait(view->loop, fmax(fmin(next, end) - now, 0));
		if (err < 0)
			return err;
		if (take_keys(view))
			next = 0;
	}
}

static int run(struct view *view)
{
	SCREEN *screen = newterm(NULL, stdout, stdin);
	char *said = NULL;
	size_t size;
	FILE *stream;
	int err;

	if (!screen) {
		log_error("the terminal %s is not known; set TERM", getenv("TERM") ?: "(none)");
		return -ENOTTY;
	}
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
	stream = open_memstream(&said, &size);
	log_set_stream(stream);
	err = loop__add(view->loop, STDIN_FILENO, on_key, NULL);
	if (!err)
		err = watch(view);
	loop__remove(view->loop, STDIN_FILENO);
	endwin();
	delscreen(screen);
	log_set_stream(NULL);
	if (stream && !fclose(stream))
		fputs(said, stderr);
	free(said);
	if (err)
		log_error("the view ended: %s", strerror(-err));
	return err;
}

int top__run(const struct session_options *recorded, const struct top_options *options)
{
	struct view view = {
		.loop = recorded->loop,
		.options = options,
		.mode = recorded->modes[0],
		.merge = options->merge,
		.has_chosen = options->merge,
	};
	int err = session__new(recorded, &view.session);

	if (!err)
		err = run(&view);
	session__free(view.session);
	return err;
}
