/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_EVENT_H
#define PROTO_EVENT_H

#include "proto/reply.h"

/*
 * Asynchronous events of tor: control-spec 4.1. Unknown events, actions and
 * keywords are tolerated (..._OTHER, ""): tor may be newer than we are. Values
 * that other users of the same tor can choose (SOCKS user names, targets of
 * streams) never make an event fail: when they don't fit they are "".
 *
 * Events tell about every service and every client of that tor: look at the
 * address.
 */
enum event_kind {
	EVENT_OTHER = 0, /* not one of these, or a value of the kind that we don't know */
	EVENT_HS_DESC,
	EVENT_STATUS_CLIENT,
	EVENT_STATUS_GENERAL,
	EVENT_NETWORK_LIVENESS,
	EVENT_STREAM,
	EVENT_CIRC,
	EVENT_CIRC_MINOR,
};

/* HS_DESC, 4.1.25. */
enum event_desc_action {
	EVENT_DESC_OTHER = 0, /* IGNORE and what is to come */
	EVENT_DESC_CREATED,   /* upload side: made, not sent */
	EVENT_DESC_UPLOAD,    /* upload side: sent to hsdir */
	EVENT_DESC_UPLOADED,  /* upload side: taken; has no descid */
	EVENT_DESC_REQUESTED, /* fetch side */
	EVENT_DESC_RECEIVED,  /* fetch side */
	EVENT_DESC_FAILED,    /* either: see side and reason */
};
enum event_desc_reason {
	EVENT_DESC_REASON_NONE = 0,
	EVENT_DESC_REASON_OTHER,
	EVENT_DESC_REASON_BAD_DESC,
	EVENT_DESC_REASON_QUERY_REJECTED,
	EVENT_DESC_REASON_UPLOAD_REJECTED, /* HTTP 400: stale revision or malformed */
	EVENT_DESC_REASON_NOT_FOUND,
	EVENT_DESC_REASON_UNEXPECTED, /* upload or fetch: compare hsdir and descid with what was asked */
	EVENT_DESC_REASON_QUERY_NO_HSDIR,
	EVENT_DESC_REASON_QUERY_RATE_LIMITED,
};
/* FAILED is one word for two things; this is what action and reason prove. */
enum event_desc_side { EVENT_DESC_SIDE_UNKNOWN = 0, EVENT_DESC_SIDE_UPLOAD, EVENT_DESC_SIDE_FETCH };

struct event_hs_desc {
	enum event_desc_action action;
	enum event_desc_reason reason;
	enum event_desc_side side;
	char address[56 + 1]; /* "" for UNKNOWN */
	char hsdir[40 + 1];   /* fingerprint, upper case hex; "" when there is none */
	char descid[64 + 1];  /* 43 characters of base64 from tor; "" when there is none */
};

/* STATUS_CLIENT and STATUS_GENERAL, 4.1.10. */
enum event_status_action {
	EVENT_STATUS_OTHER = 0,
	EVENT_STATUS_BOOTSTRAP,
	EVENT_STATUS_ENOUGH_DIR_INFO,
	EVENT_STATUS_NOT_ENOUGH_DIR_INFO,
	EVENT_STATUS_CIRCUIT_ESTABLISHED,
	EVENT_STATUS_CIRCUIT_NOT_ESTABLISHED, /* reason */
	EVENT_STATUS_CONSENSUS_ARRIVED,
	EVENT_STATUS_CLOCK_JUMPED, /* seconds: TIME=; all circuits were abandoned */
	EVENT_STATUS_CLOCK_SKEW,   /* seconds: SKEW= (our clock less theirs); source */
	EVENT_STATUS_DANGEROUS_SOCKS,
	EVENT_STATUS_SOCKS_BAD_HOSTNAME,
};
enum event_severity { EVENT_SEVERITY_OTHER = 0, EVENT_SEVERITY_NOTICE, EVENT_SEVERITY_WARN, EVENT_SEVERITY_ERR };

struct event_status {
	enum event_severity severity;
	enum event_status_action action;
	int progress;      /* BOOTSTRAP: 0..100, else -1 */
	int64_t seconds;   /* CLOCK_JUMPED, CLOCK_SKEW; else 0 */
	char reason[64];   /* REASON= or TAG=, "" if none */
	char source[128];  /* SOURCE=, "" if none */
};

/* STREAM, 4.1.2. */
enum event_stream_status {
	EVENT_STREAM_OTHER = 0,
	EVENT_STREAM_NEW,
	EVENT_STREAM_NEWRESOLVE,
	EVENT_STREAM_REMAP,
	EVENT_STREAM_SENTCONNECT,
	EVENT_STREAM_SENTRESOLVE,
	EVENT_STREAM_SUCCEEDED,
	EVENT_STREAM_FAILED, /* may come without REASON, and then not mean it (SOCKS F0 bug) */
	EVENT_STREAM_CLOSED,
	EVENT_STREAM_DETACHED,
};
#define EVENT_ID_MAX 16 /* control-spec 2.4: 1 to 16 letters and digits */

struct event_stream {
	char id[EVENT_ID_MAX + 1];
	enum event_stream_status status;
	char circuit[EVENT_ID_MAX + 1]; /* "0" before one is attached */
	char address[56 + 1];           /* onion of the target without ".onion", lower case; "" if it is none */
	uint16_t port;                  /* of the target, 0 if there is none */
	char target[264];               /* as tor says it, "host:port"; "" if too long */
	char reason[32], remote_reason[32]; /* "" if none */
	uint16_t source_port;           /* SOURCE_ADDR= of TCP, 0 if none: our own local port */
	char socks_username[256];       /* "" if none, or not text */
};

/* CIRC, 4.1.1, and CIRC_MINOR, 4.1.22. */
enum event_circ_status {
	EVENT_CIRC_OTHER = 0,
	EVENT_CIRC_LAUNCHED,
	EVENT_CIRC_BUILT,
	EVENT_CIRC_GUARD_WAIT,
	EVENT_CIRC_EXTENDED,
	EVENT_CIRC_FAILED,
	EVENT_CIRC_CLOSED,
	EVENT_CIRC_PURPOSE_CHANGED, /* CIRC_MINOR */
	EVENT_CIRC_CANNIBALIZED,    /* CIRC_MINOR */
};
struct event_circ {
	char id[EVENT_ID_MAX + 1];
	enum event_circ_status status;
	char purpose[32];         /* "HS_CLIENT_REND", ...; "" if none */
	char hs_state[32];        /* "HSCR_JOINED", ...; "" if none */
	char rend_query[56 + 1];  /* address without ".onion"; "" if none */
	char reason[32];          /* "" if none */
	char socks_username[256]; /* "" if none, or not text */
};

struct event {
	enum event_kind kind;
	union {
		struct event_hs_desc hs_desc;
		struct event_status status; /* STATUS_CLIENT and STATUS_GENERAL */
		bool live;                  /* NETWORK_LIVENESS: UP */
		struct event_stream stream;
		struct event_circ circ; /* CIRC and CIRC_MINOR */
	} u;
};

/*
 * Parses a message of code 6xx. ERR_PROTO: not an event. ERR_PARSE, ERR_LIMIT:
 * a known event whose own fields (not those others choose) are missing or out
 * of range.
 */
int event_parse(struct event *out, const struct reply *r, struct err *e);
/* One line of GETINFO circuit-status, n bytes: the same as behind "650 CIRC ". */
int event_parse_circ(struct event_circ *out, const char *line, size_t n, struct err *e);

#endif
