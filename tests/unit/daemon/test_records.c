/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "daemon/records.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct onion_record sample = { .id = 7, .address = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", .mirror = "north",
	.tor = "main", .channel = "public", .state = ONION_LEAVING, .cause = CAUSE_TAKEDOWN, .in_list = false, .revoked = true, .by_hand = true, .announced = true, .proved = true,
	.created = 1, .added = 2, .proved_at = 3, .listed = 4, .left = 5, .leave_until = 6, .tombstone_until = 1000000007 };

Test(daemon_records, an_onion_survives_the_round_trip)
{
	struct onion_record got;
	struct err e = ERR_INIT;
	int s, c;

	for (s = 0; s < ONION__STATES; s++)
		for (c = 0; c < CAUSE__COUNT; c++) {
			struct onion_record want = sample;
			json_t *v;
			char *text;

			want.state = (enum onion_state)s;
			want.cause = (enum onion_cause)c;
			v = record_onion(&want);
			text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
			memset(&got, 0xff, sizeof got);
			cr_assert_eq(record_onion_parse(&got, want.id, text, strlen(text), &e), 0, "%s", e.msg);
			cr_expect(got.id == 7 && got.state == want.state && got.cause == want.cause && !got.in_list && got.revoked && got.by_hand && got.announced &&
			    got.proved);
			cr_expect(got.created == 1 && got.added == 2 && got.proved_at == 3 && got.listed == 4 && got.left == 5 &&
			    got.leave_until == 6 && got.tombstone_until == 1000000007);
			cr_expect_str_eq(got.address, want.address);
			cr_expect_str_eq(got.mirror, "north");
			cr_expect_str_eq(got.tor, "main");
			cr_expect_str_eq(got.channel, "public");
			free(text);
			json_decref(v);
		}
}

static int left; /* allocations that succeed */

static void *
limited_malloc(size_t n)
{
	return left-- > 0 ? malloc(n) : NULL;
}

Test(daemon_records, an_onion_is_recorded_whole_or_not_at_all_where_memory_ends)
{
	int n, whole = 0, none = 0;

	json_set_alloc_funcs(limited_malloc, free);
	for (n = 0; whole == 0; n++) {
		struct onion_record got;
		struct err e = ERR_INIT;
		json_t *v;
		char *text;

		left = n;
		v = record_onion(&sample);
		left = 1 << 20;
		none += v == NULL;
		if (v == NULL)
			continue;
		text = json_dumps(v, JSON_COMPACT);
		cr_expect_eq(record_onion_parse(&got, sample.id, text, strlen(text), &e), 0, "after %d allocations: %s", n, e.msg);
		whole++;
		free(text);
		json_decref(v);
	}
	json_set_alloc_funcs(malloc, free);
	cr_expect_gt(none, 20);
}

Test(daemon_records, a_field_that_is_missing_or_odd_is_damage)
{
	static const struct {
		const char *field, *value; /* value NULL: the field is taken out */
	} t[] = { { "address", NULL }, { "address", "\"aaaa\"" }, { "mirror", NULL }, { "mirror", "7" },
		{ "mirror", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"" }, { "tor", NULL }, { "channel", "null" }, { "state", "\"dead\"" },
		{ "state", "3" }, { "cause", "\"whim\"" }, { "in_list", "0" }, { "revoked", NULL }, { "by_hand", "1" },
		{ "announced", NULL }, { "proved", "\"true\"" }, { "created", "1.5" },
		{ "left", "\"1\"" }, { "leave_until", NULL }, { "tombstone_until", "null" } };
	struct onion_record got = { .id = 99 };
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		json_t *v = record_onion(&sample);
		struct err e = ERR_INIT;
		char *text;

		if (t[i].value == NULL)
			json_object_del(v, t[i].field);
		else
			json_object_set_new(v, t[i].field, json_loads(t[i].value, JSON_DECODE_ANY, NULL));
		text = json_dumps(v, 0);
		cr_expect_eq(record_onion_parse(&got, 7, text, strlen(text), &e), -1, "%s = %s", t[i].field, t[i].value ? t[i].value : "-");
		cr_expect_eq(e.code, ERR_STATE);
		cr_expect_eq(got.id, 99);
		free(text);
		json_decref(v);
	}
	cr_expect_eq(record_onion_parse(&got, 7, "", 0, NULL), -1);
	cr_expect_eq(record_onion_parse(&got, 7, "[]", 2, NULL), -1);
	cr_expect_eq(record_onion_parse(&got, 7, "{", 1, NULL), -1);
}

Test(daemon_records, a_probe_tells_onion_verdict_and_phases)
{
	struct probe_result pr = { .verdict = VERDICT_INTRO, .socks_code = 0xf2, .http_status = 0, .phases = { 1, 2, 3, -1, -1, -1, 5 },
		.fetch = FETCH_FOUND, .detail = "a \"detail\"" };
	json_t *v = record_probe(sample.address, "north", 2, false, 1234, &pr);

	cr_assert_not_null(v);
	cr_expect_str_eq(json_string_value(json_object_get(v, "address")), sample.address);
	cr_expect_str_eq(json_string_value(json_object_get(v, "verdict")), "intro");
	cr_expect_str_eq(json_string_value(json_object_get(v, "detail")), "a \"detail\"");
	cr_expect(json_is_true(json_object_get(v, "fetched")));
	cr_expect_eq(json_integer_value(json_object_get(v, "wall")), 1234);
	cr_expect_eq(json_integer_value(json_object_get(v, "added")), 2);
	cr_expect_eq(json_integer_value(json_object_get(v, "socks")), 0xf2);
	cr_expect_eq(json_integer_value(json_object_get(json_object_get(v, "ms"), "circuit")), -1);
	cr_expect_eq(json_integer_value(json_object_get(json_object_get(v, "ms"), "introduction")), 3);
	cr_expect_eq(json_integer_value(json_object_get(json_object_get(v, "ms"), "rendezvous")), -1);
	cr_expect_eq(json_integer_value(json_object_get(json_object_get(v, "ms"), "total")), 5);
	json_decref(v);
}
