/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/xsk.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static bool is_libxdps(int program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof info;

	return !bpf_obj_get_info_by_fd(program, &info, &size) && !strcmp(info.name, "xsk_def_prog");
}

int xsk_detach(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, has);
	LIBBPF_OPTS(bpf_xdp_attach_opts, only);
	int rc = bpf_xdp_query((int)ifindex, 0, &has);
	bool generic = has.attach_mode == XDP_ATTACHED_SKB;

	if (rc || !has.prog_id)
		return rc;
	only.old_prog_fd = bpf_prog_get_fd_by_id(has.prog_id);
	if (only.old_prog_fd < 0)
		return only.old_prog_fd;
	if (is_libxdps(only.old_prog_fd))
		rc = bpf_xdp_detach(
			(int)ifindex, generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE, &only);
	close(only.old_prog_fd);
	return rc;
}
