/* SPDX-License-Identifier: BSD-3-Clause */
/* What a world looks like: how many tors and mirrors, where they are, the daemon's configuration. */
#include "config.h"
#include "cli/cli.h"
#include "sim/impl.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sim_plan sim_plan;

static unsigned changed; /* how often the operator has edited the file */
static unsigned interval_min;

static void
set_paths(struct sim_plan *p)
{
	strcpy(p->conf, "/etc/onionmirror/onionmirror.conf");
	strcpy(p->state_dir, "/var/lib/onionmirror");
	strcpy(p->publish_dir, "/srv/publish");
	strcpy(p->control, "unix:/run/onionmirror/control");
	strcpy(p->body, "the true page");
}

/* With two tors, in a quarter of the worlds: the daemon places its onions itself, and moves them off a tor that is lost. */
static bool
is_placed(void)
{
	return sim_plan.n_tors > 1 && sim_plan.seed % 4 == 1;
}

static void
add_tors(struct buf *b)
{
	unsigned i;

	for (i = 0; i < sim_plan.n_tors; i++) {
		buf_addf(b, "tor \"%s\" {\n  control = \"%s\"\n  socks = \"%s\"\n", sim_plan.tors[i].name, sim_plan.tors[i].control,
		    sim_plan.tors[i].socks);
		if (sim_plan.tors[i].cookie[0] != '\0')
			buf_addf(b, "  cookie = \"%s\"\n", sim_plan.tors[i].cookie);
		else
			buf_adds(b, "  allow-no-auth = on\n");
		if (is_placed())
			buf_adds(b, "  move-after = 2h\n");
		buf_adds(b, "}\n");
	}
}

static void
add_mirrors(struct buf *b)
{
	unsigned i;

	for (i = 0; i < sim_plan.n_mirrors; i++) {
		buf_addf(b, "mirror \"%s\" {\n  backend = \"%s\"\n  tor = \"%s\"\n  check = \"page\"\n  rotate-every = 3d\n  drain = 6h\n",
		    sim_plan.mirrors[i].name, sim_plan.mirrors[i].backend, is_placed() ? "auto" : sim_plan.tors[sim_plan.mirrors[i].tor].name);
		if (sim_plan.mirrors[i].through >= 0 && !is_placed())
			buf_addf(b, "  probe-through = \"%s\"\n", sim_plan.tors[sim_plan.mirrors[i].through].name);
		if (sim_plan.mirrors[i].spare)
			buf_adds(b, "  spare = on\n");
		if (sim_plan.mirrors[i].revoke_content)
			buf_adds(b, "  revoke-on-content = on\n");
		buf_adds(b, "}\n");
	}
}

static void
write_conf(bool broken)
{
	struct buf b = BUF_INIT(65536);
	unsigned i;

	buf_addf(&b,
	    "site = \"sim\"\nstate-dir = \"%s\"\npublish-dir = \"%s\"\ncontrol-socket = \"%s\"\n"
	    "key-file = \"/etc/onionmirror/master.key\"\nmin-listed = 1\nlog-onions = never\nhistory-days = 1\nrotation-spacing = %um\n",
	    sim_plan.state_dir, sim_plan.publish_dir, sim_plan.control + 5, 10 + changed % 7);
	for (i = 0; i < sim_plan.n_controls; i++)
		buf_addf(&b, "%s\"%s.onion\"", i == 0 ? "control-onions = {" : ", ", sim_plan.controls[i]);
	if (sim_plan.n_controls > 0)
		buf_adds(&b, "}\n");
	add_tors(&b);
	buf_addf(&b, "check \"page\" {\n  contains = \"%s\"\n  interval = %um\n}\n", sim_plan.body, interval_min);
	add_mirrors(&b);
	if (broken)
		buf_adds(&b, "mirror \"x\" {\n");
	sim_file_put(sim_plan.conf, buf_str(&b), b.len, 0644);
	buf_free(&b);
}

void
plan_write_conf(bool broken)
{
	write_conf(broken);
}

void
plan_change_conf(void)
{
	changed++;
	write_conf(false);
}

/* `onionmirror init` on the fresh disk; what it tells the operator goes nowhere. */
static void
run_init(void)
{
	char *argv[] = { (char[]){ "init" }, (char[]){ "--keys" }, (char[]){ "/root/keys" }, (char[]){ "--no-passphrase" }, NULL };
	struct cli c = { .conf_path = sim_plan.conf };
	FILE *null = fopen("/dev/null", "w");
	int saved = dup(STDOUT_FILENO), code;

	if (null == NULL || saved < 0)
		abort();
	fflush(stdout);
	dup2(fileno(null), STDOUT_FILENO);
	code = verb_init(&c, 4, argv);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	fclose(null);
	(close)(saved);
	if (code != 0)
		abort();
}

void
plan_set_controls(unsigned n)
{
	/* Of others: tor project, a search engine. */
	static const char *const controls[SIM_CONTROLS] = { "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid",
		"duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad" };
	unsigned i;

	sim_plan.n_controls = n;
	for (i = 0; i < n; i++)
		memcpy(sim_plan.controls[i], controls[i], sizeof sim_plan.controls[i]);
}

/* Swarm: what else a site may be configured with, and what its operator is like. */
static void
place_policy(struct sim_plan *p)
{
	bool through = sim_chance(DICE_POLICY, 400000), spares = sim_chance(DICE_POLICY, 300000), content = sim_chance(DICE_POLICY, 300000);
	unsigned i;

	if (through && p->n_tors == 1)
		p->n_tors = 2;
	for (i = 0; i < p->n_mirrors; i++) {
		p->mirrors[i].through = through && sim_chance(DICE_POLICY, 700000) ? (int)((p->mirrors[i].tor + 1) % p->n_tors) : -1;
		p->mirrors[i].spare = spares && i > 0 && i + 2 >= p->n_mirrors && sim_chance(DICE_POLICY, 700000);
		p->mirrors[i].revoke_content = content && sim_chance(DICE_POLICY, 500000);
	}
	plan_set_controls(sim_chance(DICE_POLICY, 400000) ? (unsigned)sim_between(DICE_POLICY, 1, SIM_CONTROLS) : 0);
	p->holds = sim_chance(DICE_POLICY, 500000);
	p->revokes = sim_chance(DICE_POLICY, 500000);
	p->tidy = sim_chance(DICE_POLICY, 600000);
}

static void
place(struct sim_plan *p)
{
	static const unsigned intervals[] = { 5, 10, 15 };
	unsigned i;

	p->n_tors = sim_chance(DICE_PLAN, 700000) ? 1 : 2;
	p->n_mirrors = (unsigned)sim_between(DICE_PLAN, 2, 4);
	interval_min = intervals[sim_below(DICE_PLAN, sizeof intervals / sizeof intervals[0])] * (p->seldom ? 2 : 1);
	for (i = 0; i < p->n_mirrors; i++)
		p->mirrors[i].tor = i % p->n_tors;
	place_policy(p);
	for (i = 0; i < p->n_tors; i++) {
		snprintf(p->tors[i].name, sizeof p->tors[i].name, "tor%u", i);
		snprintf(p->tors[i].control, sizeof p->tors[i].control, "unix:/run/tor%u/control", i);
		snprintf(p->tors[i].socks, sizeof p->tors[i].socks, "unix:/run/tor%u/socks", i);
		snprintf(p->tors[i].cookie, sizeof p->tors[i].cookie, "/run/tor%u/cookie", i);
	}
	for (i = 0; i < p->n_mirrors; i++) {
		snprintf(p->mirrors[i].name, sizeof p->mirrors[i].name, "m%u", i);
		snprintf(p->mirrors[i].backend, sizeof p->mirrors[i].backend, "127.0.0.1:%u", 8000 + i);
	}
}

void
plan_begin(uint64_t seed, unsigned days, bool seldom)
{
	memset(&sim_plan, 0, sizeof sim_plan);
	sim_plan.seed = seed;
	sim_plan.days = days;
	sim_plan.seldom = seldom;
	changed = 0;
	set_paths(&sim_plan);
	sim_plan.min_listed = 1;
	sim_plan.rotations_per_day = 6;
	sim_plan.spacing_ms = 10 * 60000;
	place(&sim_plan);
	write_conf(false);
}

void
plan_prepare(void)
{
	loop_begin();
	clock_begin();
	trace_begin(false);
	random_begin(1);
	disk_begin();
	plan_begin(1, 1, false);
	run_init();
	sim_file_remove(sim_plan.conf);
	disk_snapshot();
	disk_end();
	loop_end();
}
