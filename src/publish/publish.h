/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PUBLISH_PUBLISH_H
#define PUBLISH_PUBLISH_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Publishing: from domain state to signed documents (design: lists) to a
 * channel directory that is replaced by one rename. No clock: `now` is wall
 * time in seconds, given by the caller.
 */

/* Who we are: the root chain, members document and our member key. */
struct publish_site;

/*
 * Reads N.root.json, N.root.json.<n>.minisig (n from 1 to 32, some may be missing), members.json and its
 * .<n>.minisig from `dir` (STATE-DIR/site) and verifies the whole chain at
 * `now`. What ran out is no error: mirrors must go on while it is renewed; only
 * publication_make() refuses then. `member_sk`
 * is libsodium's 64-byte secret key (secret memory, borrowed for the site's
 * life); its public half must be a certified member's. DIR/revoked, if there is
 * one, holds addresses (a line each, <56>.onion) that are called revoked in each
 * list until no proof of theirs can be good, counted from the file's mtime.
 */
int publish_site_load(struct publish_site **out, const char *dir, const uint8_t *member_sk, int64_t now, struct err *e);
void publish_site_free(struct publish_site *s);
const char *publish_site_id(const struct publish_site *s);     /* "om1..." */
const char *publish_site_name(const struct publish_site *s);   /* the root's name */
const char *publish_site_member(const struct publish_site *s); /* our member name */
int64_t publish_site_root_expiry(const struct publish_site *s);
int64_t publish_site_member_expiry(const struct publish_site *s);
uint64_t publish_site_epoch(const struct publish_site *s);
int64_t publish_site_epoch_start(const struct publish_site *s);
int64_t publish_site_possession(const struct publish_site *s); /* how long a possession proof lasts, seconds */
/* Whether lists made under both would differ in nothing that comes from the site folder. */
bool publish_site_same(const struct publish_site *a, const struct publish_site *b);

/*
 * Makes a leaf: a fresh salt, from/until, and the possession proof by the
 * onion's key (64 bytes, expanded, secret). `port` is the virtual port readers
 * use (80 gives http://<onion>/). *out is the canonical text, malloced. A key
 * of another address is ERR_CRYPTO.
 */
int publish_leaf_make(char **out, const struct publish_site *s, const uint8_t *key64, const char *address, uint16_t port,
    bool tls, const char *role, int64_t now, struct err *e);
/*
 * When the possession in a leaf must be renewed, wall seconds: at its half life,
 * or at once (0) if it is longer than the root allows now; -1 if the text doesn't parse.
 */
int64_t publish_leaf_renew_at(const struct publish_site *s, const char *leaf);

/* When its possession proof runs out; -1 as above. Until then a retired address needs its tombstone. */
int64_t publish_leaf_until(const char *leaf);

struct publish_entry {
	const char *leaf;    /* leaf document text, borrowed */
	const char *channel; /* which channel directory gets it, borrowed */
};
enum tombstone_state { TOMBSTONE_RETIRED, TOMBSTONE_REVOKED };
struct publish_tombstone {
	const char *address; /* 56 characters, borrowed */
	enum tombstone_state state;
	int64_t since;
};

/* Heads of other members and the leaves that these list, chosen for one publication. */
struct publish_others;

struct publish_list {
	const struct publish_entry *entries;
	size_t n_entries;
	bool may_be_empty; /* nothing but tombstones is meant: the last address was revoked; else no entry is ERR_REFUSED */
	const char *const *ours; /* 56 characters each: those that may be in a later list of ours, whether they are in this one or not */
	size_t n_ours;
	const struct publish_tombstone *tombstones;
	size_t n_tombstones;
	const char *const *channels; /* every channel of the configuration gets a directory */
	size_t n_channels;
	uint64_t serial;             /* already durable */
	const char *prev_head;       /* our last published head of this epoch, NULL: none */
	const struct publish_others *others; /* NULL: only ours */
	const uint8_t *decoy_key;            /* 32 secret bytes, the same for all lists, whatever the member key; borrowed */
	int64_t now;
};

/*
 * What was seen of other members, as readers remember it: each one's newest
 * head and what it withdrew, by member name and key and for one epoch. The
 * caller keeps it, one row of text a member (less than 1 MiB), under an id that
 * stays the same.
 */
struct publish_memory;
struct publish_memory *publish_memory_new(void); /* NULL: no memory */
void publish_memory_free(struct publish_memory *m); /* NULL is fine */
/* Takes a row back; ERR_STATE if it is none. */
int publish_memory_take(struct publish_memory *m, const char *text, size_t n, struct err *e);
/* Calls cb for each row that is new or has changed, until it fails. */
typedef int publish_memory_cb(uint64_t id, const char *text, size_t n, void *arg, struct err *e);
int publish_memory_save(const struct publish_memory *m, publish_memory_cb *cb, void *arg, struct err *e);

/*
 * Other members of the same root: of all bundles DIR/bundles/<name>.json (at most
 * 64) and of `visible` (our own bundle.json that is out), for each certified
 * member the newest head that a reader would take, with the leaves it lists.
 * What readers would refuse is left out, and so is a head that withdraws an
 * address of `l` or one that may be listed later (l->ours): nobody else's fault
 * may spoil our list, nor the next one. A head that is older
 * than one in `memory`, or contradicts it, is never taken; what is newer is
 * added to it, to be saved before the list is visible.
 *
 * What a bundle has room for beside ours is shared out equally among members,
 * in bytes, and of each at most 1024 addresses are looked at: what one has too
 * much is left out, always the same, and takes no place from another.
 *
 * Other sites: of all bundles DIR/peers/<site id>.json (at most 64) that verify
 * under that id, the first 16 heads, as cross-references.
 *
 * Each fault is a line in `faults`, as is each member without a head. `l` is the
 * list that is to be published; -1 only without memory.
 */
int publish_others_load(struct publish_others **out, const struct publish_site *s, const char *dir, const char *visible,
    const struct publish_list *l, struct publish_memory *memory, struct buf *faults, struct err *e);
void publish_others_free(struct publish_others *o);

/* Head and files, in memory. Nothing is visible yet. */
struct publication;
/*
 * Everything is judged as a reader at `now` will: a root or members document
 * that ran out, a leaf that is expired, withdrawn or without a good proof is
 * ERR_REFUSED and says so. One such leaf would make readers refuse the bundle.
 */
int publication_make(struct publication **out, const struct publish_site *s, const struct publish_list *l, struct err *e);
const char *publication_head(const struct publication *p); /* head.json text, to be stored */
int64_t publication_valid_until(const struct publication *p);
/*
 * Writes DIR/<channel>/<serial>/ (bundle.json, each document with its .minisig,
 * leaf-*.json, head-<member>.json of others, mirrors.txt + .minisig, member.pub,
 * index.html) for all channels
 * and syncs it, then renames each symlink DIR/<channel>/current to it, then
 * removes older ones (the last two stay). What a crash left of the same serial
 * is replaced; the very same list once more is fine, another one under a serial
 * that is out already is ERR_STATE.
 *
 * When making the folders fails (a full disk is ERR_SYS with sys = ENOSPC),
 * each `current` is as it was and nothing half made is left. A failure at the
 * renames themselves may come after some channel has the new list: the next
 * head must then name this one as `prev`, which is right in either case.
 */
int publication_write(const struct publication *p, const char *dir, struct err *e);
void publication_free(struct publication *p);

/*
 * The highest serial of all head.json under DIR/<channel>/ that our member key
 * signed in this epoch, or `floor` if none is above it: for a restored backup.
 * What somebody else put there does not count. Only what is above is verified.
 */
uint64_t publish_highest_serial(const struct publish_site *s, const char *dir, uint64_t floor);

/*
 * One channel's visible list in memory, for the list service. The pointers
 * handed out are good as long as the caller holds it. served_load() reads
 * what DIR/<channel>/current names, all of it or nothing; ERR_NOTFOUND: there
 * is no list yet.
 */
struct served;
struct served_file {
	char *name, *text; /* the text is NUL-ended */
	size_t len;
	const char *type;  /* Content-Type */
	char etag[36];     /* strong, from the bytes, with its quotes */
};
int served_load(struct served **out, const char *dir, const char *channel, struct err *e);
struct served *served_hold(struct served *s);
void served_release(struct served *s); /* NULL is fine */
/* Whether the channel still shows this very folder, with nothing added or removed. Files in it never change. */
bool served_is_current(const struct served *s, const char *dir, const char *channel);
size_t served_size(const struct served *s);    /* bytes of its files */
bool served_is_shared(const struct served *s); /* somebody else than the caller holds it too */
/* The Content-Security-Policy that goes with it. */
const char *served_policy(const struct served *s);
/*
 * The file of a request's path: exactly "/", "/NAME" or the same below
 * /.well-known/onionmirror/; "self.json" is the leaf of `onion` (56
 * characters) if this list holds it. NULL: there is none.
 */
const struct served_file *served_find(const struct served *s, const char *path, const char *onion);

/* serial = max(last + 1, minutes since epoch_start). */
uint64_t publish_next_serial(uint64_t last, int64_t epoch_start, int64_t now);

#endif
