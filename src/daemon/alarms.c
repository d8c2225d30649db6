/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What will run out, told long before: root, certificate, list, proofs of
 * possession; a key that was not taken; and what lacks of other members. All is computed from the state;
 * when it was last told is read in the history.
 */
#include "config.h"
#include "daemon/daemon.h"
#include "daemon/records.h"
#include "io/syscalls.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR 3600
#define DAY 86400
#define ROOT_WARN (90 * DAY)
#define MEMBER_WARN (14 * DAY)
#define LIST_FRESH (24 * HOUR)

typedef void alarm_cb(const char *step, const char *text, void *arg);

struct looking {
	struct daemon *d;
	int64_t now;
	alarm_cb *cb;
	void *arg;
	int64_t first; /* end of the proof that ends first among those that are late, 0: none */
	size_t late;
};

static void __attribute__((format(printf, 3, 4)))
tell(struct looking *l, const char *step, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	l->cb(step, text, l->arg);
}

static void
tell_expiry(struct looking *l, const char *step, const char *what, int64_t until, int64_t warn, const char *do_what)
{
	int64_t left = until - l->now;

	if (left <= 0)
		tell(l, step, "%s ran out: no new list is believed; %s", what, do_what);
	else if (left < warn)
		tell(l, step, "%s runs out in %lld %s: %s", what, (long long)(left < 2 * DAY ? left / HOUR : left / DAY),
		    left < 2 * DAY ? "hours" : "days", do_what);
}

/* Proofs are renewed at half their life; one with a quarter left was not. */
static void
look_at_proof(const struct onion_record *r, void *arg)
{
	struct looking *l = arg;

	if (r->state != ONION_LISTED || r->tombstone_until - l->now >= publish_site_possession(l->d->site) / 4)
		return;
	l->late++;
	if (l->first == 0 || r->tombstone_until < l->first)
		l->first = r->tombstone_until;
}

static void
look_at_list(struct looking *l)
{
	const struct daemon *d = l->d;
	int64_t age = l->now - d->published, left = d->valid_until - l->now;

	if (d->serial == 0)
		return;
	if (left <= 0)
		tell(l, "list-expiry", "the list that is out ran out: readers refuse it");
	else if (age >= LIST_FRESH || left < (d->valid_until - d->published) / 4)
		tell(l, "list-expiry", "no new list for %lld hours: the one that is out runs out in %lld hours", (long long)age / HOUR, (long long)left / HOUR);
}

static void
look_at_others(struct looking *l)
{
	const char *p = buf_str(&l->d->others_faults);
	size_t n;

	for (; *p != '\0'; p += n + (p[n] == '\n')) {
		n = strcspn(p, "\n");
		tell(l, "other-members", "%.*s", (int)n, p);
	}
}

/* Never in a sound daemon. */
static void
look_at_calls(struct looking *l)
{
	const char *last;
	unsigned n = syscalls_refused(&last);

	if (n > 0)
		tell(l, "sandbox", "the sandbox refused %u system calls, the last was %s: a bug to report, or an intruder", n, last);
}

static void
look(struct daemon *d, alarm_cb *cb, void *arg)
{
	struct looking l = { .d = d, .now = clock_wall_s(), .cb = cb, .arg = arg };

	tell_expiry(&l, "root-expiry", "the root document", publish_site_root_expiry(d->site), ROOT_WARN, "have the root keys sign the next one (onionmirror root rotate)");
	tell_expiry(&l, "member-expiry", "the member certificate", publish_site_member_expiry(d->site), MEMBER_WARN,
	    "have the root keys sign a new members.json (onionmirror member renew)");
	if (d->waiting_key[0] != '\0')
		tell(&l, "member-key", "%s", d->waiting_key);
	look_at_calls(&l);
	look_at_list(&l);
	engine_each_onion(d->engine, look_at_proof, &l);
	if (l.late > 0)
		tell(&l, "possession-expiry", "%zu listed addresses have a proof of possession that was not renewed in time; the first runs out in %lld hours", l.late,
		    (long long)(l.first - l.now) / HOUR);
	look_at_others(&l);
}

static void
add(const char *step, const char *text, void *arg)
{
	(void)step;
	json_array_append_new(arg, json_string(text));
}

void
alarms_add(struct daemon *d, json_t *list)
{
	look(d, add, list);
}

/* --- once a day ---------------------------------------------------------------------------------- */

struct raising {
	struct daemon *d;
	json_t *told;       /* set of the alarms within a day, by subject(); NULL: not read yet */
	struct actions out;
};

/*
 * What makes two alarms the same. The texts of most change from hour to hour and are one alarm; of other members each
 * line is one of its own, but for the count that it begins with and what stands behind a semicolon: whoever changes a
 * number each minute must not fill the history.
 */
static json_t *
subject(const char *step, const char *text)
{
	text += strspn(text, "0123456789");
	return strcmp(step, "other-members") == 0 ? json_stringn(text, strcspn(text, ";")) : json_string(step);
}

static bool
note_told(uint64_t id, const char *p, size_t n, void *arg)
{
	json_t *v = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
	const char *kind = json_string_value(json_object_get(v, "kind")), *step = json_string_value(json_object_get(v, "step"));
	const char *text = json_string_value(json_object_get(v, "text"));

	json_t *about;

	(void)id;
	if (kind != NULL && step != NULL && text != NULL && strcmp(kind, "alarm") == 0) {
		about = subject(step, text);
		json_object_set_new(arg, json_string_value(about), json_true());
		json_decref(about);
	}
	json_decref(v);
	return true;
}

/* Read only when there is something to tell. History that can't be read: better told twice than not. */
static void
read_told(struct raising *r)
{
	int64_t since = clock_wall_s() - DAY;

	if (r->told != NULL)
		return;
	r->told = json_object();
	store_each(r->d->store, STORE_HISTORY, record_id_at(since > 0 ? since : 0), note_told, r->told, NULL);
}

static void
raise_one(const char *step, const char *text, void *arg)
{
	struct raising *r = arg;
	json_t *about = subject(step, text);
	struct action *a;
	bool told;

	read_told(r);
	told = json_object_get(r->told, json_string_value(about)) != NULL;
	json_object_set_new(r->told, json_string_value(about), json_true());
	json_decref(about);
	if (told)
		return;
	r->out.v = xreallocarray(r->out.v, ++r->out.cap, sizeof *r->out.v);
	a = &r->out.v[r->out.n++];
	*a = (struct action){ .kind = ACTION_NOTE, .note = NOTE_ALARM, .mirror = -1 };
	snprintf(a->step, sizeof a->step, "%s", step);
	snprintf(a->text, sizeof a->text, "%s", text);
}

void
alarms_raise(struct daemon *d)
{
	struct raising r = { .d = d };

	if (d->stuck)
		return; /* nothing could note that it was told */
	look(d, raise_one, &r);
	json_decref(r.told);
	apply(d, &r.out);
}
