/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SOCKS5 towards tor: three writers and a machine that reads the answers.
 * Owns nothing but the bytes of one unfinished message.
 */
#include "config.h"
#include "proto/socks.h"

#include "base/enc.h"
#include "base/mutant.h"
#include "base/rng.h"
#include "proto/onion.h"

#include <string.h>

void
socks_init(struct socks *s)
{
	memset(s, 0, sizeof *s);
	s->code = -1;
}

static int
add(struct buf *out, const uint8_t *p, size_t n, struct err *e)
{
	buf_add(out, p, n);
	return buf_ok(out) ? 0 : err_set(e, ERR_MEMORY, "no room for the SOCKS message");
}

int
socks_write_greeting(struct buf *out, struct err *e)
{
	static const uint8_t greeting[] = { 5, 1, 2 };

	return add(out, greeting, sizeof greeting, e);
}

static int
check_credential(const char *s, const char *what, struct err *e)
{
	size_t i, n = strnlen(s, 256);

	if (n < 1 || n > 255)
		return err_set(e, ERR_PROTO, "SOCKS: a %s must have 1 to 255 characters", what);
	for (i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\')
			return err_set(e, ERR_PROTO, "SOCKS: a character that a %s can't have", what);
	return 0;
}

int
socks_write_auth(struct buf *out, const char *user, const char *password, struct err *e)
{
	static const char reserved[] = "<torS0X>";
	uint8_t msg[3 + 2 * 255];
	size_t n_user, n_password;

	if (check_credential(user, "user name", e) != 0 || check_credential(password, "password", e) != 0)
		return -1;
	if (strncmp(user, reserved, sizeof reserved - 1) == 0 && strcmp(user + sizeof reserved - 1, "0") != 0)
		return err_set(e, ERR_PROTO, "SOCKS: user names that begin with %s are tor's", reserved);
	n_user = strlen(user);
	n_password = strlen(password);
	msg[0] = 1;
	msg[1] = (uint8_t)n_user;
	memcpy(msg + 2, user, n_user);
	msg[2 + n_user] = (uint8_t)n_password;
	memcpy(msg + 3 + n_user, password, n_password);
	return add(out, msg, 3 + n_user + n_password, e);
}

void
socks_own_name(char user[SOCKS_NAME_LEN + 1], char password[SOCKS_NAME_LEN + 1])
{
	uint8_t noise[SOCKS_NAME_LEN] = { 0 };

	rng_bytes(noise, MUTANT(18) ? 0 : sizeof noise);
	hex_encode(user, noise, SOCKS_NAME_LEN / 2);
	hex_encode(password, noise + SOCKS_NAME_LEN / 2, SOCKS_NAME_LEN / 2);
}

int
socks_write_connect(struct buf *out, const char *address, uint16_t port, struct err *e)
{
	uint8_t msg[5 + 62 + 2] = { 5, 1, 0, 3, 62 };

	/* Exactly the address: with a dot behind it tor would take it for a name of the clearnet. */
	if (!onion_addr_shape(address, strnlen(address, 57)))
		return err_set(e, ERR_PROTO, "SOCKS: this is not an onion address");
	if (port == 0)
		return err_set(e, ERR_PROTO, "SOCKS: port 0");
	memcpy(msg + 5, address, 56);
	memcpy(msg + 5 + 56, ".onion", 6);
	msg[5 + 62] = (uint8_t)(port >> 8);
	msg[5 + 62 + 1] = (uint8_t)port;
	return add(out, msg, sizeof msg, e);
}

/* Bytes that the message in `have` needs in all, as far as it can be told yet. */
static size_t
wanted(const struct socks *s)
{
	if (s->state != SOCKS_WANT_REPLY)
		return 2;
	if (s->n_have < 5)
		return 5;
	switch (s->have[3]) {
	case 1: return 4 + 4 + 2;
	case 3: return 4 + 1 + s->have[4] + 2u;
	case 4: return 4 + 16 + 2;
	default: return 5;
	}
}

/* Looks at each byte as it comes, so that a fault is seen at once and in the same way however the bytes are cut. */
static int
check_byte(struct socks *s, struct err *e)
{
	uint8_t c = s->have[s->n_have - 1];

	if (s->n_have == 1 && c != (s->state == SOCKS_WANT_AUTH ? 1 : 5))
		return err_set(e, ERR_PARSE, "SOCKS: an answer of version %u", c);
	if (s->state == SOCKS_WANT_METHOD && s->n_have == 2 && c != 2)
		return err_set(e, ERR_AUTH, "SOCKS: user and password are not accepted (method %u)", c);
	if (s->state == SOCKS_WANT_AUTH && s->n_have == 2 && c != 0)
		return err_set(e, ERR_AUTH, "SOCKS: user and password were refused (status %u)", c);
	if (s->state != SOCKS_WANT_REPLY)
		return 0;
	if (s->n_have == 2)
		s->code = c;
	if (s->n_have == 3 && c != 0)
		return err_set(e, ERR_PARSE, "SOCKS: the reserved byte is %u", c);
	if (s->n_have == 4 && c != 1 && c != 3 && c != 4)
		return err_set(e, ERR_PARSE, "SOCKS: an address of type %u", c);
	return 0;
}

static void
next_state(struct socks *s)
{
	s->n_have = 0;
	if (s->state == SOCKS_WANT_METHOD)
		s->state = SOCKS_WANT_AUTH;
	else if (s->state == SOCKS_WANT_AUTH)
		s->state = SOCKS_WANT_REPLY;
	else
		s->state = SOCKS_DONE;
}

int
socks_feed(struct socks *s, const uint8_t *data, size_t len, size_t *consumed, struct err *e)
{
	size_t i;

	if (s->state == SOCKS_FAILED)
		return err_set(e, ERR_PARSE, "SOCKS: the connection has failed before");
	for (i = 0; i < len && s->state != SOCKS_DONE; i++) {
		s->have[s->n_have++] = data[i];
		if (check_byte(s, e) != 0) {
			s->state = SOCKS_FAILED;
			return -1;
		}
		if (s->n_have == wanted(s))
			next_state(s);
	}
	*consumed = i;
	return 0;
}

int
socks_eof(struct socks *s, struct err *e)
{
	if (s->state == SOCKS_DONE)
		return 0;
	s->state = SOCKS_FAILED;
	return err_set(e, ERR_CLOSED, "SOCKS: tor closed the connection before it answered");
}

static const struct {
	enum verdict verdict;
	const char *text;
} low_codes[] = {
	{ VERDICT_OK, "connected" },
	{ VERDICT_REFUSED, "general failure" },
	{ VERDICT_INCONCLUSIVE, "not allowed by tor's configuration" },
	{ VERDICT_INCONCLUSIVE, "network unreachable" },
	{ VERDICT_NO_DESCRIPTOR, "host unreachable (no descriptor, or introduction refused)" },
	{ VERDICT_REFUSED, "connection refused" },
	{ VERDICT_TIMEOUT, "timed out" },
	{ VERDICT_INCONCLUSIVE, "command not supported" },
	{ VERDICT_INCONCLUSIVE, "address type not supported" },
}, high_codes[] = {
	{ VERDICT_NO_DESCRIPTOR, "no descriptor found" },
	{ VERDICT_BAD_DESCRIPTOR, "descriptor invalid" },
	{ VERDICT_INTRO, "introduction failed" },
	{ VERDICT_RENDEZVOUS, "rendezvous failed" },
	{ VERDICT_CLIENT_AUTH, "client authorisation missing" },
	{ VERDICT_CLIENT_AUTH, "client authorisation wrong" },
	{ VERDICT_BAD_ADDRESS, "address invalid" },
	{ VERDICT_INTRO, "introduction timed out" },
};

enum verdict
socks_verdict(int code)
{
	if (code < 0)
		return VERDICT_INCONCLUSIVE;
	if (code <= 0x08)
		return low_codes[code].verdict;
	if (code >= 0xf0 && code <= 0xf7)
		return high_codes[code - 0xf0].verdict;
	return VERDICT_REFUSED;
}

const char *
socks_code_text(int code)
{
	if (code < 0)
		return "no answer";
	if (code <= 0x08)
		return low_codes[code].text;
	if (code >= 0xf0 && code <= 0xf7)
		return high_codes[code - 0xf0].text;
	return "an unknown code";
}
