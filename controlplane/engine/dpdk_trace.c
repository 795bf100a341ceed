/* SPDX-License-Identifier: BSD-2-Clause */
/* One frame through the DPDK engine's tables, without a consequence. */
#include <errno.h>
#include <string.h>
#include "controlplane/engine/dpdk_body.h"

_Static_assert((int)ENGINE_FRAME_MAX <= (int)PROTOCOL_FRAME, "what may be traced may be asked for");

static int take(const struct protocol_traced *t, uint8_t *out, size_t *out_len, struct l4_way *way,
	struct err *e)
{
	if (t->len > PROTOCOL_FRAME || t->way.end.verdict >= L4_V_COUNT)
		return err_set(e, -EPROTO, "the DPDK engine's answer is no packet's way");
	if (t->len > *out_len)
		return err_set(
			e, -EMSGSIZE, "the traced frame has become too long: %u bytes", t->len);
	memcpy(out, t->frame, t->len);
	*out_len = t->len;
	*way = t->way;
	return 0;
}

/* The connection is the engine's own, whoever asks. */
int dpdk_trace(const struct engine *en, uint32_t ifindex, const uint8_t *frame, size_t len,
	uint8_t *out, size_t *out_len, struct l4_way *way, struct err *e)
{
	struct protocol_ask ask = { .kind = PROTOCOL_TRACE,
		.trace = { .ifindex = ifindex, .len = (uint32_t)len } };
	struct protocol_answer answer;
	int rc;

	memcpy(ask.trace.frame, frame, len);
	rc = dpdk_ask((struct engine *)en, &ask, -1, &answer, e);
	return rc ? rc : take(&answer.trace, out, out_len, way, e);
}
