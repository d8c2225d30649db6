/* SPDX-License-Identifier: BSD-3-Clause */
/* --wait: an operation step by step, a plain line each; on a terminal the last line tells what it waits for. */
#include "config.h"
#include "cli/follow.h"

#include "base/clock.h"
#include "cli/out.h"

#include <stdio.h>
#include <string.h>

#define WAIT_DEADLINE_MS (15 * 60 * 1000)
#define REFRESH_MS 1000

bool
follow_show_step(const struct cli *c, const json_t *event, int *code)
{
	const char *step = cli_text(event, "step");
	bool failed = strcmp(step, "failed") == 0, done = strcmp(step, "done") == 0;

	if (c->json) {
		cli_print_json(json_incref((json_t *)(uintptr_t)event));
	} else if (!done) {
		int at = printf("%6.1f s  %-9s ", (double)cli_int(event, "elapsed_ms") / 1000, out_escape(step));

		out_wrapped(at, 20, cli_text(event, "text"));
	}
	fflush(stdout);
	*code = failed ? CLI_FAILED : CLI_DONE;
	return failed || done;
}

/* The line that is written over: how long it takes by now, and how far the new address is. */
static void
show_progress(struct client *cl, int64_t begun, const char *mirror)
{
	json_t *r = mirror != NULL ? client_call(cl, "mirrors", json_pack("{s:s}", "mirror", mirror), NULL) : NULL;
	const json_t *m = json_array_get(json_object_get(r, "mirrors"), 0);

	printf("\r\033[K%6.1f s  ...", (double)(clock_mono_ms() - begun) / 1000);
	if (m != NULL)
		printf("       %s is %s", out_text(m, "name"), out_text(m, "state"));
	if (json_is_string(json_object_get(m, "candidate")))
		printf(", %lld of %lld uploads", cli_int(m, "uploads"), cli_int(m, "uploads_started"));
	if (cli_int(m, "next_probe") > 0 && !json_is_string(json_object_get(m, "candidate")))
		printf(", next probe %s", out_age(m, "next_probe"));
	fflush(stdout);
	json_decref(r);
}

static int
fail(const struct err *e, long long op)
{
	return cli_fail(e->code == ERR_CLOSED ? CLI_UNREACHABLE : CLI_FAILED, "operation %lld goes on without us: %s", op, e->msg);
}

int
follow_operation(const struct cli *c, struct client *cl, long long op, const char *mirror)
{
	int64_t begun = clock_mono_ms(), left;
	bool live = c->tty && !c->json, last = false;
	struct err e;
	int code = CLI_FAILED;
	json_t *event;

	while (!last) {
		memset(&e, 0, sizeof e);
		left = begun + WAIT_DEADLINE_MS - clock_mono_ms();
		if (live)
			show_progress(cl, begun, mirror);
		event = left > 0 ? client_next(cl, live && left > REFRESH_MS ? REFRESH_MS : left, &e) : NULL;
		if (live)
			fputs("\r\033[K", stdout);
		if (event == NULL && live && left > REFRESH_MS && e.code == ERR_TIMEOUT)
			continue;
		if (event == NULL) {
			fflush(stdout);
			if (e.code == ERR_TIMEOUT || e.code == ERR_NONE)
				err_set(&e, ERR_TIMEOUT, "no end within 15 min; onionmirror events --op %lld follows it further", op);
			return fail(&e, op);
		}
		if (cli_int(event, "op") == op && strcmp(cli_text(event, "kind"), "step") == 0)
			last = follow_show_step(c, event, &code);
		json_decref(event);
	}
	return code;
}
