/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "conf/conf.h"

#include <criterion/criterion.h>

Test(conf_value, durations_have_a_number_and_a_unit)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: refused */
	} t[] = { { "0s", 0 }, { "500ms", 500 }, { "90s", 90000 }, { "5m", 300000 }, { "12h", 43200000 }, { "30d", 2592000000 },
		{ "1000000000d", INT64_C(86400000000000000) }, { "1000000001d", -1 }, { "", -1 }, { "5", -1 }, { "s", -1 }, { "-5s", -1 },
		{ "+5s", -1 }, { "5 s", -1 }, { "5S", -1 }, { "5sx", -1 }, { "1.5h", -1 }, { "99999999999999999999s", -1 } };
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		ms = -1;
		cr_expect_eq(conf_parse_duration(&ms, t[i].text), t[i].ms < 0 ? -1 : 0, "%s", t[i].text);
		cr_expect_eq(ms, t[i].ms, "%s", t[i].text);
	}
}
