/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_REPLY_H
#define PROTO_REPLY_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Replies of tor's control port: control-spec sections 2.3 (messages from tor)
 * and 4.1 (asynchronous ones). First the framer, bytes to messages; then
 * helpers that look into one message. Everything is bounded, and a byte that
 * tor never sends is an error, not a guess: the link must then be dropped,
 * because a misread boundary pairs every later reply with the wrong command.
 */
#define REPLY_LINE_MAX 65536           /* bytes of one line without its CR LF */
/* The longest answer is circuit-status, one line of some 300 bytes a circuit: a flooded service has tens of thousands. */
#define REPLY_LINES_MAX 65536             /* lines of one message, data lines counted */
#define REPLY_SIZE_MAX (16 * 1024 * 1024) /* bytes of one message as received */

struct reply_line {
	int code;         /* the same in all lines of a message */
	char sep;         /* '-' middle, '+' with data, ' ' last */
	const char *text; /* behind the separator, NUL-ended, without NUL, CR and LF inside */
	size_t len;       /* of text */
	/* '+' only, else NULL and 0: lines joined by LF, un-dot-stuffed, no LF at the end, NUL-ended, no NUL inside */
	const char *data;
	size_t data_len;
};

struct reply {
	int code;      /* 2xx, 4xx, 5xx, 6xx */
	bool is_event; /* 6xx: asynchronous, answers no command */
	const struct reply_line *lines;
	size_t n_lines; /* >= 1; the last one has sep ' ' */
};

/* The message and all it points to live until the callback returns. -1 stops the reader. Must not free the reader. */
typedef int reply_cb(const struct reply *r, void *arg);

struct reply_reader;

/* NULL when out of memory. */
struct reply_reader *reply_reader_new(void);
void reply_reader_free(struct reply_reader *r);
/*
 * Takes `len` bytes, in whatever pieces they came, and calls cb once for each
 * message that is complete; the messages don't depend on where the input was
 * split. All bytes are consumed. -1 and
 *   ERR_PARSE   not the grammar: line end other than CR LF, NUL, bare CR in a
 *               status line, bare LF in data, code not 2xx 4xx 5xx 6xx, codes
 *               mixed in one message
 *   ERR_LIMIT   one of the bounds above
 *   ERR_CLOSED  cb returned -1 (unless it set e itself)
 *   ERR_MEMORY
 * After -1 the reader stays failed and says the same again.
 */
int reply_reader_feed(struct reply_reader *r, const char *data, size_t len, reply_cb *cb, void *arg, struct err *e);
/* True between two messages: no byte of an unfinished one is held. */
bool reply_reader_is_idle(const struct reply_reader *r);

/*
 * 0 for 2xx. Else -1: ERR_AUTH for 514 and 515, ERR_NOTFOUND for 552,
 * ERR_REFUSED for other codes, ERR_PROTO for 6xx; the message holds code and
 * text of the last line (remote bytes, cut to 200).
 */
int reply_check(const struct reply *r, struct err *e);
/* Text of the first line, e.g. "OK"; never NULL. */
const char *reply_text(const struct reply *r);

/* --- arguments of a line ---------------------------------------------------- */

/*
 * One argument: positional (key NULL), KEY=value or KEY="value". Pointers into
 * the line. A key is [A-Za-z0-9_]+; anything else before '=' makes the whole
 * word positional.
 */
struct reply_arg {
	const char *key;
	size_t key_len;
	const char *raw; /* value as it stands, without the quotes */
	size_t raw_len;
	bool quoted;
};

/* Takes the next argument of *p (NUL-ended) and moves *p behind it. 1: taken, 0: no more, -1: a quote is not closed. */
int reply_next_arg(const char **p, struct reply_arg *a);
bool reply_arg_is_key(const struct reply_arg *a, const char *key);
/*
 * Value into out[size] with a NUL: as is, or un-escaped if quoted (CString,
 * control-spec 2.1.1: \n \r \t \" \\ \' and up to three octal digits; another
 * escaped character stands for itself). ERR_LIMIT too long, ERR_PARSE a NUL or
 * an octal value above 255.
 */
int reply_arg_text(const struct reply_arg *a, char *out, size_t size, struct err *e);
/* Finds KEY= in `text` (case-sensitive, the first one) as above. ERR_NOTFOUND if it isn't there. */
int reply_keyword_value(const char *text, const char *key, char *out, size_t size, struct err *e);
/* As above and a decimal integer in [min, max], optional '+' or '-' in front; ERR_PARSE, ERR_LIMIT. */
int reply_keyword_int(const char *text, const char *key, int64_t min, int64_t max, int64_t *out, struct err *e);

/* --- what each command answers ------------------------------------------------ */

/*
 * GETINFO of one key (control-spec 3.9): both "250-key=value" and "250+key="
 * with data (tor picks the second only because a value has a line end). *value
 * is borrowed from r and NUL-ended. -1: not 250, or no such key.
 */
int reply_getinfo(const struct reply *r, const char *key, const char **value, size_t *len);
/*
 * GETCONF of one key (3.3), key without regard to case: the first value, or
 * *value = NULL when it stands at its default ("250 key"). -1: not 250 or no
 * such key.
 */
int reply_getconf(const struct reply *r, const char *key, const char **value);
/* Lines of a value: takes the next one of *p (NUL-ended) and moves *p on; *line is not NUL-ended. False: no more. */
bool reply_value_line(const char **p, const char **line, size_t *len);

/* A version of tor: version-spec, the new scheme. */
struct tor_version {
	uint32_t major, minor, micro, patch; /* each <= 65535 */
	char tag[32];                        /* "alpha", "rc", "alpha-dev"; "" for none */
};
/*
 * "MAJOR.MINOR.MICRO[.PATCHLEVEL][-TAG]", then optionally a space and " (...)"
 * information, which is ignored; a leading "Tor " too. Numbers without sign.
 */
int tor_version_parse(struct tor_version *out, const char *s, struct err *e);
/* < 0, 0, > 0. Numbers first, then the tags as bytes, as version-spec says: "0.4.9.2" < "0.4.9.2-alpha". */
int tor_version_compare(const struct tor_version *a, const struct tor_version *b);

/* PROTOCOLINFO (3.21). */
enum reply_auth_method {
	REPLY_AUTH_NULL = 1,
	REPLY_AUTH_HASHEDPASSWORD = 2,
	REPLY_AUTH_COOKIE = 4,
	REPLY_AUTH_SAFECOOKIE = 8,
};
#define REPLY_PATH_MAX 4095
struct reply_protocolinfo {
	unsigned methods; /* of enum reply_auth_method; unknown names are ignored */
	/* What the peer claims, "" if none. An attacker's to choose: compare with the configured path, never open. */
	char cookie_file[REPLY_PATH_MAX + 1];
	char version_text[64]; /* "" if the peer does not say */
	struct tor_version version; /* zeros then */
};
/* ERR_PARSE (also: not one AUTH line, two VERSION lines), ERR_LIMIT, or as reply_check(). Unknown lines are ignored. */
int reply_protocolinfo(struct reply_protocolinfo *out, const struct reply *r, struct err *e);

/* AUTHCHALLENGE SAFECOOKIE (3.24). */
struct reply_authchallenge {
	uint8_t server_hash[32];
	uint8_t server_nonce[32];
};
int reply_authchallenge(struct reply_authchallenge *out, const struct reply *r, struct err *e);

/*
 * ADD_ONION (3.27) with Flags=DiscardPK. service_id: 56 characters of lower
 * case base32 (the caller compares it with its own address). ERR_PARSE without
 * one or with two; ERR_PROTO if a private key comes that nobody asked for.
 */
struct reply_add_onion {
	char service_id[56 + 1];
};
int reply_add_onion(struct reply_add_onion *out, const struct reply *r, struct err *e);

#endif
