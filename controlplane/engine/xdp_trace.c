/* SPDX-License-Identifier: BSD-2-Clause */
/* One frame through the loaded program, without a consequence; and what it met, read back. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "bpf/tandem.skel.h"
#include "controlplane/engine/xdp_body.h"
#include "dataplane/l4/traced.h"

/* Begins with a full bucket of tokens: what is answered does not depend on what was answered before. */
static int run(const struct tandem_bpf *bpf, uint32_t ifindex, const uint8_t *frame, size_t len,
	uint8_t *out, size_t *out_len, struct l4_way *way)
{
	struct xdp_md ctx = { .data_end = (uint32_t)len, .ingress_ifindex = ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)len,
		.data_out = out, .data_size_out = (uint32_t)*out_len, .ctx_in = &ctx,
		.ctx_size_in = sizeof ctx, .repeat = 1);
	int map = bpf_map__fd(bpf->maps.traced), rc;
	struct l4_traced traced = { 0 };
	uint32_t zero = 0;

	traced.way.end.verdict = L4_V_COUNT;
	rc = bpf_map_update_elem(map, &zero, &traced, BPF_ANY);
	if (!rc)
		rc = bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.tandem_trace), &opts);
	if (!rc)
		rc = bpf_map_lookup_elem(map, &zero, &traced);
	if (rc)
		return rc;
	*out_len = opts.data_size_out;
	*way = traced.way;
	return way->end.verdict < L4_V_COUNT ? 0 : -EPROTO;
}

int xdp_trace(const struct engine *en, uint32_t ifindex, const uint8_t *frame, size_t len,
	uint8_t *out, size_t *out_len, struct l4_way *way, struct err *e)
{
	const struct xdp *x = en->own;
	struct tandem_bpf *bpf;
	int rc = loader_trace(x->loader, &bpf);

	if (rc)
		return err_set(
			e, rc, "cannot load the program that traces packets: %s", strerror(-rc));
	rc = run(bpf, ifindex, frame, len, out, out_len, way);
	return rc ? err_set(e, rc, "cannot run the program that traces packets: %s", strerror(-rc))
		  : 0;
}

/* The generation's map, of which this process keeps no descriptor. */
static int image_map(const struct engine *en)
{
	int outer = bpf_map__fd(engine_bpf(en)->maps.generation);
	uint32_t zero = 0, id;

	return bpf_map_lookup_elem(outer, &zero, &id) ? -1 : bpf_map_get_fd_by_id(id);
}

bool xdp_line(const struct engine *en, uint32_t line, void *out)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof info;
	int fd = image_map(en);
	bool found = false;
	void *image;

	if (fd < 0)
		return false;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) &&
		line < info.value_size / sizeof(struct l4_line)) {
		image = mmap(NULL, info.value_size, PROT_READ, MAP_SHARED, fd, 0);
		found = image != MAP_FAILED;
		if (found) {
			memcpy(out, (const struct l4_line *)image + line, sizeof(struct l4_line));
			munmap(image, info.value_size);
		}
	}
	close(fd);
	return found;
}
