/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts the server side of tunnels (bpf/decap.bpf.c) on an interface, where it stays when the process is gone.
 *
 * Pins, below the bpffs at RUN_DIR/bpf: if<ifindex>/xdp, the link of the XDP program, and if<ifindex>/<map>. The
 * program on the way out is held by its traffic-control filter. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "bpf/decap.bpf.h"

struct decap_prefix {
	struct decap_address address; /* bits behind the prefix are not looked at */
	uint32_t plen;
};

struct decap_plan {
	const struct decap_prefix *from;
	const struct decap_address *vips, *locals;
	uint32_t n_from, n_vips, n_locals;
	struct decap_settings settings;
};

/* Puts the plan into effect, in place of a former one, whose counters go on. *native becomes whether the driver runs
 * the program itself. Returns 0; -EPERM; -EBUSY (another XDP program is on the interface); -ENOENT (no bpffs in this
 * kernel); -E2BIG (more prefixes or addresses than the maps hold); another negative errno. On error what was there
 * before still is. */
int decap_attach(
	const char *run_dir, uint32_t ifindex, const struct decap_plan *plan, bool *native);

/* Takes the programs off the interface. Returns 0; -ENOENT: they are not there; another negative errno. */
int decap_detach(const char *run_dir, uint32_t ifindex);

/* What is in effect. */
struct decap_status {
	bool native;
	struct decap_settings settings;
	uint64_t counters[DECAP_COUNTERS_MAX];
	struct decap_prefix *from;
	struct decap_address *vips;
	uint32_t n_from, n_vips;
};

/* Returns 0; -ENOENT: the programs are not there; another negative errno. To be freed by decap_status_free(). */
int decap_status(const char *run_dir, uint32_t ifindex, struct decap_status *out);
void decap_status_free(struct decap_status *s);
