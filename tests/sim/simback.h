/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_SIMBACK_H
#define SIM_SIMBACK_H

#include "sim/sim.h"

/*
 * The web servers behind the onions: reached by the daemon's direct checks
 * through their endpoint, and by tor on behalf of a visitor.
 */
struct back;      /* one server */
struct back_conn; /* one connection of a visitor through tor */

struct back_sink {
	void (*data)(void *arg, const void *p, size_t n);
	void (*end)(void *arg); /* closed by the server; the conn is gone */
};

struct back *back_new(const char *endpoint, const char *body);
void back_free(struct back *b);
void back_set_mode(struct back *b, enum backend_mode mode);
/* The right page, from a server that answers? */
bool back_is_well(const struct back *b);
/* The text of the page from now on: a new version of the site. */
void back_set_body(struct back *b, const char *body);

/* NULL: refused, or no server there. */
struct back_conn *back_open(const char *endpoint, const struct back_sink *sink, void *arg);
void back_input(struct back_conn *c, const void *p, size_t n);
/* The visitor is gone. */
void back_close(struct back_conn *c);
/* A whole answer has been sent, and whether it was the right page. */
bool back_is_done(const struct back_conn *c);
bool back_was_good(const struct back_conn *c);

#endif
