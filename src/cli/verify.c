/* SPDX-License-Identifier: BSD-3-Clause */
/* onionmirror verify: judges a list file by libonionmirror alone, offline. */
#include "config.h"
#include "cli/cli.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/utc.h"

#include <errno.h>
#include <limits.h>
#include <onionmirror/onionmirror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUNDLE_MAX (4 * 1024 * 1024)
#define STORE_MAX (16 * 1024 * 1024)

struct verify {
	const char *site_id, *store; /* --site, --store */
	om_site *site;
	om_error fault; /* reason OM_OK: accepted */
};

/* DIR stands for DIR/bundle.json. */
static int
read_bundle(const char *path, char **out, size_t *len, struct err *e)
{
	char inside[PATH_MAX];
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		snprintf(inside, sizeof inside, "%s/bundle.json", path);
		path = inside;
	}
	return file_read(path, BUNDLE_MAX, FILE_PUBLIC, out, len, e);
}

static int
open_site(struct verify *v, struct err *e)
{
	char *text = NULL;
	size_t n;
	int r;

	if (v->store == NULL || (access(v->store, F_OK) != 0 && errno == ENOENT)) {
		r = om_site_open(&v->site, v->site_id, &v->fault);
	} else {
		if (file_read(v->store, STORE_MAX, FILE_SECRET, &text, &n, e) != 0)
			return -1;
		r = om_site_load(&v->site, v->site_id, text, n, &v->fault);
		free(text);
	}
	if (r != 0)
		err_set(e, ERR_STATE, "%s: %s", om_reason_name(v->fault.reason), v->fault.detail);
	return r;
}

static int
save_site(const struct verify *v, struct err *e)
{
	om_error fault;
	char *text;
	size_t n;
	int r;

	if (v->store == NULL || om_site_id(v->site)[0] == '\0')
		return 0;
	if (om_site_save(v->site, &text, &n, &fault) != 0)
		return err_set(e, ERR_MEMORY, "%s: %s", v->store, fault.detail);
	r = file_write(v->store, text, n, 0600, e);
	free(text);
	return r;
}

static json_t *
members_json(const struct verify *v)
{
	json_t *list = json_array();
	const om_member *m;
	size_t i;

	for (i = 0; (m = om_site_member(v->site, i)) != NULL; i++)
		json_array_append_new(list, json_pack("{s:s,s:s,s:I,s:I,s:I}", "name", om_member_name(m), "status",
		    om_reason_name(om_member_status(m)), "serial", (json_int_t)om_member_serial(m), "issued",
		    (json_int_t)om_member_issued(m), "valid_until", (json_int_t)om_member_valid_until(m)));
	return list;
}

static void
print_json(const struct verify *v)
{
	json_t *mirrors = json_array();
	const om_mirror *m;
	size_t i;

	for (i = 0; v->fault.reason == OM_OK && (m = om_site_mirror(v->site, i)) != NULL; i++)
		json_array_append_new(mirrors, json_pack("{s:s,s:s,s:s,s:s}", "onion", om_mirror_onion(m), "url",
		    om_mirror_url(m), "role", om_mirror_role(m), "member", om_mirror_member(m)));
	cli_print_json(json_pack("{s:b,s:s,s:s,s:s,s:b,s:o,s:o}", "ok", v->fault.reason == OM_OK, "reason",
	    om_reason_name(v->fault.reason), "detail", v->fault.detail, "site", om_site_id(v->site), "pinned",
	    om_site_is_pinned(v->site), "members", members_json(v), "mirrors", mirrors));
}

static void
print_text(const struct verify *v, int64_t now)
{
	char when[32], until[32];
	const om_member *m;
	const om_mirror *r;
	size_t i;

	printf("site     %s\n         %s\n", om_site_name(v->site), om_site_id(v->site));
	for (i = 0; (m = om_site_member(v->site, i)) != NULL; i++) {
		if (om_member_serial(m) == 0) {
			printf("member   %s: %s\n", om_member_name(m), om_reason_name(om_member_status(m)));
			continue;
		}
		cli_format_age(when, om_member_issued(m), now);
		cli_format_age(until, om_member_valid_until(m), now);
		printf("member   %s: %s, serial %llu, issued %s, runs out %s%s\n", om_member_name(m),
		    om_reason_name(om_member_status(m)), (unsigned long long)om_member_serial(m), when, until,
		    now > om_member_fresh_until(m) ? " (a newer one is overdue)" : "");
	}
	for (i = 0; (r = om_site_mirror(v->site, i)) != NULL; i++)
		printf("%-8s %s\n", om_mirror_role(r), om_mirror_url(r));
	printf("verified %zu addresses, each signed for by its own key and listed by a certified member\n",
	    om_site_mirror_count(v->site));
}

int
verb_verify(struct cli *c, int argc, char **argv)
{
	struct verify v = { 0 };
	const struct cli_opt opts[] = { { "site", NULL, &v.site_id }, { "store", NULL, &v.store }, { 0 } };
	int64_t now = clock_wall_s();
	struct err e = ERR_INIT;
	char *bytes = NULL;
	int code = CLI_FAILED;
	size_t n;

	if (cli_take_options(c, &argc, argv, opts, &e) != 0 || c->help || argc != 2)
		return cli_usage("verify", &e);
	if (read_bundle(argv[1], &bytes, &n, &e) != 0 || open_site(&v, &e) != 0) {
		code = cli_fail(v.fault.reason == OM_WRONG_SITE ? CLI_UNVERIFIED : CLI_FAILED, "%s", e.msg);
		goto out;
	}
	if (om_site_feed_bundle(v.site, bytes, n, now, &v.fault) == 0)
		v.fault.reason = OM_OK;
	/* After a refusal too: what passed before the failing document is worth remembering. */
	if (save_site(&v, &e) != 0) {
		code = cli_fail(CLI_FAILED, "%s", e.msg);
		goto out;
	}
	code = v.fault.reason == OM_OK ? CLI_DONE : CLI_UNVERIFIED;
	if (c->json)
		print_json(&v);
	else if (code == CLI_DONE)
		print_text(&v, now);
	else
		cli_fail(code, "%s: REFUSED: %s: %s", argv[1], om_reason_name(v.fault.reason), v.fault.detail);
	if (code == CLI_DONE && !om_site_is_pinned(v.site))
		cli_fail(0, "NOTHING WAS PINNED: this list is consistent, but anybody can make a consistent list. "
		    "Give --site with the id that you got from somewhere you trust.");
out:
	free(bytes);
	om_site_close(v.site);
	return code;
}
