/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_SIMTOR_H
#define SIM_SIMTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A tor process: control port, SOCKS port, onion services and a client. What it
 * says and how long it takes is as measured on tor 0.4.9.11. Whether an onion
 * answers is decided from what is true in the model: a descriptor on an HSDir
 * that a client asks, its introduction circuits alive, a backend that accepts.
 */
struct simtor;

struct simtor_config {
	unsigned index;
	const char *name, *control, *socks; /* copied */
	const char *cookie;                 /* path; "" no authentication */
	bool extended_errors;               /* flag of the SOCKS port */
};
/* Dead until simtor_start(). */
struct simtor *simtor_new(const struct simtor_config *cfg);
void simtor_free(struct simtor *t);

/* The control port is there 0.6 s later, circuits after some more. No-op when it runs. */
void simtor_start(struct simtor *t);
/* kill -9. */
void simtor_kill(struct simtor *t);
bool simtor_is_running(const struct simtor *t);
/* SIGSTOP and SIGCONT: nothing is answered, and connecting still succeeds. */
void simtor_stop(struct simtor *t, bool stopped);
void simtor_set_network(struct simtor *t, bool up);
/* An onion-grater in between. Links are cut when that changes. */
void simtor_set_filter(struct simtor *t, bool on);
/* DisableNetwork in its configuration. */
void simtor_set_disabled(struct simtor *t, bool on);
void simtor_set_version(struct simtor *t, const char *version);
/* All detached services are gone, as if another controller had deleted them. */
void simtor_lose_onions(struct simtor *t);
/* Closes all control links, orderly; it runs on. */
void simtor_hang_up(struct simtor *t);
/* Another controller's service: it is in onions/detached and must never be touched. */
void simtor_add_foreign(struct simtor *t, const char *address);
/* An onion of somebody else, somewhere: it can be reached through each tor that has a network, and refuses the port. */
void simtor_add_other(const char *address);
/* Its clock jumped: it says so and makes all circuits anew. */
void simtor_clock_jump(struct simtor *t, int64_t seconds);
/* CLOCK_SKEW as tor says it when its clock and a relay's differ. */
void simtor_clock_skew(struct simtor *t, int64_t seconds);
/* A new cookie in memory, `in_file` also on disk. */
void simtor_new_cookie(struct simtor *t, bool in_file);

/* Ways to misbehave; each lasts until set to another. */
enum simtor_quirk {
	QUIRK_NONE,
	QUIRK_WRONG_HASH,     /* AUTHCHALLENGE is answered by somebody who does not know the cookie */
	QUIRK_NULL_AUTH,      /* an impostor: METHODS=NULL, takes anything */
	QUIRK_COOKIE_ONLY,    /* METHODS=COOKIE: would have the cookie's bytes */
	QUIRK_WRONG_SERVICE,  /* ADD_ONION answers with another address */
	QUIRK_EXTRA_REPLY,    /* every command is answered twice */
	QUIRK_MUTE,           /* reads and says nothing */
	QUIRK_LONG_LINE,      /* endless line */
	QUIRK_ENDLESS_MID,    /* endless 250- lines */
	QUIRK_ENDLESS_DATA,   /* 250+ without its dot */
	QUIRK_CUT_REPLY,      /* the link ends in the middle of a reply */
	QUIRK_LATE,           /* replies come after 12 s */
	QUIRK_JUNK_EVENTS,    /* events nobody knows, with hostile bytes, before each reply */
	QUIRK_REFUSE_ADD,     /* 551 to ADD_ONION */
	QUIRK_BAD_CODES,      /* replies with codes that no tor has */
	QUIRK__COUNT
};
void simtor_set_quirk(struct simtor *t, enum simtor_quirk q);
const char *simtor_quirk_name(enum simtor_quirk q);

/* --- what is true ------------------------------------------------------------------------- */
bool simtor_has_onion(const struct simtor *t, const char *address);
/* Its own services, not those of others; in order of their addition. Borrowed. */
const char *simtor_onion(const struct simtor *t, size_t i);
/* Every address that any tor of this world was ever given, in order; NULL past the end. Valid until the next one. */
struct simtor_given {
	char address[57];
	char target[128]; /* of its first port */
	uint8_t key[64];
	int64_t first, last; /* true ms: when it was added */
};
const struct simtor_given *simtor_given(size_t i);
/* An address that a tor answered to ADD_ONION in place of the key's own (QUIRK_WRONG_SERVICE). */
bool simtor_made_up(const char *address);
/* Runs, goes on, is unfiltered and has a network, since when (true ms); -1: not so. */
int64_t simtor_fit_since(const struct simtor *t);
/* Runs, goes on and has circuits; a filter does not matter. */
bool simtor_has_network(const struct simtor *t);
bool simtor_has_spells(void);
/* Rendezvous circuits of visitors of a service, as circuit-status shows them. */
void simtor_set_visitors(struct simtor *t, const char *address, unsigned n);
/* Would a reader that has nothing cached get to the backend? */
bool simtor_address_works(const char *address);
/* Endpoint behind the virtual port of a living service, NULL: none. */
const char *simtor_target(const char *address, uint16_t port);
/* Of connections to a service: a bad spell of it begins, 45 s in the mean, in which none works. */
void simtor_set_spells(unsigned ppm);

#endif
