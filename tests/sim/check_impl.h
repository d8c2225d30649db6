/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_SIM_CHECK_IMPL_H
#define TESTS_SIM_CHECK_IMPL_H

#include "sim/check.h"

#include <onionmirror/onionmirror.h>

/* What the checkers share. */

/* check_list.c: the reader */
void check_list_begin(void);
void check_list_free(void);
void check_list_visible(void);
void check_list_minute(void);
bool check_list_has(const char *address); /* 56 characters */
bool check_list_retired(const char *address); /* a reader is told that it is no longer one */
bool check_list_warns_of(const char *address); /* that it is revoked */
void check_list_start(void);
bool check_list_is_own(const om_mirror *m); /* and not another member's */
size_t check_list_count(void); /* of our own */
uint64_t check_list_serial(void); /* 0: none was visible yet */
size_t check_list_reachable(void);

int64_t check_list_valid_until(void);

/* check_wire.c: commands, probes, connections */
void check_wire_begin(void);
void check_proved(const om_site *reader); /* I2: each listed onion was fetched since its tor has it */
void check_revoked(const om_site *reader, uint64_t serial); /* I4: warnings, and a list of nothing else, only when asked for */
void check_revoked_since(uint64_t serial);

/* check_key.c */
void check_key_begin(void);
void check_key_minute(void);
void check_key_last(void);
void check_key_log(const char *line);

/* check_state.c: what is durable, whose it is */
void check_state_begin(void);
void check_state_start(void);
void check_state_minute(void);
void check_state_last(void);
/* mirror: whose backend it is given; sim_plan.n_mirrors: nobody's. */
void check_state_add(const char *address, const uint8_t key[64], unsigned mirror);

/* check_pace.c: how much, how soon */
struct onion_record;
void check_pace_begin(void);
void check_pace_event(void);
void check_pace_minute(void);
void check_pace_visible(void);
void check_pace_on_command(unsigned tor);
void check_pace_on_connect(const char *endpoint);
void check_pace_planned(const struct onion_record *r); /* a new address, its record is durable */

/* check_other.c: other members of the site */
struct other_head;
void check_other_begin(void);
void check_other_visible(void);
void check_other_reader(const om_site *reader);
void check_other_last(void);
const struct other_head *check_other_repeated(void); /* in the list that is out; NULL: none */

/* check_live.c: after the heal */
void check_live_begin(void);
void check_live_heal(void);
void check_live_minute(void);
void check_live_last(void);
void check_bounds(void);

#endif
