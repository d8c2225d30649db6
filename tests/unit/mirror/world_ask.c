/* SPDX-License-Identifier: BSD-3-Clause */
/* What an operator asks of the engine of the fake world. */
#include "config.h"
#include "world.h"

static int
code(struct world *w, int r, const struct err *err)
{
	world_take(w);
	return r == 0 ? 0 : (int)err->code;
}

int
world_drain(struct world *w, int mirror, uint64_t op)
{
	struct err err = ERR_INIT;

	return code(w, engine_drain(w->e, w->now, mirror, op, &w->out, &err), &err);
}

int
world_maint(struct world *w, int mirror, bool on, uint64_t op)
{
	struct err err = ERR_INIT;

	return code(w, engine_maint(w->e, w->now, mirror, on, op, &w->out, &err), &err);
}

int
world_revoke(struct world *w, int mirror, uint64_t onion, uint64_t op)
{
	struct err err = ERR_INIT;
	int r = mirror >= 0 ? engine_revoke(w->e, w->now, mirror, op, &w->out, &err)
			    : engine_revoke_onion(w->e, w->now, onion, op, &w->out, &err);

	return code(w, r, &err);
}

int
world_rotate(struct world *w, int mirror, uint64_t op)
{
	struct err err = ERR_INIT;

	return code(w, engine_rotate(w->e, w->now, mirror, op, &w->out, &err), &err);
}

void
world_reconfigure(struct world *w)
{
	engine_reconfigure(w->e, w->now, &w->cfg, &w->out);
	world_take(w);
}

void
world_listed_all(struct world *w, size_t n)
{
	uint64_t id;

	world_init(w, n, 1, 1);
	world_settled(w);
	for (id = 1; id <= w->last_id; id++)
		engine_set_tombstone_until(w->e, id, w->now.wall + 90 * 86400, &w->out);
	world_take(w);
	world_mark(w);
}

bool
world_is_tombstone(const struct world *w, uint64_t id)
{
	uint64_t dead[16];
	size_t n = engine_tombstones(w->e, w->now.wall, dead, 16), i;

	for (i = 0; i < n && i < 16; i++)
		if (dead[i] == id)
			return true;
	return false;
}
