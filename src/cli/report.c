/* SPDX-License-Identifier: BSD-3-Clause */
/* What a verified list says: text and JSON, the same for every reader verb. */
#include "config.h"
#include "cli/report.h"

#include "cli/cli.h"

#include <stdio.h>

static json_t *
members_json(const om_site *site)
{
	json_t *list = json_array();
	const om_member *m;
	size_t i;

	for (i = 0; (m = om_site_member(site, i)) != NULL; i++)
		json_array_append_new(
		    list, json_pack("{s:s,s:s,s:I,s:I,s:I,s:I}", "name", om_member_name(m), "status",
			      om_reason_name(om_member_status(m)), "serial", (json_int_t)om_member_serial(m), "issued",
			      (json_int_t)om_member_issued(m), "fresh_until", (json_int_t)om_member_fresh_until(m),
			      "valid_until", (json_int_t)om_member_valid_until(m)));
	return list;
}

static json_t *
mirrors_json(const om_site *site)
{
	json_t *list = json_array();
	const om_mirror *m;
	size_t i;

	for (i = 0; (m = om_site_mirror(site, i)) != NULL; i++)
		json_array_append_new(
		    list, json_pack("{s:s,s:s,s:s,s:s,s:I}", "onion", om_mirror_onion(m), "url", om_mirror_url(m),
			      "role", om_mirror_role(m), "member", om_mirror_member(m), "valid_until",
			      (json_int_t)om_mirror_valid_until(m)));
	return list;
}

void
report_add_json(json_t *o, const om_site *site, int with_mirrors)
{
	json_object_set_new(o, "site", json_string(om_site_id(site)));
	json_object_set_new(o, "pinned", json_boolean(om_site_is_pinned(site)));
	json_object_set_new(o, "members", members_json(site));
	json_object_set_new(o, "mirrors", with_mirrors ? mirrors_json(site) : json_array());
}

static void
print_member(const om_member *m, int64_t now)
{
	char when[32], until[32];
	const char *status = om_reason_name(om_member_status(m));

	if (om_member_serial(m) == 0) {
		printf("member   %s: %s\n", om_member_name(m), status);
		return;
	}
	cli_format_age(when, om_member_issued(m), now);
	cli_format_age(until, om_member_valid_until(m), now);
	printf("member   %s: %s, serial %llu, issued %s, runs out %s%s\n", om_member_name(m), status,
	    (unsigned long long)om_member_serial(m), when, until,
	    now > om_member_fresh_until(m) ? " (a newer one is overdue)" : "");
}

void
report_print(const om_site *site, int64_t now)
{
	const om_member *m;
	const om_mirror *r;
	size_t i;

	printf("site     %s\n         %s\n", om_site_name(site), om_site_id(site));
	for (i = 0; (m = om_site_member(site, i)) != NULL; i++)
		print_member(m, now);
	for (i = 0; (r = om_site_mirror(site, i)) != NULL; i++)
		printf("%-8s %s\n", om_mirror_role(r), om_mirror_url(r));
	printf("verified %zu addresses, each signed for by its own key and listed by a certified member\n",
	    om_site_mirror_count(site));
}

size_t
report_count_stale(const om_site *site, int64_t now)
{
	const om_member *m;
	size_t i, n = 0;

	for (i = 0; (m = om_site_member(site, i)) != NULL; i++)
		n += om_member_serial(m) > 0 && now > om_member_fresh_until(m);
	return n;
}

void
report_warn_unpinned(const om_site *site)
{
	if (!om_site_is_pinned(site))
		cli_fail(0, "NOTHING WAS PINNED: this list is consistent, but anybody can make a consistent list. "
			    "Give --site with the id that you got from somewhere you trust.");
}

int
report_warn_fork(const char *path, bool kept)
{
	cli_fail(0, "FORK: two lists that can't both be honest are signed by the same key. Tell the people of the site: "
		    "the key may be in other hands.");
	if (kept)
		return cli_fail(CLI_UNVERIFIED, "both are kept as evidence in %s", path);
	return cli_fail(CLI_UNVERIFIED, "NOT KEPT as evidence: %s has no room for more of it; keep a copy of the list yourself", path);
}
