/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "base/mem.h"
#include "conf/conf.h"
#include "daemon/control.h"
#include "mirror/engine.h"
#include "proto/rpc.h"
#include "publish/publish.h"
#include "store/store.h"
#include "tor/prober.h"
#include "tor/session.h"

#include <jansson.h>

/*
 * The daemon: owns everything, decides nothing. What happens (tor, probes,
 * timers, operator) is told to the engine; the actions it answers with are made
 * durable and then carried out (apply.c).
 */
#define COMPARE_MS 30000
#define OPS_KEPT 256
#define EVIDENCE_MAX 2048

struct daemon;
struct listservice;
struct metrics;
struct sandbox;

/* One tor section at work. */
struct tor_link {
	struct daemon *d;
	unsigned index;
	struct session *session; /* owned */
	struct timer *compare;   /* owned */
	bool no_pow;             /* it refused PoW parameters, since it was connected */
	unsigned unfit;          /* how often it was found unfit to judge: a probe compares its start and end */
};

/* One thing that was asked for, as long as it is remembered (calls.c). */
struct op {
	uint64_t op;                 /* 0: none */
	int64_t start;               /* mono */
	char key[RPC_ID_MAX + 1];    /* the caller's own id, "" if none */
	const struct method *method; /* what was called under that id, and */
	json_t *params;              /* with which parameters; owned */
	json_t *last;                /* its last step as it was told; owned, NULL: none yet */
};

struct daemon {
	char *conf_path;
	struct conf *conf;  /* the one in force */
	struct conf *first; /* the one at start: sessions borrow from it; the same as conf until a reload */
	struct loop *loop;
	struct master_key *master;
	struct store *store;
	uint8_t *member_sk; /* 64 bytes, secret memory */
	struct publish_site *site;
	struct engine *engine;
	struct tor_link *tors; /* owned, as many as conf->n_tors */
	struct prober *prober;
	struct job *jobs;      /* owned list: probes and checks, probing.c */
	uint64_t next_job;
	struct seen_version *versions; /* owned list: versions.c */
	struct control *control;
	struct listservice *lists; /* owned; NULL: not configured */
	int64_t compare_ms;    /* how often the onions that each tor has are compared with the intent: COMPARE_MS */
	struct metrics *metrics;   /* owned; metrics.h */
	bool confine;              /* daemon_open() gives up what it does not need: set by daemon_run() */
	struct sandbox *sandbox;   /* owned; sandbox.h */
	gid_t control_gid;         /* of control-group */
	struct timer *tick, *retry, *watchdog, *trim, *care;
	struct signal_watch *signals[3];

	struct actions pending;  /* not yet durable */
	bool applying, stuck;   /* stuck: the store refused; nothing is carried out until it takes writes again */
	uint64_t history_id, probe_id;
	uint64_t next_op;
	struct op ops[OPS_KEPT]; /* a ring */
	uint64_t serial;     /* of the newest visible list, 0: none */
	int64_t published, valid_until, started; /* wall */
	char publish_error[256];
	char waiting_key[200]; /* why a file still lies in STATE-DIR/import, "": none does */
	int64_t clock_offset; /* now_offset() when the clock was last believed */
	struct buf others_faults; /* what of other members could not be published last time, as lines */
	bool stale; /* what is visible is not what should be (a channel behind, other root or members documents): publish soon */
	bool locked;          /* waits for its passphrase: no store, site, engine, tors or lists yet (locked.c) */
	unsigned wrong_tries; /* passphrases that did not open it */
	int64_t next_try;     /* mono: none is tried before */
	char service_status[160]; /* what the service manager was told last */
	bool stopping;
	int exit_code;
};

/* options.c: the whole program; returns the exit code. */
int daemon_main(int argc, char **argv);

/* daemon.c */
int daemon_run(const char *conf_path, struct conf *conf);
/* Its three parts, for tests that run the loop themselves: conf, first and conf_path are set; then daemon_close() in any case. */
int daemon_open(struct daemon *d, struct actions *out, struct err *e);
void daemon_begin(struct daemon *d, struct actions *out);
void daemon_close(struct daemon *d);
void daemon_stop(struct daemon *d, int exit_code);
/* The master key is there: opens the state and goes to work. On failure all is as before; ERR_CRYPTO: the wrong key. */
int daemon_unlock(struct daemon *d, struct err *e);
/* Reads the configuration again; faults (lines) on failure, and nothing has changed. */
int daemon_reload(struct daemon *d, struct buf *faults);
struct engine *daemon_engine_new(const struct conf *c);
void daemon_reconfigure(struct daemon *d);

/* master.c: d->master, or d->locked is set when nothing but an operator can give it. */
#define MASTER_PASSPHRASE_MIN 8
#define MASTER_PASSPHRASE_MAX 1023
int master_find(struct daemon *d, struct err *e);
/* d->master from a passphrase; ERR_PARSE: too short. */
int master_from_passphrase(struct daemon *d, const char *text, size_t n, struct err *e);
/* locked.c */
#define LOCKED_TEXT "locked: nothing is probed, added, served or published until `onionmirror unlock`"
bool locked_allows(const char *method);
json_t *locked_status(const struct daemon *d);
json_t *locked_unlock(struct daemon *d, const json_t *params, const char **reason, struct err *e);
/* service.c: the service manager is told that we are ready, that a reload begins (service_ready() ends it), and how we are, if that changed. */
void service_ready(struct daemon *d);
void service_reloading(void);
void service_status(struct daemon *d);

/* restore.c: what was stored into the engine. */
int restore_all(struct daemon *d, struct actions *out, struct err *e);
/* What the operator asked of mirrors, as the engine knows it, into the store. */
int restore_save_holds(struct daemon *d, struct err *e);
/* How the configuration in force wants addresses in the log. */
int restore_log(struct daemon *d, struct err *e);
/* import.c: the member key (new secret memory) and the site that it signs for; a key that waits in STATE-DIR/import is taken if it is certified, else the
 * stored one is used, if it is, and d->waiting_key says why. */
int import_site(struct daemon *d, uint8_t **sk, struct publish_site **site, struct err *e);

/* wiring.c */
void wiring_start(struct daemon *d);
void wiring_stop(struct daemon *d);
/*
 * May what we sign carry this host's time? Not when a tor's consensus says
 * otherwise and none agrees, nor after a jump that no tor has confirmed.
 * ERR_STATE. Without any tor the clock is believed as long as it does not jump.
 */
int wiring_check_clock(struct daemon *d, struct err *e);
/* Asks the tor of an onion how many clients are at it. */
void do_clients(struct daemon *d, const struct action *a);
/* Asks the tor of an onion which services it has. */
void do_compare(struct daemon *d, const struct action *a);
struct tor_link *wiring_link(struct daemon *d, const char *tor);

/* apply.c: makes the actions durable and carries them out; empties `a`. */
void apply(struct daemon *d, struct actions *a);
/* A write to the store failed: ends the daemon if that is for good (store.h). */
void store_check(struct daemon *d, const struct err *e);
/* calls.c: a new operation id, whose steps carry the time since now. */
uint64_t op_new(struct daemon *d);
const struct op *op_find(const struct daemon *d, uint64_t op);
int64_t op_elapsed(const struct daemon *d, uint64_t op);
/* A step of it, as it is told; borrowed. */
void op_keep(struct daemon *d, uint64_t op, json_t *step);
void op_free_all(struct daemon *d);

/* adding.c */
void do_plan(struct daemon *d, const struct action *a);
void do_add(struct daemon *d, const struct action *a);
void do_delete(struct daemon *d, const struct action *a);
void do_shred(struct daemon *d, const struct action *a);
void do_forget(struct daemon *d, const struct action *a);
/* A leaf of this mirror for an onion, malloced; key is its 64 bytes, secret. */
int make_leaf(struct daemon *d, char **leaf, const struct conf_mirror *m, const uint8_t *key, const char *address, struct err *e);
/* probing.c */
void do_probe(struct daemon *d, const struct action *a);
void do_check(struct daemon *d, const struct action *a);
void do_control(struct daemon *d, const struct action *a);
void probing_stop(struct daemon *d);
/* versions.c: what a mirror told, and whether it is behind the others of its check (*newest: what those have). */
void versions_take(struct daemon *d, const char *mirror, uint64_t version);
bool versions_is_behind(const struct daemon *d, const char *mirror, uint64_t *newest);
/* Forgets what mirrors told that are no longer configured. */
void versions_trim(struct daemon *d);
void versions_free(struct daemon *d);
/* publishing.c */
void do_publish(struct daemon *d, const struct action *a);
/* The row of STORE_HEAD that a head of this epoch has; also what STORE_META_SERIAL holds. */
uint64_t head_id(const struct daemon *d, uint64_t serial);
/* alarms.c: what runs out, or lacks. Adds each to a list of texts. */
void alarms_add(struct daemon *d, json_t *list);
/* Log, subscribers and history are told, of each at most once in 24 hours; each line of other members is one of its own. */
void alarms_raise(struct daemon *d);
/* The channel that an onion was given to, or one that there is. */
const char *daemon_channel(const struct daemon *d, const struct onion_record *r);
/* listservice.c */
/* As the configuration in force wants it: begins, goes on or ends. */
int listservice_set(struct daemon *d, struct err *e);
/* Another list is visible, in some channels or all. Who still reads an old one goes on. */
void listservice_refresh(struct daemon *d);
/* How many bytes of old lists may stay for slow readers; past it the readers of the oldest are cut. */
void listservice_bound_old(struct daemon *d, size_t bytes);
/* How many old lists there are. */
size_t listservice_old(const struct daemon *d);
/* An onion's state may have changed: its socket is opened or closed. */
void listservice_follow(struct daemon *d, uint64_t onion);
/* Where tor shall deliver the list port of an onion; false: nowhere. */
bool listservice_port(struct daemon *d, uint64_t onion, struct command_port *port);
void listservice_free(struct daemon *d);

/* history.c: the method of that name. */
json_t *history_call(struct daemon *d, const json_t *params, const char **reason, struct err *e);

/* The configured mirror of a name, or NULL. */
const struct conf_mirror *daemon_mirror(const struct daemon *d, const char *name);

#endif
