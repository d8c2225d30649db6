/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carrying out what the engine decided. All records and notes of a batch are
 * made durable in one transaction before any action of it runs. When the disk
 * takes no writes nothing is carried out; the batch waits and is tried again.
 */
#include "config.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/metrics.h"
#include "daemon/records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 10000
#define PENDING_MAX 100000

/* The name of the mirror that an action is about, or NULL. */
static const char *
mirror_of(const struct daemon *d, const struct action *a)
{
	const struct onion_record *r = a->onion != 0 ? engine_onion(d->engine, a->onion) : NULL;

	if (r != NULL)
		return r->mirror;
	return a->mirror >= 0 && (size_t)a->mirror < d->conf->n_mirrors ? d->conf->mirrors[a->mirror].name : NULL;
}

/* What a decision rests on: taken in the turn that made it. */
static json_t *
evidence_json(const struct daemon *d, const struct action *a)
{
	char text[EVIDENCE_MAX], *line, *rest = text;
	json_t *list;

	if (a->note != NOTE_DECISION && a->note != NOTE_ALARM)
		return NULL;
	engine_evidence(d->engine, clock_now(), a->onion, a->mirror, text, sizeof text);
	list = json_array();
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			json_array_append_new(list, json_string(line));
	return list;
}

static json_t *
note_json(const struct daemon *d, const struct action *a)
{
	static const char *const kinds[] = { "state", "step", "decision", "alarm" };
	json_t *text = a->from[0] == '\0' ? json_string(a->text)
					 : json_sprintf("%s -> %s%s%s", a->from, a->step, a->text[0] != '\0' ? ": " : "", a->text);

	return json_pack("{s:s,s:s,s:o,s:I,s:I,s:I,s:s*,s:I}", "kind", kinds[a->note], "step", a->step, "text", text, "op", (json_int_t)a->op,
	    "elapsed_ms", (json_int_t)op_elapsed(d, a->op), "time", (json_int_t)clock_wall_s(), "mirror", mirror_of(d, a), "onion", (json_int_t)a->onion);
}

static int
save_note(struct daemon *d, const struct action *a, struct err *e)
{
	json_t *v = note_json(d, a), *evidence = evidence_json(d, a);

	if (evidence != NULL)
		json_object_set_new(v, "evidence", evidence);
	return record_put(d->store, STORE_HISTORY, record_next_id(&d->history_id), v, e);
}

static int
save_action(struct daemon *d, const struct action *a, struct err *e)
{
	const struct onion_record *r;

	if (a->kind == ACTION_SAVE && (r = engine_onion(d->engine, a->onion)) != NULL)
		return record_put(d->store, STORE_ONION, a->onion, record_onion(r), e);
	if (a->kind == ACTION_SAVE_MIRROR)
		return restore_save_holds(d, e);
	if (a->kind == ACTION_NOTE && a->note != NOTE_STEP)
		return save_note(d, a, e);
	return 0;
}

static int
save(struct daemon *d, const struct actions *a, struct err *e)
{
	size_t i;
	bool any = false;

	for (i = 0; i < a->n; i++)
		any = any || a->v[i].kind == ACTION_SAVE || a->v[i].kind == ACTION_SAVE_MIRROR || (a->v[i].kind == ACTION_NOTE && a->v[i].note != NOTE_STEP);
	if (!any)
		return 0;
	/* A batch may have grown long; while the disk is full, one small row is enough to see that it still is. */
	if (d->stuck && restore_save_holds(d, e) != 0)
		return -1;
	if (store_begin(d->store, e) != 0)
		return -1;
	for (i = 0; i < a->n; i++)
		if (save_action(d, &a->v[i], e) != 0) {
			store_rollback(d->store);
			return -1;
		}
	return store_commit(d->store, e);
}

static void
do_note(struct daemon *d, const struct action *a)
{
	const struct onion_record *r = a->onion != 0 ? engine_onion(d->engine, a->onion) : NULL;
	const char *mirror = mirror_of(d, a), *onion = r != NULL ? log_onion(r->address) : "";
	const char *space = onion[0] != '\0' ? " " : "", *colon = mirror != NULL ? ": " : "";
	json_t *note;

	mirror = mirror != NULL ? mirror : "";
	if (a->note == NOTE_ALARM)
		log_warn("ALARM %s: %s%s%s%s%s", a->step, mirror, colon, a->text, space, onion);
	else if (a->note == NOTE_STEP)
		log_info("%s%sstep %s: %s%s%s", mirror, colon, a->step, a->text, space, onion);
	else if (a->from[0] != '\0')
		log_state(&(struct log_change){ mirror, a->from, a->step, a->text[0] != '\0' ? a->text : onion_cause_name(a->cause), onion });
	else
		log_notice("%s%s%s: %s%s%s", mirror, colon, a->step, a->text, space, onion);
	note = note_json(d, a);
	if (a->note == NOTE_STEP)
		op_keep(d, a->op, note);
	metrics_on_note(d, a);
	control_notify(d->control, note);
}

static void
perform(struct daemon *d, const struct action *a)
{
	struct actions out = { 0 };
	bool wanted = engine_take_action(d->engine, clock_now(), a, &out);

	apply(d, &out);
	if (!wanted)
		return;
	switch (a->kind) {
	case ACTION_SAVE: listservice_follow(d, a->onion); break;
	case ACTION_SAVE_MIRROR: break;
	case ACTION_PLAN: do_plan(d, a); break;
	case ACTION_ADD_ONION: do_add(d, a); break;
	case ACTION_DEL_ONION: do_delete(d, a); break;
	case ACTION_PROBE: do_probe(d, a); break;
	case ACTION_CHECK: do_check(d, a); break;
	case ACTION_CONTROL: do_control(d, a); break;
	case ACTION_COMPARE: do_compare(d, a); break;
	case ACTION_CLIENTS: do_clients(d, a); break;
	case ACTION_FORGET: do_forget(d, a); break;
	case ACTION_PUBLISH: do_publish(d, a); break;
	case ACTION_SHRED: do_shred(d, a); break;
	case ACTION_NOTE: do_note(d, a); break;
	}
}

static void
append(struct actions *to, const struct actions *from)
{
	if (from->n == 0)
		return;
	if (to->n + from->n > to->cap) {
		to->cap = to->n + from->n + 16;
		to->v = xreallocarray(to->v, to->cap, sizeof *to->v);
	}
	memcpy(to->v + to->n, from->v, from->n * sizeof *to->v);
	to->n += from->n;
}

void
store_check(struct daemon *d, const struct err *e)
{
	if (e->code != ERR_SYS || e->sys != EIO)
		return;
	log_error("stopping: what reached the disk can be told only by reading it anew");
	daemon_stop(d, 1);
}

/* The disk takes no writes: nothing is done that could not be remembered. */
static void
store_refused(struct daemon *d, const struct err *e)
{
	if (e->sys != ENOSPC && e->sys != EDQUOT && e->sys != EFBIG && e->sys != EROFS) {
		log_error("%s; stopping, so that nothing is done that is not recorded", e->msg);
		daemon_stop(d, 1);
		return;
	}
	if (!d->stuck)
		log_error("%s; nothing is changed or published until it can be recorded", e->msg);
	d->stuck = true;
	timer_set(d->retry, RETRY_MS);
}

static void
set_tick(struct daemon *d)
{
	int64_t at = engine_deadline(d->engine), left = at == INT64_MAX ? INT64_MAX : at - clock_mono_ms();

	if (at == INT64_MAX)
		timer_cancel(d->tick);
	else
		timer_set(d->tick, left < 0 ? 0 : left > 3600000 ? 3600000 : left);
}

void
apply(struct daemon *d, struct actions *a)
{
	struct actions batch;
	struct err e = ERR_INIT;
	size_t i;

	append(&d->pending, a);
	actions_free(a);
	if (d->applying || d->stopping)
		return; /* the turn that is under way takes them, in order */
	d->applying = true;
	while (d->pending.n > 0 && !d->stopping) {
		if (save(d, &d->pending, &e) != 0) {
			store_refused(d, &e);
			if (d->pending.n > PENDING_MAX)
				daemon_stop(d, 1);
			break;
		}
		if (d->stuck) {
			log_notice("the state can be written again");
			d->stuck = false;
		}
		batch = d->pending;
		memset(&d->pending, 0, sizeof d->pending);
		for (i = 0; i < batch.n && !d->stopping; i++)
			perform(d, &batch.v[i]);
		actions_free(&batch);
	}
	d->applying = false;
	if (d->stopping)
		return;
	set_tick(d);
	service_status(d);
}
