/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON in the one form that documents have. */
#include "config.h"
#include "proto/canon.h"

#include <criterion/criterion.h>
#include <string.h>

static int
parse(struct canon **c, const char *text, bool lf, struct err *e)
{
	return canon_parse(c, text, strlen(text), 100, lf, e);
}

Test(proto_canon, finds_every_value_by_name_and_by_step)
{
	static const char text[] = "{\"a\":[7,\"x\\\"\\\\y\",[],{}],\"b\":{\"c\":9007199254740991},\"d\":\"\"}";
	const struct canon_value *top, *a;
	struct err e = ERR_INIT;
	struct canon *c;
	unsigned n = 0;

	cr_assert(parse(&c, text, false, &e) == 0, "%s", e.msg);
	top = canon_top(c);
	cr_expect(top->n == 3 && top->span == 9);
	a = canon_get(top, "a");
	cr_assert(a != NULL && a->type == CANON_ARRAY && a->n == 4);
	for (canon_each(v, a))
		n++;
	cr_expect(n == 4 && a[1].number == 7 && strcmp(a[2].text, "x\"\\y") == 0 && a[2].n == 4);
	cr_expect(canon_get(canon_get(top, "b"), "c")->number == CANON_INT_MAX);
	cr_expect(canon_get(top, "d")->n == 0 && canon_get(top, "e") == NULL && canon_get(a, "a") == NULL && canon_get(NULL, "a") == NULL);
	canon_free(c);
}

Test(proto_canon, takes_one_spelling_of_a_value_and_no_other)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "not a value" },
		{ "{", "an end too early" },
		{ "{\"a\":1", "an end too early" },
		{ "{\"a\":1}x", "something behind the end" },
		{ "{\"a\":1}\n", "something behind the end" },
		{ "{ \"a\":1}", "no name" },
		{ "{\"a\" :1}", "no colon" },
		{ "{\"a\": 1}", "not a value" },
		{ "[1, 2]", "not a value" },
		{ "[1,]", "not a value" },
		{ "[1 2]", "no comma" },
		{ "{\"a\":1,}", "no name" },
		{ "{\"b\":1,\"a\":2}", "names that do not ascend" },
		{ "{\"a\":1,\"a\":1}", "names that do not ascend" },
		{ "[01]", "not a value" },
		{ "[-1]", "not a value" },
		{ "[1.0]", "no comma" },
		{ "[1e3]", "no comma" },
		{ "[9007199254740992]", "not a value" },
		{ "[99999999999999999999999]", "not a value" },
		{ "[null]", "not a value" },
		{ "[true]", "not a value" },
		{ "[\"\\u0041\"]", "an escape" },
		{ "[\"\\/\"]", "an escape" },
		{ "[\"\\n\"]", "an escape" },
		{ "[\"\\", "a string that does not end" },
		{ "[\"x", "a string that does not end" },
		{ "[\"\x7f\"]", "not printable ASCII" },
		{ "[\"\xc3\xa9\"]", "not printable ASCII" },
		{ "[\"\t\"]", "not printable ASCII" },
	};
	size_t i;

	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = ERR_INIT;
		struct canon *c = NULL;

		cr_expect(parse(&c, cases[i].text, false, &e) != 0 && c == NULL && e.code == ERR_PARSE, "%s", cases[i].text);
		cr_expect(strstr(e.msg, cases[i].why) != NULL, "%s: %s", cases[i].text, e.msg);
	}
}

Test(proto_canon, lets_line_feeds_into_strings_only_where_asked_and_never_into_names)
{
	struct err e = ERR_INIT;
	struct canon *c;

	cr_assert(parse(&c, "[\"a\\nb\"]", true, &e) == 0);
	cr_expect_str_eq(canon_top(c)[1].text, "a\nb");
	canon_free(c);
	cr_expect(parse(&c, "{\"a\\nb\":1}", true, &e) != 0);
}

Test(proto_canon, bounds_nesting_and_values)
{
	struct err deep = ERR_INIT, many = ERR_INIT;
	struct canon *c;

	cr_assert(parse(&c, "[[[[[[[[1]]]]]]]]", false, NULL) == 0);
	canon_free(c);
	cr_expect(parse(&c, "[[[[[[[[[1]]]]]]]]]", false, &deep) != 0 && deep.code == ERR_LIMIT);
	cr_assert(canon_parse(&c, "[1,2]", 5, 3, false, NULL) == 0);
	canon_free(c);
	cr_expect(canon_parse(&c, "[1,2,3]", 7, 3, false, &many) != 0 && many.code == ERR_LIMIT);
}
