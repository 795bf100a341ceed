/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures of the DPDK engine: it tells of legs (dpdk_told.c) from when it is asked to. */
#include <errno.h>
#include "controlplane/base/log.h"
#include "controlplane/engine/dpdk_body.h"

static int begin(struct engine *en, struct err *e)
{
	const struct dpdk *d = en->own;
	struct protocol_ask ask = { .kind = PROTOCOL_CAPTURE, .capture = d->filter };
	struct protocol_answer answer;

	return dpdk_ask(en, &ask, -1, &answer, e);
}

/* Legs come by the loop that the engine was opened with. */
int dpdk_capture_begin(
	struct engine_capture *c, struct event_base *base, const struct l4_capture_filter *filter)
{
	struct dpdk *d = c->engine->own;
	struct err e;
	int rc;

	(void)base;
	d->filter = *filter;
	d->capture_lost = 0;
	rc = begin(c->engine, &e);
	if (rc)
		log_error("%s", e.text);
	return rc;
}

void dpdk_capture_end(struct engine_capture *c)
{
	struct protocol_ask ask = { .kind = PROTOCOL_CAPTURE_END };
	const struct dpdk *d = c->engine->own;
	struct protocol_answer answer;
	struct err e;

	if (d->link.fd >= 0 && dpdk_ask(c->engine, &ask, -1, &answer, &e))
		log_error("cannot end the capture: %s", e.text);
}

uint64_t dpdk_capture_lost(const struct engine_capture *c)
{
	struct protocol_ask ask = { .kind = PROTOCOL_STATUS };
	struct dpdk *d = c->engine->own;
	struct protocol_answer answer;
	struct err e;

	if (d->link.fd >= 0 && !dpdk_ask(c->engine, &ask, -1, &answer, &e))
		d->capture_lost = answer.status.capture_lost;
	return d->capture_lost;
}

void dpdk_capture_again(struct engine *en)
{
	struct err e;

	if (en->capture && begin(en, &e))
		log_error("the capture does not go on: %s", e.text);
}
