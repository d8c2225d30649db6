/* SPDX-License-Identifier: BSD-3-Clause */
/* What can happen in a scenario: one table, the words of each row checked when the file is read. Owns nothing. */
#include "config.h"
#include "sim/scenario.h"

#include "sim/impl.h"
#include "sim/model.h"
#include "sim/other.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOREIGN "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad"
#define RESTART_MS 5000
#define VISITS_MAX 32

static bool
is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool
scn_signed_seconds(const char *word, int64_t *s)
{
	int64_t ms = word[0] == '+' || word[0] == '-' ? scn_duration(word + 1) : -1;

	if (ms < 0)
		return false;
	*s = word[0] == '-' ? -ms / 1000 : ms / 1000;
	return true;
}

/* --- tor ------------------------------------------------------------------------------------- */

static void
do_foreign(struct simtor *t)
{
	simtor_add_foreign(t, FOREIGN);
}

static void
do_kill(struct simtor *t)
{
	simtor_kill(t);
}

static void
do_restart(struct simtor *t)
{
	simtor_kill(t);
	simtor_start(t);
}

static void
do_stop(struct simtor *t)
{
	simtor_stop(t, true);
}

static void
do_continue(struct simtor *t)
{
	simtor_stop(t, false);
}

static void
do_cut(struct simtor *t)
{
	simtor_set_network(t, false);
}

static void
do_join(struct simtor *t)
{
	simtor_set_network(t, true);
}

static void
do_filter(struct simtor *t)
{
	simtor_set_filter(t, true);
}

static void
do_unfilter(struct simtor *t)
{
	simtor_set_filter(t, false);
}

static void
do_disable(struct simtor *t)
{
	simtor_set_disabled(t, true);
}

static void
do_enable(struct simtor *t)
{
	simtor_set_disabled(t, false);
}

static void
do_new_cookie(struct simtor *t)
{
	simtor_new_cookie(t, false);
}

static void
do_hangup(struct simtor *t)
{
	simtor_hang_up(t);
}

static const struct {
	const char *word;
	void (*fn)(struct simtor *t);
} tor_verbs[] = { { "kill", do_kill }, { "start", simtor_start }, { "restart", do_restart }, { "stop", do_stop }, { "continue", do_continue },
	{ "network-out", do_cut }, { "network-back", do_join }, { "filter", do_filter }, { "no-filter", do_unfilter }, { "disable", do_disable },
	{ "enable", do_enable }, { "lose-onions", simtor_lose_onions }, { "foreign-onion", do_foreign }, { "other-cookie", do_new_cookie },
	{ "hang-up", do_hangup } };

static const char *
tor_with_value(struct simtor *t, const char *verb, const char *value, bool dry)
{
	int64_t seconds;
	int q;

	if (is(verb, "version")) {
		if (!dry)
			simtor_set_version(t, value);
		return NULL;
	}
	if (is(verb, "skew") || is(verb, "jump")) {
		if (!scn_signed_seconds(value, &seconds))
			return "not a time like +3d";
		if (!dry && verb[0] == 's')
			simtor_clock_skew(t, seconds);
		else if (!dry)
			simtor_clock_jump(t, seconds);
		return NULL;
	}
	if (!is(verb, "quirk"))
		return "tor: kill start restart stop continue network-out network-back filter no-filter disable enable lose-onions foreign-onion "
		       "other-cookie hang-up, version V, skew +T, jump +T, quirk Q";
	for (q = 0; q < QUIRK__COUNT && !is(value, simtor_quirk_name((enum simtor_quirk)q)); q++)
		;
	if (q == QUIRK__COUNT)
		return "no such quirk";
	if (!dry)
		simtor_set_quirk(t, (enum simtor_quirk)q);
	return NULL;
}

/* tor [NAME] VERB [VALUE]: all tors without a name. */
static const char *
do_tor(struct scenario *s, char **w, size_t n, bool dry)
{
	int only = n > 0 ? scn_tor(s, w[0]) : -1;
	const char *why = NULL;
	unsigned i;
	size_t v;

	if (only >= 0) {
		w++;
		n--;
	}
	if (n < 1 || n > 2)
		return "tor [NAME] VERB [VALUE]";
	for (i = 0; i < s->n_tors; i++) {
		if (only >= 0 && i != (unsigned)only)
			continue;
		for (v = 0; n == 1 && v < sizeof tor_verbs / sizeof tor_verbs[0] && !is(tor_verbs[v].word, w[0]); v++)
			;
		if (n == 1 && v < sizeof tor_verbs / sizeof tor_verbs[0]) {
			if (!dry)
				tor_verbs[v].fn(model_tor(i));
		} else if ((why = tor_with_value(model_tor(i), w[0], n == 2 ? w[1] : "", dry)) != NULL) {
			return why;
		}
	}
	return NULL;
}

/* --- mirrors, network ------------------------------------------------------------------------------ */

/* backend NAME|all MODE */
static const char *
do_backend(struct scenario *s, char **w, size_t n, bool dry)
{
	static const char *const modes[] = { "well", "stop", "slow", "deface", "silent", "error", "drip", "busy" };
	unsigned i;
	int mode;

	for (mode = 0; n == 2 && mode < BACKEND_MODES && !is(w[1], modes[mode]); mode++)
		;
	if (n != 2 || mode == BACKEND_MODES || (!is(w[0], "all") && scn_mirror(s, w[0]) < 0))
		return "backend NAME|all well|stop|slow|deface|silent|error|drip|busy";
	for (i = 0; !dry && i < s->n_mirrors; i++)
		if (is(w[0], "all") || is(w[0], s->mirrors[i]))
			model_backend(i, (enum backend_mode)mode);
	return NULL;
}

/* hsdirs lose|refuse|down 50%, hsdirs well */
static const char *
do_hsdirs(struct scenario *s, char **w, size_t n, bool dry)
{
	long share = n == 2 ? scn_share(w[1]) : 0;

	(void)s;
	if (n == 1 && is(w[0], "well")) {
		if (!dry) {
			net_set_loss(0, 0);
			net_set_hsdirs_down(0);
		}
		return NULL;
	}
	if (n != 2 || share < 0 || (!is(w[0], "lose") && !is(w[0], "refuse") && !is(w[0], "down")))
		return "hsdirs lose|refuse|down N%, or hsdirs well";
	if (dry)
		return NULL;
	if (w[0][0] == 'd')
		net_set_hsdirs_down((unsigned)share / 10000);
	else
		net_set_loss(w[0][0] == 'l' ? (unsigned)share : 0, w[0][0] == 'r' ? (unsigned)share : 0);
	return NULL;
}

/* takedown NAME descriptor|intro; forget NAME; visitors NAME N */
static const char *
do_address(struct scenario *s, char **w, size_t n, bool dry)
{
	int mirror = n >= 2 ? scn_mirror(s, w[1]) : -1;
	const char *address;
	unsigned i;

	if (mirror < 0 || n != (is(w[0], "forget") ? 2 : 3))
		return "takedown NAME descriptor|intro, forget NAME, or visitors NAME N";
	if (is(w[0], "takedown") && !is(w[2], "descriptor") && !is(w[2], "intro"))
		return "takedown NAME descriptor|intro";
	if (dry)
		return NULL;
	address = scn_listed(s, (unsigned)mirror);
	if (address == NULL)
		address = model_address((unsigned)mirror);
	if (address == NULL)
		return NULL;
	if (w[0][0] == 't')
		net_take_down(address, w[2][0] == 'd' ? NET_BLOCK_DESC : NET_BLOCK_INTRO);
	else if (w[0][0] == 'f')
		net_forget(address);
	else
		for (i = 0; i < s->n_tors; i++)
			simtor_set_visitors(model_tor(i), address, (unsigned)atoi(w[2]));
	return NULL;
}

static const char *
do_net(struct scenario *s, char **w, size_t n, bool dry)
{
	long share;

	(void)s;
	if (n == 2 && is(w[0], "consensus") && (is(w[1], "freeze") || is(w[1], "thaw"))) {
		if (!dry)
			net_freeze_consensus(w[1][0] == 'f');
		return NULL;
	}
	if (n != 2 || !is(w[0], "spells") || (share = scn_share(w[1])) < 0)
		return "consensus freeze|thaw, or spells N%";
	if (!dry)
		simtor_set_spells((unsigned)share);
	return NULL;
}

/* link split|delay|stall|truncate|half-open|flood N%, link well */
static const char *
do_link(struct scenario *s, char **w, size_t n, bool dry)
{
	struct sim_mangle m = { .delay_ms = 5000 };
	unsigned *const fields[] = { &m.split_ppm, &m.delay_ppm, &m.stall_ppm, &m.truncate_ppm, &m.half_open_ppm, &m.flood_ppm };
	static const char *const words[] = { "split", "delay", "stall", "truncate", "half-open", "flood" };
	long share = n == 2 ? scn_share(w[1]) : -1;
	size_t i;

	(void)s;
	if (n == 1 && is(w[0], "well")) {
		if (!dry)
			sim_mangle_none();
		return NULL;
	}
	for (i = 0; n == 2 && i < 6 && !is(w[0], words[i]); i++)
		;
	if (n != 2 || i == 6 || share < 0)
		return "link split|delay|stall|truncate|half-open|flood N%, or link well";
	*fields[i] = (unsigned)share;
	if (!dry)
		sim_mangle("unix:/run/tor", &m);
	return NULL;
}

/* --- machine, daemon, operator ------------------------------------------------------------------------ */

/* clock +3d|-1h|right: of the machine, so tor notices too */
static const char *
do_clock(struct scenario *s, char **w, size_t n, bool dry)
{
	int64_t seconds = 0;
	unsigned i;

	if (n != 1 || (!is(w[0], "right") && !scn_signed_seconds(w[0], &seconds)))
		return "clock +3d, clock -1h or clock right";
	if (dry)
		return NULL;
	if (is(w[0], "right"))
		seconds = sim_true_wall() - sim_wall();
	sim_wall_step(seconds);
	for (i = 0; i < s->n_tors; i++)
		simtor_clock_jump(model_tor(i), seconds);
	return NULL;
}

static const char *
do_disk(struct scenario *s, char **w, size_t n, bool dry)
{
	struct disk_faults f = { 0 };

	(void)s;
	if (n >= 1 && is(w[0], "full") && n <= 2) {
		f.full = true;
		f.budget = n == 2 ? atoll(w[1]) : 0;
	} else if (n == 1 && is(w[0], "read-only")) {
		f.read_only = true;
	} else if (n == 1 && is(w[0], "eio")) {
		f.eio_fsync_ppm = 1000000;
	} else if (n == 1 && is(w[0], "short-writes")) {
		f.short_write_ppm = 500000;
	} else if (n != 1 || !is(w[0], "well")) {
		return "disk full [BYTES], read-only, eio, short-writes or well";
	}
	if (!dry)
		disk_faults = f;
	return NULL;
}

/* daemon kill [after N], daemon power-loss [after N], daemon term, daemon hup */
static const char *
do_daemon(struct scenario *s, char **w, size_t n, bool dry)
{
	bool power = n > 0 && is(w[0], "power-loss");

	(void)s;
	if (n == 1 && (is(w[0], "term") || is(w[0], "hup"))) {
		if (!dry)
			process_signal(w[0][0] == 't' ? SIGTERM : SIGHUP);
		return NULL;
	}
	if (n == 0 || (!power && !is(w[0], "kill")) || (n != 1 && (n != 3 || !is(w[1], "after") || atoi(w[2]) < 1)))
		return "daemon kill [after N], power-loss [after N], term or hup";
	if (dry)
		return NULL;
	if (n == 3)
		process_kill_at((uint64_t)atoi(w[2]), power, RESTART_MS);
	else if (power)
		process_power_loss(RESTART_MS);
	else
		process_kill("scenario", RESTART_MS);
	return NULL;
}

static void
on_answer(struct sim_conn *c, void *arg)
{
	const char *p, *lf;
	size_t n;

	(void)arg;
	while ((p = sim_conn_peek(c, &n)), (lf = memchr(p, '\n', n)) != NULL) {
		scn_on_answer(p, (size_t)(lf - p));
		sim_conn_consume(c, (size_t)(lf - p) + 1);
	}
}

static struct sim_conn *visits[VISITS_MAX]; /* of the operator, open ones */

static void
on_operator_closed(struct sim_conn *c, void *arg)
{
	unsigned i;

	(void)arg;
	for (i = 0; i < VISITS_MAX; i++)
		if (visits[i] == c)
			visits[i] = NULL;
}

void
scn_do_end(void)
{
	unsigned i;

	for (i = 0; i < VISITS_MAX; i++)
		if (visits[i] != NULL)
			sim_conn_close(visits[i]);
	memset(visits, 0, sizeof visits);
}

/* operator METHOD [MIRROR [on|off]], operator unlock PASSPHRASE */
static const char *
do_operator(struct scenario *s, char **w, size_t n, bool dry)
{
	static const struct sim_conn_ops ops = { on_answer, on_operator_closed };
	bool unlock = n == 2 && is(w[0], "unlock");
	unsigned i;
	char line[200];

	if (n < 1 || n > 3 || (n >= 2 && !unlock && scn_mirror(s, w[1]) < 0) || (n == 3 && !is(w[2], "on") && !is(w[2], "off")))
		return "operator METHOD [MIRROR [on|off]], operator unlock PASSPHRASE";
	for (i = 0; i < VISITS_MAX && visits[i] != NULL; i++)
		;
	if (dry || i == VISITS_MAX || (visits[i] = sim_connect(sim_plan.control, &ops, NULL)) == NULL)
		return NULL;
	if (n >= 2 && !unlock)
		operator_note(w[0], (unsigned)scn_mirror(s, w[1]));
	if (n == 3)
		snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{\"mirror\":\"%s\",\"on\":%s}}\n", w[0], w[1],
		    is(w[2], "on") ? "true" : "false");
	else if (n == 2)
		snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{\"%s\":\"%s\"}}\n", w[0],
		    unlock ? "passphrase" : "mirror", w[1]);
	else
		snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}\n", w[0]);
	sim_conn_puts(visits[i], line);
	return NULL;
}

static const char *
do_cookie(struct scenario *s, char **w, size_t n, bool dry)
{
	static const char bytes[64] = "x";
	int size = n == 1 ? atoi(w[0]) : -1;

	(void)s;
	if (n != 1 || size < 0 || size > 64)
		return "cookie-file N: so many bytes; 0 removes it";
	if (!dry && size == 0)
		sim_file_remove(sim_plan.tors[0].cookie);
	else if (!dry)
		sim_file_put(sim_plan.tors[0].cookie, bytes, (size_t)size, 0640);
	return NULL;
}

/* other ACT [FILE]: what its peer does */
static const char *
do_other(struct scenario *s, char **w, size_t n, bool dry)
{
	(void)s;
	return n >= 1 && n <= 2 && other_peer_do(w[0], n == 2 ? w[1] : NULL, dry) ? NULL : other_peer_acts();
}

const char *
scn_do(struct scenario *s, char **words, size_t n, bool dry)
{
	static const struct {
		const char *word;
		const char *(*fn)(struct scenario *s, char **w, size_t n, bool dry);
		bool whole; /* wants the first word too */
	} rows[] = { { "tor", do_tor, false }, { "backend", do_backend, false }, { "hsdirs", do_hsdirs, false }, { "takedown", do_address, true },
		{ "forget", do_address, true }, { "visitors", do_address, true }, { "consensus", do_net, true }, { "spells", do_net, true },
		{ "link", do_link, false }, { "clock", do_clock, false }, { "disk", do_disk, false }, { "daemon", do_daemon, false },
		{ "operator", do_operator, false }, { "cookie-file", do_cookie, false }, { "other", do_other, false }, { "plant", scn_plant, false } };
	size_t i;

	/* Nothing but a moment, for what is expected from then on. */
	if (n == 1 && is(words[0], "look"))
		return NULL;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (is(rows[i].word, words[0]))
			return rows[i].whole ? rows[i].fn(s, words, n, dry) : rows[i].fn(s, words + 1, n - 1, dry);
	return "at TIME look, tor, backend, hsdirs, takedown, forget, visitors, consensus, spells, link, clock, disk, daemon, operator, cookie-file, other or plant";
}
