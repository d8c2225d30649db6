/* SPDX-License-Identifier: BSD-3-Clause */
/* Events to what is known of one probe. Owns nothing. */
#include "config.h"
#include "tor/trace.h"

#include <stdio.h>
#include <string.h>

void
trace_init(struct trace *t, const char *address, const char *user)
{
	memset(t, 0, sizeof(*t));
	snprintf(t->address, sizeof(t->address), "%s", address);
	snprintf(t->user, sizeof(t->user), "%s", user);
	t->cached = -1;
}

enum desc_sight
trace_sight(enum desc_sight before, const struct event_hs_desc *ev)
{
	if (before == DESC_RECEIVED || ev->side == EVENT_DESC_SIDE_UPLOAD)
		return before;
	if (ev->action == EVENT_DESC_RECEIVED)
		return DESC_RECEIVED;
	if (ev->action == EVENT_DESC_REQUESTED)
		/* A later question doesn't undo an answer; only the next answer does. */
		return before == DESC_UNSEEN ? DESC_REQUESTED : before;
	/* UNEXPECTED may be an upload's: those count only once we know that a fetch is under way. */
	if (ev->action == EVENT_DESC_FAILED &&
	    (ev->side == EVENT_DESC_SIDE_FETCH || before != DESC_UNSEEN))
		return ev->reason == EVENT_DESC_REASON_BAD_DESC ? DESC_BAD : DESC_MISSING;
	return before;
}

static void
reach(int32_t *phase, int32_t ms)
{
	if (*phase < 0)
		*phase = ms;
}

static struct trace_circuit *
find_circuit(struct trace *t, const char *id)
{
	unsigned i;

	for (i = 0; i < t->n_circuits; i++)
		if (strcmp(t->circuits[i].id, id) == 0)
			return &t->circuits[i];
	return NULL;
}

/* NULL: there are too many. */
static struct trace_circuit *
note_circuit(struct trace *t, const char *id)
{
	struct trace_circuit *c = find_circuit(t, id);

	if (c != NULL || t->n_circuits == TRACE_CIRCUITS_MAX)
		return c;
	c = &t->circuits[t->n_circuits++];
	memset(c, 0, sizeof(*c));
	memcpy(c->id, id, strlen(id) + 1);
	return c;
}

static void
drop_circuit(struct trace *t, const char *id)
{
	struct trace_circuit *c = find_circuit(t, id);

	if (c != NULL)
		*c = t->circuits[--t->n_circuits];
}

static void
take_stream(struct trace *t, const struct event_stream *ev, int32_t ms, struct phases *ph)
{
	struct trace_circuit *c;

	t->stream_seen = true;
	if (ev->status == EVENT_STREAM_SENTCONNECT && strcmp(ev->circuit, "0") != 0) {
		t->joined = true;
		reach(&ph->rendezvous, ms);
		if ((c = note_circuit(t, ev->circuit)) != NULL)
			c->built = true;
	} else if (ev->status == EVENT_STREAM_FAILED || ev->status == EVENT_STREAM_CLOSED) {
		/* CLOSED says the same again. */
		if (ev->reason[0] != '\0')
			memcpy(t->reason, ev->reason, sizeof(t->reason));
		if (ev->remote_reason[0] != '\0')
			memcpy(t->remote_reason, ev->remote_reason, sizeof(t->remote_reason));
	}
}

static void
take_introduction(struct trace *t, struct trace_circuit *c, const char *state, int32_t ms, struct phases *ph)
{
	if (strcmp(state, "HSCI_INTRO_SENT") == 0) {
		c->sent = true;
	} else if (c->sent && strcmp(state, "HSCI_DONE") == 0) {
		/* On a circuit that is given up DONE comes too, but never right behind INTRO_SENT. */
		c->sent = false;
		t->acked = true;
		reach(&ph->introduction, ms);
	} else if (c->sent && strcmp(state, "HSCI_CONNECTING") == 0) {
		c->sent = false;
		t->nacked = true;
	}
}

/* One of ours that is no client circuit of a service any more. */
static void
end_circuit(struct trace *t, const struct event_circ *ev)
{
	const struct trace_circuit *c = find_circuit(t, ev->id);
	bool intro = c != NULL ? c->intro : strcmp(ev->purpose, "HS_CLIENT_INTRO") == 0;

	/* tor tries out whether what it gave up was the fault of its guard. */
	if (strcmp(ev->reason, "TIMEOUT") == 0 || strcmp(ev->purpose, "PATH_BIAS_TESTING") == 0) {
		if (intro)
			t->intro_timeout = true;
		else if (t->acked)
			t->rend_timeout = true;
	}
	drop_circuit(t, ev->id);
}

static void
take_circuit(struct trace *t, const struct event_circ *ev, int32_t ms, struct phases *ph)
{
	bool intro = strcmp(ev->purpose, "HS_CLIENT_INTRO") == 0;
	bool rend = strcmp(ev->purpose, "HS_CLIENT_REND") == 0;
	struct trace_circuit *c;

	/* An introduction circuit that is done becomes padding, which is tor's to end. */
	if (ev->status == EVENT_CIRC_CLOSED || ev->status == EVENT_CIRC_FAILED || (!intro && !rend)) {
		end_circuit(t, ev);
		return;
	}
	if ((c = note_circuit(t, ev->id)) == NULL)
		return;
	c->intro = intro;
	/* After a refusal it is extended to another introduction point, and is being built again. */
	c->built = ev->status == EVENT_CIRC_BUILT || strstr(ev->hs_state, "CONNECTING") == NULL;
	if (intro) {
		take_introduction(t, c, ev->hs_state, ms, ph);
		return;
	}
	if (strncmp(ev->hs_state, "HSCR_ESTABLISHED", 16) == 0)
		t->meeting_point = true;
	if (strcmp(ev->hs_state, "HSCR_JOINED") == 0) {
		t->meeting_point = t->joined = true;
		reach(&ph->rendezvous, ms);
	}
}

void
trace_take(struct trace *t, const struct event *ev, int32_t ms, struct phases *ph)
{
	switch (ev->kind) {
	case EVENT_HS_DESC:
		if (strcmp(t->address, ev->u.hs_desc.address) != 0)
			return;
		t->desc = trace_sight(t->desc, &ev->u.hs_desc);
		if (t->desc == DESC_RECEIVED)
			reach(&ph->descriptor, ms);
		return;
	case EVENT_STREAM:
		if (t->user[0] != '\0' && strcmp(t->user, ev->u.stream.socks_username) == 0)
			take_stream(t, &ev->u.stream, ms, ph);
		return;
	case EVENT_CIRC:
	case EVENT_CIRC_MINOR:
		if (t->user[0] != '\0' && strcmp(t->user, ev->u.circ.socks_username) == 0)
			take_circuit(t, &ev->u.circ, ms, ph);
		return;
	case EVENT_OTHER:
	case EVENT_STATUS_CLIENT:
	case EVENT_STATUS_GENERAL:
	case EVENT_NETWORK_LIVENESS: return;
	}
}
