/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How tor takes a command line apart: verb, words, positional and keyword
 * arguments, with the refusals that a real tor answers. Owns nothing but the
 * copy inside struct ctl_args.
 */
#include "config.h"
#include "sim/ctl.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	enum ctl_verb verb;
	const char *name;
} verbs[] = {
	{ CTL_PROTOCOLINFO, "PROTOCOLINFO" },
	{ CTL_AUTHCHALLENGE, "AUTHCHALLENGE" },
	{ CTL_AUTHENTICATE, "AUTHENTICATE" },
	{ CTL_GETINFO, "GETINFO" },
	{ CTL_GETCONF, "GETCONF" },
	{ CTL_SETEVENTS, "SETEVENTS" },
	{ CTL_ADD_ONION, "ADD_ONION" },
	{ CTL_DEL_ONION, "DEL_ONION" },
	{ CTL_HSFETCH, "HSFETCH" },
	{ CTL_CLOSECIRCUIT, "CLOSECIRCUIT" },
	{ CTL_QUIT, "QUIT" },
	{ CTL_KNOWN, "SETCONF" },
	{ CTL_KNOWN, "RESETCONF" },
	{ CTL_KNOWN, "+LOADCONF" },
	{ CTL_KNOWN, "SAVECONF" },
	{ CTL_KNOWN, "SIGNAL" },
	{ CTL_KNOWN, "TAKEOWNERSHIP" },
	{ CTL_KNOWN, "DROPOWNERSHIP" },
	{ CTL_KNOWN, "MAPADDRESS" },
	{ CTL_KNOWN, "EXTENDCIRCUIT" },
	{ CTL_KNOWN, "SETCIRCUITPURPOSE" },
	{ CTL_KNOWN, "ATTACHSTREAM" },
	{ CTL_KNOWN, "REDIRECTSTREAM" },
	{ CTL_KNOWN, "CLOSESTREAM" },
	{ CTL_KNOWN, "+POSTDESCRIPTOR" },
	{ CTL_KNOWN, "+HSPOST" },
	{ CTL_KNOWN, "USEFEATURE" },
	{ CTL_KNOWN, "RESOLVE" },
	{ CTL_KNOWN, "DROPGUARDS" },
	{ CTL_KNOWN, "DROPTIMEOUTS" },
	{ CTL_KNOWN, "ONION_CLIENT_AUTH_ADD" },
	{ CTL_KNOWN, "ONION_CLIENT_AUTH_REMOVE" },
	{ CTL_KNOWN, "ONION_CLIENT_AUTH_VIEW" },
};

void
ctl_split(struct ctl_line *out, const char *line)
{
	size_t n = strcspn(line, " \t"), i;

	out->verb = CTL_UNKNOWN;
	snprintf(out->name, sizeof out->name, "%.*s", (int)(n < 31 ? n : 31), line);
	out->args = line + n + strspn(line + n, " \t");
	for (i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strncasecmp(verbs[i].name, line, n) == 0 && verbs[i].name[n] == '\0') {
			out->verb = verbs[i].verb;
			break;
		}
}

const char *
ctl_verb_name(enum ctl_verb v)
{
	size_t i;

	for (i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (verbs[i].verb == v)
			return verbs[i].name;
	return "";
}

size_t
ctl_words(char *text, char *words[CTL_ARGS_MAX])
{
	size_t n = 0;
	char *p = text;

	while (n < CTL_ARGS_MAX) {
		p += strspn(p, " \t");
		if (*p == '\0')
			break;
		words[n++] = p;
		p += strcspn(p, " \t");
		if (*p != '\0')
			*p++ = '\0';
	}
	return n;
}

static int
bad_args(struct buf *reply, const char *name, const char *why)
{
	buf_addf(reply, "512 Bad arguments to %s: %s\r\n", name, why);
	return -1;
}

static int
keyword(struct ctl_args *a, const struct ctl_syntax *syntax, char *word, struct buf *reply)
{
	static const char *const cannot = "Cannot parse keyword argument(s)";
	char *eq = strchr(word, '=');
	size_t i;

	/* tor takes no quotes here; a bare word behind the positional ones is no keyword. */
	if (eq == NULL || eq == word || strchr(eq, '"') != NULL || strchr(eq, '\'') != NULL)
		return bad_args(reply, syntax->name, cannot);
	*eq = '\0';
	for (i = 0; syntax->keys[i] != NULL; i++)
		if (strcasecmp(syntax->keys[i], word) == 0) {
			a->kw[a->n_kw].key = word;
			a->kw[a->n_kw++].value = eq + 1;
			return 0;
		}
	buf_addf(reply, "512 Bad arguments to %s: Unrecognized keyword argument \"%s\"\r\n", syntax->name, word);
	return -1;
}

int
ctl_args_parse(struct ctl_args *out, const struct ctl_syntax *syntax, const char *args, struct buf *reply)
{
	char *words[CTL_ARGS_MAX], text[80];
	size_t n, i;

	memset(out, 0, sizeof *out);
	out->copy = xstrdup(args);
	n = ctl_words(out->copy, words);
	for (i = 0; i < n && (out->n_pos < syntax->max || syntax->keys == NULL); i++)
		out->pos[out->n_pos++] = words[i];
	if (out->n_pos < syntax->min) {
		snprintf(text, sizeof text, "Need at least %zu argument(s)", syntax->min);
		bad_args(reply, syntax->name, text);
		goto refuse;
	}
	if (out->n_pos > syntax->max) {
		snprintf(text, sizeof text, "Cannot accept more than %zu argument(s)", syntax->max);
		bad_args(reply, syntax->name, text);
		goto refuse;
	}
	/* Syntax of all before the names of any. */
	for (; i < n; i++)
		if (keyword(out, syntax, words[i], reply) != 0)
			goto refuse;
	return 0;
refuse:
	ctl_args_free(out);
	return -1;
}

void
ctl_args_free(struct ctl_args *a)
{
	free(a->copy);
	a->copy = NULL;
}

int
ctl_parse_setevents(unsigned *mask, const char *args, struct buf *reply)
{
	static const char *const others[] = { "ORCONN", "BW", "DEBUG", "INFO", "NOTICE", "WARN", "ERR", "NEWDESC", "ADDRMAP",
		"DESCCHANGED", "NS", "STATUS_SERVER", "GUARD", "STREAM_BW", "CLIENTS_SEEN", "NEWCONSENSUS", "BUILDTIMEOUT_SET", "GOT_SIGNAL",
		"CONF_CHANGED", "CONN_BW", "CELL_STATS", "CIRC_BW", "TRANSPORT_LAUNCHED", "HS_DESC_CONTENT", "EXTENDED" };
	static const char *const ours[] = { "HS_DESC", "STATUS_CLIENT", "STATUS_GENERAL", "NETWORK_LIVENESS", "STREAM", "CIRC", "CIRC_MINOR" };
	char *copy = xstrdup(args), *words[CTL_ARGS_MAX];
	size_t n = ctl_words(copy, words), i, k;
	unsigned m = 0, bit;

	for (i = 0; i < n; i++) {
		for (bit = 0, k = 0; k < sizeof ours / sizeof ours[0]; k++)
			if (strcasecmp(words[i], ours[k]) == 0)
				bit = 1u << k;
		for (k = 0; bit == 0 && k < sizeof others / sizeof others[0]; k++)
			if (strcasecmp(words[i], others[k]) == 0)
				bit = CTL_EV_OTHER;
		if (bit == 0) {
			buf_addf(reply, "552 Unrecognized event \"%s\"\r\n", words[i]);
			free(copy);
			return -1;
		}
		m |= bit;
	}
	free(copy);
	*mask = m;
	return 0;
}
