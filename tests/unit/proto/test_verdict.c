/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "proto/verdict.h"

#include <criterion/criterion.h>
#include <string.h>

Test(proto_verdict, every_name_leads_back_to_its_verdict)
{
	enum verdict v;
	int i;

	for (i = 0; i < VERDICT__COUNT; i++) {
		cr_expect_eq(verdict_parse(&v, verdict_name((enum verdict)i)), 0);
		cr_expect_eq((int)v, i);
	}
	cr_expect_eq(verdict_parse(&v, "OK"), -1);
	cr_expect_eq(verdict_parse(&v, ""), -1);
	cr_expect_str_eq(verdict_name((enum verdict)99), "unknown");
}

Test(proto_verdict, only_the_layers_of_the_address_can_mean_a_takedown)
{
	int i;

	for (i = 0; i < VERDICT__COUNT; i++) {
		bool address = i == VERDICT_NO_DESCRIPTOR || i == VERDICT_BAD_DESCRIPTOR || i == VERDICT_INTRO ||
			       i == VERDICT_RENDEZVOUS;
		bool well = i == VERDICT_OK || i == VERDICT_BUSY || i == VERDICT_INCONCLUSIVE;

		cr_expect_eq(verdict_is_address((enum verdict)i), address, "%s", verdict_name((enum verdict)i));
		cr_expect_eq(verdict_is_failure((enum verdict)i), !well, "%s", verdict_name((enum verdict)i));
	}
}
