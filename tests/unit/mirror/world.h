/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UNIT_MIRROR_WORLD_H
#define UNIT_MIRROR_WORLD_H

/*
 * A world for the engine: a store, tors, backends and a publisher that do what
 * they are told, or don't. It feeds the engine, keeps every action in a log and
 * checks at each step what must hold always; the first violation is kept in
 * `failure` and fails the test. Time stands still unless advanced.
 */
#include "mirror/engine.h"

#define WORLD_MIRRORS 12
#define WORLD_TORS 3
#define WORLD_ONIONS 2048
#define WORLD_WALL 1700000000

struct world_onion {
	bool known;               /* its record is in the store */
	struct onion_record saved; /* as in the store */
	bool in_tor, visible, flight, retired, shredded;
	bool warned, warning;     /* the visible list, the one in flight has its revoked tombstone */
	int clients;              /* connected to it; -1: tor does not tell */
	bool proved;              /* `rise` probes in a row since ADD_ONION, as this world saw them */
	unsigned oks, epoch;      /* epoch: which ADD_ONION */
	int verdict;              /* of its probes; -1: its mirror's */
	unsigned hidden;          /* 1 << tor: as seen through it no HSDir has its descriptor; that tor has kept it */
	int seen[WORLD_TORS];     /* of its probes through that tor; -1: as above */
};

struct world_command {
	struct action a;
	unsigned epoch;
};

struct world {
	struct engine *e;
	struct engine_config cfg;
	struct engine_mirror mirrors[WORLD_MIRRORS];
	struct engine_tor tors[WORLD_TORS];
	char names[WORLD_MIRRORS][ONION_NAME_MAX + 1];
	struct now now;
	struct actions out;      /* what the last call to the engine answered */
	struct actions log;      /* all since world_mark() */
	struct world_command *pending; /* commands not answered yet */
	size_t n_pending, cap_pending;
	struct world_onion o[WORLD_ONIONS]; /* by id */
	uint64_t last_id, serial;
	unsigned deaf;           /* 1 << action kind: stays pending */
	int64_t valid_s;         /* how long a list is valid; 0: a day */
	unsigned uploads;        /* UPLOADED events after each ADD_ONION, of `begun` UPLOADs at least */
	unsigned begun;
	enum mirror_hold hold[WORLD_MIRRORS]; /* as in the store */
	bool vague;              /* tor does what it is told, or doesn't, and the answer is lost */
	bool add_refused, publish_fails, plan_fails;
	enum verdict verdict[WORLD_MIRRORS], check[WORLD_MIRRORS];
	bool linked[WORLD_TORS], fit[WORLD_TORS];
	bool control_dead[WORLD_TORS]; /* through it no control onion answers */
	unsigned boots;          /* how often the engine was started */
	unsigned published;      /* lists that became visible since world_mark() */
	char failure[300];
};

/* n mirrors spread over tors; rise 2, fall 6, interval 300 s, drain 1 h; change w->cfg, w->mirrors before starting. */
void world_init(struct world *w, size_t n_mirrors, size_t n_tors, uint64_t seed);
void world_free(struct world *w);
/* Starts the engine over what is in the store, or starts it again as after kill -9: pending commands are forgotten. */
void world_boot(struct world *w);
/* The set of onions of this tor, foreign ones among them; links it if it wasn't. */
void world_compare(struct world *w, unsigned tor);
void world_fit(struct world *w, unsigned tor, bool fit);
/* world_boot(), all tors compared and fit. */
void world_start(struct world *w);
/* The link goes; `restart`: tor forgets its onions too. */
void world_lose_tor(struct world *w, unsigned tor, bool restart);
/* Takes what the engine answered: called after each direct call of an engine function with &w->out. */
void world_take(struct world *w);
/* Answers pending[i]; false: it is one that this world is deaf to. */
bool world_answer_one(struct world *w, size_t i);
void world_answer(struct world *w);
/* Upload i of an onion, or what becomes of it. */
void world_upload(struct world *w, uint64_t onion, enum desc_event ev, unsigned i);
/* Answers, and lets time pass with every deadline of the engine kept. */
void world_advance(struct world *w, int64_t ms);
void world_seconds(struct world *w, int64_t s);
/* Starts it and waits until all mirrors are up. */
void world_settled(struct world *w);

/* --- what an operator asks: 0, or the code of the refusal ------------------ */
int world_drain(struct world *w, int mirror, uint64_t op);
int world_maint(struct world *w, int mirror, bool on, uint64_t op);
/* By mirror, or mirror -1: by onion. */
int world_revoke(struct world *w, int mirror, uint64_t onion, uint64_t op);
int world_rotate(struct world *w, int mirror, uint64_t op);
/* The configuration in w->cfg, anew. */
void world_reconfigure(struct world *w);
/* One tor, n mirrors, all of them listed; their tombstones stand for 90 days. */
void world_listed_all(struct world *w, size_t n);

/* --- looking ------------------------------------------------------------- */
void world_mark(struct world *w);
unsigned world_count(const struct world *w, enum action_kind kind);
unsigned world_count_of(const struct world *w, enum action_kind kind, uint64_t onion);
unsigned world_notes(const struct world *w, enum note_kind kind, const char *word);
unsigned world_steps(const struct world *w, uint64_t op, const char *step);
unsigned world_pending(const struct world *w, enum action_kind kind);
struct mirror_view world_view(const struct world *w, int mirror);
/* The listed onion of a mirror, 0: none. */
uint64_t world_listed(const struct world *w, int mirror);
enum onion_state world_state(const struct world *w, uint64_t onion);
/* Index of the tor that an onion is on, -1: no longer configured. */
int world_tor_of(const struct world *w, uint64_t onion);
unsigned world_visible(const struct world *w);
bool world_is_tombstone(const struct world *w, uint64_t id);
/* What must hold at every moment; called by world_take(). */
void world_check(struct world *w);
void world_fail(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Of the seeded source that the engine draws from too. */
uint64_t world_random(uint64_t bound);

#endif
