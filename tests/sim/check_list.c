/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The published list, as a reader finds it: fed to libonionmirror whenever it
 * changes. The reader remembers, so an older list, a fork, half a list or one
 * that does not verify is a refusal, and that breaks an invariant.
 */
#include "config.h"
#include "sim/check_impl.h"

#include "sim/impl.h"
#include "sim/other.h"

#include <onionmirror/onionmirror.h>
#include <stdio.h>
#include <string.h>

#define UNSEEN_S (27 * 3600)
#define SETTLE_MS (2 * 60 * 1000)

static om_site *reader;
static uint64_t serial;
static int64_t last_change;
static bool undone; /* power loss took back the last list, though readers may have seen it */
static unsigned visible;

void
check_list_begin(void)
{
	om_error e;

	check_list_free();
	serial = 0;
	visible = 0;
	undone = false;
	last_change = -1;
	if (om_site_open(&reader, NULL, &e) != 0)
		sim_violation("I4", "no reader: %s", e.detail);
}

void
check_list_free(void)
{
	om_site_close(reader);
	reader = NULL;
}

static const char *
bundle(size_t *n)
{
	char path[200];

	snprintf(path, sizeof path, "%s/public/current/bundle.json", sim_plan.publish_dir);
	return sim_file_get(path, n);
}

/*
 * The reader's clock is right. Only where tor's consensus cannot tell (it is
 * good for a day after its time) it is as wrong as the daemon's: else each list
 * signed meanwhile would be refused, and nobody could know better.
 */
static int64_t
readers_clock(void)
{
	int64_t off = sim_wall() - sim_true_wall();

	if (off > -UNSEEN_S && off < UNSEEN_S)
		return sim_wall();
	if (model_fit_for(SETTLE_MS))
		sim_violation("I16", "a list was signed by a clock that is off by %lld s", (long long)off);
	return sim_true_wall();
}

void
check_list_visible(void)
{
	size_t n = 0, i;
	const char *text = bundle(&n);
	const om_member *m;
	om_error e = { 0 };

	if (text == NULL) {
		sim_violation("I4", "no bundle behind `current`");
		return;
	}
	visible++;
	last_change = sim_now();
	if (om_site_feed_bundle(reader, text, n, readers_clock(), &e) != 0) {
		sim_violation(e.reason == OM_ROLLBACK || e.reason == OM_FORK ? "I3" : "I4", "a reader refuses the list: %s: %s",
		    om_reason_name(e.reason), e.detail);
		return;
	}
	m = om_site_member(reader, 0);
	sim_trace("reader: serial %llu, %zu mirrors", (unsigned long long)om_member_serial(m), check_list_count());
	for (i = 0; i < om_site_mirror_count(reader); i++)
		sim_detail("reader: lists %s", om_mirror_onion(om_site_mirror(reader, i)));
	if (om_member_serial(m) < serial || (undone && om_member_serial(m) == serial))
		sim_violation("I3", "serial %llu after %llu", (unsigned long long)om_member_serial(m), (unsigned long long)serial);
	serial = om_member_serial(m);
	undone = false;
	check_revoked(reader, serial);
	check_proved(reader);
	check_other_reader(reader);
}

/*
 * What a reader who has seen nothing yet finds. Between a rename and its fsync a list can be seen and yet be lost with
 * the power: who saw it keeps it, and takes no address back that it retired, until that is done again. From here on
 * others are looked at, but its serial is gone for ever.
 */
void
check_list_start(void)
{
	size_t n = 0;
	const char *text = bundle(&n);
	om_site *fresh = NULL;

	if (text == NULL || serial == 0 || om_site_open(&fresh, NULL, NULL) != 0)
		return;
	if (om_site_feed_bundle(fresh, text, n, readers_clock(), NULL) == 0) {
		check_revoked_since(om_member_serial(om_site_member(fresh, 0)));
		if (om_member_serial(om_site_member(fresh, 0)) < serial) {
			om_site_close(reader);
			reader = fresh;
			undone = true;
			return;
		}
	}
	om_site_close(fresh);
}

/* At any minute there is a list, once there was one, and it is whole. */
void
check_list_minute(void)
{
	size_t n = 0;

	if (visible > 0 && bundle(&n) == NULL)
		sim_violation("I4", "the list is gone");
}

bool
check_list_has(const char *address)
{
	return reader != NULL && om_site_is_mirror(reader, address, sim_wall()) == OM_IS_MIRROR;
}

bool
check_list_retired(const char *address)
{
	om_answer r = reader != NULL ? om_site_is_mirror(reader, address, sim_wall()) : OM_IS_UNKNOWN;

	return r == OM_IS_RETIRED || r == OM_IS_REVOKED;
}

bool
check_list_warns_of(const char *address)
{
	return reader != NULL && om_site_is_mirror(reader, address, sim_wall()) == OM_IS_REVOKED;
}

bool
check_list_is_own(const om_mirror *m)
{
	return strcmp(om_mirror_member(m), OTHER_NAME) != 0;
}

size_t
check_list_count(void)
{
	size_t all = reader != NULL ? om_site_mirror_count(reader) : 0, n = 0, i;

	if (!other_is_on())
		return all;
	for (i = 0; i < all; i++)
		n += check_list_is_own(om_site_mirror(reader, i));
	return n;
}

uint64_t
check_list_serial(void)
{
	return serial;
}

unsigned
check_publications(void)
{
	return visible;
}

/* V5: signed anew before it runs out. */
int64_t
check_list_valid_until(void)
{
	const om_member *m = reader != NULL ? om_site_member(reader, 0) : NULL;

	return m != NULL ? om_member_valid_until(m) : 0;
}

/* Of the listed mirrors, how many does a fresh reader reach now? */
size_t
check_list_reachable(void)
{
	size_t i, n = 0;
	char address[57];

	for (i = 0; reader != NULL && i < om_site_mirror_count(reader); i++) {
		if (!check_list_is_own(om_site_mirror(reader, i)))
			continue;
		snprintf(address, sizeof address, "%.56s", om_mirror_onion(om_site_mirror(reader, i)));
		n += model_reachable(address);
	}
	return n;
}
