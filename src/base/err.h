/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * Errors. A function that can fail returns 0 or -1 (or NULL) and takes a last
 * `struct err *`, which may be NULL. The first error set wins; outputs are
 * written only on success. The setters return -1, so a failure is one line:
 *
 *	return err_set(e, ERR_PARSE, "line %u: no value", n);
 */
enum err_code {
	ERR_NONE = 0,
	ERR_MEMORY,   /* allocation failed */
	ERR_SYS,      /* a system call failed; `sys` holds errno */
	ERR_PARSE,    /* bytes that don't follow the grammar */
	ERR_LIMIT,    /* a documented bound was passed */
	ERR_AUTH,     /* the peer did not prove itself, or refused us */
	ERR_PROTO,    /* well-formed, but not allowed here */
	ERR_TIMEOUT,  /* a deadline passed */
	ERR_CLOSED,   /* the other side went away */
	ERR_STATE,    /* stored state is damaged or of another version */
	ERR_CRYPTO,   /* a signature, tag or key is wrong */
	ERR_CONFIG,   /* the operator's configuration */
	ERR_NOTFOUND, /* no such thing */
	ERR_REFUSED,  /* asked for, and not allowed now */
};

struct err {
	enum err_code code;
	int sys;       /* errno, or 0 */
	char msg[512]; /* one line, no LF at the end */
};

#define ERR_INIT { 0 }

void err_clear(struct err *e);
int err_set(struct err *e, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* As err_set(ERR_SYS), with ": strerror(errno)" added. */
int err_set_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts "text: " before a message that is already set; returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A short constant name of the code: "parse", "auth", ... */
const char *err_code_name(enum err_code code);

#endif
