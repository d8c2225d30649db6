/* SPDX-License-Identifier: BSD-3-Clause */
/* The invariants, by name. */
#include "config.h"
#include "sim/check_impl.h"

#include <stddef.h>

const struct check checks[] = {
	{ "I2", "a listed onion was fetched through Tor, with the right page, since its tor has it", CHECK_BEGIN, check_wire_begin },
	{ "I3", "serials only rise, over crashes too; no reader ever sees a rollback or fork", CHECK_BEGIN, check_list_begin },
	{ "I4", "at every moment a reader finds one whole list that verifies; an empty one only to warn of what was revoked by hand", CHECK_VISIBLE,
	    check_list_visible },
	{ "I4", "", CHECK_START, check_list_start },
	{ "I4", "", CHECK_MINUTE, check_list_minute },
	{ "I4", "", CHECK_FREE, check_list_free },
	{ "I5", "an address is of one key and one mirror for ever, and tor is given the stored key", CHECK_BEGIN, check_state_begin },
	{ "I6", "the list never falls below min-listed by itself, and reaches it when all is well", CHECK_VISIBLE, check_pace_visible },
	{ "I7", "automatic rotations within budget and spacing, and none by a tor without a network", CHECK_BEGIN, check_pace_begin },
	{ "I8", "ADD_ONION only when key and record are durable, DEL_ONION only of what the visible list does not hold", CHECK_EVENT, NULL },
	{ "I9", "a retired address is never added again, and its key is destroyed", CHECK_BEGIN, check_key_begin },
	{ "I9", "", CHECK_MINUTE, check_key_minute },
	{ "I12", "no key in the clear on the disk or in the log, no cookie sent", CHECK_LAST, check_key_last },
	{ "I15", "of another member no older head is repeated, no fork unless it is told, none that is not remembered; and nothing of it as ours",
	    CHECK_BEGIN, check_other_begin },
	{ "I15", "", CHECK_VISIBLE, check_other_visible },
	{ "I18", "no ADD_ONION of what tor has said it has", CHECK_EVENT, NULL },
	{ "I10", "only commands of our own set, DEL_ONION only of our own onions", CHECK_EVENT, NULL },
	{ "I13", "connections only to configured endpoints", CHECK_EVENT, NULL },
	{ "I11", "one daemon at a time has the state", CHECK_MINUTE, check_state_minute },
	{ "I14", "bounded turns: no event storm within one moment, nor of commands within an hour", CHECK_EVENT, check_bounds },
	{ "I16", "nothing is signed by a clock that tor's consensus contradicts", CHECK_EVENT, NULL },
	{ "I17", "it never goes on with an empty state in place of a damaged one", CHECK_START, check_state_start },
	{ "I20", "what is stored is what was last written, or all of what was being written when it broke off", CHECK_EVENT, NULL },
	{ "I19", "no address in the log with log-onions = never", CHECK_EVENT, NULL },
	{ "V1", "after the heal every mirror is listed again and its address reachable", CHECK_BEGIN, check_live_begin },
	{ "V1", "", CHECK_HEAL, check_live_heal },
	{ "V2", "a mirror that is well again is listed again", CHECK_MINUTE, check_pace_minute },
	{ "V6", "no link to a tor waits longer than 72 s for the next try", CHECK_EVENT, check_pace_event },
	{ "V7", "in quiet times commands and writes stay at their constant rate", CHECK_EVENT, NULL },
	{ "V5", "the list never runs out while tor is well", CHECK_MINUTE, check_live_minute },
	{ "V1", "", CHECK_LAST, check_live_last },
	{ "V8", "after the heal the newest head of another member is repeated", CHECK_LAST, check_other_last },
	{ NULL, NULL, CHECK_EVENT, NULL },
};
