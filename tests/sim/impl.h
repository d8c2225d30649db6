/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_SIM_IMPL_H
#define TESTS_SIM_IMPL_H

#include "sim/sim.h"

#include "base/clock.h"

/* What the files of the core share. Models and checkers include sim.h alone. */

/* --- loop.c: events, clocks --- */
#define SIM_EPOCH INT64_C(1798761600) /* the true wall clock when a world begins: 2027-01-01 00:00 UTC */
void clock_begin(void);
void loop_begin(void);
void loop_end(void); /* drops every event */
/* Runs the next event; false when there is none, or only later ones than `until`. */
bool loop_step(int64_t until);
uint64_t loop_events(void); /* run so far */
/* The daemon's loop was asked to stop. */
bool loop_wants_stop(void);

/* --- random.c --- */
void random_begin(uint64_t seed);

/* --- trace.c --- */
void trace_begin(bool print);
uint64_t trace_hash(void);
uint64_t trace_lines(void);
void trace_tail(void); /* the last lines, to stderr */
const char *trace_violation(void); /* the text, NULL: none */
const char *trace_violation_name(void);
/* A line that is neither shown nor kept unless printing is on (--trace): for what comes often. It never counts in the hash. */
void sim_detail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool trace_is_printing(void);

/* --- stream.c --- */
void stream_begin(void);
void stream_end(void);

/* --- disk.c: nodes and names --- */
enum node_type { NODE_FILE, NODE_DIR, NODE_LINK };
struct node;
struct disk_faults {
	bool read_only;
	bool full;             /* `budget` more bytes, then ENOSPC */
	int64_t budget;
	unsigned eio_fsync_ppm; /* per fsync */
	unsigned short_write_ppm;
};
extern struct disk_faults disk_faults;
void disk_begin(void);
void disk_end(void);
/* The machine lost power: what was not synced is there in part, or not. All files are closed. */
void disk_power_loss(void);

/* A copy of the whole disk to start worlds from; and back. */
void disk_snapshot(void);
void disk_restore(void);
void disk_snapshot_free(void);
/* Is a durable or volatile copy of these bytes anywhere on the disk? Returns the path in a static buffer, or NULL. */
const char *disk_find_bytes(const void *p, size_t n, bool durable);

/* All return 0 or an errno; `out` has a reference that node_unref() gives back. */
int disk_lookup(struct node **out, struct node *dir, const char *path, bool follow);
int disk_create(struct node **out, struct node *dir, const char *path, enum node_type type, mode_t mode, bool excl, const char *target);
int disk_remove(struct node *dir, const char *path, bool folder);
int disk_rename(struct node *from_dir, const char *from, struct node *to_dir, const char *to);
int disk_link(const char *from, const char *to);
void node_unref(struct node *n);
struct node *node_ref(struct node *n);
enum node_type node_type(const struct node *n);
const char *node_target(const struct node *n); /* of a symlink */
size_t node_size(const struct node *n);
mode_t node_mode(const struct node *n);
uint64_t node_number(const struct node *n);
void node_set_mode(struct node *n, mode_t mode);
size_t node_read(const struct node *n, size_t off, void *p, size_t len); /* how many */
int node_write(struct node *n, size_t off, const void *p, size_t len, size_t *done);
int node_truncate(struct node *n, size_t len);
int node_sync(struct node *n); /* a file's bytes or a folder's names */
struct node *node_anonymous(void); /* a file without a name */
/* A copy of the names of a folder, malloced array of malloced strings. */
char **node_names(const struct node *n, size_t *count);

/* --- posix.c: the system calls that the daemon makes --- */
void posix_close_all(void);
void posix_unlock_all(void); /* for planted faults */

/* --- vfs.c --- */
void vfs_register(void); /* once per process */
void vfs_begin(void);    /* per world: SQLite's random numbers begin anew */

/* --- process.c --- */
enum effect { EFFECT_WRITE, EFFECT_SYNC, EFFECT_NAME, EFFECT_SEND };
const char *process_effect_name(enum effect kind);
/*
 * The daemon is about to change the world: false if it is dead (or dies now) and nothing must happen.
 * `what` is for the trace.
 */
bool process_effect(enum effect kind, const char *what);
bool process_is_dead(void); /* killed, and not yet taken apart */
/* kill -9 now; in_ms until the supervisor starts it again. */
void process_kill(const char *why, int64_t restart_ms);
/* kill -9 at the k-th side effect from now (1: the next; 0: never), power: the machine goes down with it. */
void process_kill_at(uint64_t k, bool power, int64_t restart_ms);
void process_power_loss(int64_t restart_ms);
/*
 * Asked before each side effect of the living daemon, NULL: nobody. It may say that the daemon dies there. The answer
 * may come in another process: fork() in it makes two worlds.
 */
enum fate { FATE_LIVE, FATE_KILL, FATE_POWER };
void process_set_fate(enum fate (*cb)(enum effect kind, const char *what));
void process_begin(void);
/* After every event: takes a dead or stopped daemon apart. */
void process_settle(void);
/* The end of the world. */
void process_end(void);
void process_signal(int signo); /* SIGTERM, SIGHUP */
uint64_t process_effects(void);

/* --- signal watches, in loop.c --- */
void loop_deliver_signal(int signo);

/* --- plan.c --- */
void plan_prepare(void); /* once per process: keys and site documents on a fresh disk, kept as a snapshot */
/* seldom: as sim_plan.seldom says. */
void plan_begin(uint64_t seed, unsigned days, bool seldom);
/* Writes the configuration; `broken`: one that must be refused. */
void plan_write_conf(bool broken);
/* Others' onions that always answer, up to SIM_CONTROLS. */
void plan_set_controls(unsigned n);
void plan_change_conf(void); /* a change that a reload can take */

/* --- nemesis.c, operator.c --- */
void nemesis_begin(void);
void nemesis_heal(void);
void operator_begin(void);
void operator_end(void);
void operator_clear(void); /* nothing was asked for yet, in this world */
void operator_note(const char *method, unsigned mirror); /* he asks for it */
void operator_heal(void);
void operator_publish(void); /* he has a list published now */
/* For checkers: did he ever ask for this, since the world began? */
bool operator_asked_hold(unsigned mirror, int hold); /* enum mirror_hold */
bool operator_asked_revoke(unsigned mirror);

/* --- check.c --- */
void check_begin(void);
void check_end(void);
void check_after_event(void);
void check_on_visible(void); /* `current` of a channel has changed over */
void check_on_log(const char *line);
void check_on_start(void);
void check_on_stop(bool killed);
void check_heal(void);
void check_at_end(void);
unsigned check_publications(void); /* how often a list became visible */
void check_on_connect(const char *endpoint); /* the daemon connects */

#endif
