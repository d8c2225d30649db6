/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_SIMTOR_IMPL_H
#define SIM_SIMTOR_IMPL_H

#include "base/buf.h"
#include "sim/ctl.h"
#include "sim/sim.h"
#include "sim/simback.h"
#include "sim/simnet.h"
#include "sim/simtor.h"

/* What the files of the simulated tor share. All ids are unique in a world and rise. */

struct ctl_link {
	struct ctl_link *next;
	struct simtor *tor;
	struct sim_conn *conn;
	uint64_t id;
	bool authed, told, challenged, closing;
	char body_of[32]; /* "+CMD": its lines are awaited up to the dot */
	uint8_t nonce[32], client_nonce[64];
	size_t client_nonce_len;
	unsigned events; /* mask */
	struct buf late; /* QUIRK_LATE */
};

struct service {
	struct service *next;
	char address[57];
	bool detached, foreign;
	uint64_t shown; /* the link that was last told that it is there */
	uint64_t id, owner; /* owner: link of a service that is not detached */
	struct ctl_port ports[CTL_PORTS_MAX];
	size_t n_ports;
	uint64_t intro_set; /* 0: no introduction circuits yet */
	unsigned in_flight; /* uploads of the first publication that are not over */
	bool burst;         /* they are lost: too many services at once */
	unsigned visitors;
	int64_t spell_until;
};

/* A descriptor in the client's cache. */
struct cached {
	struct cached *next;
	char address[57];
	int64_t period, expires, failed_until;
	uint64_t intro_set;
};
/* An HSDir was asked; not again for 15 minutes. */
struct asked {
	char address[57];
	unsigned hsdir;
	int64_t at;
};

struct circuit {
	struct circuit *next;
	uint64_t id;
	char address[57], user[256];
	int64_t closes;
};

enum visit_state { VISIT_GREETING, VISIT_AUTH, VISIT_REQUEST, VISIT_BUSY, VISIT_OPEN };
struct visit {
	struct visit *next;
	struct simtor *tor;
	struct sim_conn *conn;
	uint64_t id;
	enum visit_state state;
	char user[256], address[57];
	uint16_t port;
	bool missed;   /* an HSDir said 404: F0 sticks */
	bool fetched;  /* the descriptor is of this attempt */
	uint64_t circuit, intro_circuit; /* 0: none yet */
	struct back_conn *back;
	struct buf to_back;
};

/* A descriptor on its way to the client. */
struct hsdir_fetch {
	struct hsdir_fetch *next;
	uint64_t id, stream; /* stream 0: HSFETCH */
	char address[57];
	unsigned hsdir;
};

struct task;
typedef void task_fn(struct simtor *t, uint64_t id, uint64_t extra);

struct simtor {
	struct simtor *next;
	unsigned index;
	char name[16], control_ep[64], socks_ep[64], cookie_path[64], version[64];
	bool extended;
	enum { TOR_DEAD, TOR_STARTING, TOR_RUNNING } state;
	bool stopped, ready, was_ready, network, filtered, disabled, circuits_ok, live, watching;
	enum simtor_quirk quirk;
	uint64_t generation, asking; /* asking: the link whose GETINFO is answered */
	int64_t started, fit_since;
	uint8_t cookie[32];
	struct sim_server *control, *socks;
	struct ctl_link *links;
	struct service *services; /* oldest first */
	struct visit *visits;
	struct cached *cache;
	struct circuit *circuits;
	struct hsdir_fetch *fetches;
	struct asked *asked;
	size_t n_asked;
	struct task *tasks, *held; /* held: due while stopped */
};

/* What all tors of a world share; all zero when the last one is freed. */
#define USERS_KEPT 4096
struct simworld {
	struct simtor *tors;
	uint64_t last_id, last_intro_set;
	uint64_t users[USERS_KEPT]; /* hashes of SOCKS user names seen, a ring: each probe has a fresh one */
	size_t n_users;
	unsigned spell_ppm;
	char told[8][57]; /* the last addresses that tors made up, QUIRK_WRONG_SERVICE */
	unsigned n_told;
	struct simtor_given *given; /* owned */
	size_t n_given;
	char others[4][57];
	unsigned n_others;
};
extern struct simworld simworld;

/* simtor.c */
uint64_t simtor_next_id(void);
/* Calls fn in `ms`, unless this life of the process is over by then; while it is stopped, when it goes on. */
void tor_after(struct simtor *t, int64_t ms, task_fn *fn, uint64_t id, uint64_t extra);
bool tor_online(const struct simtor *t);

/* simtor_link.c: the control port */
void links_serve(struct simtor *t);
void links_drop(struct simtor *t);
/* What came while a filter waited for its tor. */
void links_go_on(struct simtor *t);
void ctlink_send(struct ctl_link *k, const char *bytes, size_t n);
/* One event, "650 ...": to all who asked for it. */
void tor_event(struct simtor *t, enum ctl_event kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A whole line that was read. */
void ctlink_line(struct ctl_link *k, char *line, size_t n);
void ctlink_end(struct ctl_link *k);

/* simtor_answer.c: what commands do, once authenticated */
void answer(struct ctl_link *k, const struct ctl_line *line, struct buf *out);
/* simtor_auth.c: before that; also PROTOCOLINFO and QUIT */
void answer_auth(struct ctl_link *k, const struct ctl_line *line, struct buf *out);
/* simtor_info.c */
void answer_getinfo(struct simtor *t, const char *args, struct buf *out);
void answer_getconf(struct simtor *t, const char *args, struct buf *out);

/* simtor_service.c */
struct service *service_add(struct simtor *t, const char *address);
void service_remove(struct simtor *t, struct service *s);
struct service *service_find(const struct simtor *t, const char *address);
/* Those that wait for circuits go on. */
void services_go_on(struct simtor *t);
/* The living service with these introduction circuits; *of: its tor. */
struct service *service_by_intro(uint64_t intro_set, struct simtor **of);
void services_free(struct simtor *t);
/* Where tor connects to for a virtual port; NULL: not mapped. Valid until the next call. */
const char *service_target(const struct service *s, uint16_t port);

/* simtor_client.c: descriptors and introductions, as a client */
/* Asks HSDirs, on behalf of a stream, which goes on or fails then; 0: HSFETCH. */
void client_fetch(struct simtor *t, const char *address, uint64_t stream);
bool client_has_descriptor(struct simtor *t, const char *address);
void client_forget(struct simtor *t, const char *address);
void client_connect(struct simtor *t, struct visit *s);
void client_free(struct simtor *t);

/* A circuit of a visitor: "CIRC_MINOR" or "CIRC", what became of it, and how it is now. */
void visit_circuit(struct visit *s, bool minor, uint64_t id, const char *status, const char *purpose, const char *hs_state, const char *more);

/* simtor_socks.c */
void socks_serve(struct simtor *t);
void socks_drop(struct simtor *t);
struct visit *visit_find(struct simtor *t, uint64_t id);
/* REP; anything but success ends the stream. */
void visit_reply(struct visit *s, unsigned code);
/* Streams through all tors to this address end. */
void visits_cut(const char *address);
/* The rendezvous is made. */
void visit_join(struct visit *s, struct service *svc);

#endif
