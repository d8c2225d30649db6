/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_SCAN_H
#define CONF_SCAN_H

#include "conf/table.h"

/*
 * A first look at the file: libConfuse stops at its first fault and forgets
 * where things stood. This finds every unknown option or section and every
 * duplicate, blanks them out of the text, and remembers the lines. What it
 * doesn't understand it leaves to libConfuse, which parses the rest strictly:
 * were the two to differ, the file would be refused, not misread.
 */
struct scan_place {
	enum conf_section section;
	char title[CONF_NAME_MAX + 1]; /* "" in the root; longer ones are cut (and refused later) */
	const char *option;            /* from the table; NULL: the section itself */
	int line;
};

struct scan {
	struct scan_place *places; /* owned */
	size_t n, cap;
};

/* Faults are written as "file:line: message". */
void scan_text(struct scan *s, char *text, const char *file, struct buf *faults);
void scan_free(struct scan *s);
/* The line of an option, else of its section, else 1. */
int scan_line(const struct scan *s, enum conf_section section, const char *title, const char *option);
bool scan_has(const struct scan *s, enum conf_section section, const char *title, const char *option);
/* Puts lines of scan_fault() into the order of the file; in place. */
void scan_sort(char *text, const char *file);
void scan_fault(struct buf *faults, const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
