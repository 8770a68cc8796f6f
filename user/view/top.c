// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <unistd.h>

#include <ncurses.h>

#include "base/format.h"
#include "base/log.h"
#include "base/signals.h"
#include "modes/modes.h"
#include "session/session.h"
#include "view/top.h"

/* The next character's bytes, and the columns that it takes on the screen. */
static size_t next_character(const char *text, mbstate_t *state, int *columns)
{
	wchar_t character;
	size_t n = mbrtowc(&character, text, MB_CUR_MAX, state);
	int width;

	if (n == (size_t)-1 || n == (size_t)-2) {
		memset(state, 0, sizeof(*state));
		*columns = 1;
		return 1;
	}
	width = wcwidth(character);
	*columns = width > 0 ? width : 0;
	return n;
}

/* Columns that a text takes. */
static int columns_of(const char *text)
{
	mbstate_t state = {0};
	int all = 0, columns;

	while (*text) {
		text += next_character(text, &state, &columns);
		all += columns;
	}
	return all;
}

/* Bytes of a text that fit into a row. */
static int bytes_of_row(const char *text)
{
	mbstate_t state = {0};
	int all = 0, columns;
	const char *at = text;
	size_t n;

	for (; *at; at += n) {
		n = next_character(at, &state, &columns);
		all += columns;
		if (all > COLS)
			break;
	}
	return (int)(at - text);
}

static void put(int *y, const char *text)
{
	if (*y < LINES)
		mvaddnstr((*y)++, 0, text, bytes_of_row(text));
}

static void put_process(const struct profile *profile, const struct profile_process *process,
			int *y)
{
	const struct schema *schema = &profile->schema;
	char text[512];
	uint64_t lost = 0;
	size_t length;
	int cause;

	for (cause = 0; cause < LOST_CAUSES; cause++)
		lost += process->lost[cause];
	if (process->ended)
		snprintf(text, sizeof(text), "%s children of %d that have ended, together",
			 format_count(process->ended).s, process->parent);
	else
		snprintf(text, sizeof(text), "%d %s  CPython %s, %s, %s, %.0f s%s", process->pid,
			 process->comm, process->python, profile->mode, process->attribution,
			 profile->duration_seconds,
			 process->state == PROCESS_EXITED   ? ", has exited"
			 : process->state == PROCESS_EXECED ? ", has executed another program"
							    : "");
	attron(A_BOLD);
	put(y, text);
	attroff(A_BOLD);
	if (profile->counts_resident)
		snprintf(text, sizeof(text),
			 "RssAnon %s = %s before the attach + %s of the lines + %s in arenas + %s "
			 "unattributed",
			 format_bytes(process->rss_anon_bytes).s,
			 format_bytes(process->before_attach_bytes).s,
			 format_bytes(process->total.of[0]).s,
			 format_bytes(values__get(schema, &process->total, ROLE_ARENA_BYTES)).s,
			 format_signed(process->unattributed_bytes).s);
	else if (schema->types[0].kind == VALUE_CHANGE)
		snprintf(text, sizeof(text), "RSS %s (%s at attach)  added %s by %s lines",
			 format_bytes(process->rss_bytes).s,
			 format_bytes(process->rss_at_attach_bytes).s,
			 format_signed(process->total.of[0]).s,
			 format_count(values__get(schema, &process->total, ROLE_INUSE_COUNT)).s);
	else if (profile->windows.max_overhead > 0)
		snprintf(
			text, sizeof(text),
			"RSS %s (%s at attach)  kept about %s in %s blocks  costs %.1f %% of %.3g %%",
			format_bytes(process->rss_bytes).s,
			format_bytes(process->rss_at_attach_bytes).s,
			format_bytes(process->total.of[0]).s,
			format_count(values__get(schema, &process->total, ROLE_INUSE_COUNT)).s,
			100 * profile->windows.overhead, 100 * profile->windows.max_overhead);
	else
		snprintf(text, sizeof(text),
			 "RSS %s (%s at attach)  outstanding %s in %s blocks  mapped %s",
			 format_bytes(process->rss_bytes).s,
			 format_bytes(process->rss_at_attach_bytes).s,
			 format_bytes(process->total.of[0]).s,
			 format_count(values__get(schema, &process->total, ROLE_INUSE_COUNT)).s,
			 format_bytes(values__get(schema, &process->total, ROLE_MAPPED_BYTES)).s);
	length = strlen(text);
	snprintf(text + length, sizeof(text) - length, "  lost %s  maps %s", format_count(lost).s,
		 format_bytes(profile->map_bytes).s);
	put(y, text);
}

static void put_titles(const struct schema *schema, int *y)
{
	char text[256];
	int length = snprintf(text, sizeof(text), "%12s %12s", schema->types[0].title, "Increment");
	size_t i;

	for (i = 1; i < schema->n; i++) {
		if (schema->types[i].title)
			length += snprintf(text + length, sizeof(text) - length, " %12s",
					   schema->types[i].title);
	}
	snprintf(text + length, sizeof(text) - length, "  Line");
	attron(A_REVERSE);
	put(y, text);
	attroff(A_REVERSE);
}

/* The end of a path that fits, from a folder on if there is one; the file's name always. */
static const char *shorten_path(const char *path, int columns)
{
	const char *at = path;

	while (columns_of(at) > columns - 1 && (at = strchr(at + 1, '/')))
		path = at;
	return path;
}

static void put_line(const struct schema *schema, const struct profile_line *line, int *y)
{
	const struct location *location = line->location;
	char text[4096], after[1024];
	const char *path;
	int length, left;
	size_t i;

	length = snprintf(text, sizeof(text), "%12s %12s",
			  value__format(&schema->types[0], line->values.of[0]).s,
			  format_change(values__held(schema, &line->change)).s);
	for (i = 1; i < schema->n; i++) {
		if (schema->types[i].title)
			length += snprintf(text + length, sizeof(text) - length, " %12s",
					   value__format(&schema->types[i], line->values.of[i]).s);
	}
	snprintf(after, sizeof(after), location->line ? ":%d%s%s%s" : "%.0d%s%s%s", location->line,
		 location->function[0] ? " (" : "", location->function,
		 location->function[0] ? ")" : "");
	left = COLS - length - 2 - columns_of(after);
	path = columns_of(location->file) > left ? shorten_path(location->file, left)
						 : location->file;
	snprintf(text + length, sizeof(text) - length, "  %s%s%s",
		 path == location->file ? "" : "\u2026", path, after);
	put(y, text);
}

static void draw(const struct profile *profile, const char *keys)
{
	const struct profile_process *process;
	int y = 0, rows;
	size_t p, i;

	erase();
	for (p = 0; p < profile->nprocesses && y < LINES - 1; p++) {
		process = &profile->processes[p];
		put_process(profile, process, &y);
		put_titles(&profile->schema, &y);
		/* All processes get an equal share of the rows that are left. */
		rows = (LINES - 1 - y) / (int)(profile->nprocesses - p) -
		       (p + 1 < profile->nprocesses);
		for (i = 0; i < process->nlines && rows > 0; i++) {
			if (values__are_arenas(&profile->schema, &process->lines[i].values))
				continue;
			put_line(&profile->schema, &process->lines[i], &y);
			rows--;
		}
	}
	mvaddnstr(LINES - 1, 0, keys, COLS);
	refresh();
}

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
		redraw |= key == 'm' || key == KEY_RESIZE;
	}
	return redraw;
}

static int show(struct view *view)
{
	const struct profile_options how = {.order = BY_VALUE, .next = true};
	const struct mode *mode = view->mode, *other = next_mode(mode);
	struct profile *profile;
	char keys[128];
	int err = session__profile(view->session, mode, &how, &profile);

	if (err)
		return err;
	snprintf(keys, sizeof(keys), "q quits%s%s  mode %s%s%s", other ? "  m mode " : "",
		 other ? other->name : "", mode->name, mode->warning ? ": " : "",
		 mode->warning ?: "");
	draw(profile, keys);
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
	};
	int err = session__new(recorded, &view.session);

	if (!err)
		err = run(&view);
	session__free(view.session);
	return err;
}
