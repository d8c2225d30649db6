/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of metrics, and for each the function that reads it from the state or from what was counted. */
#include "config.h"
#include "daemon/metrics_impl.h"
#include "daemon/sandbox.h"
#include "io/syscalls.h"

#include <stdio.h>

const struct metric_bounds bounds_probe = { 10, { 100, 300, 1000, 2000, 5000, 10000, 20000, 30000, 60000, 120000 } };
const struct metric_bounds bounds_rotation = { 10, { 5000, 10000, 20000, 30000, 60000, 120000, 300000, 600000, 1800000, 3600000 } };
const struct metric_bounds bounds_write = { 10, { 1, 2, 5, 10, 20, 50, 100, 500, 1000, 10000 } };
const struct metric_bounds bounds_late = { 8, { 5, 10, 20, 50, 100, 500, 1000, 10000 } };

static void
add0(struct buf *out, const struct metric *m, double v)
{
	metric_add(out, m, NULL, v);
}

static void
add1(struct buf *out, const struct metric *m, const char *a, double v)
{
	metric_add(out, m, &a, v);
}

static void
add2(struct buf *out, const struct metric *m, const char *a, const char *b, double v)
{
	const char *values[] = { a, b };

	metric_add(out, m, values, v);
}

/* --- the daemon, its tors, the list ------------------------------------------------------------ */

static void
get_build_info(struct daemon *d, const struct metric *m, struct buf *out)
{
	(void)d;
	add1(out, m, PACKAGE_VERSION, 1);
}

static void
get_up(struct daemon *d, const struct metric *m, struct buf *out)
{
	add0(out, m, !d->stuck);
}

static void
get_sandbox(struct daemon *d, const struct metric *m, struct buf *out)
{
	unsigned i;

	for (i = 0; i < SANDBOX_LAYERS; i++)
		add1(out, m, sandbox_layer_name(i), sandbox_layer_holds(d->sandbox, i));
}

static void
get_refused(struct daemon *d, const struct metric *m, struct buf *out)
{
	const char *last;

	(void)d;
	add0(out, m, syscalls_refused(&last));
}

static void
get_tor_up(struct daemon *d, const struct metric *m, struct buf *out)
{
	size_t i;

	for (i = 0; d->tors != NULL && i < d->first->n_tors; i++)
		add1(out, m, d->first->tors[i].name, session_get_state(d->tors[i].session) == SESSION_UP);
}

static void
get_tor_fit(struct daemon *d, const struct metric *m, struct buf *out)
{
	const char *why;
	size_t i;

	for (i = 0; d->tors != NULL && i < d->first->n_tors; i++)
		add1(out, m, d->first->tors[i].name, session_is_fit(d->tors[i].session, &why) && !engine_tor_silent(d->engine, (unsigned)i));
}

static void
get_panic(struct daemon *d, const struct metric *m, struct buf *out)
{
	const char *why;

	add0(out, m, engine_in_panic(d->engine, &why));
}

static void
get_min_listed(struct daemon *d, const struct metric *m, struct buf *out)
{
	add0(out, m, d->conf->min_listed);
}

static void
get_budget(struct daemon *d, const struct metric *m, struct buf *out)
{
	add0(out, m, d->conf->max_rotations_per_day);
}

static void
get_budget_left(struct daemon *d, const struct metric *m, struct buf *out)
{
	add0(out, m, engine_rotations_left(d->engine, clock_now()));
}

static void
get_list_serial(struct daemon *d, const struct metric *m, struct buf *out)
{
	add0(out, m, (double)d->serial);
}

/* A time that is not there yet has no sample: 0 would be 1970. */
static void
get_list_issued(struct daemon *d, const struct metric *m, struct buf *out)
{
	if (d->published != 0)
		add0(out, m, (double)d->published);
}

static void
get_list_until(struct daemon *d, const struct metric *m, struct buf *out)
{
	if (d->valid_until != 0)
		add0(out, m, (double)d->valid_until);
}

static void
get_expiry(struct daemon *d, const struct metric *m, struct buf *out)
{
	add1(out, m, "root", (double)publish_site_root_expiry(d->site));
	add1(out, m, "member", (double)publish_site_member_expiry(d->site));
}

static void
get_clients(struct daemon *d, const struct metric *m, struct buf *out)
{
	add0(out, m, control_clients(d->control));
}

static void
get_write(struct daemon *d, const struct metric *m, struct buf *out)
{
	metric_add_histogram(out, m, NULL, &d->metrics->write);
}

static void
get_late(struct daemon *d, const struct metric *m, struct buf *out)
{
	metric_add_histogram(out, m, NULL, &d->metrics->late);
}

/* --- mirrors ------------------------------------------------------------------------------------ */

static void
get_mirrors(struct daemon *d, const struct metric *m, struct buf *out)
{
	unsigned n[MIRROR__STATES] = { 0 };
	struct mirror_view v;
	size_t i;

	for (i = 0; i < d->conf->n_mirrors; i++)
		n[engine_mirror_view(d->engine, (int)i, &v) == 0 ? v.state : MIRROR_STARTING]++;
	for (i = 0; i < MIRROR__STATES; i++)
		add1(out, m, mirror_state_name((enum mirror_state)i), n[i]);
}

static void
get_mirror_state(struct daemon *d, const struct metric *m, struct buf *out)
{
	struct mirror_view v;
	size_t i, s;

	for (i = 0; i < d->conf->n_mirrors; i++)
		for (s = 0; engine_mirror_view(d->engine, (int)i, &v) == 0 && s < MIRROR__STATES; s++)
			add2(out, m, d->conf->mirrors[i].name, mirror_state_name((enum mirror_state)s), v.state == s);
}

static void
get_mirror_listed(struct daemon *d, const struct metric *m, struct buf *out)
{
	struct mirror_view v;
	size_t i;

	for (i = 0; i < d->conf->n_mirrors; i++)
		if (engine_mirror_view(d->engine, (int)i, &v) == 0)
			add1(out, m, d->conf->mirrors[i].name, v.listed != 0);
}

/* --- what was counted ----------------------------------------------------------------------------- */

static void
get_probe_duration(struct daemon *d, const struct metric *m, struct buf *out)
{
	const char *values[2];
	size_t i, k;

	for (i = 0; i < d->metrics->n; i++)
		for (k = 0; k < METRIC_PHASES; k++) {
			values[0] = d->metrics->mirrors[i].name;
			values[1] = metric_phases[k].name;
			metric_add_histogram(out, m, values, &d->metrics->mirrors[i].phases[k]);
		}
}

static void
get_probes(struct daemon *d, const struct metric *m, struct buf *out)
{
	size_t i, v;

	for (i = 0; i < d->metrics->n; i++)
		for (v = 0; v < VERDICT__COUNT; v++)
			add2(out, m, d->metrics->mirrors[i].name, verdict_name((enum verdict)v), (double)d->metrics->mirrors[i].probes[v]);
}

static void
get_rotations(struct daemon *d, const struct metric *m, struct buf *out)
{
	const char *values[3];
	size_t i, c, r;

	for (i = 0; i < d->metrics->n; i++)
		for (c = 0; c < CAUSE__COUNT; c++)
			for (r = 0; r < RESULT__COUNT; r++) {
				values[0] = d->metrics->mirrors[i].name;
				values[1] = onion_cause_name((enum onion_cause)c);
				values[2] = metric_results[r];
				metric_add(out, m, values, (double)d->metrics->mirrors[i].rotations[c][r]);
			}
}

static void
get_rotation_duration(struct daemon *d, const struct metric *m, struct buf *out)
{
	metric_add_histogram(out, m, NULL, &d->metrics->rotation);
}

static void
get_uploads(struct daemon *d, const struct metric *m, struct buf *out)
{
	size_t i, r;

	for (i = 0; i < d->metrics->n; i++)
		for (r = 0; r < RESULT__COUNT; r++)
			add2(out, m, d->metrics->mirrors[i].name, metric_results[r], (double)d->metrics->mirrors[i].uploads[r]);
}

/* --- onionprobe's own, for dashboards made for it ----------------------------------------------------- */

/* One sample with its five labels, for a mirror whose listed onion was probed. */
static void
add_service(struct daemon *d, const struct metric *m, struct buf *out, size_t i, double v)
{
	const struct conf_mirror *mirror = &d->conf->mirrors[i];
	const struct conf_check *check = &d->conf->checks[mirror->check];
	const struct onion_record *r = engine_onion(d->engine, d->metrics->mirrors[i].onion);
	bool addresses = d->conf->metrics != NULL && d->conf->metrics->addresses;
	char address[64], port[8];
	const char *values[] = { mirror->name, addresses ? address : NULL, check->tls ? "https" : "http", port, check->path };

	if (r == NULL || r->state != ONION_LISTED)
		return;
	snprintf(address, sizeof address, "%s.onion", r->address);
	snprintf(port, sizeof port, "%u", mirror->ports[0].virt);
	metric_add(out, m, values, v);
}

static void
get_reachable(struct daemon *d, const struct metric *m, struct buf *out)
{
	size_t i;

	for (i = 0; i < d->metrics->n; i++)
		add_service(d, m, out, i, d->metrics->mirrors[i].reachable);
}

static void
get_latency(struct daemon *d, const struct metric *m, struct buf *out)
{
	size_t i;

	for (i = 0; i < d->metrics->n; i++)
		if (d->metrics->mirrors[i].latency >= 0)
			add_service(d, m, out, i, d->metrics->mirrors[i].latency / 1000.0);
}

static void
get_status_code(struct daemon *d, const struct metric *m, struct buf *out)
{
	size_t i;

	for (i = 0; i < d->metrics->n; i++)
		if (d->metrics->mirrors[i].status != 0)
			add_service(d, m, out, i, d->metrics->mirrors[i].status);
}

#define SERVICE { "name", "address", "protocol", "port", "path" }

const struct metric_row metric_rows[] = {
	{ { "onionmirror_build_info", METRIC_GAUGE, { "version" }, "1; the label tells the version.", NULL }, get_build_info },
	{ { "onionmirror_up", METRIC_GAUGE, { 0 }, "1 while the daemon works, 0 while its state cannot be written and nothing is changed.", NULL },
	    get_up },
	{ { "onionmirror_sandbox", METRIC_GAUGE, { "layer" }, "1 for each layer of the sandbox that holds.", NULL }, get_sandbox },
	{ { "onionmirror_sandbox_refused_total", METRIC_COUNTER, { 0 }, "System calls that the sandbox refused.", NULL }, get_refused },
	{ { "onionmirror_tor_up", METRIC_GAUGE, { "tor" }, "1 while the link to this tor is up.", NULL }, get_tor_up },
	{ { "onionmirror_tor_fit", METRIC_GAUGE, { "tor" }, "1 while what is seen through this tor counts: our own side is well.", NULL }, get_tor_fit },
	{ { "onionmirror_mirrors", METRIC_GAUGE, { "state" }, "Mirrors in each state.", NULL }, get_mirrors },
	{ { "onionmirror_mirror_state", METRIC_GAUGE, { "mirror", "state" }, "1 for the state that the mirror is in.", NULL }, get_mirror_state },
	{ { "onionmirror_mirror_listed", METRIC_GAUGE, { "mirror" }, "1 while the list holds an address of the mirror.", NULL }, get_mirror_listed },
	{ { "onionmirror_min_listed", METRIC_GAUGE, { 0 }, "The option min-listed.", NULL }, get_min_listed },
	{ { "onionmirror_probe_duration_seconds", METRIC_HISTOGRAM, { "mirror", "phase" },
	      "From the start of a probe to the end of each phase that it reached.", &bounds_probe }, get_probe_duration },
	{ { "onionmirror_probes_total", METRIC_COUNTER, { "mirror", "verdict" }, "Probes through Tor, by what they said.", NULL }, get_probes },
	{ { "onionmirror_rotations_total", METRIC_COUNTER, { "mirror", "cause", "result" }, "New addresses that came into the list, or failed before.",
	      NULL }, get_rotations },
	{ { "onionmirror_rotation_duration_seconds", METRIC_HISTOGRAM, { 0 }, "From the plan of a new address until it was listed.", &bounds_rotation },
	    get_rotation_duration },
	{ { "onionmirror_rotation_budget", METRIC_GAUGE, { 0 }, "The option max-rotations-per-day.", NULL }, get_budget },
	{ { "onionmirror_rotation_budget_left", METRIC_GAUGE, { 0 }, "Automatic rotations that it still allows.", NULL }, get_budget_left },
	{ { "onionmirror_list_serial", METRIC_GAUGE, { 0 }, "Serial of the newest list, 0 if there is none.", NULL }, get_list_serial },
	{ { "onionmirror_list_issued_timestamp_seconds", METRIC_GAUGE, { 0 }, "When it was published.", NULL }, get_list_issued },
	{ { "onionmirror_list_valid_until_timestamp_seconds", METRIC_GAUGE, { 0 }, "When readers begin to refuse it.", NULL }, get_list_until },
	{ { "onionmirror_certificate_expiry_timestamp_seconds", METRIC_GAUGE, { "certificate" },
	      "When the root document and the certificate of this member run out.", NULL }, get_expiry },
	{ { "onionmirror_descriptor_uploads_total", METRIC_COUNTER, { "mirror", "result" }, "Uploads of descriptors that ended.", NULL }, get_uploads },
	{ { "onionmirror_panic", METRIC_GAUGE, { 0 }, "1 while the list is kept as it is, because most fail together or too few would be left.", NULL },
	    get_panic },
	{ { "onionmirror_control_clients", METRIC_GAUGE, { 0 }, "Clients of the control socket.", NULL }, get_clients },
	{ { "onionmirror_store_write_seconds", METRIC_HISTOGRAM, { 0 }, "Time until a write to the state was durable.", &bounds_write }, get_write },
	{ { "onionmirror_delay_seconds", METRIC_HISTOGRAM, { 0 }, "How late what was due, above all probes, was begun.", &bounds_late }, get_late },
	{ { "onion_service_reachable", METRIC_GAUGE, SERVICE, "1 if the last probe of the listed address was answered over HTTP.", NULL }, get_reachable },
	{ { "onion_service_latency_seconds", METRIC_GAUGE, SERVICE, "How long the last answer took.", NULL }, get_latency },
	{ { "onion_service_status_code", METRIC_GAUGE, SERVICE, "HTTP status of the last probe that had an answer.", NULL }, get_status_code },
	{ { 0 }, NULL },
};
