/* SPDX-License-Identifier: BSD-3-Clause */
/* What we know about our own side, and the verdict on it. Pure. */
#include "config.h"
#include "tor/fitness.h"

#include "base/mutant.h"
#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *key;
	bool is_conf;
} questions[FITNESS__COUNT] = {
    [FITNESS_CIRCUIT] = {"status/circuit-established", false},
    [FITNESS_LIVENESS] = {"network-liveness", false},
    [FITNESS_CONSENSUS] = {"consensus/valid-until", false},
    [FITNESS_VALID_AFTER] = {"consensus/valid-after", false},
    [FITNESS_DISABLED] = {"DisableNetwork", true},
};

const char *
fitness_key(enum fitness_question q, bool *is_conf)
{
	*is_conf = questions[q].is_conf;
	return questions[q].key;
}

void
fitness_link_down(struct fitness *f)
{
	f->linked = false;
	memset(f->asked, 0, sizeof(f->asked));
	f->circuit = f->live = f->disabled = -1;
	f->pathless_until = 0;
	f->valid_until = f->valid_after = -1;
}

void
fitness_link_up(struct fitness *f)
{
	fitness_link_down(f);
	f->linked = true;
}

static int
value_is(const char *value, const char *yes, const char *no)
{
	return strcmp(value, yes) == 0 ? 1 : strcmp(value, no) == 0 ? 0 : -1;
}

static bool
has_jumped(const struct fitness *f, struct now now)
{
	return f->has_offset && llabs(now_offset(now) - f->offset) > FITNESS_STEP_MS;
}

/* A step of one clock against the other: tor's circuits and our times of validity are off. */
static void
compare_clocks(struct fitness *f, struct now now)
{
	if (has_jumped(f, now))
		f->jumped_until = now.mono + FITNESS_JUMP_HOLD_MS;
	f->offset = now_offset(now);
	f->has_offset = true;
}

/* "": tor has no consensus. */
static int64_t
consensus_time(const char *value)
{
	int64_t t;

	if (value == NULL)
		return -1;
	if (*value == '\0')
		return 0;
	return utc_parse_tor(&t, value) == 0 ? t : -1;
}

void
fitness_take_reply(
    struct fitness *f, enum fitness_question q, const struct reply *r, struct now now)
{
	const char *value = NULL;
	size_t len;
	int got;

	f->asked[q] = true;
	compare_clocks(f, now);
	got = questions[q].is_conf ? reply_getconf(r, questions[q].key, &value)
				   : reply_getinfo(r, questions[q].key, &value, &len);
	if (got != 0)
		value = NULL;
	switch (q) {
	case FITNESS_CIRCUIT: f->circuit = value == NULL ? -1 : value_is(value, "1", "0"); break;
	case FITNESS_LIVENESS: f->live = value == NULL ? -1 : value_is(value, "up", "down"); break;
	case FITNESS_DISABLED:
		/* Without a value it stands at its default, 0. */
		f->disabled = got != 0 ? -1 : value == NULL ? 0 : value_is(value, "1", "0");
		break;
	case FITNESS_CONSENSUS: f->valid_until = consensus_time(value); break;
	case FITNESS_VALID_AFTER: f->valid_after = consensus_time(value); break;
	case FITNESS__COUNT: break;
	}
}

static bool
take_status(struct fitness *f, const struct event_status *st, struct now now)
{
	switch (st->action) {
	case EVENT_STATUS_CIRCUIT_ESTABLISHED:
		f->circuit = 1;
		f->jumped_until = 0;
		return true;
	case EVENT_STATUS_CIRCUIT_NOT_ESTABLISHED:
		f->circuit = 0;
		if (strcmp(st->reason, "CLOCK_JUMPED") == 0)
			f->jumped_until = now.mono + FITNESS_JUMP_HOLD_MS;
		return true;
	case EVENT_STATUS_CLOCK_JUMPED:
		f->jumped_until = now.mono + FITNESS_JUMP_HOLD_MS;
		return true;
	case EVENT_STATUS_CLOCK_SKEW:
		/* A notice is what some relay says, whom nobody trusts with the time. */
		if (st->severity == EVENT_SEVERITY_NOTICE)
			return true;
		f->skewed_until = now.mono + FITNESS_SKEW_HOLD_MS;
		f->skew = st->seconds;
		return true;
	case EVENT_STATUS_CONSENSUS_ARRIVED: f->skewed_until = 0; return true;
	case EVENT_STATUS_ENOUGH_DIR_INFO:
	case EVENT_STATUS_NOT_ENOUGH_DIR_INFO: return true;
	case EVENT_STATUS_OTHER:
	case EVENT_STATUS_BOOTSTRAP:
	case EVENT_STATUS_DANGEROUS_SOCKS:
	case EVENT_STATUS_SOCKS_BAD_HOSTNAME: break;
	}
	return false;
}

bool
fitness_take_event(struct fitness *f, const struct event *ev, struct now now)
{
	if (ev->kind == EVENT_NETWORK_LIVENESS) {
		f->live = ev->u.live ? 1 : 0;
		return true;
	}
	if (ev->kind == EVENT_STATUS_CLIENT || ev->kind == EVENT_STATUS_GENERAL)
		return take_status(f, &ev->u.status, now);
	return false;
}

void
fitness_take_path(struct fitness *f, bool found, struct now now)
{
	f->pathless_until = found ? 0 : now.mono + FITNESS_PATH_HOLD_MS;
}

enum fitness_clock
fitness_clock(const struct fitness *f, struct now now)
{
	if (!f->linked || f->valid_after <= 0 || f->valid_until <= 0)
		return FITNESS_CLOCK_UNKNOWN;
	if (now.wall < f->valid_after - FITNESS_CONSENSUS_EARLY_S ||
	    now.wall > f->valid_until + FITNESS_CONSENSUS_GRACE_S)
		return FITNESS_CLOCK_DISAGREES;
	return FITNESS_CLOCK_AGREES;
}

bool
fitness_judge(const struct fitness *f, struct now now, const char **why)
{
	size_t i;

	if (MUTANT(3))
		*why = "";
	else if (!f->linked)
		*why = "control link lost";
	else if (f->disabled == 1)
		*why = "tor's network is switched off (DisableNetwork 1)";
	else if (now.mono < f->jumped_until || has_jumped(f, now))
		*why = "clock jumped";
	else if (now.mono < f->skewed_until)
		*why = f->skew < 0 ? "clock is behind" : "clock is ahead";
	else if (f->circuit == 0)
		*why = "tor has no circuit";
	else if (now.mono < f->pathless_until)
		*why = "tor finds no rendezvous point";
	else if (f->live == 0)
		*why = "network is down";
	else if (f->valid_until == 0)
		*why = "tor has no consensus";
	else if (f->valid_until > 0 && now.wall > f->valid_until + FITNESS_CONSENSUS_GRACE_S)
		*why = "consensus is too old, or our clock is ahead";
	else if (f->valid_after > 0 && now.wall < f->valid_after - FITNESS_CONSENSUS_EARLY_S)
		*why = "consensus is of the future: our clock is behind";
	else {
		*why = "tor has not answered yet";
		for (i = 0; i < FITNESS__COUNT; i++)
			if (!f->asked[i])
				return false;
		*why = "";
		return true;
	}
	return false;
}
