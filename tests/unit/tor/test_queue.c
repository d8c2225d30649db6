/* SPDX-License-Identifier: BSD-3-Clause */
/* First in, first out, through growth and wrap; and what may answer what. */
#include "config.h"
#include "tor/queue.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(tor_queue, keeps_the_order_while_it_grows_and_wraps)
{
	struct queue *q = queue_new();
	struct queue_entry entry = {0};
	uint64_t in = 0, out = 0;
	int round, i;

	cr_expect(queue_peek(q) == NULL && !queue_pop(q, &entry));
	for (round = 0; round < 200; round++) {
		for (i = 0; i < round % 7; i++) {
			entry.id = in++;
			queue_push(q, &entry);
		}
		for (i = 0; i < round % 5 && queue_count(q) > 0; i++) {
			cr_assert(
			    queue_peek(q)->id == out && queue_pop(q, &entry) && entry.id == out);
			out++;
		}
		cr_assert(queue_count(q) == in - out);
	}
	cr_expect(in - out > 64, "it must have grown");
	queue_free(q);
	queue_free(NULL);
}

Test(tor_queue, a_success_must_look_like_its_command)
{
	static const struct {
		enum queue_shape shape;
		const char *key;
		int code;
		size_t lines;
		const char *text;
		bool good;
	} rows[] = {
	    {SHAPE_OK, "", 250, 1, "OK", true},
	    {SHAPE_OK, "", 250, 2, "OK", false},
	    {SHAPE_OK, "", 250, 1, "DisableNetwork=0", false},
	    {SHAPE_OK, "", 552, 1, "Unknown Onion Service id", true},
	    {SHAPE_KEY, "version", 250, 2, "version=0.4.9.11", true},
	    {SHAPE_KEY, "version", 250, 2, "versions=0.4.9.11", false},
	    {SHAPE_KEY, "version", 250, 1, "OK", false},
	    {SHAPE_KEY, "version", 551, 1, "Internal error", true},
	    {SHAPE_KEY, "DisableNetwork", 250, 1, "DisableNetwork", true},
	    {SHAPE_KEY, "DisableNetwork", 250, 1, "disablenetwork=1", true},
	    {SHAPE_ANY, "", 250, 3, "PROTOCOLINFO 1", true},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reply_line lines[3] = {{.code = rows[i].code,
		    .sep = '-',
		    .text = rows[i].text,
		    .len = strlen(rows[i].text)}};
		struct reply r = {.code = rows[i].code, .lines = lines, .n_lines = rows[i].lines};
		struct queue_entry entry = {.shape = rows[i].shape};
		struct err e = ERR_INIT;

		snprintf(entry.key, sizeof(entry.key), "%s", rows[i].key);
		cr_expect(queue_check(&entry, &r, &e) == (rows[i].good ? 0 : -1), "row %zu", i);
		cr_expect(rows[i].good || e.code == ERR_PROTO, "row %zu", i);
	}
}
