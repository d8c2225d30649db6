/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include "cli/cli.h"

/*
 * What the daemon said, for people: 80 columns, every byte that is not
 * printable ASCII escaped, times as ages. With --json the same values are
 * printed as they came (cli_print_json()).
 */
#define OUT_WIDTH 80

/* Members of an object as text, "-" where there is none. Good until the 16th next call of any of these. */
const char *out_text(const json_t *o, const char *key);
const char *out_age(const json_t *o, const char *key); /* a time, as cli_format_age() */
/* Any bytes, escaped and cut at 1000 bytes. */
const char *out_escape(const char *text);

/* Text behind `at` columns that are printed already, broken between words at OUT_WIDTH; the next lines begin at `indent`. Ends the line. */
void out_wrapped(int at, int indent, const char *text);

/* One column of a table: as wide as its longest text needs. */
struct out_column {
	const char *title, *key;
	const char *(*text)(const json_t *o, const char *key); /* out_text, out_age */
};
/* columns end with a NULL title. `below`: a text that has a line of its own under its row, if it has one; or NULL. */
void out_table(const json_t *rows, const struct out_column *columns, const char *below);

#endif
