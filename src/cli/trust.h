/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_TRUST_H
#define CLI_TRUST_H

#include "base/err.h"

#include <onionmirror/onionmirror.h>

/*
 * A reader's memory of one site in a file: what om_site_save() writes, mode 0600,
 * replaced as a whole. By default $XDG_DATA_HOME/onionmirror/SITE-ID.json
 * (~/.local/share/onionmirror). Damaged is refused, never begun anew: that
 * would forget what makes a rollback visible.
 */
struct trust {
	char *path;    /* owned; NULL: nothing is remembered */
	om_site *site; /* owned; NULL until opened */
	char *was;     /* the text that was loaded, owned; NULL: there was none */
	int lock;      /* descriptor, -1: not held */
	om_error fault;
};

#define TRUST_INIT         \
	{                  \
		.lock = -1 \
	}

/*
 * Where the memory is: `store` (a file), or the default for a site id; with
 * neither, the only site that is known there (ERR_NOTFOUND: none; ERR_REFUSED:
 * several, or the file is a symbolic link).
 */
int trust_locate(struct trust *t, const char *site_id, const char *store, struct err *e);
/* The folder of t->path, which has to be freed; makes it if it is missing. */
char *trust_folder(const struct trust *t, struct err *e);
/* Loads, to read only: the file has to be there (ERR_NOTFOUND). site_id may be NULL. */
int trust_read(struct trust *t, const char *site_id, struct err *e);
/* Loads or begins, and holds the lock until closed: nobody else saves between this load and the save. Another's
 * lock is waited for, 10 s at most (by SIGALRM, whose handler is put back). */
int trust_open(struct trust *t, const char *site_id, struct err *e);
/* Replaces the file if something changed: a crash at any moment leaves the old one or the new one. */
int trust_save(struct trust *t, struct err *e);
void trust_close(struct trust *t);
/* The exit code for a failure of the above: CLI_UNVERIFIED for another site's memory. */
int trust_exit(const struct trust *t);

#endif
