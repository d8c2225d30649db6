/* SPDX-License-Identifier: BSD-3-Clause */
/* The one table of verbs; usage, dispatch and the man page check come from it. */
#include "config.h"
#include "cli/cli.h"

const struct verb verbs[] = {
	{ "init", "operator", "--keys DIR [--no-passphrase]", "make keys, first list documents and state folder", verb_init },
	{ "status", "operator", "", "the daemon, its tors and the list at a glance", verb_status },
	{ "mirrors", "operator", "", "every mirror: state, address, last probe", verb_mirrors },
	{ "onions", "operator", "[MIRROR]", "every onion and where it is in its life", verb_onions },
	{ "rotate", "operator", "MIRROR [--wait]", "replace a mirror's address by a new one", verb_rotate },
	{ "probe", "operator", "MIRROR [--wait]", "probe a mirror now", verb_probe },
	{ "publish", "operator", "[--wait]", "sign and publish the list now", verb_publish },
	{ "reload", "operator", "", "read the configuration again", verb_reload },
	{ "verify", "reader", "[--site ID] [--store FILE] BUNDLE|DIR", "check a list and show what it says", verb_verify },
	{ "fetch", "reader", "[--site ID] [--socks ADDR] [--timeout S] [--store FILE] ONION|URL|FILE...", "get the list through Tor, verify and remember it",
	    verb_fetch },
	{ "pick", "reader", "[-n N] [--site ID] [--store FILE]", "print a good mirror's URL, or N", verb_pick },
	{ "is-mirror", "reader", "[--site ID] [--store FILE] ADDRESS", "whether an address is one of theirs", verb_is_mirror },
	{ 0 },
};
