/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The operator's log: one line a message on stderr. Where stderr is the journal
 * ($JOURNAL_STREAM names it) lines carry "<N>" priorities and no time. Every
 * byte that is not printable ASCII is escaped as \xNN, so no remote string can
 * forge a line or move a cursor. A line that was written within the last minute
 * is counted instead, and "repeated N times" told when the minute is over; a
 * change of state is always written. errno is kept. Only daemon and cli log;
 * base, proto, lib and mirror return errors.
 */
enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_NOTICE = 5, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* Begins anew: what was counted is forgotten. `program` is borrowed. */
void log_init(const char *program, enum log_level level);
/* stderr is the journal. */
bool log_is_journal(void);
void log_set_level(enum log_level level);
/* Tells what was held back: what is due, or (at the end) all. Each line that is written does the former. */
void log_flush(bool all);
/*
 * Sends the journal's own datagrams (systemd's "Native Journal Protocol"), which
 * hold fields too, instead of lines; one that returns -1 goes to stderr. NULL
 * restores.
 */
void log_set_journal(int (*send)(const char *datagram, size_t n));
/* Sends whole lines (no LF) to `sink` instead of stderr; NULL restores. For tests. */
void log_set_sink(void (*sink)(enum log_level level, const char *line, void *arg), void *arg);
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A change of state, as one line "MIRROR: FROM -> TO (CAUSE) ONION" and, in the journal, as fields of these names with ONIONMIRROR_ before them. */
struct log_change {
	const char *mirror, *from, *to;
	const char *cause; /* "" or for people */
	const char *onion; /* from log_onion(), or "" */
};
void log_state(const struct log_change *c);

/* How an onion address may appear in the log (option log-onions). */
enum log_onions { LOG_ONIONS_HASH, LOG_ONIONS_NEVER, LOG_ONIONS_FULL };
/* `key`: 32 bytes of this installation, copied. Without a call: never. */
void log_set_onions(enum log_onions mode, const unsigned char *key);
/* "[scrubbed]", "onion:1a2b3c4d" (keyed BLAKE2b) or the address; valid until 4 more calls. */
const char *log_onion(const char *address);

#endif
