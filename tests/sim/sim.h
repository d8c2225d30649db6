/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "base/endpoint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The simulator: the whole daemon in a world of its own. One process, one
 * thread, one world at a time, no system call that matters: time, random
 * numbers, streams and disk are all made here, from one seed, so a seed gives
 * the same trace byte for byte.
 *
 * Parts: the core (loop.c, stream.c, disk.c, vfs.c, process.c: what the daemon
 * stands on), the model (tor, network, backends, operator: what it talks to),
 * the nemesis (what goes wrong) and the checkers (what must hold).
 */

/* --- time and events (loop.c) ------------------------------------------------------------- */

/* True time since the world began, in ms. The daemon's monotonic clock is this plus a constant. */
int64_t sim_now(void);
/* The wall clock that the daemon sees (s); it may be wrong. And the true one, which tor's consensus has. */
int64_t sim_wall(void);
int64_t sim_true_wall(void);
/* The daemon's wall clock jumps by so many seconds, or (set) is off by exactly these. */
void sim_wall_step(int64_t s);
void sim_wall_set_offset(int64_t s);
/*
 * Calls fn(arg) in `ms` (0: next turn, in order of calls). The id is never 0 and never
 * used twice; cancelling one that has run, or 0, is fine. These are the world's own: they
 * also run while the daemon is dead.
 */
uint64_t sim_after(int64_t ms, void (*fn)(void *arg), void *arg);
void sim_cancel(uint64_t id);

/* --- random numbers (random.c) -------------------------------------------------------------- */

/*
 * Streams of numbers that do not disturb each other, each from the seed: so one more draw by a backend
 * does not change when the nemesis strikes. The daemon (rng.h, libsodium, SQLite) has its own.
 */
enum sim_dice { DICE_DAEMON, DICE_STREAM, DICE_DISK, DICE_TOR, DICE_NET, DICE_BACKEND, DICE_NEMESIS, DICE_OPERATOR, DICE_PLAN, DICE_POLICY, DICE_OTHER, DICE_N };
uint64_t sim_below(enum sim_dice d, uint64_t bound);          /* [0, bound) */
int64_t sim_between(enum sim_dice d, int64_t lo, int64_t hi); /* [lo, hi] */
bool sim_chance(enum sim_dice d, unsigned ppm);               /* parts per million */
void sim_bytes(enum sim_dice d, void *p, size_t n);

/* --- trace, violations (trace.c) ------------------------------------------------------------- */

/* One line of the trace, with the time; the last 200 are shown when an invariant breaks. No pointers, no real time in it. */
void sim_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* An invariant (its name, e.g. "I10") does not hold: the run ends with this. The first one counts. */
void sim_violation(const char *invariant, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- streams: the world's side (stream.c) ----------------------------------------------------- */

/*
 * A place that the daemon can connect to. The endpoint is text as in the
 * configuration ("unix:/run/tor/control", "127.0.0.1:9050"). Connecting to an
 * endpoint that has no server is refused, like a port without a listener.
 */
struct sim_server;
/* The world's end of one connection. */
struct sim_conn;

struct sim_conn_ops {
	/* Bytes came: sim_conn_peek(), sim_conn_consume(). */
	void (*data)(struct sim_conn *c, void *arg);
	/* The other end is gone (also when the daemon was killed). Called once; the conn is freed after it returns. */
	void (*closed)(struct sim_conn *c, void *arg);
};

/* on_connect must call sim_conn_set(). It may close the conn. */
struct sim_server *sim_server_new(const char *endpoint, void (*on_connect)(struct sim_conn *c, void *arg), void *arg);
/* Its connections are closed (the daemon sees EOF); their `closed` is not called. NULL is fine. */
void sim_server_free(struct sim_server *s);
/*
 * Stopped (SIGSTOP): connecting succeeds, but on_connect, data and closed wait until it goes on, and then
 * come all, in order. The world must not write meanwhile (its own timers shall look at this).
 */
void sim_server_stop(struct sim_server *s, bool stopped);
bool sim_server_is_stopped(const struct sim_server *s);

void sim_conn_set(struct sim_conn *c, const struct sim_conn_ops *ops, void *arg); /* ops is borrowed */
const char *sim_conn_peek(struct sim_conn *c, size_t *n);
void sim_conn_consume(struct sim_conn *c, size_t n);
/* Bytes on their way to the daemon; mangled on the way as sim_mangle() of this server says. */
void sim_conn_write(struct sim_conn *c, const void *p, size_t n);
void sim_conn_puts(struct sim_conn *c, const char *text);
/* Orderly end after what was written; frees the conn, no callback comes any more. */
void sim_conn_close(struct sim_conn *c);
/* As a killed process does: what is on the way is lost, the daemon gets ECONNRESET or EOF. Frees the conn. */
void sim_conn_reset(struct sim_conn *c);
/* From now on nothing passes, in either direction, and nobody is told (a half-open link). The conn lives until the daemon closes. */
void sim_conn_blackhole(struct sim_conn *c);
/* A number of the connection, for traces. */
uint64_t sim_conn_id(const struct sim_conn *c);

/* What happens to bytes on the way, both directions; all zero is a quick and honest link. */
struct sim_mangle {
	unsigned split_ppm;    /* per write: cut at random places, parts come apart in time */
	unsigned delay_ppm;    /* per write: late by up to delay_ms */
	int64_t delay_ms;
	unsigned stall_ppm;    /* per write: late by up to 10 minutes */
	unsigned truncate_ppm; /* per write: only a part arrives, then the link ends */
	unsigned half_open_ppm; /* per write: nothing passes any more, and nobody is told */
	unsigned flood_ppm;    /* per write of the world: junk of up to 768 KiB comes first */
};
/* For all servers whose endpoint begins with this text; "" is all. The newest rule that fits counts. */
void sim_mangle(const char *endpoint_prefix, const struct sim_mangle *m);
void sim_mangle_none(void);
bool sim_mangle_is_on(void);

/* Connects to a listener of the daemon; NULL: nobody listens there. */
struct sim_conn *sim_connect(const char *endpoint, const struct sim_conn_ops *ops, void *arg);

/* --- files of others on the same machine (disk.c) ----------------------------------------------- */

/* Whole files at once, durable, past all faults: tor's cookie, the operator's editor. Parents are made. 0 or -1. */
int sim_file_put(const char *path, const void *p, size_t n, mode_t mode);
int sim_file_remove(const char *path);
/* As a reader sees it now (symlinks are followed); NULL: no such file. Valid until the file changes. */
const char *sim_file_get(const char *path, size_t *n);
/* Names in a folder in order of the alphabet; false from cb ends it. -1: no such folder. */
int sim_dir_each(const char *path, bool (*cb)(const char *name, void *arg), void *arg);
/* The target of a symlink, or NULL. */
const char *sim_link_get(const char *path);

/* --- the plan of a world (plan.c) ------------------------------------------------------------------ */

#define SIM_TORS 3
#define SIM_MIRRORS 64
#define SIM_CONTROLS 2
struct sim_plan {
	uint64_t seed;
	unsigned days;
	bool seldom; /* the daemon looks at its tors and mirrors less often than a real one: more worlds can be seen */
	unsigned n_tors, n_mirrors;
	struct {
		char name[16];
		char control[64], socks[64], cookie[64]; /* endpoints and a path; cookie "": no authentication */
	} tors[SIM_TORS];
	struct {
		char name[16];
		char backend[64]; /* endpoint */
		unsigned tor;
		int through; /* a second tor that it is probed through, -1: none */
		bool spare, revoke_content;
	} mirrors[SIM_MIRRORS];
	unsigned n_controls; /* control-onions: others' addresses that always answer */
	char controls[SIM_CONTROLS][57];
	unsigned min_listed, rotations_per_day; /* as the configuration says */
	int64_t spacing_ms;                     /* of automatic rotations, at least */
	bool holds, revokes; /* the operator drains and maintains, revokes */
	bool tidy;           /* and takes it all back when all is well again */
	char body[64]; /* what a well backend's page holds (the check's `contains`) */
	char conf[96], state_dir[64], publish_dir[64], control[64];
	unsigned faults; /* bits of enum nemesis_fault (nemesis.h) that are on in this seed */
};
extern struct sim_plan sim_plan;

/* --- the model: what the core, the nemesis and the checkers want of it (model.c and others) ---------- */

/* Makes tors, network, backends by sim_plan. The daemon starts after this. */
void model_start(void);
/* Frees all; servers and conns too. */
void model_stop(void);
/* All faults of the model end: tors run, network is up, backends are well, addresses taken down stay so. */
void model_heal(void);
/* The machine lost power: every tor dies; they start again with the machine, now. */
void model_power_loss(void);

/* What the nemesis can do. `tor` and `mirror` are indices of the plan. */
void model_tor_kill(unsigned tor);             /* kill -9: onions lost, links cut; a new cookie when it starts */
void model_tor_start(unsigned tor);            /* no-op when it runs */
void model_tor_stop(unsigned tor, bool stopped); /* SIGSTOP, SIGCONT */
void model_tor_filter(unsigned tor, bool on);  /* an onion-grater between: 510 on what it does not know, no EOF when tor restarts */
void model_tor_network(unsigned tor, bool up); /* tor runs, its network does not: circuits fail, liveness down */
void model_tor_lose_onions(unsigned tor);      /* another controller deletes all that is detached */
void model_uploads_lost(unsigned ppm);         /* of uploads: without any event, or FAILED */
void model_takedown(unsigned nth);             /* the nth (mod count) living address: descriptor refused or introduction dead, for ever */
enum backend_mode { BACKEND_OK, BACKEND_DOWN, BACKEND_SLOW, BACKEND_DEFACED, BACKEND_SILENT, BACKEND_ERROR500, BACKEND_DRIP, BACKEND_BUSY, BACKEND_MODES };
void model_backend(unsigned mirror, enum backend_mode mode);
void model_bad_spells(unsigned ppm);           /* of probes: a bad spell begins for this mirror, mean 45 s */

/* For checkers. */
/* Would a fresh reader get the right page from this address now? */
bool model_reachable(const char *address);
/* Does some tor have it now? */
bool model_has_onion(const char *address);
/* Is every tor up, not stopped, unfiltered and with a network, and was so for `ms`? */
bool model_fit_for(int64_t ms);
/* Nothing is broken now: tors are well, uploads arrive, links are honest. What was taken down may be so. */
bool model_is_calm(void);
/* It runs, goes on and has circuits; a filter does not matter. */
bool model_tor_has_network(unsigned tor);
bool model_backend_is_well(unsigned mirror);
/* Called by the model for every control line that reaches a tor (without CRLF), before it is answered: checkers look at it. */
void check_on_command(unsigned tor, const char *line, size_t n);
/* Called by the model when it has served a whole page to a probe of the daemon through SOCKS. */
void check_on_probe(const char *address, bool good);
/* Called by the model when the daemon asks for an address, by SOCKS or for its descriptor. */
void check_on_fetch(const char *address);

/* --- the daemon as a process (process.c) -------------------------------------------------------------- */

bool sim_daemon_is_up(void);
/* How often it was started; a number that grows. */
unsigned sim_daemon_life(void);
struct daemon *sim_daemon(void); /* borrowed; NULL while it is dead. Checkers only look. */

#endif
