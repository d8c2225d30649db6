/* SPDX-License-Identifier: BSD-3-Clause */
/* The one table of verbs; usage, dispatch, completion and the man page check come from it. */
#include "config.h"
#include "cli/cli.h"

#define LIMITS "[--days N] [--member-days N] [--head-hours N] [--possession-days N]"

const struct verb verbs[] = {
	{ "init", "operator", "--keys DIR [--member NAME] [--no-passphrase] [--passphrase-fd N]", "make keys, first list documents and state folder", verb_init },
	{ "status", "operator", "", "the daemon, its tors and the list at a glance", verb_status },
	{ "mirrors", "operator", "", "every mirror: state, address, last probe", verb_mirrors },
	{ "onions", "operator", "[MIRROR]", "every onion and where it is in its life", verb_onions },
	{ "rotate", "operator", "MIRROR [--wait]", "replace a mirror's address by a new one", verb_rotate },
	{ "drain", "operator", "MIRROR [--wait]", "take a mirror out of the list, its address leaves", verb_drain },
	{ "maint", "operator", "MIRROR on|off [--wait]", "take a mirror out of the list for a while", verb_maint },
	{ "revoke", "operator", "ONION|MIRROR [--wait]", "warn readers of an address and destroy its key", verb_revoke },
	{ "history", "operator", "[MIRROR] [--since 2h] [--limit N] [--probes]", "what was decided, and on what evidence", verb_history },
	{ "events", "operator", "[--follow] [--op N] [--since 2h] [--limit N]", "what happened, and what happens from now on", verb_events },
	{ "watch", "operator", "", "a live screen", verb_watch },
	{ "probe", "operator", "MIRROR [--wait]", "probe a mirror now", verb_probe },
	{ "publish", "operator", "[--wait]", "sign and publish the list now", verb_publish },
	{ "unlock", "operator", "[--passphrase-fd N]", "give a daemon that started locked its passphrase", verb_unlock },
	{ "reload", "operator", "", "read the configuration again", verb_reload },
	{ "doctor", "operator", "", "look at everything once, and say what to do", verb_doctor },
	{ "completion", "operator", "bash|zsh|fish", "print what makes a shell complete these verbs", verb_completion },
	{ "onion-location", "operator", "--server nginx|apache|caddy [MIRROR]", "print what makes a clearnet site tell of its onion",
	    verb_onion_location },
	{ "key new", "keys", "STEM [--no-passphrase] [--passphrase-fd N]", "make a key pair: STEM.key and STEM.pub", verb_key_new },
	{ "key show", "keys", "FILE [--passphrase-fd N]", "what a key or root document is, and the site id", verb_key_show },
	{ "root new", "keys", "DIR --name NAME [--threshold M] " LIMITS " PUB...", "begin a site: make its first root document", verb_root_new },
	{ "root rotate", "keys", "DIR [--name NAME] [--threshold M] [--new-epoch] " LIMITS " [PUB...]", "make the next root document",
	    verb_root_rotate },
	{ "root sign", "keys", "DIR/FILE KEY [--passphrase-fd N]", "sign a root document or members.json with a root key", verb_root_sign },
	{ "member new", "keys", "DIR NAME [--no-passphrase] [--passphrase-fd N]", "make a key for a new member and certify it", verb_member_new },
	{ "member certify", "keys", "DIR NAME PUB", "certify a member, or another key of it", verb_member_certify },
	{ "member renew", "keys", "DIR [NAME...]", "renew the certificates of all members, or some", verb_member_renew },
	{ "member remove", "keys", "DIR NAME...", "certify them no longer", verb_member_remove },
	{ "site check", "keys", "DIR", "what is missing, and what runs out when", verb_site_check },
	{ "site install", "keys", "DIR [--member-key KEY] [--passphrase-fd N]", "put signed documents into the state folder", verb_site_install },
	{ "verify", "reader", "[--site ID] [--store FILE] BUNDLE|DIR", "check a list and show what it says", verb_verify },
	{ "fetch", "reader", "[--site ID] [--socks ADDR] [--timeout S] [--store FILE] ONION|URL|FILE...", "get the list through Tor, verify and remember it",
	    verb_fetch },
	{ "pick", "reader", "[-n N] [--site ID] [--store FILE]", "print a good mirror's URL, or N", verb_pick },
	{ "is-mirror", "reader", "[--site ID] [--store FILE] ADDRESS", "whether an address is one of theirs", verb_is_mirror },
	{ 0 },
};
