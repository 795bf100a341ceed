/* SPDX-License-Identifier: BSD-2-Clause */
#include <bpf/bpf.h>
#include <errno.h>
#include "bpf/tandem.skel.h"
#include "controlplane/engine/xdp.h"

static bool action_agrees(uint32_t action, const struct l4_trace *t, uint32_t ifindex)
{
	if (t->verdict >= L4_V_MALFORMED)
		return action == XDP_DROP;
	if (t->verdict < L4_V_FORWARDED)
		return action == XDP_PASS;
	return action == (t->ifindex == ifindex ? XDP_TX : XDP_REDIRECT);
}

int engine_set_time(struct engine *en, uint16_t now)
{
	const struct tandem_bpf *bpf = engine_bpf(en);
	uint64_t value = now;
	uint32_t zero = 0;

	return bpf_map_update_elem(bpf_map__fd(bpf->maps.test_time), &zero, &value, BPF_ANY);
}

int engine_run(const struct engine *en, uint32_t ifindex, const uint8_t *frame, size_t len,
	uint8_t *out, size_t *out_len, struct l4_trace *trace)
{
	const struct tandem_bpf *bpf = engine_bpf(en);
	struct xdp_md ctx = { .data_end = (uint32_t)len, .ingress_ifindex = ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)len,
		.data_out = out, .data_size_out = (uint32_t)*out_len, .ctx_in = &ctx,
		.ctx_size_in = sizeof ctx, .repeat = 1);
	uint32_t zero = 0;
	int rc;

	if (len < sizeof(struct l4_eth))
		return -EMSGSIZE;
	rc = bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.tandem_xdp), &opts);
	if (!rc)
		rc = bpf_map_lookup_elem(bpf_map__fd(bpf->maps.trace), &zero, trace);
	if (rc)
		return rc;
	*out_len = opts.data_size_out;
	return action_agrees(opts.retval, trace, ifindex) ? 0 : -EPROTO;
}
