/* SPDX-License-Identifier: BSD-3-Clause */
/* PROTOCOLINFO, AUTHCHALLENGE, AUTHENTICATE, QUIT: with tor's texts. The HMACs are written a second time here. */
#include "config.h"
#include "sim/simtor_impl.h"

#include "base/enc.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const no_keys[] = { NULL };

static bool
has_cookie(const struct simtor *t)
{
	return t->cookie_path[0] != '\0' && !t->filtered && t->quirk != QUIRK_NULL_AUTH;
}

static void
safecookie_hash(uint8_t out[32], const char *key, const struct ctl_link *k, const uint8_t cookie[32])
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, (const unsigned char *)key, strlen(key));
	crypto_auth_hmacsha256_update(&st, cookie, 32);
	crypto_auth_hmacsha256_update(&st, k->client_nonce, k->client_nonce_len);
	crypto_auth_hmacsha256_update(&st, k->nonce, 32);
	crypto_auth_hmacsha256_final(&st, out);
}

static void
add_hex(struct buf *out, const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		buf_addf(out, "%02X", p[i]);
}

static void
refuse(struct ctl_link *k, struct buf *out, const char *text)
{
	buf_addf(out, "%s\r\n", text);
	k->closing = true;
}

static void
protocolinfo(struct ctl_link *k, const char *args, struct buf *out)
{
	const struct simtor *t = k->tor;
	char copy[64], *words[CTL_ARGS_MAX];

	if (!k->authed && (k->told || k->challenged)) {
		refuse(k, out, "514 Authentication required.");
		return;
	}
	k->told = true;
	snprintf(copy, sizeof copy, "%s", args);
	if (ctl_words(copy, words) > 0 && strspn(words[0], "0123456789") != strlen(words[0])) {
		buf_addf(out, "513 No such version \"%s\"\r\n", words[0]);
		k->closing = !k->authed;
		return;
	}
	buf_adds(out, "250-PROTOCOLINFO 1\r\n");
	if (has_cookie(t))
		buf_addf(out, "250-AUTH METHODS=%s COOKIEFILE=\"%s\"\r\n", t->quirk == QUIRK_COOKIE_ONLY ? "COOKIE" : "COOKIE,SAFECOOKIE",
		    t->cookie_path);
	else
		buf_adds(out, "250-AUTH METHODS=NULL\r\n");
	buf_addf(out, "250-VERSION Tor=\"%s\"\r\n250 OK\r\n", t->version);
}

/* An argument in tor's words: bare, or in quotes. */
static int
unquote(char *s)
{
	size_t n = strlen(s);

	if (s[0] != '"')
		return 0;
	if (n < 2 || s[n - 1] != '"')
		return -1;
	memmove(s, s + 1, n - 2);
	s[n - 2] = '\0';
	return 0;
}

static void
authchallenge(struct ctl_link *k, const char *args, struct buf *out)
{
	static const struct ctl_syntax syntax = { "AUTHCHALLENGE", 1, CTL_ARGS_MAX, no_keys };
	static const uint8_t unknown[32];
	struct ctl_args a;
	uint8_t hash[32];
	size_t n;

	if (k->challenged && !k->authed) {
		refuse(k, out, "514 Authentication required.");
		return;
	}
	if (ctl_args_parse(&a, &syntax, args, out) != 0)
		return;
	if (strchr(args, '=') != NULL) {
		refuse(k, out, "512 AUTHCHALLENGE does not accept keyword arguments.");
	} else if (strcasecmp(a.pos[0], "SAFECOOKIE") != 0) {
		refuse(k, out, "513 AUTHCHALLENGE only supports SAFECOOKIE authentication");
	} else if (!has_cookie(k->tor)) {
		refuse(k, out, "515 Cookie authentication is disabled");
	} else if (a.n_pos != 2) {
		refuse(k, out, "512 Wrong number of arguments for AUTHCHALLENGE");
	} else if (n = unquote(a.pos[1]) == 0 ? strlen(a.pos[1]) : 1, n % 2 != 0 || n > 128 ||
	    hex_decode_any(k->client_nonce, n / 2, a.pos[1], n) != 0) {
		refuse(k, out, "513 Invalid base16 client nonce");
	} else {
		k->challenged = true;
		k->client_nonce_len = n / 2;
		sim_bytes(DICE_TOR, k->nonce, sizeof k->nonce);
		safecookie_hash(hash, "Tor safe cookie authentication server-to-controller hash", k,
		    k->tor->quirk == QUIRK_WRONG_HASH ? unknown : k->tor->cookie);
		buf_adds(out, "250 AUTHCHALLENGE SERVERHASH=");
		add_hex(out, hash, 32);
		buf_adds(out, " SERVERNONCE=");
		add_hex(out, k->nonce, 32);
		buf_adds(out, "\r\n");
	}
	ctl_args_free(&a);
}

/* 0 and the bytes, or -1 when the refusal is in `out`. */
static int
given_secret(struct ctl_link *k, const char *args, uint8_t *secret, size_t *n, struct buf *out)
{
	static const struct ctl_syntax syntax = { "AUTHENTICATE", 0, CTL_ARGS_MAX, no_keys };
	struct ctl_args a;
	int ret = -1;

	*n = 0;
	if (args[0] == '"' && (strlen(args) < 2 || args[strlen(args) - 1] != '"')) {
		buf_adds(out, "512 Bad arguments to AUTHENTICATE: Cannot parse keyword argument(s)\r\n");
		return -1;
	}
	if (ctl_args_parse(&a, &syntax, args, out) != 0)
		return -1;
	if (a.n_pos == 1 && a.pos[0][0] != '"' && strchr(a.pos[0], '=') != NULL) {
		refuse(k, out, "512 AUTHENTICATE does not accept keyword arguments.");
	} else if (a.n_pos > 1 && args[0] != '"') {
		refuse(k, out, "512 Too many arguments to AUTHENTICATE.");
	} else if (args[0] == '"') {
		*n = strlen(args) - 2 < 128 ? strlen(args) - 2 : 128;
		memcpy(secret, args + 1, *n);
		ret = 0;
	} else if (a.n_pos == 1 && (strlen(a.pos[0]) > 256 || strlen(a.pos[0]) % 2 != 0 ||
	    hex_decode_any(secret, strlen(a.pos[0]) / 2, a.pos[0], strlen(a.pos[0])) != 0)) {
		refuse(k, out, "551 Invalid hexadecimal encoding.  Maybe you tried a plain text password?  If so, the standard requires that "
			       "you put it in double quotes.");
	} else {
		*n = a.n_pos == 1 ? strlen(a.pos[0]) / 2 : 0;
		ret = 0;
	}
	ctl_args_free(&a);
	return ret;
}

static void
authenticate(struct ctl_link *k, const char *args, struct buf *out)
{
	uint8_t secret[128], want[32];
	size_t n;

	if (given_secret(k, args, secret, &n, out) != 0)
		return;
	if (!has_cookie(k->tor)) {
		if (n > 0 && k->tor->quirk == QUIRK_NULL_AUTH)
			sim_violation("I12", "tor %s, an impostor, was given a secret", k->tor->name);
		k->authed = true;
	} else if (!k->challenged) {
		if (n == 32 && memcmp(secret, k->tor->cookie, 32) == 0)
			sim_violation("I12", "the cookie itself was sent to tor %s", k->tor->name);
		refuse(k, out, n != 32 ? "515 Authentication failed: Wrong length on authentication cookie."
				       : "515 Authentication failed: Authentication cookie did not match expected value.");
		return;
	} else {
		safecookie_hash(want, "Tor safe cookie authentication controller-to-server hash", k, k->tor->cookie);
		if (k->tor->quirk == QUIRK_WRONG_HASH)
			sim_violation("I1", "a hash was sent to tor %s, which had not proved itself", k->tor->name);
		if (n != 32 || memcmp(secret, want, 32) != 0) {
			refuse(k, out, n != 32 ? "515 Authentication failed: Wrong length for safe cookie response."
					       : "515 Authentication failed: Safe cookie response did not match expected value.");
			return;
		}
		k->authed = true;
		k->challenged = false;
	}
	buf_adds(out, "250 OK\r\n");
}

void
answer_auth(struct ctl_link *k, const struct ctl_line *l, struct buf *out)
{
	if (l->verb == CTL_PROTOCOLINFO)
		protocolinfo(k, l->args, out);
	else if (l->verb == CTL_AUTHCHALLENGE)
		authchallenge(k, l->args, out);
	else if (l->verb == CTL_AUTHENTICATE)
		authenticate(k, l->args, out);
	else if (l->verb == CTL_QUIT)
		refuse(k, out, "250 closing connection");
	else
		refuse(k, out, "514 Authentication required.");
}
