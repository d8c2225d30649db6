/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs scenarios: builds the world, does what is written, looks once a second whether it came out as expected. */
#include "config.h"
#include "sim/scenario.h"

#include "base/buf.h"
#include "base/mem.h"
#include "sim/check_impl.h"
#include "sim/crash.h"
#include "sim/impl.h"
#include "sim/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 1000
#define KEPT_MAX (64u * 1024 * 1024)

struct scenario *scn_now;

/* --- what happened --------------------------------------------------------------------------- */

/* Whole lines, in one growing text. */
static void
keep(char **text, size_t *len, size_t *cap, const char *line, size_t n)
{
	if (*len + n + 2 > *cap) {
		if (*cap > KEPT_MAX)
			return;
		*cap = *cap * 2 + n + 4096;
		*text = xreallocarray(*text, *cap, 1);
	}
	memcpy(*text + *len, line, n);
	memcpy(*text + *len + n, "\n", 2);
	*len += n + 1;
}

void
scn_on_log(const char *line)
{
	if (scn_now != NULL)
		keep(&scn_now->log, &scn_now->log_len, &scn_now->log_cap, line, strlen(line));
}

void
scn_on_command(const char *line, size_t n)
{
	if (scn_now != NULL)
		keep(&scn_now->commands, &scn_now->commands_len, &scn_now->commands_cap, line, n < 80 ? n : 80);
}

void
scn_on_answer(const char *line, size_t n)
{
	if (scn_now == NULL)
		return;
	sim_trace("operator > %.*s", (int)(n < 120 ? n : 120), line);
	keep(&scn_now->answers, &scn_now->answers_len, &scn_now->answers_cap, line, n);
}

/* --- the world ---------------------------------------------------------------------------------- */

/* The number behind an option of the site, or its default. */
static unsigned
site_number(const char *site, const char *option, unsigned by_default)
{
	const char *at = strstr(site, option);

	return at != NULL ? (unsigned)atoi(at + strcspn(at, "0123456789\n")) : by_default;
}

/* What checkers want to know of a mirror's options. */
static void
note_options(unsigned mirror, const char *text)
{
	struct sim_plan *p = &sim_plan;
	const char *at = strstr(text, "probe-through = ");
	unsigned i;

	p->mirrors[mirror].through = -1;
	for (i = 0; at != NULL && i < p->n_tors; i++)
		if (strncmp(at + 16, p->tors[i].name, strlen(p->tors[i].name)) == 0)
			p->mirrors[mirror].through = (int)i;
	p->mirrors[mirror].spare = strstr(text, "spare = on") != NULL;
	p->mirrors[mirror].revoke_content = strstr(text, "revoke-on-content = on") != NULL;
}

static void
build(void)
{
	const struct scenario *s = scn_now;
	struct buf conf = BUF_INIT(65536);
	struct sim_plan *p = &sim_plan;
	unsigned i;

	p->n_tors = s->n_tors;
	p->n_mirrors = s->n_mirrors;
	plan_set_controls(s->n_controls);
	p->min_listed = site_number(s->site, "min-listed", 2);
	p->rotations_per_day = site_number(s->site, "max-rotations-per-day", 6);
	buf_addf(&conf, "site = \"sim\"\nstate-dir = \"%s\"\npublish-dir = \"%s\"\ncontrol-socket = \"%s\"\n%s\n%s",
	    p->state_dir, p->publish_dir, p->control + 5, s->locked ? "locked-start = on" : "key-file = \"/etc/onionmirror/master.key\"", s->site);
	for (i = 0; i < p->n_controls; i++)
		buf_addf(&conf, "%s\"%s.onion\"%s", i == 0 ? "control-onions = {" : ", ", p->controls[i], i + 1 == p->n_controls ? "}\n" : "");
	for (i = 0; i < s->n_tors; i++) {
		snprintf(p->tors[i].name, sizeof p->tors[i].name, "%s", s->tors[i]);
		snprintf(p->tors[i].control, sizeof p->tors[i].control, "unix:/run/tor%u/control", i);
		snprintf(p->tors[i].socks, sizeof p->tors[i].socks, "unix:/run/tor%u/socks", i);
		snprintf(p->tors[i].cookie, sizeof p->tors[i].cookie, s->no_cookie ? "" : "/run/tor%u/cookie", i);
		buf_addf(&conf, "tor \"%s\" {\n  control = \"%s\"\n  socks = \"%s\"\n", p->tors[i].name, p->tors[i].control, p->tors[i].socks);
		if (s->no_cookie)
			buf_adds(&conf, "  allow-no-auth = on\n}\n");
		else
			buf_addf(&conf, "  cookie = \"%s\"\n}\n", p->tors[i].cookie);
	}
	buf_addf(&conf, "check \"page\" {\n  contains = \"%s\"\n%s}\n", p->body, s->check);
	for (i = 0; i < s->n_mirrors; i++) {
		snprintf(p->mirrors[i].name, sizeof p->mirrors[i].name, "%s", s->mirrors[i]);
		snprintf(p->mirrors[i].backend, sizeof p->mirrors[i].backend, "127.0.0.1:%u", 8000 + i);
		p->mirrors[i].tor = i % s->n_tors;
		note_options(i, s->own[i]);
		buf_addf(&conf, "mirror \"%s\" {\n  backend = \"%s\"\n  tor = \"%s\"\n  check = \"page\"\n%s%s}\n", p->mirrors[i].name,
		    p->mirrors[i].backend, p->tors[p->mirrors[i].tor].name, s->mirror, s->own[i]);
	}
	sim_file_put(p->conf, buf_str(&conf), conf.len, 0644);
	buf_free(&conf);
}

/* --- expectations --------------------------------------------------------------------------------- */

static void
fail(struct scenario *s, struct scn_expect *x, const char *how)
{
	char text[240] = "";
	size_t i;

	x->failed = x->done = true;
	if (s->wrong[0] != '\0')
		return;
	for (i = 0; i < x->line->n; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "", x->line->words[i]);
	snprintf(s->wrong, sizeof s->wrong, "%s:%u: %s: %s at %lld s", s->path, x->line->number, text, how, (long long)sim_now() / 1000);
}

static void
look_at(struct scenario *s, struct scn_expect *x)
{
	if (x->done || x->mode == SCN_LAST || sim_now() < x->from)
		return;
	if (x->mode == SCN_WITHIN) {
		if (scn_is(s, x))
			x->done = true;
		else if (sim_now() >= x->until)
			fail(s, x, "not yet");
	} else if (sim_now() > x->until) {
		x->done = true;
	} else if (!scn_is(s, x)) {
		fail(s, x, "not so");
	}
}

static void
look(void *arg)
{
	struct scenario *s = arg;
	size_t i;

	for (i = 0; i < s->n_expects; i++)
		look_at(s, &s->expects[i]);
	sim_after(LOOK_MS, look, s);
}

static void
on_act(void *arg)
{
	struct scn_act *a = arg;

	sim_trace("--- line %u: %s %s ---", a->line->number, a->line->words[2], a->line->n > 3 ? a->line->words[3] : "");
	scn_anchor_take(scn_now, &a->anchor);
	scn_do(scn_now, a->line->words + 2, a->line->n - 2, false);
}

static bool
wants_violation(const struct scenario *s)
{
	size_t i;

	for (i = 0; i < s->n_expects; i++)
		if (strcmp(s->expects[i].predicate->name, "violation") == 0)
			return true;
	return false;
}

static void
run(struct scenario *s, bool trace)
{
	const struct run_options o = { .program = "sim", .days = 1, .trace = trace };
	size_t i;

	scn_now = s;
	world_begin(s->seed, &o, build);
	if (s->crash_until > 0)
		crash_begin(s);
	sim_after(0, look, s);
	for (i = 0; i < s->n_acts; i++)
		sim_after(s->acts[i].anchor.at, on_act, &s->acts[i]);
	while (trace_violation() == NULL && s->wrong[0] == '\0' && loop_step(s->end)) {
		process_settle();
		check_after_event();
	}
	if (trace_violation() == NULL)
		check_key_last();
	if (trace_violation() == NULL && s->crash_until > 0)
		check_state_last();
	for (i = 0; i < s->n_expects && s->wrong[0] == '\0'; i++)
		if (s->expects[i].mode == SCN_LAST && !scn_is(s, &s->expects[i]))
			fail(s, &s->expects[i], "not so");
	if (trace_violation() != NULL && s->wrong[0] == '\0' && !wants_violation(s))
		snprintf(s->wrong, sizeof s->wrong, "%s: %.300s", s->path, trace_violation());
	if (s->wrong[0] != '\0' && !trace && !crash_is_copy())
		trace_tail();
	if (s->crash_until > 0)
		crash_end(s);
	scn_do_end();
	world_end();
	scn_now = NULL;
}

/* Every `step`-th file from the first on. */
static unsigned
run_some(char **paths, size_t n, size_t first, size_t step, bool trace)
{
	static struct scenario s; /* too big for a stack */
	unsigned failed = 0;
	size_t i;

	for (i = first; i < n; i += step) {
		if (scn_parse(&s, paths[i]) == 0)
			run(&s, trace);
		if (s.crash_until > 0)
			crash_tell(&s);
		if (s.wrong[0] == '\0')
			printf("ok %s: %zu expectations\n", paths[i], s.n_expects);
		else
			printf("not ok %s\n", s.wrong);
		failed += s.wrong[0] != '\0';
		fflush(stdout);
		scn_free(&s);
	}
	return failed;
}

unsigned
scn_run_files(char **paths, size_t n, unsigned jobs, bool crash, bool trace)
{
	unsigned failed = 0, i;
	int status;

	if (jobs == 1 || crash)
		return run_some(paths, n, 0, 1, trace);
	fflush(stdout);
	for (i = 0; i < jobs; i++) {
		pid_t pid = fork();

		if (pid < 0)
			abort();
		if (pid == 0)
			exit(run_some(paths, n, i, jobs, trace) > 0);
	}
	for (i = 0; i < jobs; i++)
		if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
			failed++;
	return failed;
}
