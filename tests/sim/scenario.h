/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "sim/sim.h"

/*
 * Scenarios: text files that say what the world looks like, what happens when,
 * and what must come of it. The language is in contrib/HACKING.md; the tables
 * of actions (scenario_do.c) and of things to expect (scenario_expect.c) are
 * its master copies.
 */
#define SCN_WORDS 12
#define SCN_LINES 200

/* One line: words, and what it means. */
struct scn_line {
	unsigned number; /* in the file */
	char *text;      /* owned, cut into words */
	char *words[SCN_WORDS];
	size_t n;
};

/* The world when an `at` came: what later lines compare with. */
struct scn_anchor {
	int64_t at; /* ms */
	uint64_t serial;
	char listed[SIM_MIRRORS][57]; /* "" none */
	size_t n_given, n_log, n_commands;
};

enum scn_mode {
	SCN_WITHIN, /* becomes true by `until` */
	SCN_HOLDS,  /* is true from its anchor to `until` */
	SCN_LAST,   /* is true at the end */
};
struct scn_expect {
	struct scn_line *line;
	const struct scn_predicate *predicate;
	char *words[SCN_WORDS]; /* the predicate's own */
	size_t n;
	bool no, done, failed;
	enum scn_mode mode;
	int64_t from, until;
	struct scn_anchor *anchor;
	size_t counted; /* commands up to here */
	long count;
};

struct scn_act {
	struct scn_line *line;
	struct scn_anchor anchor; /* taken right before it is done */
};

struct scenario {
	const char *path; /* borrowed */
	struct scn_line lines[SCN_LINES];
	size_t n_lines;
	struct scn_act acts[SCN_LINES];
	size_t n_acts;
	struct scn_expect expects[SCN_LINES];
	size_t n_expects;
	struct scn_anchor start;
	/* set-up */
	unsigned n_tors, n_mirrors;
	char tors[SIM_TORS][16], mirrors[SIM_MIRRORS][16];
	bool no_cookie, locked; /* locked: it waits for a passphrase at each start */
	int64_t crash_from, crash_until; /* death at each side effect in between; both 0: none */
	char site[600], mirror[600], check[600]; /* configuration lines */
	char own[SIM_MIRRORS][200];              /* of one mirror */
	unsigned n_controls;
	uint64_t seed;
	int64_t end;
	/* while it runs */
	char *log;       /* all lines, owned */
	size_t log_len, log_cap;
	char *commands;  /* all control lines, their first 80 bytes, owned */
	size_t commands_len, commands_cap;
	char *answers;   /* to the operator, owned */
	size_t answers_len, answers_cap;
	char wrong[400]; /* the first thing that did not come about; "" none */
};

/* The one that runs, NULL: none. */
extern struct scenario *scn_now;

/* scenario_parse.c. -1: `wrong` says "FILE:LINE: ...". */
int scn_parse(struct scenario *s, const char *path);
void scn_free(struct scenario *s);
/* "90s", "10m", "2h", "3d", and "500ms"; -1: not a duration. */
int64_t scn_duration(const char *word);
/* "HH:MM", "HH:MM:SS", "2d03:00"; -1: not a time. ms since the start. */
int64_t scn_time(const char *word);
/* "50%" in millionths; -1: not a share. */
long scn_share(const char *word);
/* Index of a name, -1: none has it. */
int scn_mirror(const struct scenario *s, const char *name);
int scn_tor(const struct scenario *s, const char *name);

/*
 * scenario_do.c: what can happen. Does it, or with `dry` only looks whether it
 * could be done: NULL, or what is wrong with the words.
 */
const char *scn_do(struct scenario *s, char **words, size_t n, bool dry);

/* scenario_plant.c: the words behind `plant`, as above. */
const char *scn_plant(struct scenario *s, char **words, size_t n, bool dry);
/* "+3d", "-1h" in seconds. */
bool scn_signed_seconds(const char *word, int64_t *s);

/* Closes what is still open of it. */
void scn_do_end(void);

/* scenario_expect.c */
struct scn_predicate {
	const char *name; /* first word behind the mirror's name, if it has one */
	bool of_mirror;   /* the first word is a mirror */
	unsigned min, max; /* words behind the name */
	bool (*is)(struct scenario *s, struct scn_expect *x, char **words);
	const char *(*bad)(struct scenario *s, char **words); /* NULL, or what is wrong with the words */
};
/* The predicate of these words; NULL: *why. *skip: words that belong to its name. */
const struct scn_predicate *scn_predicate_find(struct scenario *s, char **words, size_t n, const char **why);
bool scn_is(struct scenario *s, struct scn_expect *x);
void scn_anchor_take(struct scenario *s, struct scn_anchor *a);
/* The newest address of this mirror that is in the visible list; NULL: none. */
const char *scn_listed(const struct scenario *s, unsigned mirror);

/* scenario_run.c: what happened, for expectations. */
void scn_on_log(const char *line);
void scn_on_command(const char *line, size_t n);
void scn_on_answer(const char *line, size_t n);
/* Runs files in so many processes, a TAP line each; how many failed. crash: one by one, and it is the copies that share the processors. */
unsigned scn_run_files(char **paths, size_t n, unsigned jobs, bool crash, bool trace);

#endif
