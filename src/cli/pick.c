/* SPDX-License-Identifier: BSD-3-Clause */
/* onionmirror pick, onionmirror is-mirror: questions to the list that was accepted last. No network. */
#include "config.h"
#include "cli/cli.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/report.h"
#include "cli/trust.h"
#include "proto/onion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICK_MAX 10000

/* Warns when a newer list is overdue. */
static void
warn_stale(const om_site *site, int64_t now)
{
	size_t n = report_count_stale(site, now);

	if (n > 0)
		cli_fail(0, "the list is old: a newer one is overdue from %zu of %zu members; run onionmirror fetch", n,
		    om_site_member_count(site));
}

/* Up to `want` different mirrors in random order; their number. */
static size_t
choose(const om_site *site, int64_t now, size_t want, const om_mirror **out)
{
	size_t i, at, n = 0, have = 0;
	const om_mirror *m, **all;
	uint64_t random;

	if (want == 1) {
		/* Proves only the one it picks. */
		rng_bytes(&random, sizeof random);
		out[0] = om_site_pick(site, now, random);
		return out[0] != NULL;
	}
	all = xcalloc(om_site_mirror_count(site) + 1, sizeof *all);
	for (i = 0; (m = om_site_mirror(site, i)) != NULL; i++)
		if (om_site_is_mirror(site, om_mirror_onion(m), now) == OM_IS_MIRROR)
			all[n++] = m;
	while (have < want && n > 0) {
		at = rng_below(n);
		out[have++] = all[at];
		all[at] = all[--n];
	}
	free(all);
	return have;
}

static void
print_mirrors(const struct cli *c, const om_site *site, int64_t now, const om_mirror **list, size_t n)
{
	json_t *o, *a = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		if (c->json)
			json_array_append_new(a, json_pack("{s:s,s:s,s:s,s:I}", "onion", om_mirror_onion(list[i]),
						     "url", om_mirror_url(list[i]), "role", om_mirror_role(list[i]),
						     "valid_until", (json_int_t)om_mirror_valid_until(list[i])));
		else
			puts(om_mirror_url(list[i]));
	o = json_pack("{s:s,s:b,s:b,s:o}", "site", om_site_id(site), "pinned", om_site_is_pinned(site), "stale",
	    report_count_stale(site, now) > 0, "mirrors", a);
	if (c->json)
		cli_print_json(o);
	else
		json_decref(o);
}

/* The memory that --site and --store name. */
static int
open_known(struct trust *t, const char *site_id, const char *store, struct err *e)
{
	return trust_locate(t, site_id, store, e) != 0 ? -1 : trust_read(t, site_id, e);
}

int
verb_pick(struct cli *c, int argc, char **argv)
{
	const char *site_id = NULL, *store = NULL, *count = "1";
	const struct cli_opt opts[] = { { "site", NULL, &site_id }, { "store", NULL, &store }, { "n", NULL, &count },
		{ 0 } };
	const om_mirror **list = NULL;
	struct trust t = TRUST_INIT;
	int64_t now = clock_wall_s();
	struct err e = ERR_INIT;
	int code = CLI_DONE;
	char *end;
	size_t n;
	long want;

	if (cli_take_options(c, &argc, argv, opts, &e) != 0 || c->help || argc != 1)
		return cli_usage("pick", &e);
	want = strtol(count, &end, 10);
	if (*count == '\0' || *end != '\0' || want < 1 || want > PICK_MAX) {
		err_set(&e, ERR_PARSE, "-n %.20s: a number from 1 to %d", count, PICK_MAX);
		return cli_usage("pick", &e);
	}
	if (open_known(&t, site_id, store, &e) != 0) {
		code = cli_fail(trust_exit(&t), "%s", e.msg);
		goto out;
	}
	list = xcalloc((size_t)want, sizeof *list);
	n = choose(t.site, now, (size_t)want, list);
	if (n == 0) {
		code = cli_fail(
		    CLI_UNVERIFIED, "no address of %s is valid any more; run onionmirror fetch", om_site_id(t.site));
		goto out;
	}
	report_warn_unpinned(t.site);
	warn_stale(t.site, now);
	print_mirrors(c, t.site, now, list, n);
out:
	free(list);
	trust_close(&t);
	return code;
}

/* The address in what people paste: with or without http(s)://, ".onion", a port and a path. "" if it is none. */
static void
read_address(char out[ONION_HOST_LEN + 1], const char *text)
{
	uint8_t pk[ONION_PUBKEY_LEN];
	size_t n;

	if (strncmp(text, "http://", 7) == 0)
		text += 7;
	else if (strncmp(text, "https://", 8) == 0)
		text += 8;
	n = strcspn(text, "/:?#");
	out[0] = '\0';
	if (onion_to_pubkey(pk, text, n) == 0 || onion_from_host(pk, NULL, text, n) == 0)
		snprintf(out, ONION_HOST_LEN + 1, "%.56s.onion", text);
}

static const struct {
	const char *name, *help;
} answers[] = {
	[OM_IS_UNKNOWN] = { "unknown", "not on the list as far as this reader has seen it; do not trust it" },
	[OM_IS_MIRROR] = { "yes", "on the list, and its own key says so too" },
	[OM_IS_RETIRED] = { "retired", "was a mirror and has been replaced; use another: onionmirror pick" },
	[OM_IS_REVOKED] = { "revoked",
	    "WAS A MIRROR AND MUST NOT BE TRUSTED ANY MORE: it was seized or its key leaked" },
};

static const char no_address[] = "not a v3 onion address at all: a letter is wrong, or it is another kind of name";

int
verb_is_mirror(struct cli *c, int argc, char **argv)
{
	const char *site_id = NULL, *store = NULL, *help;
	const struct cli_opt opts[] = { { "site", NULL, &site_id }, { "store", NULL, &store }, { 0 } };
	char address[ONION_HOST_LEN + 1];
	struct trust t = TRUST_INIT;
	int64_t now = clock_wall_s();
	struct err e = ERR_INIT;
	om_answer answer;
	int code;

	if (cli_take_options(c, &argc, argv, opts, &e) != 0 || c->help || argc != 2)
		return cli_usage("is-mirror", &e);
	if (open_known(&t, site_id, store, &e) != 0) {
		code = cli_fail(trust_exit(&t), "%s", e.msg);
		goto out;
	}
	read_address(address, argv[1]);
	answer = om_site_is_mirror(t.site, address, now);
	help = address[0] != '\0' ? answers[answer].help : no_address;
	code = answer == OM_IS_MIRROR ? CLI_DONE : CLI_UNVERIFIED;
	if (c->json)
		cli_print_json(json_pack("{s:s,s:s,s:s,s:s,s:b,s:b}", "address", address, "answer",
		    answers[answer].name, "detail", help, "site", om_site_id(t.site), "pinned",
		    om_site_is_pinned(t.site), "stale", report_count_stale(t.site, now) > 0));
	else
		printf("%s: %s\n", answers[answer].name, help);
	fflush(stdout);
	report_warn_unpinned(t.site);
	warn_stale(t.site, now);
out:
	trust_close(&t);
	return code;
}
