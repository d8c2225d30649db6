/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include "conf/conf.h"

/*
 * The table of options: the master copy for parser, --print-config, the sample
 * and the rule which changes need a restart.
 */
enum conf_type {
	CONF_TEXT = 1, /* char *; min..max characters; NULL when empty */
	CONF_PATH,     /* char *; absolute; NULL when empty */
	CONF_SOCKET,   /* struct endpoint; also a bare absolute path for a unix socket; kind 0 when empty */
	CONF_MS,       /* int64_t, milliseconds */
	CONF_SECONDS,  /* int64_t, whole seconds */
	CONF_NUMBER,   /* unsigned (or int, when min >= 0) */
	CONF_BOOL,     /* bool */
	CONF_WORD,     /* an enum of int's size: one of words */
	CONF_TOR,      /* int: index of the tor section of that name; -1 when absent */
	CONF_CHECK,    /* unsigned: index of the check section */
	CONF_BACKEND,  /* struct conf_mirror: target of ports that name none */
	CONF_PORTS,    /* struct conf_mirror: ports, n_ports */
	CONF_CONTROLS, /* struct conf: controls, n_controls */
};

struct conf_word {
	const char *name;
	int value;
};

struct conf_option {
	const char *name;
	enum conf_type type;
	size_t offset;
	int64_t min, max;  /* characters, ms, s or the number */
	const char *def;   /* as in the file; NULL: must be given; "": may be absent */
	const char *shown; /* what the sample shows, NULL: the default. %S and %R: state and run folder */
	bool reload;       /* a reload takes a change over */
	const struct conf_word *words;
	const char *help;  /* one line, for the sample */
};

enum conf_section { CONF_ROOT = 0, CONF_TOR_SECTION, CONF_CHECK_SECTION, CONF_MIRROR_SECTION, CONF_CHANNEL_SECTION, CONF_LIST_SECTION,
	CONF_METRICS_SECTION,
	CONF__SECTIONS };

struct conf_section_info {
	const char *name;                  /* "" for the root */
	const struct conf_option *options; /* ended by name NULL */
	size_t size;                       /* of one struct; its first member is the name */
	const char *sample_title;          /* NULL: a section without a name, of which there is one at most */
	const char *help;
};

extern const struct conf_section_info conf_sections[CONF__SECTIONS];

/* NULL if there is no such option. */
const struct conf_option *conf_option_find(enum conf_section s, const char *name);
/* The array of structs of a section and its length. */
void *conf_section_array(const struct conf *c, enum conf_section s, size_t *n);

/* Reads a value into the struct at `base`; not for TOR, CHECK, BACKEND, PORTS, CONTROLS. */
int conf_value_parse(const struct conf_option *o, void *base, const char *text, struct err *e);
/* Writes it as in the file, strings in quotes; adds nothing and returns false for an absent value. */
bool conf_value_print(const struct conf_option *o, const void *base, struct buf *out);
/* A string in quotes, as libConfuse reads it. */
void conf_quote(struct buf *out, const char *text);
/* "80" or "443:unix:/run/web.sock"; *own: it names its own target. */
int conf_port_parse(struct conf_port *p, bool *own, const char *text, struct err *e);
/* "<56>.onion" or "<56>.onion:81" */
int conf_control_parse(struct conf_control *c, const char *text, struct err *e);
bool conf_name_ok(const char *name);

#endif
