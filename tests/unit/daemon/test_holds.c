/* SPDX-License-Identifier: BSD-3-Clause */
/* What operators ask of the daemon as a whole: maintenance, revocation, and why it decided what it did. */
#include "config.h"
#include "unit/daemon/rig.h"

#include "daemon/records.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rig r;

static void
start(void)
{
	rig_init(&r, "");
}

static void
stop(void)
{
	rig_fini(&r);
}

TestSuite(daemon_holds, .init = start, .fini = stop);

static json_t *
result_of(const char *method, const char *params)
{
	json_t *v = rig_call(&r, method, params), *result = json_incref(json_object_get(v, "result"));

	cr_assert_not_null(result, "%s %s", method, params);
	json_decref(v);
	return result;
}

/* The state of mirror a, as the control socket tells it. */
static bool
a_is(const char *state)
{
	json_t *v = result_of("mirrors", NULL);
	const char *is = json_string_value(json_object_get(json_array_get(json_object_get(v, "mirrors"), 0), "state"));
	bool same = is != NULL && strcmp(is, state) == 0;

	json_decref(v);
	return same;
}

Test(daemon_holds, maintenance_outlives_a_restart)
{
	uint64_t serial;

	rig_conf(&r, "", 2);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	rig_connect(&r);
	json_decref(rig_line(&r));
	serial = r.d.serial;
	json_decref(result_of("maint", "{\"mirror\":\"a\",\"on\":true}"));
	cr_expect_gt(r.d.serial, serial, "a list without it, at once");
	cr_expect(a_is("maint"));
	rig_close(&r);
	cr_assert(rig_open(&r), "%s", r.log);
	rig_connect(&r);
	json_decref(rig_line(&r));
	cr_expect(a_is("maint"));
}

static int left; /* allocations of jansson before the one that fails */

static void *
limited_malloc(size_t n)
{
	return left-- == 0 ? NULL : malloc(n);
}

Test(daemon_holds, maintenance_is_not_forgotten_where_memory_ends)
{
	struct err e = ERR_INIT;
	int n, refused = 0;

	rig_conf(&r, "", 2);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	rig_connect(&r);
	json_decref(rig_line(&r));
	json_decref(result_of("maint", "{\"mirror\":\"a\",\"on\":true}"));
	json_set_alloc_funcs(limited_malloc, free);
	for (n = 0; n == 0 || left < 0; n++) {
		char *text;
		size_t len;
		int ok;

		left = n;
		ok = restore_save_holds(&r.d, &e);
		refused += ok != 0;
		cr_assert_eq(store_get(r.d.store, STORE_META, STORE_META_HOLDS, &text, &len, &e), 0);
		cr_expect(len > 0 && strstr(text, "\"a\"") != NULL, "after %d allocations: %s", n, text);
		free(text);
	}
	json_set_alloc_funcs(malloc, free);
	cr_expect_gt(refused, 1);
}

static bool
another_is_listed(void *arg)
{
	(void)arg;
	return rig_listed(&r) != NULL && rig_listed(&r)->id == 2;
}

Test(daemon_holds, the_only_address_is_revoked_in_an_empty_list_and_gets_a_successor)
{
	char address[57], where[160], params[120];
	uint8_t key[64];
	uint64_t serial;

	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	rig_connect(&r);
	json_decref(rig_line(&r));
	snprintf(address, sizeof address, "%s", rig_listed(&r)->address);
	serial = r.d.serial;
	snprintf(params, sizeof params, "{\"onion\":\"%s.onion\"}", address);
	json_decref(result_of("revoke", params));
	cr_expect_eq(r.d.serial, serial + 1, "%s", r.log);
	snprintf(where, sizeof where, "publish/public/current/leaf-%s.onion.json", address);
	cr_expect_neq(access(rig_path(&r, "%s", where), F_OK), 0);
	cr_expect_neq(store_get_exact(r.d.store, STORE_KEY, 1, key, sizeof key, NULL), 0, "its key is destroyed");
	cr_assert(rig_run(&r, another_is_listed), "%s", r.log);
	cr_expect_null(strstr(r.detached, address));
	cr_expect_eq(engine_onion(r.d.engine, 1)->state, ONION_GONE);
}

Test(daemon_holds, a_warning_that_is_visible_counts_as_told_though_the_life_ended_before_that_was_noted)
{
	struct onion_record rec;
	struct err e = ERR_INIT;

	rig_conf(&r, "", 2);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	rig_connect(&r);
	json_decref(rig_line(&r));
	json_decref(result_of("revoke", "{\"mirror\":\"a\"}"));
	rec = *engine_onion(r.d.engine, 1);
	cr_assert(rec.revoked && rec.announced, "%s", r.log);
	rec.state = ONION_REVOKED;
	rec.announced = false;
	rec.in_list = true;
	cr_assert_eq(record_put(r.d.store, STORE_ONION, 1, record_onion(&rec), &e), 0, "%s", e.msg);
	rig_close(&r);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_expect(engine_onion(r.d.engine, 1)->announced);
	cr_expect_not(engine_onion(r.d.engine, 1)->in_list);
}

Test(daemon_holds, a_decision_is_stored_with_what_it_rested_on)
{
	json_t *v, *records, *rec, *evidence;
	bool found = false;
	char params[120];
	size_t i;

	rig_conf(&r, "", 2);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	rig_connect(&r);
	json_decref(rig_line(&r));
	json_decref(result_of("drain", "{\"mirror\":\"a\"}"));
	v = result_of("history", "{\"table\":\"decisions\",\"mirror\":\"a\"}");
	records = json_object_get(v, "records");
	json_array_foreach(records, i, rec) {
		if (strcmp(json_string_value(json_object_get(rec, "step")), "drain") != 0)
			continue;
		found = true;
		evidence = json_object_get(rec, "evidence");
		cr_expect_geq(json_array_size(evidence), 5);
		cr_expect_not_null(strstr(json_string_value(json_array_get(evidence, 0)), "ok"));
	}
	cr_expect(found);
	cr_expect(json_is_false(json_object_get(v, "more")));
	/* From behind the last one on there is nothing, and nothing since tomorrow. */
	snprintf(params, sizeof params, "{\"table\":\"decisions\",\"after\":%lld}", (long long)json_integer_value(json_object_get(v, "next")));
	json_decref(v);
	v = result_of("history", params);
	cr_expect_eq(json_array_size(json_object_get(v, "records")), 0);
	json_decref(v);
	snprintf(params, sizeof params, "{\"table\":\"probes\",\"since\":%lld}", (long long)clock_wall_s() + 86400);
	v = result_of("history", params);
	cr_expect_eq(json_array_size(json_object_get(v, "records")), 0);
	json_decref(v);
}

Test(daemon_holds, history_comes_in_pages)
{
	json_int_t after = 0, next;
	size_t pages = 0, rows = 0;
	struct err e = ERR_INIT;
	char params[120];
	bool more = true;
	json_t *v;
	int i;

	cr_assert(rig_open(&r), "%s", r.log);
	rig_connect(&r);
	json_decref(rig_line(&r));
	cr_assert_eq(store_begin(r.d.store, &e), 0);
	for (i = 0; i < 2500; i++)
		cr_assert_eq(record_put(r.d.store, STORE_PROBE, record_next_id(&r.d.probe_id), json_pack("{s:s}", "mirror", i % 9 ? "b" : "z"),
		    &e), 0);
	cr_assert_eq(store_commit(r.d.store, &e), 0);
	for (; more && pages < 30; pages++) {
		snprintf(params, sizeof params, "{\"table\":\"probes\",\"mirror\":\"z\",\"after\":%lld}", (long long)after);
		v = result_of("history", params);
		cr_expect_leq(json_array_size(json_object_get(v, "records")), 200);
		rows += json_array_size(json_object_get(v, "records"));
		next = json_integer_value(json_object_get(v, "next"));
		more = json_is_true(json_object_get(v, "more"));
		cr_assert(!more || next > after);
		after = next;
		json_decref(v);
	}
	cr_expect_eq(rows, 278);
	cr_expect_geq(pages, 2);
}

static bool
is_stored(enum store_table t, uint64_t id)
{
	char *text = NULL;
	size_t n;
	bool there = store_get(r.d.store, t, id, &text, &n, NULL) == 0;

	free(text);
	return there;
}

Test(daemon_holds, what_is_forgotten_leaves_no_key_behind)
{
	static const enum store_table tables[] = { STORE_ONION, STORE_KEY, STORE_LEAF };
	struct action forget = { .kind = ACTION_FORGET, .onion = 77, .mirror = -1 };
	struct err e = ERR_INIT;
	size_t i;

	cr_assert(rig_open(&r), "%s", r.log);
	for (i = 0; i < 3; i++)
		cr_assert_eq(store_put(r.d.store, tables[i], 77, "x", 1, &e), 0, "%s", e.msg);
	do_forget(&r.d, &forget);
	for (i = 0; i < 3; i++)
		cr_expect_not(is_stored(tables[i], 77), "table %d", (int)tables[i]);
}

Test(daemon_holds, a_check_of_an_onion_that_is_forgotten_is_answered_all_the_same)
{
	struct action check = { .kind = ACTION_CHECK, .onion = 99, .mirror = 0 };
	struct mirror_view v;

	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	engine_on_check(r.d.engine, clock_now(), 0, VERDICT_OK, &r.out);
	do_check(&r.d, &check);
	cr_assert_eq(engine_mirror_view(r.d.engine, 0, &v), 0);
	cr_expect_eq(v.backend, VERDICT_INCONCLUSIVE);
}

static bool
is_refused(void *arg)
{
	return strstr(((struct rig *)arg)->log, "tor refuses ADD_ONION") != NULL;
}

Test(daemon_holds, bytes_of_tor_that_are_no_utf_8_end_up_escaped_in_log_and_history)
{
	r.garbled = true;
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, is_refused), "%s", r.log);
	cr_expect_not(r.d.stopping, "%s", r.log);
	cr_expect_not_null(strstr(r.log, "no \\xc3("), "%s", r.log);
}
