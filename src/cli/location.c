/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * onion-location: the lines by which a clearnet site tells Tor Browser of its
 * onion (https://community.torproject.org/onion-services/advanced/onion-location/).
 * The path and query go over as the client sent them, never decoded.
 */
#include "config.h"
#include "cli/client.h"

#include "base/buf.h"
#include "proto/onion.h"

#include <stdio.h>
#include <string.h>

struct server {
	const char *name, *where;
	const char *before, *after; /* around http://<address> */
};

static const struct server servers[] = {
	{ "nginx",
	    "Belongs in the server block that answers https. A block with add_header lines of its own\n"
	    "# does not inherit this one: repeat it there.",
	    "add_header Onion-Location \"", "$request_uri\";" },
	{ "apache", "Belongs in the VirtualHost that answers https; needs mod_headers and mod_setenvif.",
	    "SetEnvIfExpr \"%{THE_REQUEST} =~ m#^[A-Z]+ (/[^ ]*)#\" onion_path=$1\nHeader set Onion-Location \"",
	    "%{onion_path}e\" env=onion_path" },
	{ "caddy", "Belongs in the block of the https site.", "header Onion-Location \"", "{uri}\"" },
	{ 0 },
};

static const struct server *
find_server(const char *name)
{
	const struct server *s;

	for (s = servers; name != NULL && s->name != NULL; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

static const char *
text_of(const json_t *m, const char *key)
{
	const char *s = json_string_value(json_object_get(m, key));

	return s != NULL ? s : "";
}

/* How well it serves as the one address to tell of: the site itself before copies, then what is up. */
static int
rank(const json_t *m)
{
	if (text_of(m, "listed")[0] == '\0')
		return 0;
	return 1 + (strcmp(text_of(m, "role"), "mirror") == 0) * 2 + (strcmp(text_of(m, "state"), "up") == 0);
}

/* The mirror of that name; without one the first of the best. */
static const json_t *
choose(const json_t *mirrors, const char *name)
{
	const json_t *m, *best = NULL;
	size_t i;

	json_array_foreach(mirrors, i, m) {
		if (name != NULL && strcmp(text_of(m, "name"), name) == 0)
			return m;
		if (name == NULL && rank(m) > (best != NULL ? rank(best) : 0))
			best = m;
	}
	return best;
}

/* What the daemon says is checked before it goes into somebody's web server. */
static int
make_url(struct buf *url, const json_t *m)
{
	const char *onion = text_of(m, "listed");
	char address[ONION_ADDR_LEN + 1];
	long long port = json_integer_value(json_object_get(m, "port"));

	if (strlen(onion) != ONION_HOST_LEN || strcmp(onion + ONION_ADDR_LEN, ".onion") != 0)
		return -1;
	snprintf(address, sizeof address, "%.56s", onion);
	if (!onion_addr_valid(address) || port < 1 || port > 65535)
		return -1;
	buf_addf(url, "http://%s", onion);
	if (port != 80)
		buf_addf(url, ":%lld", port);
	return 0;
}

static void
print_snippet(const struct cli *c, const struct server *s, const char *mirror, const char *url)
{
	struct buf text = BUF_INIT(8192);

	buf_addf(&text, "# Onion-Location for %s: mirror %s, as it is listed now. Made by onionmirror onion-location;\n"
	    "# make it again when the address has changed. %s\n%s%s%s\n", s->name, mirror, s->where, s->before, url, s->after);
	if (c->json)
		cli_print_json(json_pack("{s:s,s:s,s:s,s:s}", "server", s->name, "mirror", mirror, "url", url, "snippet",
		    buf_str(&text)));
	else
		fputs(buf_str(&text), stdout);
	buf_free(&text);
}

static int
show(const struct cli *c, const struct server *s, const json_t *mirrors, const char *name)
{
	const json_t *m = choose(mirrors, name);
	struct buf url = BUF_INIT(256);
	int code = CLI_DONE;

	if (m == NULL && name != NULL)
		code = cli_fail(CLI_FAILED, "there is no mirror \"%.40s\"", name);
	else if (m == NULL)
		code = cli_fail(CLI_FAILED, "no mirror is listed now, so there is no address to point to; see onionmirror mirrors");
	else if (text_of(m, "listed")[0] == '\0')
		code = cli_fail(CLI_FAILED, "mirror \"%.40s\" is not listed now (%s)", name, text_of(m, "state"));
	else if (make_url(&url, m) != 0)
		code = cli_fail(CLI_FAILED, "the daemon names an address that is none");
	else
		print_snippet(c, s, text_of(m, "name"), buf_str(&url));
	buf_free(&url);
	return code;
}

int
verb_onion_location(struct cli *c, int argc, char **argv)
{
	const char *name = NULL;
	const struct cli_opt opts[] = { { "server", NULL, &name }, { 0 } };
	const struct server *s;
	struct err e = ERR_INIT;
	struct client *cl;
	json_t *result;
	int code;

	if (cli_take_options(c, &argc, argv, opts, &e) != 0 || c->help || argc > 2)
		return cli_usage(argv[0], &e);
	if ((s = find_server(name)) == NULL) {
		err_set(&e, ERR_CONFIG, "--server is needed: nginx, apache or caddy");
		return cli_usage(argv[0], &e);
	}
	if ((cl = client_open(c, &e)) == NULL)
		return client_fail(&e);
	result = client_call(cl, "mirrors", NULL, &e);
	client_close(cl);
	if (result == NULL)
		return client_fail(&e);
	code = show(c, s, json_object_get(result, "mirrors"), argc == 2 ? argv[1] : NULL);
	json_decref(result);
	return code;
}
