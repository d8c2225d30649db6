/* SPDX-License-Identifier: BSD-3-Clause */
/* How tor reads ADD_ONION, DEL_ONION and HSFETCH, with its refusals in its order. Owns nothing. */
#include "config.h"
#include "sim/ctl.h"

#include "base/enc.h"
#include "base/mem.h"
#include "proto/onion.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const add_keys[] = { "Port", "Flags", "MaxStreams", "PoWDefensesEnabled", "PoWQueueRate", "PoWQueueBurst",
	"ClientAuth", "ClientAuthV3", NULL };
static const struct ctl_syntax add_syntax = { "ADD_ONION", 1, 1, add_keys };
static const struct ctl_syntax del_syntax = { "DEL_ONION", 1, 1, NULL };
static const char *const fetch_keys[] = { "SERVER", NULL };
static const struct ctl_syntax fetch_syntax = { "HSFETCH", 1, 1, fetch_keys };

/* The curve's check takes a tenth of a millisecond, and the same few addresses come again and again. */
bool
ctl_onion_ok(const char *lower)
{
	static char good[64][57];
	unsigned h = 0, i;

	for (i = 0; i < 8 && lower[i] != '\0'; i++)
		h = h * 31 + (uint8_t)lower[i];
	if (strcmp(good[h % 64], lower) == 0 && lower[0] != '\0')
		return true;
	if (!onion_addr_valid(lower))
		return false;
	memcpy(good[h % 64], lower, 57);
	return true;
}

static int
refuse(struct buf *reply, const char *text)
{
	buf_addf(reply, "%s\r\n", text);
	return -1;
}

/* Decimal digits only, whole text, within [0, max]. */
static bool
number(unsigned long *out, const char *s, unsigned long max)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)s[0]) || strlen(s) > 12)
		return false;
	v = strtoull(s, &end, 10);
	if (*end != '\0' || v > max)
		return false;
	*out = (unsigned long)v;
	return true;
}

static bool
ip_literal(const char *host)
{
	unsigned char raw[16];
	char inner[64];
	size_t n = strlen(host);

	if (n > 2 && host[0] == '[' && host[n - 1] == ']' && n < sizeof inner) {
		snprintf(inner, sizeof inner, "%.*s", (int)(n - 2), host + 1);
		return inet_pton(AF_INET6, inner, raw) == 1;
	}
	return inet_pton(AF_INET, host, raw) == 1;
}

/* "80", "80,8080", "80,127.0.0.1", "80,127.0.0.1:8080", "80,[::1]:1", "80,unix:/x". Names are not played: tor would resolve them. */
static bool
parse_port(struct ctl_port *out, const char *value)
{
	char copy[160], *target, *colon;
	unsigned long virt, port;

	if (strlen(value) >= sizeof copy)
		return false;
	snprintf(copy, sizeof copy, "%s", value);
	target = strchr(copy, ',');
	if (target != NULL)
		*target++ = '\0';
	if (!number(&virt, copy, 65535) || virt == 0)
		return false;
	out->virt = (uint16_t)virt;
	snprintf(out->target, sizeof out->target, "%.127s", target != NULL ? target : "");
	if (target == NULL || strncmp(target, "unix:", 5) == 0)
		return true;
	if (number(&port, target, 65535))
		return port > 0;
	colon = strrchr(target, ':');
	if (colon != NULL && strchr(colon, ']') == NULL) {
		*colon = '\0';
		if (!number(&port, colon + 1, 65535) || port == 0)
			return false;
	}
	return ip_literal(target);
}

static int
parse_flags(struct ctl_add_onion *out, char *value, struct buf *reply)
{
	char *flag, *rest = value;
	bool any = false;

	while ((flag = strsep(&rest, ",")) != NULL) {
		if (*flag == '\0')
			continue;
		any = true;
		if (strcasecmp(flag, "DiscardPK") == 0) {
			out->discard_pk = true;
		} else if (strcasecmp(flag, "Detach") == 0) {
			out->detach = true;
		} else if (strcasecmp(flag, "MaxStreamsCloseCircuit") == 0) {
			out->close_circuit = true;
		} else if (strcasecmp(flag, "V3Auth") == 0) {
			return refuse(reply, "512 No auth clients specified");
		} else if (strcasecmp(flag, "NonAnonymous") == 0) {
			return refuse(reply, "512 Tor is in anonymous hidden service mode");
		} else {
			buf_addf(reply, "512 Invalid 'Flags' argument: \"%s\"\r\n", flag);
			return -1;
		}
	}
	return any ? 0 : refuse(reply, "512 Invalid 'Flags' argument");
}

static int
parse_keyword(struct ctl_add_onion *out, const char *key, char *value, struct buf *reply)
{
	unsigned long n = 0;

	if (strcasecmp(key, "Port") == 0) {
		if (out->n_ports == CTL_PORTS_MAX || !parse_port(&out->ports[out->n_ports], value))
			return refuse(reply, "512 Invalid VIRTPORT/TARGET");
		out->n_ports++;
	} else if (strcasecmp(key, "Flags") == 0) {
		return parse_flags(out, value, reply);
	} else if (strcasecmp(key, "MaxStreams") == 0) {
		if (!number(&n, value, 65535))
			return refuse(reply, "512 Invalid MaxStreams");
		out->max_streams = (unsigned)n;
	} else if (strcasecmp(key, "PoWDefensesEnabled") == 0) {
		if (!number(&n, value, 1))
			return refuse(reply, "512 Invalid PoWDefensesEnabled");
		out->pow = n == 1;
	} else if (strcasecmp(key, "PoWQueueRate") == 0 || strcasecmp(key, "PoWQueueBurst") == 0) {
		if (!number(&n, value, 4294967295UL)) {
			buf_addf(reply, "512 Invalid %s\r\n", strcasecmp(key, "PoWQueueRate") == 0 ? "PoWQueueRate" : "PoWQueueBurst");
			return -1;
		}
	} else {
		return refuse(reply, "512 Cannot decode v3 client auth key");
	}
	return 0;
}

/* Standard base64, padding optional, and what is behind the padding is not looked at: as tor's decoder does. */
static int
decode_key(uint8_t key[64], const char *blob)
{
	char padded[B64_LEN(64) + 1];
	size_t n = strcspn(blob, "=");

	if (n != 86)
		return -1;
	snprintf(padded, sizeof padded, "%.86s==", blob);
	return b64_decode(key, 64, padded, 88);
}

static int
address_of(char address[57], const uint8_t key[64])
{
	uint8_t pub[32], scalar[32];
	int i;

	/* tor does not clamp again; libsodium's noclamp does not either. A zero scalar has no point. */
	memcpy(scalar, key, 32);
	for (i = 0; i < 32 && scalar[i] == 0; i++)
		;
	if (i == 32 || crypto_scalarmult_ed25519_base_noclamp(pub, scalar) != 0)
		return -1;
	return onion_from_pubkey(address, pub);
}

static int
parse_key(struct ctl_add_onion *out, const char *word, struct buf *reply)
{
	const char *colon = strchr(word, ':');
	size_t n;

	if (colon == NULL || colon == word || colon[1] == '\0')
		return refuse(reply, "512 Invalid key type/blob");
	n = (size_t)(colon - word);
	if (n == 3 && strncasecmp(word, "NEW", 3) == 0) {
		out->fresh_key = true;
		return strcasecmp(colon + 1, "BEST") == 0 || strcasecmp(colon + 1, "ED25519-V3") == 0
			   ? 0
			   : refuse(reply, "513 Invalid key type");
	}
	if (n != 10 || strncasecmp(word, "ED25519-V3", 10) != 0)
		return refuse(reply, "513 Invalid key type");
	if (decode_key(out->key, colon + 1) != 0)
		return refuse(reply, "512 Failed to decode ED25519-V3 key");
	return 0;
}

int
ctl_parse_add_onion(struct ctl_add_onion *out, const char *args, struct buf *reply)
{
	struct ctl_args a;
	size_t i;
	int ret = -1;

	memset(out, 0, sizeof *out);
	if (ctl_args_parse(&a, &add_syntax, args, reply) != 0)
		return -1;
	for (i = 0; i < a.n_kw; i++)
		if (parse_keyword(out, a.kw[i].key, a.kw[i].value, reply) != 0)
			goto out;
	if (out->n_ports == 0) {
		refuse(reply, "512 Missing 'Port' argument");
		goto out;
	}
	if (parse_key(out, a.pos[0], reply) != 0)
		goto out;
	if (!out->fresh_key && address_of(out->address, out->key) != 0) {
		refuse(reply, "551 Failed to generate onion address");
		goto out;
	}
	ret = 0;
out:
	ctl_args_free(&a);
	return ret;
}

int
ctl_parse_del_onion(char address[57], const char *args, struct buf *reply)
{
	struct ctl_args a;
	char lower[57];
	size_t i;
	int ret = 0;

	if (ctl_args_parse(&a, &del_syntax, args, reply) != 0)
		return -1;
	if (strlen(a.pos[0]) != 56) {
		ret = refuse(reply, "512 Malformed Onion Service id");
	} else {
		for (i = 0; i < 57; i++)
			lower[i] = (char)tolower((unsigned char)a.pos[0][i]);
		if (!ctl_onion_ok(lower))
			ret = refuse(reply, "512 Malformed Onion Service id");
		else if (strcmp(lower, a.pos[0]) != 0)
			ret = refuse(reply, "552 Unknown Onion Service id"); /* tor compares text */
		else
			memcpy(address, lower, 57);
	}
	ctl_args_free(&a);
	return ret;
}

int
ctl_parse_hsfetch(char address[57], const char *args, struct buf *reply)
{
	struct ctl_args a;
	char lower[57] = "";
	size_t i;
	int ret = 0;

	if (ctl_args_parse(&a, &fetch_syntax, args, reply) != 0)
		return -1;
	if (strlen(a.pos[0]) == 56)
		for (i = 0; i < 57; i++)
			lower[i] = (char)tolower((unsigned char)a.pos[0][i]);
	if (!ctl_onion_ok(lower)) {
		buf_addf(reply, "513 Invalid argument \"%s\"\r\n", a.pos[0]);
		ret = -1;
	} else if (a.n_kw > 0) {
		/* Which relays there are is not played. */
		buf_addf(reply, "552 Server \"%s\" not found\r\n", a.kw[0].value);
		ret = -1;
	} else {
		memcpy(address, lower, 57);
	}
	ctl_args_free(&a);
	return ret;
}
