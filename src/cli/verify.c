/* SPDX-License-Identifier: BSD-3-Clause */
/* onionmirror verify: judges a list on disk by libonionmirror alone, offline. */
#include "config.h"
#include "cli/cli.h"

#include "base/clock.h"
#include "cli/place.h"
#include "cli/report.h"
#include "cli/trust.h"

static void
print_json(const om_site *site, const om_error *fault)
{
	bool accepted = fault->reason == OM_OK, fork = accepted && om_site_fork_evidence(site) != 0;
	json_t *o = json_pack("{s:b,s:s,s:s,s:b}", "ok", accepted && !fork, "reason",
	    om_reason_name(fork ? OM_FORK : fault->reason), "detail", accepted ? "" : fault->detail, "stale",
	    report_count_stale(site, clock_wall_s()) > 0);

	report_add_json(o, site, accepted);
	cli_print_json(o);
}

int
verb_verify(struct cli *c, int argc, char **argv)
{
	const char *site_id = NULL, *store = NULL;
	const struct cli_opt opts[] = { { "site", NULL, &site_id }, { "store", NULL, &store }, { 0 } };
	struct trust t = TRUST_INIT;
	int64_t now = clock_wall_s();
	struct err e = ERR_INIT;
	om_error fault = { 0 };
	int code = CLI_FAILED;

	if (cli_take_options(c, &argc, argv, opts, &e) != 0 || c->help || argc != 2)
		return cli_usage("verify", &e);
	/* Without --store nothing is remembered. */
	if ((store != NULL && trust_locate(&t, site_id, store, &e) != 0) || trust_open(&t, site_id, &e) != 0) {
		code = cli_fail(trust_exit(&t), "%s", e.msg);
		goto out;
	}
	if (place_feed_file(argv[1], t.site, now, &fault, &e) == 0)
		fault.reason = OM_OK;
	else if (fault.reason == OM_OK) {
		cli_fail(code, "%s", e.msg);
		goto out;
	}
	/* After a refusal too: what passed before the failing document is worth remembering. */
	if (trust_save(&t, &e) != 0) {
		cli_fail(code, "%s", e.msg);
		if (om_site_fork_evidence(t.site) != 0)
			code = report_warn_fork(t.path, false);
		goto out;
	}
	code = fault.reason == OM_OK ? CLI_DONE : CLI_UNVERIFIED;
	if (c->json)
		print_json(t.site, &fault);
	else if (code == CLI_DONE)
		report_print(t.site, now);
	else
		cli_fail(code, "%s: REFUSED: %s: %s", argv[1], om_reason_name(fault.reason), fault.detail);
	if (code == CLI_DONE)
		report_warn_unpinned(t.site);
	if (om_site_fork_evidence(t.site) != 0)
		code = report_warn_fork(t.path, om_site_fork_evidence(t.site) > 0);
out:
	trust_close(&t);
	return code;
}
