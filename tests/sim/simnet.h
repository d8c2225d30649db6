/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_SIMNET_H
#define SIM_SIMNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The Tor network as far as onion services see it: HSDirs with what they hold,
 * the consensus, and the addresses that somebody has taken down. Descriptors
 * are names of a set of introduction circuits; a reader gets through while
 * that set is alive (simtor knows).
 */
#define NET_HSDIRS 40
#define NET_REPLICAS 2
#define NET_SPREAD_STORE 4
#define NET_SPREAD_FETCH 3
#define NET_STORE_MAX (NET_REPLICAS * NET_SPREAD_STORE)
#define NET_FETCH_MAX (NET_REPLICAS * NET_SPREAD_FETCH)
#define NET_CONSENSUS_S (3 * 3600) /* how long one is valid */
#define NET_DESC_LIFETIME_MS (3 * 3600 * 1000)

void net_start(void);
void net_stop(void);

/* The time period that clients ask for now, and the one the current descriptor of a service is for. */
int64_t net_client_period(void);
int64_t net_service_period(void);
/* Seconds until services rotate their descriptors (00:00 UTC). */
int64_t net_until_rotation(void);
/* "$FP~nick" of an HSDir. */
const char *net_hsdir_name(unsigned hsdir);
/* Where a descriptor is kept, and (the first ones of each replica) asked for. Returns how many. */
size_t net_responsible(const char *address, int64_t period, bool fetch, unsigned out[NET_STORE_MAX]);
/* 43 characters that name the descriptor (the blinded key). */
void net_descid(char out[44], const char *address, int64_t period);

enum net_answer {
	NET_STORED,
	NET_REFUSED, /* 400 */
	NET_LOST,    /* no answer, ever */
};
enum net_answer net_upload(unsigned hsdir, const char *address, int64_t period, uint64_t intro_set);
/* The set of introduction circuits it names, 0: 404; *down: the HSDir does not answer. */
uint64_t net_fetch(unsigned hsdir, const char *address, int64_t period, bool *down);
/* All descriptors of it are gone from all HSDirs. */
void net_forget(const char *address);

/* Of uploads from now on. */
void net_set_loss(unsigned lost_ppm, unsigned refused_ppm);
/* Every HSDir answers and takes what comes, and there is a consensus each hour. */
bool net_is_well(void);
/* This share of the HSDirs does not answer; the same ones each time. */
void net_set_hsdirs_down(unsigned percent);
/* No consensus any more: the last one runs out. */
void net_freeze_consensus(bool frozen);
/* Wall time (true) of its valid-until. */
int64_t net_valid_until(void);

/* For ever: HSDirs refuse its descriptors and have none, or its introductions die. */
enum net_block { NET_FREE, NET_BLOCK_DESC, NET_BLOCK_INTRO };
void net_take_down(const char *address, enum net_block how);
enum net_block net_blocked(const char *address);
void net_unblock_all(void);

#endif
