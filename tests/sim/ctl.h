/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_CTL_H
#define SIM_CTL_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The server's side of the control protocol, a second implementation: what a
 * tor 0.4.9.11 takes for a command, and what it answers to one that it does not
 * take (tests/system/transcript.py compares both with a real tor). Pure.
 *
 * Beside it ctl_policy(): what our daemon may send at all, which is far less.
 */
#define CTL_LINE_MAX 1048576 /* tor's MAX_COMMAND_LINE_LENGTH */
#define CTL_ARGS_MAX 40
#define CTL_PORTS_MAX 32

enum ctl_verb {
	CTL_UNKNOWN = 0,
	CTL_PROTOCOLINFO,
	CTL_AUTHCHALLENGE,
	CTL_AUTHENTICATE,
	CTL_GETINFO,
	CTL_GETCONF,
	CTL_SETEVENTS,
	CTL_ADD_ONION,
	CTL_DEL_ONION,
	CTL_HSFETCH,
	CTL_CLOSECIRCUIT,
	CTL_QUIT,
	CTL_KNOWN, /* one that tor knows and this tor does not play: our daemon never sends it */
};

struct ctl_line {
	enum ctl_verb verb;
	char name[32];    /* as typed, cut off */
	const char *args; /* behind the separator, "" if none; points into the line given */
};
/* `line` is NUL-ended, without its line end. */
void ctl_split(struct ctl_line *out, const char *line);
const char *ctl_verb_name(enum ctl_verb v);

/* The words of a space or tab separated list; words point into `text`, which is cut up. At most CTL_ARGS_MAX. */
size_t ctl_words(char *text, char *words[CTL_ARGS_MAX]);

/*
 * Positional and keyword arguments as tor's control_cmd_parse_args() reads
 * them. -1: the refusal ("512 Bad arguments to ...") is in `reply`.
 */
struct ctl_syntax {
	const char *name;
	size_t min, max;               /* positional */
	const char *const *keys;       /* keywords, NULL-ended; NULL: no keywords are looked for, "a=b" is a positional */
};
struct ctl_args {
	char *pos[CTL_ARGS_MAX];
	size_t n_pos;
	struct {
		char *key, *value;
	} kw[CTL_ARGS_MAX];
	size_t n_kw;
	char *copy; /* owned */
};
int ctl_args_parse(struct ctl_args *out, const struct ctl_syntax *syntax, const char *args, struct buf *reply);
void ctl_args_free(struct ctl_args *a);

struct ctl_port {
	uint16_t virt;
	char target[128]; /* as given, "" for the default (127.0.0.1:virt) */
};
struct ctl_add_onion {
	bool fresh_key;   /* NEW: */
	uint8_t key[64];
	char address[57]; /* of the key; "" for NEW: */
	bool discard_pk, detach, close_circuit;
	struct ctl_port ports[CTL_PORTS_MAX];
	size_t n_ports;
	unsigned max_streams;
	bool pow;
};
/* Whether this is a v3 address (56 characters, lower case) whose checksum and key are good. */
bool ctl_onion_ok(const char *lower);
/* -1: the refusal is in `reply`. */
int ctl_parse_add_onion(struct ctl_add_onion *out, const char *args, struct buf *reply);
/* DEL_ONION's argument. -1: the refusal is in `reply`. */
int ctl_parse_del_onion(char address[57], const char *args, struct buf *reply);
/* HSFETCH's argument, in lower case. -1: the refusal is in `reply`. */
int ctl_parse_hsfetch(char address[57], const char *args, struct buf *reply);

/* Events as bits, by their place in tor's own list; 0: no such event. Names without regard to case. */
enum ctl_event {
	CTL_EV_HS_DESC = 1,
	CTL_EV_STATUS_CLIENT = 2,
	CTL_EV_STATUS_GENERAL = 4,
	CTL_EV_NETWORK_LIVENESS = 8,
	CTL_EV_STREAM = 16,
	CTL_EV_CIRC = 32,
	CTL_EV_CIRC_MINOR = 64,
	CTL_EV_OTHER = 128,
};
/* -1: the refusal is in `reply` and *mask is as it was. */
int ctl_parse_setevents(unsigned *mask, const char *args, struct buf *reply);

/* NULL, or why our daemon must never send this line (without its line end; `n` bytes). */
const char *ctl_policy(const char *line, size_t n);

#endif
