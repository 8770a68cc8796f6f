// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ncurses.h>

#include "base/format.h"
#include "base/log.h"
#include "base/signals.h"
#include "modes/modes.h"
#include "session.h"
#include "view/top.h"

/* How soon a key is answered, seconds. */
#define KEY_DELAY 0.1

static void put(int *y, const char *text)
{
	if (*y < LINES)
		mvaddnstr((*y)++, 0, text, COLS);
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
			 "RssAnon %s = %s before the attach + %s of the lines + %s unattributed",
			 format_bytes(process->rss_anon_bytes).s,
			 format_bytes(process->before_attach_bytes).s,
			 format_bytes(process->total.of[0]).s,
			 format_signed(process->unattributed_bytes).s);
	else if (schema->types[0].kind == VALUE_CHANGE)
		snprintf(text, sizeof(text), "RSS %s (%s at attach)  added %s by %s lines",
			 format_bytes(process->rss_bytes).s,
			 format_bytes(process->rss_at_attach_bytes).s,
			 format_signed(process->total.of[0]).s,
			 format_count(values__get(schema, &process->total, ROLE_INUSE_COUNT)).s);
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

static void put_line(const struct schema *schema, const struct profile_line *line, int *y)
{
	const struct location *location = line->location;
	char text[4096], number[16] = "";
	int length;
	size_t i;

	if (location->line)
		snprintf(number, sizeof(number), ":%d", location->line);
	length = snprintf(text, sizeof(text), "%12s %12s",
			  value__format(&schema->types[0], line->values.of[0]).s,
			  format_change(line->change.of[0]).s);
	for (i = 1; i < schema->n; i++) {
		if (schema->types[i].title)
			length += snprintf(text + length, sizeof(text) - length, " %12s",
					   value__format(&schema->types[i], line->values.of[i]).s);
	}
	snprintf(text + length, sizeof(text) - length, "  %s%s%s%s%s", location->file, number,
		 location->function[0] ? " (" : "", location->function,
		 location->function[0] ? ")" : "");
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
		/* The room that is left goes to all processes alike. */
		rows = (LINES - 1 - y) / (int)(profile->nprocesses - p) -
		       (p + 1 < profile->nprocesses);
		for (i = 0; i < process->nlines && (int)i < rows; i++)
			put_line(&profile->schema, &process->lines[i], &y);
	}
	mvaddnstr(LINES - 1, 0, keys, COLS);
	refresh();
}

enum end {
	END_OF_VIEW = 1,
	END_OF_MODE, /* another one was asked for */
};

/* The mode that the key m leads to, NULL where there is none but this. */
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

/* Until q, m, a signal, or the end of the duration. Returns an enum end, or -errno. */
static int watch(struct session *session, const struct top_options *options,
		 const struct mode *mode)
{
	const struct profile_options how = {.order = BY_VALUE, .next = true};
	double interval = options->interval, next = 0;
	const struct mode *other = next_mode(mode);
	struct profile *profile;
	char keys[128];
	int err, key;

	snprintf(keys, sizeof(keys), "q quits%s%s  mode %s%s%s", other ? "  m mode " : "",
		 other ? other->name : "", mode->name, mode->warning ? ": " : "",
		 mode->warning ?: "");
	while (!signals__caught() &&
	       (!options->duration || session__elapsed(session) < options->duration)) {
		if (session__elapsed(session) >= next) {
			err = session__profile(session, &how, &profile);
			if (err)
				return err;
			draw(profile, keys);
			profile__free(profile);
			next = session__elapsed(session) + interval;
		}
		while ((key = getch()) != ERR) {
			if (key == 'q' || key == 'Q')
				return END_OF_VIEW;
			if (key == 'm' && other)
				return END_OF_MODE;
			if (key == KEY_RESIZE)
				next = 0;
		}
		if (session__is_alive(session))
			err = session__wait(session, KEY_DELAY);
		else
			err = usleep(KEY_DELAY * 1e6) && errno != EINTR ? -errno : 0;
		if (err)
			return err;
	}
	return END_OF_VIEW;
}

/* From mode to mode. What a mode counted is gone with it. 0 or -errno. */
static int watch_modes(struct session *session, const struct session_options *recorded,
		       const struct top_options *options)
{
	struct session_options now = *recorded;
	const struct mode *mode = now.mode;
	int err;

	for (;;) {
		err = watch(session, options, mode);
		session__free(session);
		if (err != END_OF_MODE)
			return err < 0 ? err : 0;
		mvaddstr(LINES - 1, 0, "changing the mode ...");
		clrtoeol();
		refresh();
		/* Why it cannot, is said on the terminal below. */
		now.mode = next_mode(mode);
		err = session__new(&now, &session);
		if (err) {
			now.mode = mode;
			err = session__new(&now, &session);
		}
		if (err)
			return err;
		mode = now.mode;
		clearok(stdscr, TRUE);
	}
}

int top__run(const struct session_options *recorded, const struct top_options *options)
{
	struct session *session;
	SCREEN *screen;
	int err;

	signals__catch();
	err = session__new(recorded, &session);
	if (err)
		return err;
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		log_error("the terminal %s is not known; set TERM", getenv("TERM") ?: "(none)");
		session__free(session);
		return -ENOTTY;
	}
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
	err = watch_modes(session, recorded, options);
	endwin();
	delscreen(screen);
	/* What was said before is gone with the screen. */
	if (err)
		log_error("the view ended: %s", strerror(-err));
	return err;
}
