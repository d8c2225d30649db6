/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * onionmirror fetch: asks several places for the list at once. Each answer is judged alone first, by a
 * reader who has seen nothing; then those that passed are fed to the memory, the oldest first, so that
 * a contradiction between two places is a fork like one over time.
 */
#include "config.h"
#include "cli/cli.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/download.h"
#include "cli/place.h"
#include "cli/report.h"
#include "cli/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCES_MAX 16
#define DEFAULT_SOCKS "127.0.0.1:9050"
#define DEFAULT_TIMEOUT "120"
#define TIMEOUT_MAX 3600

/* How new a list is: more of the first that differs. */
struct rank {
	uint64_t epoch, root, serials, mirrors;
};

struct source {
	struct place place;
	struct download *download; /* owned; NULL: a file */
	bool received;             /* there are bytes to judge */
	bool sound;                /* good when judged alone */
	bool accepted;             /* by the memory */
	struct rank rank;
	const char *reason; /* constant */
	char detail[300];
};

struct fetch {
	const char *site_id, *store, *socks, *timeout;
	struct endpoint proxy;
	int64_t timeout_ms, now;
	struct trust trust;
	struct source sources[SOURCES_MAX];
	size_t n;
	bool forked, fork_lost; /* a fork was proved; not all of the evidence could be kept */
	om_error first; /* the first refusal */
};

static void
set_outcome(struct source *s, const char *reason, const char *detail)
{
	s->reason = reason;
	snprintf(s->detail, sizeof s->detail, "%.*s", (int)sizeof s->detail - 1, detail);
}

static int
feed(const struct source *s, om_site *site, int64_t now, om_error *fault, struct err *e)
{
	if (s->download != NULL)
		return place_feed_descriptor(download_descriptor(s->download), site, now, fault, e);
	return place_feed_file(s->place.text, site, now, fault, e);
}

static struct rank
rank_of(const om_site *site)
{
	struct rank r = { om_site_epoch(site), om_site_root_version(site), 0, om_site_mirror_count(site) };
	const om_member *m;
	size_t i;

	/* At most 64 members and serials below 2^53: no overflow. */
	for (i = 0; (m = om_site_member(site, i)) != NULL; i++)
		if (om_member_status(m) == OM_OK)
			r.serials += om_member_serial(m);
	return r;
}

static int
compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
by_age(const void *a, const void *b)
{
	const struct source *s = *(struct source *const *)a, *t = *(struct source *const *)b;
	const struct rank *x = &s->rank, *y = &t->rank;
	int c = compare(t->sound, s->sound);

	if (c == 0)
		c = compare(x->epoch, y->epoch);

	if (c == 0)
		c = compare(x->root, y->root);
	if (c == 0)
		c = compare(x->serials, y->serials);
	return c != 0 ? c : compare(x->mirrors, y->mirrors);
}

/* --- getting ---------------------------------------------------------------- */

static bool
all_done(void *arg)
{
	const struct fetch *f = arg;
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->sources[i].download != NULL && !download_is_done(f->sources[i].download))
			return false;
	return true;
}

static int
get_all(struct fetch *f, struct loop *loop, struct err *e)
{
	char *folder = trust_folder(&f->trust, e);
	struct source *s;
	size_t i;

	if (folder == NULL)
		return -1;
	for (i = 0; i < f->n; i++)
		if (!f->sources[i].place.is_file)
			f->sources[i].download =
			    download_start(loop, &f->proxy, &f->sources[i].place, folder, f->timeout_ms);
	free(folder);
	/* Each has its own deadline; this one only ends what must not happen. */
	loop_run_until(loop, all_done, f, f->timeout_ms + 10000);
	for (i = 0; i < f->n; i++) {
		s = &f->sources[i];
		s->received = s->download == NULL ||
			      (download_is_done(s->download) && download_reason(s->download) == DOWNLOAD_OK);
		if (!s->received && !download_is_done(s->download))
			set_outcome(s, download_reason_name(DOWNLOAD_TIMEOUT), "it did not end");
		else if (!s->received)
			set_outcome(
			    s, download_reason_name(download_reason(s->download)), download_detail(s->download));
	}
	return 0;
}

/* --- judging ---------------------------------------------------------------- */

static int
judge_alone(struct fetch *f, struct source *s)
{
	struct err e = ERR_INIT;
	om_error fault = { 0 };
	om_site *alone;

	if (om_site_open(&alone, om_site_id(f->trust.site), &fault) != 0) {
		set_outcome(s, om_reason_name(fault.reason), fault.detail);
		return -1;
	}
	if (feed(s, alone, f->now, &fault, &e) == 0) {
		s->sound = true;
		s->rank = rank_of(alone);
	} else if (fault.reason == OM_OK) {
		set_outcome(s, "unreadable", e.msg);
		om_site_close(alone);
		return -1;
	} else {
		set_outcome(s, om_reason_name(fault.reason), fault.detail);
		if (f->first.reason == OM_OK)
			f->first = fault;
	}
	om_site_close(alone);
	return 0;
}

/* Into the memory. What was refused when judged alone is refused here too, but what passed before the fault counts. */
static void
remember(struct fetch *f, struct source *s)
{
	struct err e = ERR_INIT;
	om_error fault = { 0 };
	int proof;

	s->accepted = feed(s, f->trust.site, f->now, &fault, &e) == 0;
	proof = om_site_fork_evidence(f->trust.site);
	f->forked = f->forked || proof != 0;
	f->fork_lost = f->fork_lost || proof < 0;
	if (s->accepted) {
		if (proof == 0)
			set_outcome(s, "ok", "the newest");
		else
			set_outcome(s, "fork", "a member's list in it contradicts the known one; the others' are accepted");
		return;
	}
	if (s->sound || fault.reason == OM_FORK)
		set_outcome(s, fault.reason != OM_OK ? om_reason_name(fault.reason) : "unreadable",
		    fault.reason != OM_OK ? fault.detail : e.msg);
	if (f->first.reason == OM_OK)
		f->first = fault;
}

/* The sound ones first, the oldest first, so that the last that is accepted is the newest. */
static void
judge_all(struct fetch *f)
{
	struct source *order[SOURCES_MAX] = { NULL }, *newest = NULL;
	struct err e = ERR_INIT;
	om_error ignored;
	size_t i, n = 0;

	for (i = 0; i < f->n; i++)
		if (f->sources[i].received && judge_alone(f, &f->sources[i]) == 0)
			order[n++] = &f->sources[i];
	qsort(order, n, sizeof order[0], by_age);
	for (i = 0; i < n; i++) {
		remember(f, order[i]);
		if (order[i]->accepted)
			newest = order[i];
	}
	for (i = 0; i < n; i++)
		if (order[i]->accepted && by_age(&order[i], &newest) < 0)
			set_outcome(order[i], "older", "good, but another place has a newer one or more of it");
	/* So that what is told of the members is what the newest says, not what a refused one said. */
	if (newest != NULL && !order[n - 1]->accepted)
		feed(newest, f->trust.site, f->now, &ignored, &e);
}

/* --- telling ---------------------------------------------------------------- */

static size_t
count_accepted(const struct fetch *f)
{
	size_t i, n = 0;

	for (i = 0; i < f->n; i++)
		n += f->sources[i].accepted;
	return n;
}

static json_t *
evidence_json(const om_site *site)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < om_site_evidence_count(site); i++)
		json_array_append_new(
		    list, json_pack("[s,s]", om_site_evidence(site, i, 0), om_site_evidence(site, i, 1)));
	return list;
}

static void
print_json(const struct fetch *f, bool ok, const char *reason)
{
	json_t *o, *sources = json_array();
	const struct source *s;
	size_t i;

	for (i = 0; i < f->n; i++) {
		s = &f->sources[i];
		json_array_append_new(sources, json_pack("{s:s,s:b,s:s,s:s}", "source", s->place.text, "accepted",
						   s->accepted, "reason", s->reason, "detail", s->detail));
	}
	o = json_pack("{s:b,s:s,s:b,s:o,s:o}", "ok", ok, "reason", reason, "stale",
	    report_count_stale(f->trust.site, f->now) > 0, "sources", sources, "evidence",
	    evidence_json(f->trust.site));
	report_add_json(o, f->trust.site, count_accepted(f) > 0);
	cli_print_json(o);
}

/* What somebody has to be told in words: fork, freeze, missing members. */
static void
print_warnings(const struct fetch *f)
{
	const om_site *site = f->trust.site;
	const om_member *m;
	char when[32];
	size_t i;

	if (f->forked)
		report_warn_fork(f->trust.path, !f->fork_lost);
	for (i = 0; count_accepted(f) > 0 && (m = om_site_member(site, i)) != NULL; i++) {
		cli_format_age(when, om_member_issued(m), f->now);
		if (om_member_status(m) == OM_ROLLBACK)
			cli_fail(0, "the list of member %s here is older than the known one, which stays", om_member_name(m));
		else if (om_member_status(m) == OM_FORK)
			continue; /* told above */
		else if (om_member_status(m) != OM_OK)
			cli_fail(0, "member %s has no list here (%s): it is down, or somebody withholds it",
			    om_member_name(m), om_reason_name(om_member_status(m)));
		else if (f->now > om_member_fresh_until(m))
			cli_fail(0,
			    "FROZEN? The newest list of %s was issued %s and should have been replaced since: "
			    "it is down, or every place that was asked withholds newer ones. Ask at others.",
			    om_member_name(m), when);
	}
}

static int
tell(const struct cli *c, const struct fetch *f)
{
	size_t i, accepted = count_accepted(f);
	int code = CLI_DONE;
	const char *reason = "ok";

	if (f->forked) {
		code = CLI_UNVERIFIED;
		reason = "fork";
	} else if (accepted == 0) {
		/* Refused lists are worse news than none. */
		code = f->first.reason != OM_OK ? CLI_UNVERIFIED : CLI_FAILED;
		reason = f->first.reason != OM_OK ? om_reason_name(f->first.reason) : "nothing-received";
	}
	if (c->json) {
		print_json(f, code == CLI_DONE, reason);
	} else {
		for (i = 0; i < f->n; i++)
			printf("%-14s %s%s%s\n", f->sources[i].reason, f->sources[i].place.text,
			    f->sources[i].detail[0] != '\0' ? ": " : "", f->sources[i].detail);
		if (accepted > 0)
			report_print(f->trust.site, f->now);
	}
	fflush(stdout);
	print_warnings(f);
	if (accepted == 0)
		cli_fail(code, "no place has a list that is good and new enough (%s); what was known before is kept",
		    reason);
	return code;
}

/* --- the verb ---------------------------------------------------------------- */

static int
read_words(struct fetch *f, int argc, char **argv, struct err *e)
{
	char *end;
	long v;
	int i;

	if (argc < 2)
		return err_set(e, ERR_PARSE, "name at least one onion, URL or file");
	if (argc - 1 > SOURCES_MAX)
		return err_set(e, ERR_LIMIT, "at most %d places at once", SOURCES_MAX);
	v = strtol(f->timeout, &end, 10);
	if (*f->timeout == '\0' || *end != '\0' || v < 1 || v > TIMEOUT_MAX)
		return err_set(e, ERR_PARSE, "--timeout %.20s: seconds from 1 to %d", f->timeout, TIMEOUT_MAX);
	f->timeout_ms = v * 1000;
	if (endpoint_parse(&f->proxy, f->socks, e) != 0)
		return err_prefix(e, "--socks");
	for (i = 1; i < argc; i++)
		if (place_parse(&f->sources[f->n++].place, argv[i], e) != 0)
			return -1;
	return 0;
}

static int
run(struct cli *c, struct fetch *f, struct err *e)
{
	struct loop *loop;
	int code = -1;
	size_t i;

	if (f->site_id == NULL && access(f->trust.path, F_OK) != 0)
		return err_set(e, ERR_NOTFOUND, "%s: not there yet; the first time give --site ID", f->trust.path);
	loop = loop_new(e);
	if (loop == NULL)
		return -1;
	if (get_all(f, loop, e) != 0)
		goto out;
	/* Only now: the lock is not held while the network is slow. */
	f->now = clock_wall_s();
	if (trust_open(&f->trust, f->site_id, e) != 0)
		goto out;
	judge_all(f);
	if (trust_save(&f->trust, e) == 0)
		code = tell(c, f);
	else if (f->forked)
		report_warn_fork(f->trust.path, false); /* must be known even so */
out:
	for (i = 0; i < f->n; i++)
		download_free(f->sources[i].download);
	loop_free(loop);
	return code;
}

int
verb_fetch(struct cli *c, int argc, char **argv)
{
	struct fetch f = { .socks = DEFAULT_SOCKS, .timeout = DEFAULT_TIMEOUT, .trust = TRUST_INIT };
	const struct cli_opt opts[] = { { "site", NULL, &f.site_id }, { "store", NULL, &f.store },
		{ "socks", NULL, &f.socks }, { "timeout", NULL, &f.timeout }, { 0 } };
	struct err e = ERR_INIT;
	int code;

	if (cli_take_options(c, &argc, argv, opts, &e) != 0 || c->help || read_words(&f, argc, argv, &e) != 0)
		return cli_usage("fetch", &e);
	code = trust_locate(&f.trust, f.site_id, f.store, &e) == 0 ? run(c, &f, &e) : -1;
	if (code < 0)
		code = cli_fail(f.forked ? CLI_UNVERIFIED : trust_exit(&f.trust), "%s", e.msg);
	trust_close(&f.trust);
	return code;
}
