/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_FAKETOR_H
#define TESTS_FAKETOR_H

#include "io/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A tor that says what a test wants: a control port on a unix socket, in the
 * test's own loop. It answers each command line by a table: the test's own rows
 * first (newest first), then built-in ones that make a healthy tor 0.4.9.11
 * with SAFECOOKIE. Any number of links, one after the other or together.
 */
struct faketor;

/* What an answer may hold besides bytes to send, anywhere in its text. */
#define FT_SERVERHASH "%H" /* what SAFECOOKIE wants from a tor with this cookie, upper-case hex */
#define FT_SERVERNONCE "%N"
#define FT_CLOSE "%X" /* close the link here; what follows is not sent */
#define FT_SILENT ""  /* say nothing, ever */

/* Makes the socket and the cookie file in `dir`; both names come from the functions below. */
struct faketor *faketor_new(struct loop *l, const char *dir);
void faketor_free(struct faketor *f);
/* "<dir>/control" and "<dir>/cookie"; borrowed. */
const char *faketor_path(const struct faketor *f);
const char *faketor_cookie(const struct faketor *f);

/*
 * From now on a line that begins with `prefix` gets `reply` (copied, sent as it
 * is: write the CRLFs), `times` times, then this row is gone; -1: for ever.
 */
void faketor_answer(struct faketor *f, const char *prefix, const char *reply, int times);
/* For every line that no row of the test fits: NULL, or a reply (borrowed). NULL goes on to the built-in table. */
void faketor_set_handler(
    struct faketor *f, const char *(*handler)(void *arg, const char *line), void *arg);
/* Sends each reply byte by byte, one a turn of the loop. */
void faketor_set_split(struct faketor *f, bool on);
/* Stops (true) or goes on accepting links; stopping also closes those there are. */
void faketor_set_down(struct faketor *f, bool down);
/* Forgets the cookie in memory and makes another one; `in_file`: writes it to the file too. */
void faketor_new_cookie(struct faketor *f, bool in_file);

/* Sends bytes on the newest link, as events are. */
void faketor_send(struct faketor *f, const char *bytes);
/* Closes all links. */
void faketor_hang_up(struct faketor *f);

/* Links accepted so far. */
unsigned faketor_links(const struct faketor *f);
/* Lines received so far that begin with `prefix` ("" counts all). */
unsigned faketor_count(const struct faketor *f, const char *prefix);
/* The i-th line received (0 is the first), NULL past the end. Borrowed. */
const char *faketor_line(const struct faketor *f, unsigned i);

#endif
