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
	{ "I8", "DEL_ONION only of what the visible list does not hold", CHECK_EVENT, NULL },
	{ "I9", "a retired address is never added again, and its key is destroyed", CHECK_BEGIN, check_key_begin },
	{ "I9", "", CHECK_MINUTE, check_key_minute },
	{ "I12", "no key in the clear on the disk or in the log, no cookie sent", CHECK_LAST, check_key_last },
	{ "I18", "no ADD_ONION of what tor has said it has", CHECK_EVENT, NULL },
	{ "I10", "only commands of our own set, DEL_ONION only of our own onions", CHECK_EVENT, NULL },
	{ "I13", "connections only to configured endpoints", CHECK_EVENT, NULL },
	{ "I14", "bounded turns: no event storm within one moment, nor of commands within an hour", CHECK_EVENT, check_bounds },
	{ "I16", "nothing is signed by a clock that tor's consensus contradicts", CHECK_EVENT, NULL },
	{ "I19", "no address in the log with log-onions = never", CHECK_EVENT, NULL },
	{ "V1", "after the heal every mirror is listed again and its address reachable", CHECK_BEGIN, check_live_begin },
	{ "V1", "", CHECK_HEAL, check_live_heal },
	{ "V5", "the list never runs out while tor is well", CHECK_MINUTE, check_live_minute },
	{ "V1", "", CHECK_LAST, check_live_last },
	{ NULL, NULL, CHECK_EVENT, NULL },
};
