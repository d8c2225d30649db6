/* SPDX-License-Identifier: BSD-3-Clause */
/* The model of a world: its tors, network and backends, by the plan; and the handles that nemesis and checkers turn. */
#include "config.h"
#include "sim/model.h"

#include "sim/sim.h"

#include <stdio.h>
#include <string.h>

static struct {
	struct simtor *tors[SIM_TORS];
	struct back *backs[SIM_MIRRORS];
} model;

struct simtor *
model_tor(unsigned tor)
{
	return tor < SIM_TORS ? model.tors[tor] : NULL;
}

struct back *
model_back(unsigned mirror)
{
	return mirror < SIM_MIRRORS ? model.backs[mirror] : NULL;
}

const char *
model_address(unsigned mirror)
{
	const char *address, *newest = NULL, *target;
	unsigned tor;
	size_t i;

	for (tor = 0; tor < sim_plan.n_tors; tor++)
		for (i = 0; (address = simtor_onion(model.tors[tor], i)) != NULL; i++)
			if ((target = simtor_target(address, 80)) != NULL && strcmp(target, sim_plan.mirrors[mirror].backend) == 0)
				newest = address;
	return newest;
}

void
model_start(void)
{
	unsigned i;

	net_start();
	for (i = 0; i < sim_plan.n_controls; i++)
		simtor_add_other(sim_plan.controls[i]);
	for (i = 0; i < sim_plan.n_mirrors; i++)
		model.backs[i] = back_new(sim_plan.mirrors[i].backend, sim_plan.body);
	for (i = 0; i < sim_plan.n_tors; i++) {
		const struct simtor_config cfg = { .index = i, .name = sim_plan.tors[i].name, .control = sim_plan.tors[i].control,
			.socks = sim_plan.tors[i].socks, .cookie = sim_plan.tors[i].cookie, .extended_errors = sim_below(DICE_PLAN, 2) == 0 };

		model.tors[i] = simtor_new(&cfg);
		simtor_start(model.tors[i]);
	}
}

void
model_stop(void)
{
	unsigned i;

	for (i = 0; i < SIM_TORS; i++)
		simtor_free(model.tors[i]);
	for (i = 0; i < SIM_MIRRORS; i++)
		back_free(model.backs[i]);
	memset(&model, 0, sizeof model);
	net_stop();
}

void
model_heal(void)
{
	unsigned i;

	net_set_loss(0, 0);
	net_set_hsdirs_down(0);
	net_freeze_consensus(false);
	simtor_set_spells(0);
	for (i = 0; i < sim_plan.n_tors; i++) {
		simtor_set_quirk(model.tors[i], QUIRK_NONE);
		simtor_set_version(model.tors[i], "0.4.9.11");
		simtor_set_filter(model.tors[i], false);
		simtor_set_disabled(model.tors[i], false);
		simtor_set_network(model.tors[i], true);
		simtor_stop(model.tors[i], false);
		simtor_start(model.tors[i]);
	}
	for (i = 0; i < sim_plan.n_mirrors; i++)
		back_set_mode(model.backs[i], BACKEND_OK);
}

void
model_power_loss(void)
{
	unsigned i;

	for (i = 0; i < sim_plan.n_tors; i++) {
		simtor_kill(model.tors[i]);
		simtor_start(model.tors[i]);
	}
}

void
model_tor_kill(unsigned tor)
{
	simtor_kill(model.tors[tor]);
}

void
model_tor_start(unsigned tor)
{
	simtor_start(model.tors[tor]);
}

void
model_tor_stop(unsigned tor, bool stopped)
{
	simtor_stop(model.tors[tor], stopped);
}

void
model_tor_filter(unsigned tor, bool on)
{
	simtor_set_filter(model.tors[tor], on);
}

void
model_tor_network(unsigned tor, bool up)
{
	simtor_set_network(model.tors[tor], up);
}

void
model_tor_lose_onions(unsigned tor)
{
	simtor_lose_onions(model.tors[tor]);
}

void
model_uploads_lost(unsigned ppm)
{
	net_set_loss(ppm - ppm / 3, ppm / 3);
}

void
model_takedown(unsigned nth)
{
	const char *address, *found = NULL;
	unsigned tor, n = 0, round;
	size_t i;

	for (round = 0; round < 2; round++) {
		unsigned at = 0;

		for (tor = 0; tor < sim_plan.n_tors; tor++)
			for (i = 0; (address = simtor_onion(model.tors[tor], i)) != NULL; i++, at++)
				if (round == 1 && at == nth % n)
					found = address;
		n = at;
		if (n == 0)
			return;
	}
	sim_trace("takedown of %.8s...", found);
	net_take_down(found, sim_below(DICE_NET, 2) == 0 ? NET_BLOCK_DESC : NET_BLOCK_INTRO);
}

void
model_backend(unsigned mirror, enum backend_mode mode)
{
	sim_trace("backend of %s: mode %d", sim_plan.mirrors[mirror].name, (int)mode);
	back_set_mode(model.backs[mirror], mode);
}

void
model_bad_spells(unsigned ppm)
{
	simtor_set_spells(ppm);
}

/* --- what is true ------------------------------------------------------------------------- */

bool
model_reachable(const char *address)
{
	const char *target = simtor_target(address, 80);
	unsigned i;

	if (target == NULL || !simtor_address_works(address))
		return false;
	for (i = 0; i < sim_plan.n_mirrors; i++)
		if (strcmp(sim_plan.mirrors[i].backend, target) == 0)
			return back_is_well(model.backs[i]);
	return false;
}

bool
model_is_calm(void)
{
	return model_fit_for(0) && net_is_well() && !simtor_has_spells() && !sim_mangle_is_on();
}

bool
model_tor_has_network(unsigned tor)
{
	return simtor_has_network(model.tors[tor]);
}

bool
model_backend_is_well(unsigned mirror)
{
	return back_is_well(model.backs[mirror]);
}

bool
model_has_onion(const char *address)
{
	unsigned i;

	for (i = 0; i < sim_plan.n_tors; i++)
		if (simtor_has_onion(model.tors[i], address))
			return true;
	return false;
}

bool
model_fit_for(int64_t ms)
{
	unsigned i;

	for (i = 0; i < sim_plan.n_tors; i++) {
		int64_t since = simtor_fit_since(model.tors[i]);

		if (since < 0 || sim_now() - since < ms)
			return false;
	}
	return true;
}
