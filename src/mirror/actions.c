/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of actions that a decision leaves behind. */
#include "config.h"
#include "base/enc.h"
#include "base/mem.h"
#include "mirror/engine_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
actions_reset(struct actions *a)
{
	a->n = 0;
}

void
actions_free(struct actions *a)
{
	free(a->v);
	memset(a, 0, sizeof *a);
}

struct action *
action_add(struct actions *out, enum action_kind kind, const struct onion *o, int mirror)
{
	struct action *a;

	if (out->n == out->cap) {
		out->cap = out->cap == 0 ? 16 : out->cap * 2;
		out->v = xreallocarray(out->v, out->cap, sizeof *out->v);
	}
	a = &out->v[out->n++];
	memset(a, 0, sizeof *a);
	a->kind = kind;
	a->mirror = o != NULL ? o->mirror : mirror;
	if (o != NULL) {
		a->onion = o->r.id;
		a->cause = o->r.cause;
		a->op = o->r.op;
	}
	return a;
}

void
note(struct actions *out, enum note_kind kind, const struct onion *o, int mirror, uint64_t op, const char *step,
    const char *fmt, ...)
{
	struct action *a = action_add(out, ACTION_NOTE, o, mirror);
	char text[sizeof a->text];
	va_list ap;

	a->note = kind;
	a->op = op;
	snprintf(a->step, sizeof a->step, "%s", step);
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	/* What a tor said may be in it, and it becomes JSON, and a line on somebody's screen. */
	text_escape(a->text, sizeof a->text, text);
}
