/* SPDX-License-Identifier: BSD-3-Clause */
/* Text for people: escaped, as tables, within 80 columns. */
#include "config.h"
#include "cli/out.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define RING 16
#define TEXT_MAX 1000
#define COLUMNS_MAX 8

static char *
ring_next(void)
{
	static char ring[RING][TEXT_MAX + 8];
	static unsigned next;

	return ring[next++ % RING];
}

const char *
out_escape(const char *text)
{
	char *out = ring_next();
	size_t n = 0;

	for (; *text != '\0' && n < TEXT_MAX; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= ' ' && c <= '~')
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, 5, "\\x%02x", c);
	}
	out[n] = '\0';
	return out;
}

const char *
out_text(const json_t *o, const char *key)
{
	return out_escape(cli_text(o, key));
}

const char *
out_age(const json_t *o, const char *key)
{
	char *out = ring_next();

	cli_format_age(out, cli_int(o, key), clock_wall_s());
	return out;
}

void
out_wrapped(int at, int indent, const char *text)
{
	int begin = at;
	size_t n;

	text = out_escape(text);
	while (*text != '\0') {
		n = strcspn(text, " ");
		if (at > begin && at + 1 + (int)n > OUT_WIDTH) {
			printf("\n%*s", indent, "");
			at = begin = indent;
		}
		at += printf("%s%.*s", at > begin ? " " : "", (int)n, text);
		text += n;
		text += strspn(text, " ");
	}
	putchar('\n');
}

void
out_table(const json_t *rows, const struct out_column *columns, const char *below)
{
	int widths[COLUMNS_MAX] = { 0 };
	size_t i, c, n = 0;
	const json_t *row;

	for (; n < COLUMNS_MAX && columns[n].title != NULL; n++)
		widths[n] = (int)strlen(columns[n].title);
	json_array_foreach(rows, i, row)
		for (c = 0; c < n; c++) {
			int len = (int)strlen(columns[c].text(row, columns[c].key));

			widths[c] = len > widths[c] ? len : widths[c];
		}
	for (c = 0; c < n; c++)
		printf("%-*s%s", c + 1 < n ? widths[c] : 0, columns[c].title, c + 1 < n ? "  " : "\n");
	json_array_foreach(rows, i, row) {
		for (c = 0; c < n; c++)
			printf("%-*s%s", c + 1 < n ? widths[c] : 0, columns[c].text(row, columns[c].key), c + 1 < n ? "  " : "\n");
		if (below != NULL && json_is_string(json_object_get(row, below)))
			printf("  %s\n", out_text(row, below));
	}
}
