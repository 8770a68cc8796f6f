// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/format.h"
#include "render/flame.h"

#include "flame.js.h"

/* In the units of the picture, which the browser scales to its window. A character is 7 wide. */
#define WIDTH	  1200U
#define MARGIN	  10U
#define ROW	  16U
#define TOP	  44U
#define BOTTOM	  28U
#define CHARACTER 7

/* Narrower boxes are not drawn: a tenth of a unit. */
#define NARROWEST 10

/* Shades of a hue, by a box's name. */
#define SHADES 4

struct flame {
	uint64_t total;
	bool is_bytes;
	const char *what;
	struct flame_box *boxes;
	size_t n, room;
	size_t dropped;
	bool compares;
	unsigned int deepest;
	struct arena *texts;
};

struct flame *flame__new(uint64_t total, bool is_bytes, const char *what)
{
	struct flame *flame = calloc(1, sizeof(*flame));

	if (!flame)
		return NULL;
	flame->total = total ? total : 1;
	flame->is_bytes = is_bytes;
	flame->what = what;
	flame->texts = arena__new();
	if (!flame->texts) {
		flame__free(flame);
		return NULL;
	}
	return flame;
}

void flame__free(struct flame *flame)
{
	if (!flame)
		return;
	arena__free(flame->texts);
	free(flame->boxes);
	free(flame);
}

void flame__compare(struct flame *flame)
{
	flame->compares = true;
}

static double scaled(const struct flame *flame, uint64_t weight)
{
	return (double)weight * (WIDTH - 2 * MARGIN) / flame->total;
}

int flame__add(struct flame *flame, const struct flame_box *box)
{
	struct flame_box *more;
	size_t room;

	if (scaled(flame, box->weight) * NARROWEST < 1) {
		flame->dropped++;
		return 0;
	}
	if (flame->n == flame->room) {
		room = 2 * flame->room + 256;
		more = reallocarray(flame->boxes, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		flame->boxes = more;
		flame->room = room;
	}
	more = &flame->boxes[flame->n];
	*more = *box;
	more->name = arena__copy(flame->texts, box->name, strlen(box->name));
	more->detail = arena__copy(flame->texts, box->detail, strlen(box->detail));
	if (!more->name || !more->detail)
		return -ENOMEM;
	flame->n++;
	if (box->depth > flame->deepest)
		flame->deepest = box->depth;
	return 1;
}

static void put_character(char character, FILE *out)
{
	switch (character) {
	case '&':
		fputs("&amp;", out);
		break;
	case '<':
		fputs("&lt;", out);
		break;
	case '>':
		fputs("&gt;", out);
		break;
	case '"':
		fputs("&quot;", out);
		break;
	default:
		putc(character, out);
	}
}

static void put_text(const char *text, FILE *out)
{
	for (; *text; text++)
		put_character(*text, out);
}

/* As many characters of a name as have room, whole ones. */
static void put_label(const char *name, double width, FILE *out)
{
	int room = (int)((width - 6) / CHARACTER), n = 0, i;
	const char *at;

	for (at = name; *at; at++)
		n += (*at & 0xc0) != 0x80;
	if (room < 3)
		return;
	if (n <= room) {
		put_text(name, out);
		return;
	}
	for (at = name, i = 0; *at; at++) {
		i += (*at & 0xc0) != 0x80;
		if (i > room - 2)
			break;
		put_character(*at, out);
	}
	fputs("..", out);
}

static unsigned int shade_of(const char *name)
{
	unsigned int hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash / 7 % SHADES;
}

static const char *format_weight(const struct flame *flame, uint64_t weight, struct text *text)
{
	*text = flame->is_bytes ? format_bytes(weight) : format_count(weight);
	return text->s;
}

/* From white to red, or to blue, by how much of the larger weight has come or gone. */
static void put_change(const struct flame *flame, const struct flame_box *box, FILE *out)
{
	uint64_t most = box->weight > box->before ? box->weight : box->before;
	double change = (double)box->weight - (double)box->before, part;

	if (!flame->compares)
		return;
	part = most ? change / (double)most : 0;
	fprintf(out, " style=\"fill:hsl(%d,100%%,%d%%)\"", part < 0 ? 220 : 8,
		95 - (int)(40 * (part < 0 ? -part : part)));
}

static void put_title(const struct flame *flame, const struct flame_box *box, FILE *out)
{
	const char *unit = flame->is_bytes ? "" : flame->what, *blank = flame->is_bytes ? "" : " ";
	bool less = box->weight < box->before;
	struct text weight;

	fputs("<title>", out);
	put_text(box->name, out);
	fprintf(out, "\n%s%s%s, %.2f%%", format_weight(flame, box->weight, &weight), blank, unit,
		100.0 * (double)box->weight / (double)flame->total);
	if (flame->compares)
		fprintf(out, ", %s%s", less ? "-" : "+",
			format_weight(flame,
				      less ? box->before - box->weight : box->weight - box->before,
				      &weight));
	if (box->detail[0])
		fputs(", ", out);
	put_text(box->detail, out);
	fputs("</title>", out);
}

static void put_box(const struct flame *flame, const struct flame_box *box, FILE *out)
{
	double x = MARGIN + scaled(flame, box->start), width = scaled(flame, box->weight);
	unsigned int y = TOP + (flame->deepest - box->depth) * ROW;

	fprintf(out, "<g class=\"box h%d s%u\">", (int)box->hue, shade_of(box->name));
	put_title(flame, box, out);
	fprintf(out, "<rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%u\"", x, y, width,
		ROW - 1);
	put_change(flame, box, out);
	fprintf(out, "/><text x=\"%.2f\" y=\"%u\">", x + 3, y + 12);
	put_label(box->name, width, out);
	fputs("</text></g>\n", out);
}

static void put_style(FILE *out)
{
	static const struct {
		unsigned int hue, saturation, lightness, step;
	} hues[HUES] = {
		[HUE_OWN] = {18, 90, 60, 4},
		[HUE_LIBRARY] = {205, 55, 66, 4},
		[HUE_OTHER] = {0, 0, 78, 3},
	};
	unsigned int hue, shade;

	fputs("<style>\n"
	      "text{font:12px monospace;fill:#111}"
	      ".box{cursor:pointer}.box text{pointer-events:none}"
	      ".box:hover rect{stroke:#000}.under{opacity:.45}.match rect{fill:#e3f!important}"
	      ".button{cursor:pointer;fill:#06c}.button:hover{text-decoration:underline}\n",
	      out);
	for (hue = 0; hue < HUES; hue++) {
		for (shade = 0; shade < SHADES; shade++)
			fprintf(out, ".h%u.s%u rect{fill:hsl(%u,%u%%,%u%%)}", hue, shade,
				hues[hue].hue + (hues[hue].saturation ? 5 * shade : 0),
				hues[hue].saturation, hues[hue].lightness + hues[hue].step * shade);
	}
	fputs("\n</style>\n", out);
}

static void put_head(const char *title, unsigned int height, FILE *out)
{
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" width=\"100%%\" "
		"preserveAspectRatio=\"xMinYMin\">\n",
		WIDTH, height);
	put_style(out);
	fprintf(out, "<rect width=\"%u\" height=\"%u\" fill=\"#fff\"/>\n<text x=\"%u\" y=\"16\">",
		WIDTH, height, MARGIN);
	put_text(title, out);
	fputs("</text>\n", out);
	/* Only where scripts run. */
	fprintf(out,
		"<g class=\"script\" style=\"display:none\">"
		"<text x=\"%u\" y=\"34\" id=\"reset\" class=\"button\">Reset zoom</text>"
		"<text x=\"%u\" y=\"34\" id=\"search\" class=\"button\">Search (/)</text>"
		"<text x=\"%u\" y=\"34\" id=\"turn\" class=\"button\">Upside down</text>"
		"<text x=\"%u\" y=\"34\" id=\"said\"></text></g>\n<g id=\"frame\">\n",
		MARGIN, MARGIN + 110, MARGIN + 220, MARGIN + 340);
}

static void put_foot(const struct flame *flame, const char *legend, unsigned int height, FILE *out)
{
	fprintf(out, "</g>\n<text x=\"%u\" y=\"%u\">", MARGIN, height - 10);
	put_text(legend, out);
	if (flame->dropped)
		fprintf(out, " %s boxes are too narrow to be drawn, and what is above them.",
			format_count(flame->dropped).s);
	fputs("</text>\n<script><![CDATA[\n", out);
	fputs(flame_js, out);
	fputs("]]></script>\n</svg>\n", out);
}

void flame__write(const struct flame *flame, const char *title, const char *legend, FILE *out)
{
	unsigned int height = TOP + (flame->deepest + 1) * ROW + BOTTOM;
	size_t i;

	put_head(title, height, out);
	for (i = 0; i < flame->n; i++)
		put_box(flame, &flame->boxes[i], out);
	put_foot(flame, legend, height, out);
}
