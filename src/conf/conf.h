/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/buf.h"
#include "base/endpoint.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The configuration (onionmirror.conf(5)): one table of options is the master
 * copy for parser, sample, --print-config and the check against the man page.
 * Loading builds a new struct from nothing; only a wholly valid file gives one.
 */
#define CONF_NAME_MAX 32 /* [a-z0-9][a-z0-9-]* */
#define CONF_PORTS_MAX 8
#define CONF_MIRRORS_MAX 1024
#define CONF_TORS_MAX 64
#define CONF_CONTROLS_MAX 8
#define CONF_TOR_AUTO -2 /* "auto" */

struct conf_tor {
	char *name;
	struct endpoint control, socks;
	char *cookie;        /* path or NULL */
	char *password_file; /* path or NULL */
	bool allow_no_auth;
	unsigned max_mirrors;
	int64_t move_after_ms; /* 0: never */
};
struct conf_check {
	char *name;
	char *path;      /* begins with "/" */
	int status;
	char *contains;  /* NULL: not looked at; so are sha256 and header */
	char *sha256, *header;
	bool tls;           /* https, also to the backend */
	char *pin_sha256;   /* 64 hex: hash of the certificate's key; NULL: its name counts */
	char *version_path; /* begins with "/"; NULL: versions are not looked at */
	int64_t stale_after_ms; /* 0: old content stays */
	int64_t interval_ms, timeout_ms;
	unsigned rise, fall;
};
struct conf_port {
	uint16_t virt;
	struct endpoint target;
};
/* Somebody's onion that tells, in trouble, whether our own side is well. */
struct conf_control {
	char address[57]; /* without ".onion" */
	uint16_t port;
};
enum conf_role { CONF_ROLE_MIRROR, CONF_ROLE_REPLICA, CONF_ROLE_ARCHIVE };
struct conf_mirror {
	char *name;
	struct conf_port ports[CONF_PORTS_MAX]; /* the first one is probed and listed */
	size_t n_ports;
	int tor;             /* index, or CONF_TOR_AUTO */
	unsigned check;      /* index */
	int probe_through;   /* index of a second tor, -1: none, or CONF_TOR_AUTO */
	enum conf_role role;
	int64_t rotate_every_s; /* 0: never */
	int64_t drain_s;
	bool pow;
	bool revoke_on_content;
	unsigned max_streams; /* 0: no limit */
	bool spare;
};
struct conf_channel {
	char *name;
	unsigned share; /* weight among channels */
};
struct conf_list {
	char *name;    /* always "": there is one at most */
	unsigned port; /* virtual port of every onion */
	char *sockets; /* folder of the unix sockets behind it */
};
struct conf_metrics {
	char *name;             /* always "": there is one at most */
	struct endpoint listen; /* kind 0: none */
	char *textfile;         /* path or NULL */
	bool addresses;         /* onion addresses may be labels */
};
/* How the daemon is confined: sandbox.h. */
enum conf_sandbox { CONF_SANDBOX_OFF, CONF_SANDBOX_AUTO, CONF_SANDBOX_ON, CONF_SANDBOX_FATAL };
struct conf {
	char *site, *state_dir, *publish_dir;
	struct endpoint control_socket;
	char *control_group;   /* NULL: none */
	char *key_file;        /* master key credential */
	char *passphrase_file; /* NULL: key_file is used */
	char *user;            /* NULL: stays who it was started as */
	enum conf_sandbox sandbox;
	bool allow_unlocked_memory;
	bool locked_start;     /* neither: the passphrase is given by hand after each start */
	unsigned min_listed;
	enum log_onions log_onions;
	enum log_level log_level;
	int64_t rotation_spacing_ms;
	unsigned max_rotations_per_day;
	unsigned history_days;
	struct conf_control controls[CONF_CONTROLS_MAX];
	size_t n_controls;
	struct conf_tor *tors;
	struct conf_check *checks;
	struct conf_mirror *mirrors;
	struct conf_channel *channels; /* at least one: "public" by default */
	struct conf_list *list;        /* NULL: no list service */
	struct conf_metrics *metrics;  /* NULL: no section */
	size_t n_tors, n_checks, n_mirrors, n_channels;
};

/*
 * Reads `path`. On failure returns -1 and `faults` holds every fault, each a
 * line "file:line: message"; *out is untouched.
 */
int conf_load(struct conf **out, const char *path, struct buf *faults);
/* Sets ERR_CONFIG with as many whole lines of `faults` as a message holds, and a word on the others; returns -1. */
int conf_faults(struct err *e, const struct buf *faults);
void conf_free(struct conf *c);
/* The whole configuration with all defaults filled in, in the file's own syntax. */
void conf_print(const struct conf *c, struct buf *out);
/* A commented sample file, complete and valid. */
void conf_sample(struct buf *out, const char *state_dir, const char *run_dir);
/* "mirror", "replica", "archive", as in the file. */
const char *conf_role_name(enum conf_role role);
/* Options whose change needs a restart: NULL if `next` can be taken over by a reload, else the option's name. */
const char *conf_needs_restart(const struct conf *now, const struct conf *next);

/* "90s" "5m" "12h" "30d" (also "500ms") to milliseconds; 0 or -1. */
int conf_parse_duration(int64_t *ms, const char *s);

#endif
