/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one encoder of tor commands. Each function checks its arguments against
 * a set of characters, writes one line, and takes it back if the buffer failed.
 */
#include "config.h"
#include "proto/command.h"

#include "base/enc.h"
#include "base/mem.h"
#include "proto/onion.h"

#include <string.h>

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool
is_of(const char *s, const char *set, size_t min, size_t max)
{
	size_t n = strnlen(s, max + 1);

	return n >= min && n <= max && strspn(s, set) == n;
}

static int
finish(struct buf *out, size_t start, struct err *e)
{
	buf_adds(out, "\r\n");
	if (buf_ok(out))
		return 0;
	/* Half a command must never be sent. */
	out->len = start;
	if (out->data != NULL)
		out->data[start] = '\0';
	return err_set(e, ERR_MEMORY, "no room for the command");
}

static int
need_secret(const struct buf *out, struct err *e)
{
	return out->secret ? 0 : err_set(e, ERR_PROTO, "a secret needs a secret buffer");
}

/* Two words; the second has been checked. */
static int
command_with(struct buf *out, const char *command, const char *arg, struct err *e)
{
	size_t start = out->len;

	buf_adds(out, command);
	buf_adds(out, arg);
	return finish(out, start, e);
}

int
command_protocolinfo(struct buf *out, struct err *e)
{
	return command_with(out, "PROTOCOLINFO", " 1", e);
}

int
command_authchallenge(struct buf *out, const uint8_t *nonce, size_t n, struct err *e)
{
	char hex[HEX_LEN(64) + 1];

	if (n < 1 || n > 64)
		return err_set(e, ERR_PROTO, "AUTHCHALLENGE: a nonce of %zu bytes", n);
	hex_encode(hex, nonce, n);
	return command_with(out, "AUTHCHALLENGE SAFECOOKIE ", hex, e);
}

int
command_authenticate_hash(struct buf *out, const uint8_t hash[32], struct err *e)
{
	char hex[HEX_LEN(32) + 1];
	int rc;

	if (need_secret(out, e) != 0)
		return -1;
	hex_encode(hex, hash, 32);
	rc = command_with(out, "AUTHENTICATE ", hex, e);
	mem_wipe(hex, sizeof hex);
	return rc;
}

int
command_authenticate_password(struct buf *out, const char *password, size_t n, struct err *e)
{
	size_t i, start = out->len;

	if (need_secret(out, e) != 0)
		return -1;
	if (n < 1 || n > COMMAND_PASSWORD_MAX)
		return err_set(e, ERR_PROTO, "the control password must have 1 to %d bytes", COMMAND_PASSWORD_MAX);
	for (i = 0; i < n; i++)
		if ((unsigned char)password[i] < ' ' || password[i] == 0x7f)
			return err_set(e, ERR_PROTO, "the control password has a control character");
	buf_adds(out, "AUTHENTICATE \"");
	for (i = 0; i < n; i++) {
		if (password[i] == '"' || password[i] == '\\')
			buf_adds(out, "\\");
		buf_add(out, password + i, 1);
	}
	buf_adds(out, "\"");
	return finish(out, start, e);
}

int
command_authenticate_bare(struct buf *out, struct err *e)
{
	return command_with(out, "AUTHENTICATE", "", e);
}

int
command_getinfo(struct buf *out, const char *key, struct err *e)
{
	if (!is_of(key, LOWER UPPER DIGITS "/._-", 1, 128))
		return err_set(e, ERR_PROTO, "GETINFO: this is not a key");
	return command_with(out, "GETINFO ", key, e);
}

int
command_getconf(struct buf *out, const char *key, struct err *e)
{
	if (!is_of(key, LOWER UPPER DIGITS "_", 1, 64))
		return err_set(e, ERR_PROTO, "GETCONF: this is not a key");
	return command_with(out, "GETCONF ", key, e);
}

int
command_setevents(struct buf *out, const char *const *names, size_t n, struct err *e)
{
	size_t i, start = out->len;

	for (i = 0; i < n; i++)
		if (!is_of(names[i], UPPER DIGITS "_", 1, 32))
			return err_set(e, ERR_PROTO, "SETEVENTS: this is not an event");
	buf_adds(out, "SETEVENTS");
	for (i = 0; i < n; i++) {
		buf_adds(out, " ");
		buf_adds(out, names[i]);
	}
	return finish(out, start, e);
}

/* A struct can hold what the parser of endpoints would refuse; only what it takes goes to tor. */
static int
check_port(const struct command_add_onion *cmd, size_t k, char text[ENDPOINT_TEXT_MAX], struct err *e)
{
	const struct command_port *port = &cmd->ports[k];
	struct endpoint again;
	size_t i;

	if (port->virt == 0)
		return err_set(e, ERR_PROTO, "ADD_ONION: virtual port 0");
	for (i = 0; i < k; i++)
		if (cmd->ports[i].virt == port->virt)
			return err_set(e, ERR_PROTO, "ADD_ONION: virtual port %u twice", port->virt);
	endpoint_format(text, &port->target);
	if (endpoint_parse(&again, text, NULL) != 0 || !endpoint_equal(&again, &port->target))
		return err_set(e, ERR_PROTO, "ADD_ONION: the target of port %u is not a valid endpoint", port->virt);
	return 0;
}

int
command_add_onion(struct buf *out, const struct command_add_onion *cmd, struct err *e)
{
	char key[B64_LEN(64) + 1], target[ENDPOINT_TEXT_MAX];
	size_t i, start = out->len;

	if (need_secret(out, e) != 0)
		return -1;
	if (cmd->n_ports < 1 || cmd->n_ports > COMMAND_PORTS_MAX || cmd->max_streams > 65535)
		return err_set(e, ERR_PROTO, "ADD_ONION: %zu ports, %u streams", cmd->n_ports, cmd->max_streams);
	for (i = 0; i < cmd->n_ports; i++)
		if (check_port(cmd, i, target, e) != 0)
			return -1;
	b64_encode(key, cmd->key64, 64);
	buf_adds(out, "ADD_ONION ED25519-V3:");
	buf_adds(out, key);
	mem_wipe(key, sizeof key);
	buf_adds(out, " Flags=DiscardPK,Detach");
	if (cmd->max_streams > 0)
		buf_addf(out, " MaxStreams=%u", cmd->max_streams);
	for (i = 0; i < cmd->n_ports; i++) {
		endpoint_format(target, &cmd->ports[i].target);
		buf_addf(out, " Port=%u,%s", cmd->ports[i].virt, target);
	}
	if (cmd->pow)
		buf_adds(out, " PoWDefensesEnabled=1");
	return finish(out, start, e);
}

static int
command_address(struct buf *out, const char *command, const char *address, struct err *e)
{
	if (!onion_addr_shape(address, strnlen(address, 57)))
		return err_set(e, ERR_PROTO, "%sneeds an onion address of 56 characters", command);
	return command_with(out, command, address, e);
}

int
command_del_onion(struct buf *out, const char *address, struct err *e)
{
	return command_address(out, "DEL_ONION ", address, e);
}

int
command_hsfetch(struct buf *out, const char *address, struct err *e)
{
	return command_address(out, "HSFETCH ", address, e);
}

int
command_closecircuit(struct buf *out, const char *id, struct err *e)
{
	if (!is_of(id, LOWER UPPER DIGITS, 1, 16))
		return err_set(e, ERR_PROTO, "CLOSECIRCUIT: this is not a circuit's id");
	return command_with(out, "CLOSECIRCUIT ", id, e);
}

int
command_quit(struct buf *out, struct err *e)
{
	return command_with(out, "QUIT", "", e);
}
