/* SPDX-License-Identifier: BSD-3-Clause */
/* What the service manager is told: sd_notify(3). Keeps the last status, so that only a change is sent. */
#include "config.h"
#include "daemon/daemon.h"
#include "io/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
status_text(const struct daemon *d, char *out, size_t size)
{
	struct mirror_view v;
	const char *why = "";
	size_t i, up = 0;

	if (d->locked) {
		snprintf(out, size, "%s", LOCKED_TEXT);
		return;
	}
	for (i = 0; i < d->conf->n_mirrors; i++) {
		engine_mirror_view(d->engine, (int)i, &v);
		up += v.listed != 0;
	}
	snprintf(out, size, "%zu of %zu mirrors listed, list serial %llu%s%s", up, d->conf->n_mirrors, (unsigned long long)d->serial,
	    d->stuck ? "; THE STATE CANNOT BE WRITTEN" : "", engine_in_panic(d->engine, &why) ? "; panic: the list stays as it is" : "");
}

void
service_status(struct daemon *d)
{
	char text[sizeof d->service_status], line[sizeof text + 16];

	if (getenv("NOTIFY_SOCKET") == NULL)
		return;
	status_text(d, text, sizeof text);
	if (strcmp(text, d->service_status) == 0)
		return;
	memcpy(d->service_status, text, sizeof text);
	snprintf(line, sizeof line, "STATUS=%s", text);
	notify_send(line);
}

void
service_ready(struct daemon *d)
{
	d->service_status[0] = '\0';
	service_status(d);
	notify_send("READY=1");
}

void
service_reloading(void)
{
	char line[64];

	snprintf(line, sizeof line, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_service_us());
	notify_send(line);
}
