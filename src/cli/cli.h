/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* onionmirror(1): one table of verbs (verbs.c), one file a group. */

enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_UNREACHABLE = 3, CLI_UNVERIFIED = 4 };

struct cli {
	const char *conf_path; /* -f, or the default; borrowed */
	bool conf_given;       /* -f was used */
	const char *socket;    /* -s, NULL: from the configuration */
	bool json;             /* --json */
	bool help;             /* --help behind a verb */
	bool tty;              /* stdout is a terminal: colour and progress */
};

struct verb {
	const char *name;  /* one word, or two: "root new" */
	const char *group; /* "operator", "keys", "reader" */
	const char *usage; /* what follows the name */
	const char *help;  /* one line */
	/* argv[0] is the verb (its last word). Returns an enum cli_exit. */
	int (*run)(struct cli *c, int argc, char **argv);
};
extern const struct verb verbs[]; /* ends with a NULL name */

/* An option of one verb: --name (flag) or --name VALUE. */
struct cli_opt {
	const char *name;   /* without "--"; a single letter is without "-" */
	bool *flag;         /* set to true; or */
	const char **value; /* takes a value; borrowed from argv */
};

/*
 * Takes this verb's options and the common ones (-f -s --json --help) out of
 * argv, wherever they stand; "--" ends them. What stays is argv[0] and the
 * positional words; their number is returned in *argc. -1 with a message.
 */
int cli_take_options(struct cli *c, int *argc, char **argv, const struct cli_opt *opts, struct err *e);

/* The same, and the number of words behind the verb must lie in [least, most]; -1: usage was printed. */
int cli_take(struct cli *c, int *argc, char **argv, const struct cli_opt *opts, int least, int most);
/* Of an object of the daemon, as it came (out.h has it for people): "-" and 0 where there is none. */
const char *cli_text(const json_t *o, const char *key);
long long cli_int(const json_t *o, const char *key);

/*
 * "onionmirror: text" on stderr; returns `code`. After cli_set_json_messages()
 * it is {"error": {"message", "code"}}, or {"warning": {"message"}} if `code` is 0.
 */
int cli_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for what the daemon refused, with its `reason`; CLI_FAILED. */
int cli_refused(const char *reason, const char *text);
void cli_set_json_messages(void);
/* Says on stderr what is wrong and how the verb is used (NULL: how to see all); returns CLI_USAGE. */
int cli_usage(const char *verb, const struct err *e);
void cli_print_usage(FILE *f, const struct verb *v);
/* Prints a JSON value and LF on stdout and drops the reference. */
void cli_print_json(json_t *value);
/* "3 min ago", "in 5 d": t and now in wall seconds; `out` has 32 bytes. */
void cli_format_age(char *out, long long t, long long now);

/* verbs, a file a group */
int verb_init(struct cli *c, int argc, char **argv);
int verb_status(struct cli *c, int argc, char **argv);
int verb_mirrors(struct cli *c, int argc, char **argv);
int verb_onions(struct cli *c, int argc, char **argv);
int verb_rotate(struct cli *c, int argc, char **argv);
int verb_drain(struct cli *c, int argc, char **argv);
int verb_maint(struct cli *c, int argc, char **argv);
int verb_revoke(struct cli *c, int argc, char **argv);
int verb_history(struct cli *c, int argc, char **argv);
int verb_events(struct cli *c, int argc, char **argv);
int verb_watch(struct cli *c, int argc, char **argv);
int verb_doctor(struct cli *c, int argc, char **argv);
int verb_completion(struct cli *c, int argc, char **argv);
int verb_probe(struct cli *c, int argc, char **argv);
int verb_publish(struct cli *c, int argc, char **argv);
int verb_reload(struct cli *c, int argc, char **argv);
int verb_unlock(struct cli *c, int argc, char **argv);
int verb_key_new(struct cli *c, int argc, char **argv);
int verb_key_show(struct cli *c, int argc, char **argv);
int verb_root_new(struct cli *c, int argc, char **argv);
int verb_root_rotate(struct cli *c, int argc, char **argv);
int verb_root_sign(struct cli *c, int argc, char **argv);
int verb_member_new(struct cli *c, int argc, char **argv);
int verb_member_certify(struct cli *c, int argc, char **argv);
int verb_member_renew(struct cli *c, int argc, char **argv);
int verb_member_remove(struct cli *c, int argc, char **argv);
int verb_site_check(struct cli *c, int argc, char **argv);
int verb_site_install(struct cli *c, int argc, char **argv);
int verb_onion_location(struct cli *c, int argc, char **argv);
int verb_verify(struct cli *c, int argc, char **argv);
int verb_fetch(struct cli *c, int argc, char **argv);
int verb_pick(struct cli *c, int argc, char **argv);
int verb_is_mirror(struct cli *c, int argc, char **argv);

#endif
