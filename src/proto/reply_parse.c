/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The replies that have a shape of their own: PROTOCOLINFO, AUTHCHALLENGE,
 * ADD_ONION. Owns nothing; results are copies.
 */
#include "config.h"
#include "proto/reply.h"

#include "base/enc.h"
#include "proto/onion.h"

#include <string.h>

/* If the line begins with the word, what is behind it (at its space or NUL), else NULL. */
static const char *
after_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	return strncmp(text, word, n) == 0 && (text[n] == ' ' || text[n] == '\0') ? text + n : NULL;
}

static unsigned
method_bit(const char *s, size_t n)
{
	static const struct {
		const char *name;
		unsigned bit;
	} table[] = {
		{ "NULL", REPLY_AUTH_NULL },
		{ "HASHEDPASSWORD", REPLY_AUTH_HASHEDPASSWORD },
		{ "COOKIE", REPLY_AUTH_COOKIE },
		{ "SAFECOOKIE", REPLY_AUTH_SAFECOOKIE },
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strlen(table[i].name) == n && memcmp(table[i].name, s, n) == 0)
			return table[i].bit;
	return 0;
}

static int
parse_auth_line(struct reply_protocolinfo *out, const char *args, struct err *e)
{
	char methods[256];
	const char *s;
	struct err own = ERR_INIT;
	size_t n;

	if (reply_keyword_value(args, "METHODS", methods, sizeof methods, e) != 0)
		return err_prefix(e, "PROTOCOLINFO");
	for (s = methods; *s != '\0'; s += n + (s[n] == ',')) {
		n = strcspn(s, ",");
		out->methods |= method_bit(s, n);
	}
	if (reply_keyword_value(args, "COOKIEFILE", out->cookie_file, sizeof out->cookie_file, &own) == 0 ||
	    own.code == ERR_NOTFOUND)
		return 0;
	return err_set(e, own.code, "PROTOCOLINFO: COOKIEFILE: %s", own.msg);
}

static int
parse_version_line(struct reply_protocolinfo *out, const char *args, struct err *e)
{
	if (reply_keyword_value(args, "Tor", out->version_text, sizeof out->version_text, e) != 0)
		return err_prefix(e, "PROTOCOLINFO: VERSION");
	return tor_version_parse(&out->version, out->version_text, e);
}

int
reply_protocolinfo(struct reply_protocolinfo *out, const struct reply *r, struct err *e)
{
	struct reply_protocolinfo info = { 0 };
	unsigned n_auth = 0, n_version = 0;
	const char *args;
	size_t i;

	if (reply_check(r, e) != 0)
		return -1;
	args = after_word(r->lines[0].text, "PROTOCOLINFO");
	if (r->code != 250 || args == NULL || args[0] == '\0' || strspn(args, " 0123456789") != strlen(args))
		return err_set(e, ERR_PARSE, "this is no answer to PROTOCOLINFO");
	for (i = 1; i < r->n_lines; i++) {
		if ((args = after_word(r->lines[i].text, "AUTH")) != NULL) {
			n_auth++;
			if (n_auth == 1 && parse_auth_line(&info, args, e) != 0)
				return -1;
		} else if ((args = after_word(r->lines[i].text, "VERSION")) != NULL) {
			n_version++;
			if (n_version == 1 && parse_version_line(&info, args, e) != 0)
				return -1;
		}
	}
	if (n_auth != 1 || n_version > 1)
		return err_set(e, ERR_PARSE, "PROTOCOLINFO: %u AUTH lines and %u VERSION lines", n_auth, n_version);
	*out = info;
	return 0;
}

static int
parse_hex_keyword(const char *text, const char *key, uint8_t out[32], struct err *e)
{
	char hex[HEX_LEN(32) + 1];

	if (reply_keyword_value(text, key, hex, sizeof hex, e) != 0)
		return err_prefix(e, "AUTHCHALLENGE: %s", key);
	if (hex_decode_any(out, 32, hex, strlen(hex)) != 0)
		return err_set(e, ERR_PARSE, "AUTHCHALLENGE: %s is not 32 bytes of hex", key);
	return 0;
}

int
reply_authchallenge(struct reply_authchallenge *out, const struct reply *r, struct err *e)
{
	struct reply_authchallenge c;
	const char *args;

	if (reply_check(r, e) != 0)
		return -1;
	args = after_word(r->lines[0].text, "AUTHCHALLENGE");
	if (r->code != 250 || args == NULL || r->n_lines != 1)
		return err_set(e, ERR_PARSE, "this is no answer to AUTHCHALLENGE");
	if (parse_hex_keyword(args, "SERVERHASH", c.server_hash, e) != 0 ||
	    parse_hex_keyword(args, "SERVERNONCE", c.server_nonce, e) != 0)
		return -1;
	*out = c;
	return 0;
}

int
reply_add_onion(struct reply_add_onion *out, const struct reply *r, struct err *e)
{
	static const char id_key[] = "ServiceID=", private_key[] = "PrivateKey=";
	const char *id = NULL;
	size_t i;

	if (reply_check(r, e) != 0)
		return -1;
	for (i = 0; i < r->n_lines; i++) {
		const char *text = r->lines[i].text;

		if (strncmp(text, private_key, sizeof private_key - 1) == 0)
			return err_set(e, ERR_PROTO, "tor sent a private key that was not asked for");
		if (strncmp(text, id_key, sizeof id_key - 1) != 0)
			continue;
		if (id != NULL)
			return err_set(e, ERR_PARSE, "ADD_ONION: two ServiceIDs");
		id = text + sizeof id_key - 1;
	}
	if (r->code != 250 || id == NULL)
		return err_set(e, ERR_PARSE, "ADD_ONION: an answer without ServiceID");
	if (!onion_addr_shape(id, strlen(id)))
		return err_set(e, ERR_PARSE, "ADD_ONION: the ServiceID is not an onion address");
	memcpy(out->service_id, id, 56 + 1);
	return 0;
}
