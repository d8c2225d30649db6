/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_CONF_IMPL_H
#define CONF_CONF_IMPL_H

#include "conf/conf.h"

#include <confuse.h>

/* Sections of the file. */
enum section { SECTION_TOP, SECTION_TOR, SECTION_CHECK, SECTION_MIRROR, SECTION_CHANNEL, SECTION__COUNT };

enum option_type {
	TYPE_TEXT,     /* char *; printable, may be empty = NULL */
	TYPE_NAME,     /* char *; 1 to 64 printable characters */
	TYPE_PATH,     /* char *; absolute, may be empty = NULL */
	TYPE_INT,      /* unsigned or int, least to most */
	TYPE_BOOL,     /* bool */
	TYPE_MS,       /* int64_t milliseconds, least to most */
	TYPE_SECONDS,  /* int64_t seconds, least to most (ms in the table) */
	TYPE_ENDPOINT, /* struct endpoint */
	TYPE_WORD,     /* enum, by `words` */
	TYPE_SPECIAL,  /* looked at in build.c: port, backend, tor, check of a mirror */
};

enum option_flag { OPTION_NEEDED = 1, OPTION_RESTART = 2 };

/* The master copy of every option. */
struct option {
	enum section section;
	const char *name;
	enum option_type type;
	const char *fallback; /* default, in the file's own syntax without quotes; NULL: none */
	int64_t least, most;
	size_t offset;        /* in the section's struct */
	const char *const *words; /* TYPE_WORD, ends with NULL */
	unsigned flags;
	const char *help;
};
extern const struct option options[]; /* ends with a NULL name */
extern const char *const section_names[SECTION__COUNT]; /* NULL for the top */

/* values.c: text to a field of a section's struct. -1 with a message without the option's name. */
int value_set(void *base, const struct option *o, const char *text, struct err *e);
/* The field as text in the file's syntax without quotes. */
void value_print(const void *base, const struct option *o, struct buf *out);
void duration_print(struct buf *out, int64_t ms);

/* build.c: the parsed file as a struct conf; every fault is added to `faults`. */
struct conf *conf_build(cfg_t *cfg, const char *path, struct buf *faults);
void fault(struct buf *faults, const char *path, int line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Forgets what stood on which line; before each pass over the file. */
void lines_reset(void);
/* The options of one section as libConfuse wants them; malloced. */
cfg_opt_t *confuse_options(enum section s);

#endif
