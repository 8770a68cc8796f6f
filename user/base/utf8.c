// SPDX-License-Identifier: BSD-2-Clause
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* The longest form of one character: \U0010ffff */
#define LONGEST 10

static size_t encode(uint32_t c, char *to)
{
	if (c < 0x80) {
		to[0] = c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = 0xc0 | c >> 6;
		to[1] = 0x80 | (c & 63);
		return 2;
	}
	if (c < 0x10000) {
		to[0] = 0xe0 | c >> 12;
		to[1] = 0x80 | (c >> 6 & 63);
		to[2] = 0x80 | (c & 63);
		return 3;
	}
	to[0] = 0xf0 | c >> 18;
	to[1] = 0x80 | (c >> 12 & 63);
	to[2] = 0x80 | (c >> 6 & 63);
	to[3] = 0x80 | (c & 63);
	return 4;
}

/*
 * What shows nothing, or changes how its neighbours are shown: two names that look the same must be
 * the same. Controls; of Unicode's format characters (UnicodeData.txt 15, category Cf) those
 * without a glyph; fillers that are letters by category; variation selectors; surrogates.
 */
static const struct {
	uint32_t first, last;
} unprintable[] = {
	{0x00, 0x1f},		{0x7f, 0x9f}, /* C0 and C1 controls */
	{0xad, 0xad},			      /* soft hyphen */
	{0x034f, 0x034f},		      /* combining grapheme joiner */
	{0x061c, 0x061c},		      /* Arabic letter mark */
	{0x115f, 0x1160},		      /* Hangul fillers */
	{0x17b4, 0x17b5},		      /* Khmer inherent vowels */
	{0x180b, 0x180f},		      /* Mongolian selectors */
	{0x200b, 0x200f}, /* zero width; left-to-right and right-to-left marks */
	{0x2028, 0x202e}, /* separators; embeddings and overrides */
	{0x2060, 0x206f}, /* invisible operators; isolates */
	{0x3164, 0x3164}, /* Hangul filler */
	{0xd800, 0xdfff}, /* surrogates */
	{0xfe00, 0xfe0f}, /* variation selectors */
	{0xfeff, 0xfeff}, /* byte order mark */
	{0xffa0, 0xffa0}, /* Hangul filler */
	{0xfff9, 0xfffb}, /* annotations */
	{0x1bca0, 0x1bca3},	{0x1d173, 0x1d17a}, /* shorthand and musical format controls */
	{0xe0000, 0xe0fff},			    /* tags, and more variation selectors */
	{0x110000, UINT32_MAX},
};

static bool is_unprintable(uint32_t c)
{
	size_t i;

	if (c >= 0x20 && c < 0x7f)
		return false;
	for (i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++) {
		if (c >= unprintable[i].first && c <= unprintable[i].last)
			return true;
	}
	return false;
}

static size_t put(uint32_t c, char *to)
{
	if (!is_unprintable(c))
		return encode(c, to);
	return sprintf(to, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

/* Decodes one character of UTF-8. A byte that starts none becomes the lone surrogate that Python's
 * surrogateescape makes of it. Returns the size. */
static size_t decode(const uint8_t *from, size_t size, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = from[0] < 0x80	     ? 1
			: from[0] >> 5 == 6  ? 2
			: from[0] >> 4 == 14 ? 3
			: from[0] >> 3 == 30 ? 4
					     : 0,
	       i;

	*c = length == 1 ? from[0] : length ? from[0] & (0xff >> (length + 1)) : 0;
	for (i = 1; i < length; i++) {
		if (i >= size || from[i] >> 6 != 2)
			length = 0;
		else
			*c = *c << 6 | (from[i] & 63);
	}
	if (!length || *c < least[length] || (*c >= 0xd800 && *c < 0xe000) || *c > 0x10ffff) {
		*c = 0xdc00 | from[0];
		return 1;
	}
	return length;
}

char *utf8_from_str(const uint8_t *data, size_t size, unsigned int kind)
{
	char *text = malloc(size * LONGEST + 1), *to = text, *fit;
	size_t at = 0;
	uint32_t c;

	if (!text)
		return NULL;
	while (at < size) {
		c = 0;
		if (kind) {
			if (size - at < kind || kind > sizeof(c))
				break;
			memcpy(&c, data + at, kind); /* little-endian, like all our machines */
			at += kind;
		} else {
			at += decode(data + at, size - at, &c);
		}
		to += put(c, to);
	}
	*to++ = '\0';
	fit = realloc(text, to - text);
	return fit ? fit : text;
}

void utf8_keep_ascii(char *text)
{
	for (; *text; text++) {
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
	}
}
