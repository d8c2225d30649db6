/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of probes share. */
#include "config.h"
#include "probe_rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
probe_rig_init(struct probe_rig *r, const struct fakesite_script *script)
{
	struct err e = ERR_INIT;

	memset(r, 0, sizeof(*r));
	strcpy(r->dir, "/tmp/om-probe.XXXXXX");
	cr_assert(mkdtemp(r->dir) != NULL && (r->loop = loop_new(&e)) != NULL);
	r->site = fakesite_new(r->loop, r->dir, script);
	r->prober = prober_new(r->loop);
	r->rq = (struct probe_request){.address = ADDRESS,
	    .port = 80,
	    .via = fakesite_endpoint(r->site),
	    .direct = script->direct,
	    .path = "/health",
	    .status = 200,
	    .timeout_ms = 600};
}

void
probe_rig_fini(struct probe_rig *r)
{
	prober_free(r->prober);
	session_free(r->session);
	faketor_free(r->tor);
	fakesite_free(r->site);
	loop_free(r->loop);
	cr_expect(rmdir(r->dir) == 0);
}

void
probe_rig_on_done(void *ctx, uint64_t id, const struct probe_result *result)
{
	struct probe_rig *r = ctx;

	r->done++;
	r->id = id;
	r->result = *result;
}

bool
probe_rig_is_done(void *arg)
{
	const struct probe_rig *r = arg;

	return r->done > 0;
}

enum verdict
probe_rig_run(struct probe_rig *r)
{
	prober_start(r->prober, &r->rq, probe_rig_on_done, r, 7);
	cr_expect(
	    r->done == 0 && prober_count(r->prober) == 1, "the callback must come from the loop");
	cr_assert(loop_run_until(r->loop, probe_rig_is_done, r, 900), "no result");
	cr_expect(r->done == 1 && r->id == 7 && prober_count(r->prober) == 0);
	cr_expect(r->result.detail[0] != '\0' && r->result.phases.total >= 0);
	return r->result.verdict;
}
