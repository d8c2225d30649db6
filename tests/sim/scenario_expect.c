/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be expected in a scenario: one table. Everything is looked up in the world; nothing is kept here. */
#include "config.h"
#include "daemon/daemon.h"
#include "sim/scenario.h"

#include "sim/check_impl.h"
#include "sim/impl.h"
#include "sim/model.h"
#include "sim/other.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
scn_listed(const struct scenario *s, unsigned mirror)
{
	const struct simtor_given *g;
	const char *found = NULL;
	size_t i;

	(void)s;
	for (i = 0; (g = simtor_given(i)) != NULL; i++)
		if (strcmp(g->target, sim_plan.mirrors[mirror].backend) == 0 && check_list_has(g->address))
			found = g->address;
	return found;
}

void
scn_anchor_take(struct scenario *s, struct scn_anchor *a)
{
	const char *listed;
	unsigned i;

	a->serial = check_list_serial();
	for (i = 0; i < s->n_mirrors; i++) {
		listed = scn_listed(s, i);
		snprintf(a->listed[i], sizeof a->listed[i], "%s", listed != NULL ? listed : "");
	}
	for (a->n_given = 0; simtor_given(a->n_given) != NULL; a->n_given++)
		;
	a->n_log = s->log_len;
	a->n_commands = s->commands_len;
}

/* --- a mirror ---------------------------------------------------------------------------------- */

static unsigned
mirror_of(const struct scenario *s, const struct scn_expect *x)
{
	return (unsigned)scn_mirror(s, x->words[0]);
}

static bool
view_of(const struct scenario *s, const struct scn_expect *x, struct mirror_view *v)
{
	struct daemon *d = sim_daemon();

	return d != NULL && engine_mirror_view(d->engine, engine_mirror_index(d->engine, s->mirrors[mirror_of(s, x)]), v) == 0;
}

static bool
is_listed(struct scenario *s, struct scn_expect *x, char **w)
{
	(void)w;
	return scn_listed(s, mirror_of(s, x)) != NULL;
}

static bool
is_state(struct scenario *s, struct scn_expect *x, char **w)
{
	struct mirror_view v;

	return view_of(s, x, &v) && strcmp(mirror_state_name(v.state), w[0]) == 0;
}

static bool
is_verdict(struct scenario *s, struct scn_expect *x, char **w)
{
	struct mirror_view v;

	return view_of(s, x, &v) && strcmp(verdict_name(v.last), w[0]) == 0;
}

static bool
is_backend(struct scenario *s, struct scn_expect *x, char **w)
{
	struct mirror_view v;

	return view_of(s, x, &v) && strcmp(verdict_name(v.backend), w[0]) == 0;
}

static bool
is_rotated(struct scenario *s, struct scn_expect *x, char **w)
{
	const char *now = scn_listed(s, mirror_of(s, x));

	(void)w;
	return now != NULL && strcmp(now, x->anchor->listed[mirror_of(s, x)]) != 0;
}

static bool
is_working(struct scenario *s, struct scn_expect *x, char **w)
{
	const char *now = scn_listed(s, mirror_of(s, x));

	(void)w;
	return now != NULL && model_reachable(now);
}

/* The address that it had when the anchor came. */
static bool
is_old_listed(struct scenario *s, struct scn_expect *x, char **w)
{
	(void)w;
	return check_list_has(x->anchor->listed[mirror_of(s, x)]);
}

static bool
is_old_retired(struct scenario *s, struct scn_expect *x, char **w)
{
	(void)w;
	return check_list_retired(x->anchor->listed[mirror_of(s, x)]);
}

/* Readers are told that it is not to be trusted. */
static bool
is_old_warned(struct scenario *s, struct scn_expect *x, char **w)
{
	(void)w;
	return check_list_warns_of(x->anchor->listed[mirror_of(s, x)]);
}

static bool
is_old_in_tor(struct scenario *s, struct scn_expect *x, char **w)
{
	(void)w;
	return model_has_onion(x->anchor->listed[mirror_of(s, x)]);
}

/* --- numbers --------------------------------------------------------------------------------------- */

static bool
compare(long value, const char *op, const char *than)
{
	long n = atol(than);

	return strcmp(op, "<=") == 0 ? value <= n : strcmp(op, ">=") == 0 ? value >= n : value == n;
}

static const char *
bad_number(struct scenario *s, char **w)
{
	(void)s;
	return (strcmp(w[0], "<=") == 0 || strcmp(w[0], ">=") == 0 || strcmp(w[0], "=") == 0) && strspn(w[1], "0123456789") == strlen(w[1])
		   ? NULL
		   : "<=, >= or = and a number";
}

static bool
is_list(struct scenario *s, struct scn_expect *x, char **w)
{
	(void)s;
	(void)x;
	return compare((long)check_list_count(), w[0], w[1]);
}

static bool
is_onions(struct scenario *s, struct scn_expect *x, char **w)
{
	long n = 0;
	unsigned i;
	size_t k;

	(void)x;
	for (i = 0; i < s->n_tors; i++)
		for (k = 0; simtor_onion(model_tor(i), k) != NULL; k++)
			n++;
	return compare(n, w[0], w[1]);
}

static size_t
given_count(void)
{
	size_t n;

	for (n = 0; simtor_given(n) != NULL; n++)
		;
	return n;
}

static bool
is_rotation(struct scenario *s, struct scn_expect *x, char **w)
{
	(void)s;
	(void)w;
	return given_count() > x->anchor->n_given;
}

static bool
is_new_onions(struct scenario *s, struct scn_expect *x, char **w)
{
	(void)s;
	return compare((long)(given_count() - x->anchor->n_given), w[0], w[1]);
}

/* Between the first additions of new addresses since the anchor lies so much time. */
static bool
is_apart(struct scenario *s, struct scn_expect *x, char **w)
{
	const struct simtor_given *a, *b;
	size_t i;

	(void)s;
	for (i = x->anchor->n_given + 1; (b = simtor_given(i)) != NULL; i++) {
		a = simtor_given(i - 1);
		if (b->first - a->first < scn_duration(w[0]))
			return false;
	}
	return true;
}

static const char *
bad_duration(struct scenario *s, char **w)
{
	(void)s;
	return scn_duration(w[0]) > 0 ? NULL : "not a duration";
}

/* Lines of control commands that begin so, since the anchor; only what is new is looked at. */
static long
commands_since(const struct scenario *s, struct scn_expect *x, const char *begin)
{
	size_t len = strlen(begin);
	const char *p;

	if (x->counted < x->anchor->n_commands) {
		x->counted = x->anchor->n_commands;
		x->count = 0;
	}
	for (p = s->commands != NULL ? s->commands + x->counted : ""; *p != '\0'; p = strchr(p, '\n') + 1)
		x->count += strncmp(p, begin, len) == 0 && (p[len] == ' ' || p[len] == '\n');
	x->counted = s->commands_len;
	return x->count;
}

static bool
is_command(struct scenario *s, struct scn_expect *x, char **w)
{
	return commands_since(s, x, w[0]) > 0;
}

static bool
is_commands(struct scenario *s, struct scn_expect *x, char **w)
{
	return compare(commands_since(s, x, w[0]), w[1], w[2]);
}

static const char *
bad_commands(struct scenario *s, char **w)
{
	return bad_number(s, w + 1);
}

static bool
is_serial(struct scenario *s, struct scn_expect *x, char **w)
{
	(void)s;
	return strcmp(w[0], "rises") == 0 ? check_list_serial() > x->anchor->serial : check_list_serial() == x->anchor->serial;
}

static const char *
bad_serial(struct scenario *s, char **w)
{
	(void)s;
	return strcmp(w[0], "rises") == 0 || strcmp(w[0], "same") == 0 ? NULL : "serial rises, or serial same";
}

/* --- daemon ------------------------------------------------------------------------------------------ */

static bool
is_daemon(struct scenario *s, struct scn_expect *x, char **w)
{
	struct daemon *d = sim_daemon();

	(void)s;
	(void)x;
	return strcmp(w[0], "up") == 0 ? d != NULL : d != NULL && d->stuck;
}

static const char *
bad_daemon(struct scenario *s, char **w)
{
	(void)s;
	return strcmp(w[0], "up") == 0 || strcmp(w[0], "stuck") == 0 ? NULL : "daemon up, or daemon stuck";
}

static bool
is_life(struct scenario *s, struct scn_expect *x, char **w)
{
	(void)s;
	(void)x;
	return compare((long)sim_daemon_life(), w[0], w[1]);
}

static bool
is_panic(struct scenario *s, struct scn_expect *x, char **w)
{
	struct daemon *d = sim_daemon();
	const char *why;

	(void)s;
	(void)x;
	(void)w;
	return d != NULL && engine_in_panic(d->engine, &why);
}

/* tor NAME up|fit */
static bool
is_tor(struct scenario *s, struct scn_expect *x, char **w)
{
	struct daemon *d = sim_daemon();
	int tor = scn_tor(s, w[0]);
	const char *why;

	(void)x;
	if (d == NULL || d->tors == NULL || tor < 0 || d->tors[tor].session == NULL)
		return false;
	if (strcmp(w[1], "up") == 0)
		return session_get_state(d->tors[tor].session) == SESSION_UP;
	return session_is_fit(d->tors[tor].session, &why);
}

static const char *
bad_tor(struct scenario *s, char **w)
{
	return scn_tor(s, w[0]) >= 0 && (strcmp(w[1], "up") == 0 || strcmp(w[1], "fit") == 0) ? NULL : "tor NAME up|fit";
}

static bool
is_log(struct scenario *s, struct scn_expect *x, char **w)
{
	return s->log != NULL && strstr(s->log + x->anchor->n_log, w[0]) != NULL;
}

static bool
is_answer(struct scenario *s, struct scn_expect *x, char **w)
{
	(void)x;
	return s->answers != NULL && strstr(s->answers, w[0]) != NULL;
}

/* The key of the address that it had at the anchor: in the store, or its bytes anywhere on the disk. */
static void
find_old(const struct onion_record *r, void *arg)
{
	const struct onion_record **out = arg;

	if (strcmp(r->address, out[1]->address) == 0)
		out[0] = r;
}

static bool
in_store(const char *address)
{
	struct onion_record wanted = { 0 };
	const struct onion_record *found[2] = { NULL, &wanted };
	struct daemon *d = sim_daemon();
	char *text;
	size_t n;

	snprintf(wanted.address, sizeof wanted.address, "%s", address);
	if (d == NULL)
		return true;
	engine_each_onion(d->engine, find_old, found);
	if (found[0] == NULL || store_get(d->store, STORE_KEY, found[0]->id, &text, &n, NULL) != 0)
		return false;
	free(text);
	return true;
}

static bool
is_old_key_on_disk(struct scenario *s, struct scn_expect *x, char **w)
{
	const struct simtor_given *g;
	size_t i;

	(void)w;
	for (i = 0; (g = simtor_given(i)) != NULL; i++)
		if (strcmp(g->address, x->anchor->listed[mirror_of(s, x)]) == 0)
			return in_store(g->address) || disk_find_bytes(g->key, sizeof g->key, false) != NULL;
	return false;
}

/* The run ends with this invariant broken: for what plants a violation. */
static bool
is_violation(struct scenario *s, struct scn_expect *x, char **w)
{
	const char *name = trace_violation_name();

	(void)s;
	(void)x;
	return name != NULL && strcmp(name, w[0]) == 0;
}

/* What our list repeats of the other member of the site. */
static bool
is_other(struct scenario *s, struct scn_expect *x, char **w)
{
	const struct other_head *h = check_other_repeated();

	(void)s;
	(void)x;
	return strcmp(w[0], "none") == 0 ? h == NULL : h != NULL && (strcmp(w[0], "newest") == 0) == (h == other_newest());
}

static const char *
bad_other(struct scenario *s, char **w)
{
	(void)s;
	return strcmp(w[0], "newest") == 0 || strcmp(w[0], "older") == 0 || strcmp(w[0], "none") == 0 ? NULL : "other newest, older or none";
}

/* --- the table -------------------------------------------------------------------------------------------- */

static const struct scn_predicate predicates[] = {
	{ "listed", true, 0, 0, is_listed, NULL },
	{ "state", true, 1, 1, is_state, NULL },
	{ "verdict", true, 1, 1, is_verdict, NULL },
	{ "backend", true, 1, 1, is_backend, NULL },
	{ "rotated", true, 0, 0, is_rotated, NULL },
	{ "works", true, 0, 0, is_working, NULL },
	{ "old-address-listed", true, 0, 0, is_old_listed, NULL },
	{ "old-address-retired", true, 0, 0, is_old_retired, NULL },
	{ "old-address-warned", true, 0, 0, is_old_warned, NULL },
	{ "old-address-in-tor", true, 0, 0, is_old_in_tor, NULL },
	{ "old-key-on-disk", true, 0, 0, is_old_key_on_disk, NULL },
	{ "list", false, 2, 2, is_list, bad_number },
	{ "onions", false, 2, 2, is_onions, bad_number },
	{ "rotation", false, 0, 0, is_rotation, NULL },
	{ "new-onions", false, 2, 2, is_new_onions, bad_number },
	{ "new-onions-apart", false, 1, 1, is_apart, bad_duration },
	{ "command", false, 1, 1, is_command, NULL },
	{ "commands", false, 3, 3, is_commands, bad_commands },
	{ "serial", false, 1, 1, is_serial, bad_serial },
	{ "daemon", false, 1, 1, is_daemon, bad_daemon },
	{ "lives", false, 2, 2, is_life, bad_number },
	{ "panic", false, 0, 0, is_panic, NULL },
	{ "tor", false, 2, 2, is_tor, bad_tor },
	{ "other", false, 1, 1, is_other, bad_other },
	{ "log", false, 1, 1, is_log, NULL },
	{ "answer", false, 1, 1, is_answer, NULL },
	{ "violation", false, 1, 1, is_violation, NULL },
};

const struct scn_predicate *
scn_predicate_find(struct scenario *s, char **words, size_t n, const char **why)
{
	static char text[500];
	bool of_mirror = n > 0 && scn_mirror(s, words[0]) >= 0;
	size_t skip = of_mirror ? 2 : 1, i;

	snprintf(text, sizeof text, "expect [no] [MIRROR] one of:");
	for (i = 0; i < sizeof predicates / sizeof predicates[0]; i++) {
		const struct scn_predicate *p = &predicates[i];

		snprintf(text + strlen(text), sizeof text - strlen(text), " %s", p->name);
		if (n < skip || p->of_mirror != of_mirror || strcmp(p->name, words[skip - 1]) != 0)
			continue;
		*why = p->name;
		if (n - skip < p->min || n - skip > p->max) {
			*why = "too few or too many words";
			return NULL;
		}
		*why = p->bad != NULL ? p->bad(s, words + skip) : NULL;
		return *why == NULL ? p : NULL;
	}
	*why = text;
	return NULL;
}

bool
scn_is(struct scenario *s, struct scn_expect *x)
{
	/* The words behind the name. */
	char *words[SCN_WORDS];
	size_t skip = x->predicate->of_mirror ? 2 : 1;

	memcpy(words, x->words + skip, (SCN_WORDS - skip) * sizeof words[0]);
	return x->predicate->is(s, x, words) != x->no;
}
