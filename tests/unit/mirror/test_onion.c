/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "mirror/engine.h"

#include <criterion/criterion.h>

Test(mirror_onion, every_name_leads_back_to_its_state_and_cause)
{
	enum onion_state s;
	enum onion_cause c;
	int i;

	for (i = 0; i < ONION__STATES; i++) {
		cr_expect_eq(onion_state_parse(&s, onion_state_name((enum onion_state)i)), 0);
		cr_expect_eq((int)s, i);
	}
	for (i = 0; i < CAUSE__COUNT; i++) {
		cr_expect_eq(onion_cause_parse(&c, onion_cause_name((enum onion_cause)i)), 0);
		cr_expect_eq((int)c, i);
	}
	cr_expect_eq(onion_state_parse(&s, "Listed"), -1);
	cr_expect_eq(onion_cause_parse(&c, ""), -1);
	cr_expect_str_eq(onion_state_name((enum onion_state)99), "unknown");
	cr_expect_str_eq(onion_cause_name((enum onion_cause)99), "unknown");
	cr_expect_str_eq(mirror_state_name(MIRROR_UP), "up");
	cr_expect_str_eq(mirror_state_name((enum mirror_state)99), "unknown");
}

Test(mirror_onion, what_is_over_stays_over)
{
	int i;

	for (i = -1; i <= ONION__STATES; i++) {
		enum onion_state s = (enum onion_state)i;

		cr_expect_not(onion_state_may_follow(ONION_GONE, s));
		cr_expect_not(onion_state_may_follow(ONION_FAILED, s));
		cr_expect_not(onion_state_may_follow(s, ONION_PLANNED), "nothing goes back to the plan");
		cr_expect_eq(onion_state_may_follow(s, ONION_LISTED), i == ONION_READY, "only what is ready is listed");
		cr_expect_eq(onion_state_may_follow(ONION_LISTED, s), i == ONION_LEAVING || i == ONION_REVOKED);
		cr_expect_eq(onion_state_may_follow(s, ONION_GONE), i == ONION_LEAVING || i == ONION_REVOKED);
	}
}
