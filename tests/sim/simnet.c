/* SPDX-License-Identifier: BSD-3-Clause */
/* HSDirs, time periods, consensus and takedowns. One network, like one world. */
#include "config.h"
#include "sim/simnet.h"

#include "base/mem.h"
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400
#define HALF_DAY 43200

struct desc {
	char address[57];
	int64_t period, expires; /* true time ms */
	uint64_t intro_set;
};
struct hsdir {
	char name[64];
	bool down;
	struct desc *descs;
	size_t n, cap;
};
struct takedown {
	char address[57];
	enum net_block how;
};

static struct {
	struct hsdir dirs[NET_HSDIRS];
	unsigned lost_ppm, refused_ppm;
	bool some_down;
	int64_t frozen_at; /* true wall; 0: a new consensus each hour */
	struct takedown *takedowns;
	size_t n_takedowns;
} net;

static uint64_t
mix(uint64_t h, const void *p, size_t n)
{
	const unsigned char *b = p;
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3ULL;
	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9ULL;
	return h ^ (h >> 32);
}

void
net_start(void)
{
	uint64_t h = 7;
	unsigned i;

	net_stop();
	for (i = 0; i < NET_HSDIRS; i++) {
		h = mix(h, &i, sizeof i);
		snprintf(net.dirs[i].name, sizeof net.dirs[i].name, "$%02X%016llX%016llX%06X~relay%u", i * 6, (unsigned long long)h,
		    (unsigned long long)(h * 31), (unsigned)(h >> 40) & 0xffffff, i);
	}
}

void
net_stop(void)
{
	unsigned i;

	for (i = 0; i < NET_HSDIRS; i++)
		free(net.dirs[i].descs);
	free(net.takedowns);
	memset(&net, 0, sizeof net);
}

int64_t
net_client_period(void)
{
	return (sim_true_wall() - HALF_DAY) / DAY;
}

int64_t
net_service_period(void)
{
	/* 12-24 UTC clients already use the next one; the services rotate at 00. */
	return net_client_period() - (sim_true_wall() % DAY >= HALF_DAY ? 1 : 0);
}

int64_t
net_until_rotation(void)
{
	return DAY - sim_true_wall() % DAY;
}

const char *
net_hsdir_name(unsigned hsdir)
{
	return net.dirs[hsdir].name;
}

size_t
net_responsible(const char *address, int64_t period, bool fetch, unsigned out[NET_STORE_MAX])
{
	size_t n = 0, k;
	unsigned replica, at, taken;
	bool known;

	for (replica = 0; replica < NET_REPLICAS; replica++) {
		at = (unsigned)(mix(mix(mix(1, address, strlen(address)), &period, sizeof period), &replica, sizeof replica) % NET_HSDIRS);
		for (taken = 0; taken < (fetch ? NET_SPREAD_FETCH : NET_SPREAD_STORE); at = (at + 1) % NET_HSDIRS) {
			for (known = false, k = 0; k < n; k++)
				known = known || out[k] == at;
			if (!known) {
				out[n++] = at;
				taken++;
			}
		}
	}
	return n;
}

void
net_descid(char out[44], const char *address, int64_t period)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint64_t h = mix(mix(3, address, strlen(address)), &period, sizeof period);
	int i;

	for (i = 0; i < 43; i++) {
		h = mix(h, &i, sizeof i);
		out[i] = digits[h % 64];
	}
	out[43] = '\0';
}

static struct desc *
find(struct hsdir *d, const char *address, int64_t period)
{
	size_t i;

	for (i = 0; i < d->n;) {
		if (d->descs[i].expires <= sim_now())
			d->descs[i] = d->descs[--d->n];
		else if (d->descs[i].period == period && strcmp(d->descs[i].address, address) == 0)
			return &d->descs[i];
		else
			i++;
	}
	return NULL;
}

enum net_answer
net_upload(unsigned hsdir, const char *address, int64_t period, uint64_t intro_set)
{
	struct hsdir *d = &net.dirs[hsdir];
	struct desc *x;

	if (d->down || sim_chance(DICE_NET, net.lost_ppm))
		return NET_LOST;
	if (net_blocked(address) == NET_BLOCK_DESC || sim_chance(DICE_NET, net.refused_ppm))
		return NET_REFUSED;
	x = find(d, address, period);
	if (x == NULL) {
		if (d->n == d->cap) {
			d->cap = d->cap * 2 + 8;
			d->descs = xreallocarray(d->descs, d->cap, sizeof *d->descs);
		}
		x = &d->descs[d->n++];
		snprintf(x->address, sizeof x->address, "%s", address);
		x->period = period;
	}
	x->intro_set = intro_set;
	x->expires = sim_now() + NET_DESC_LIFETIME_MS;
	return NET_STORED;
}

uint64_t
net_fetch(unsigned hsdir, const char *address, int64_t period, bool *down)
{
	struct hsdir *d = &net.dirs[hsdir];
	struct desc *x = find(d, address, period);

	*down = d->down;
	return d->down || x == NULL ? 0 : x->intro_set;
}

void
net_forget(const char *address)
{
	struct hsdir *d;
	size_t i;

	for (d = net.dirs; d < net.dirs + NET_HSDIRS; d++)
		for (i = 0; i < d->n;)
			if (strcmp(d->descs[i].address, address) == 0)
				d->descs[i] = d->descs[--d->n];
			else
				i++;
}

void
net_set_loss(unsigned lost_ppm, unsigned refused_ppm)
{
	net.lost_ppm = lost_ppm;
	net.refused_ppm = refused_ppm;
}

void
net_set_hsdirs_down(unsigned percent)
{
	unsigned i, step;

	/* 17 has no common factor with 40: spread over the ring. */
	for (i = 0, step = 0; i < NET_HSDIRS; i++, step = (step + 17) % NET_HSDIRS)
		net.dirs[step].down = i * 100 < percent * NET_HSDIRS;
	net.some_down = percent > 0;
}

bool
net_is_well(void)
{
	return !net.some_down && net.lost_ppm == 0 && net.refused_ppm == 0 && net.frozen_at == 0;
}

void
net_freeze_consensus(bool frozen)
{
	net.frozen_at = frozen ? sim_true_wall() : 0;
}

int64_t
net_valid_until(void)
{
	int64_t t = net.frozen_at != 0 ? net.frozen_at : sim_true_wall();

	return t - t % 3600 + NET_CONSENSUS_S;
}

void
net_take_down(const char *address, enum net_block how)
{
	if (net_blocked(address) != NET_FREE)
		return;
	net.takedowns = xreallocarray(net.takedowns, net.n_takedowns + 1, sizeof *net.takedowns);
	snprintf(net.takedowns[net.n_takedowns].address, 57, "%s", address);
	net.takedowns[net.n_takedowns++].how = how;
	if (how == NET_BLOCK_DESC)
		net_forget(address);
}

enum net_block
net_blocked(const char *address)
{
	size_t i;

	for (i = 0; i < net.n_takedowns; i++)
		if (strcmp(net.takedowns[i].address, address) == 0)
			return net.takedowns[i].how;
	return NET_FREE;
}

void
net_unblock_all(void)
{
	net.n_takedowns = 0;
}
