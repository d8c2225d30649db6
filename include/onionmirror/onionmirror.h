/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ONIONMIRROR_H
#define ONIONMIRROR_H

/*
 * libonionmirror: is this list of mirrors genuine, is it the newest, and is
 * this address on it?
 *
 * A site is known by its site id ("om1" and 52 characters), got once from a
 * place one trusts. From that alone a reader can judge a bundle (bundle.json)
 * from any place. What was seen is remembered in an om_site, so that an older
 * or contradicting list is noticed; om_site_save() and om_site_load() carry it
 * from one run to the next.
 *
 * The library does no input or output, opens no connection, reads no clock,
 * keeps no global state, never logs and never ends the process. Different
 * om_site may be used by different threads at once; one om_site by one thread
 * at a time. All times are seconds since 1970-01-01 UTC. Text is ASCII.
 *
 * Functions that can fail return 0 or -1 and fill in an om_error, which may be
 * NULL. Pointers from accessors belong to the om_site and are good until the
 * next call that changes it (feed, close).
 */

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define OM_EXPORT __attribute__((visibility("default")))
#else
#define OM_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define OM_VERSION "0.1.0"
/* The version of the library that runs, as OM_VERSION. */
OM_EXPORT const char *om_version(void);

/* Why something was refused. The names (om_reason_name) never change. */
typedef enum om_reason {
	OM_OK = 0,
	OM_MALFORMED,      /* "malformed": not such a document, or it breaks a rule of form */
	OM_TOO_LARGE,      /* "too-large" */
	OM_WRONG_SITE,     /* "wrong-site": genuine or not, it is about another site */
	OM_BAD_SIGNATURE,  /* "bad-signature" */
	OM_THRESHOLD,      /* "threshold": not enough root keys signed */
	OM_UNCERTIFIED,    /* "uncertified": a head by somebody the root keys did not certify */
	OM_EXPIRED,        /* "expired" */
	OM_NOT_YET_VALID,  /* "not-yet-valid": or the local clock is slow */
	OM_ROLLBACK,       /* "rollback": older than what was seen before */
	OM_FORK,           /* "fork": two histories; see om_site_evidence() */
	OM_NOT_LISTED,     /* "not-listed" */
	OM_REVOKED,        /* "revoked": the address was seized or leaked. Warn loudly */
	OM_RETIRED,        /* "retired": the address was replaced, harmless */
	OM_BAD_POSSESSION, /* "bad-possession": the onion's own key did not sign */
	OM_MISMATCH,       /* "mismatch": documents that don't belong together */
	OM_CLOCK,          /* "clock": a serial that runs ahead of its time */
	OM_MISSING,        /* "missing": a certified member without a head in the bundle */
	OM_NO_MEMORY,      /* "no-memory": says nothing about the list */
	OM_BAD_ARGUMENT    /* "bad-argument": the caller's fault, nothing was looked at */
} om_reason;
OM_EXPORT const char *om_reason_name(om_reason reason);

typedef struct om_error {
	om_reason reason;
	char detail[256]; /* one line for a person, printable ASCII, may be "" */
} om_error;

typedef struct om_site om_site;
typedef struct om_member om_member;
typedef struct om_mirror om_mirror;

#define OM_SITE_ID_LEN 55

/*
 * A reader of one site who has seen nothing yet. `site_id` NULL: nothing is
 * pinned, and the first bundle's own root 1 decides which site this is. That
 * proves only that the bundle is consistent; tell the user so
 * (om_site_is_pinned()).
 */
OM_EXPORT int om_site_open(om_site **out, const char *site_id, om_error *error);
/*
 * As om_site_open(), with what om_site_save() wrote. The bytes are the
 * reader's own and are trusted: keep them where nobody else writes. Damaged:
 * OM_MALFORMED, or what is wrong with a root in them (OM_THRESHOLD, ...); of
 * another site than site_id: OM_WRONG_SITE. The mirrors are
 * those of the last accepted list. Their possession proofs are not verified
 * again, except that om_site_pick() and om_site_is_mirror() verify the one they
 * speak of: so a pick from a long list costs one signature, not a thousand.
 */
OM_EXPORT int om_site_load(om_site **out, const char *site_id, const void *bytes, size_t len, om_error *error);
/* What must be remembered, as canonical JSON. *text is malloced, NUL-ended: free(3) it. */
OM_EXPORT int om_site_save(const om_site *site, char **text, size_t *len, om_error *error);
OM_EXPORT void om_site_close(om_site *site);

/*
 * Judges a bundle at the time `now`. 0: it is accepted, and members and mirrors
 * are now its own. -1: it is refused with the reason of the first failing
 * check. Documents that passed before the failing one are remembered all the
 * same, so save after a refusal too; mirrors stay those of the last accepted
 * bundle, less those that these documents withdraw or no longer list.
 */
OM_EXPORT int om_site_feed_bundle(om_site *site, const void *bytes, size_t len, int64_t now, om_error *error);

/* A file of a list, as it is published beside the bundle. Borrowed for the call. */
typedef struct om_document {
	const char *name;  /* the file's name, without folder */
	const void *bytes; /* NULL only with len 0 */
	size_t len;
} om_document;
/*
 * As om_site_feed_bundle(), for single documents: N.root.json, members.json,
 * head.json or head-MEMBER.json, leaf-ADDRESS.json or self.json, each signature
 * in a file of the document's name and ".minisig" or ".<number>.minisig".
 * Other names, and signature files that are none, are passed over, so that all
 * files of a folder may be given. They are judged in the same order as in a bundle, whatever the order they come in.
 * What is not among them is taken from what the site remembers: roots, the
 * members document and, if there is no head at all, the heads. Together they,
 * and what is passed over, may have as many bytes as a bundle; at most 16,384.
 */
OM_EXPORT int om_site_feed_documents(
    om_site *site, const om_document *documents, size_t count, int64_t now, om_error *error);

/* The site id; "" while nothing is known yet. */
OM_EXPORT const char *om_site_id(const om_site *site);
/* 1 if the site id came from the caller (now or before saving), 0 if from a bundle. */
OM_EXPORT int om_site_is_pinned(const om_site *site);
/* From the newest root; "" and 0 while there is none. */
OM_EXPORT const char *om_site_name(const om_site *site);
OM_EXPORT uint64_t om_site_epoch(const om_site *site);
OM_EXPORT uint64_t om_site_root_version(const om_site *site);
OM_EXPORT int64_t om_site_root_expires(const om_site *site);
/* Of the newest members document; 0 while there is none. */
OM_EXPORT int64_t om_site_members_expires(const om_site *site);

/* The members that the newest members document certifies. NULL past the end. */
OM_EXPORT size_t om_site_member_count(const om_site *site);
OM_EXPORT const om_member *om_site_member(const om_site *site, size_t index);
OM_EXPORT const char *om_member_name(const om_member *member);
/*
 * What became of this member's head in the last bundle that got as far as its
 * heads: OM_OK; OM_MISSING (not there); OM_EXPIRED, OM_NOT_YET_VALID, OM_ROLLBACK
 * or OM_FORK (there, but counts as missing); another reason if it was what the
 * bundle was refused for.
 * Of a site that was loaded: OM_MISSING until something is fed.
 */
OM_EXPORT om_reason om_member_status(const om_member *member);
/* The newest head that was ever accepted of this member, key and epoch; all 0 if none. */
OM_EXPORT uint64_t om_member_serial(const om_member *member);
OM_EXPORT int64_t om_member_issued(const om_member *member);
/* Past this time a newer head should have been there: worth a warning. */
OM_EXPORT int64_t om_member_fresh_until(const om_member *member);
OM_EXPORT int64_t om_member_valid_until(const om_member *member);

/*
 * The mirrors of the last accepted bundle, in its order, then those that stay known of members whose head in it
 * was OM_ROLLBACK or OM_FORK. NULL past the end.
 */
OM_EXPORT size_t om_site_mirror_count(const om_site *site);
OM_EXPORT const om_mirror *om_site_mirror(const om_site *site, size_t index);
OM_EXPORT const char *om_mirror_onion(const om_mirror *mirror); /* "<56 characters>.onion" */
OM_EXPORT const char *om_mirror_url(const om_mirror *mirror);
OM_EXPORT const char *om_mirror_role(const om_mirror *mirror); /* "mirror", "replica" or "archive" */
/* The first member whose head lists it. */
OM_EXPORT const char *om_mirror_member(const om_mirror *mirror);
/* When the first of the documents that vouch for it runs out; past this time it is not to be used. */
OM_EXPORT int64_t om_mirror_valid_until(const om_mirror *mirror);

/*
 * One of the mirrors still valid at `now`, chosen by 64 random bits from the
 * caller. NULL if there is none.
 */
OM_EXPORT const om_mirror *om_site_pick(const om_site *site, int64_t now, uint64_t random);

typedef enum om_answer {
	OM_IS_UNKNOWN = 0, /* not on the list as far as this reader can see; says nothing good */
	OM_IS_MIRROR,      /* on the last accepted list and still valid at `now` */
	OM_IS_RETIRED,     /* was a mirror, replaced */
	OM_IS_REVOKED      /* was a mirror, must not be trusted any more */
} om_answer;
/* `address`: 56 characters, with or without ".onion". Anything else is unknown. */
OM_EXPORT om_answer om_site_is_mirror(const om_site *site, const char *address, int64_t now);

/*
 * Forks seen so far, oldest first: two signed documents that can't both be
 * honest. `which` is 0 (the one that was known) or 1 (the one that came later).
 * Each is JSON, {"doc": text, "sigs": [whole signature files]}, so that anybody
 * can check it; of the later one only the signatures that count. NULL past the
 * end. At most 8 are kept, and they are saved; the first about the root, the
 * members document or a member takes the place of a further one about another.
 */
OM_EXPORT size_t om_site_evidence_count(const om_site *site);
OM_EXPORT const char *om_site_evidence(const om_site *site, size_t index, int which);
/*
 * What became of the forks that the last feed proved: 1: both documents of each
 * are among the evidence; -1: not of each, for want of room or memory; 0: it
 * proved none. OM_FORK can come without a proof: a root that names another one
 * before it may be anybody's, for signatures are looked at later.
 */
OM_EXPORT int om_site_fork_evidence(const om_site *site);

#ifdef __cplusplus
}
#endif

#endif
