/* SPDX-License-Identifier: BSD-2-Clause */
/* The body of the XDP engine: what its files share. */
#pragma once
#include "bpf/loader.h"
#include "controlplane/engine/body.h"
#include "controlplane/engine/xdp.h"

enum { XDP_MAPPED = 7 }; /* maps that are mapped into memory */

struct xdp {
	struct loader *loader;
	struct tandem_bpf *bpf;
	struct l4_chunk *rings; /* the map, mapped */
	struct xdp_mapped {
		void *at;
		size_t size;
	} mapped[XDP_MAPPED];
	unsigned n_mapped;
	enum links_mode mode;
	struct ring_buffer *wants;
	struct event *wants_event;
};

/* Of struct engine_body. */
int xdp_attach(struct engine *en, struct err *e);
int xdp_count(const struct engine *en, enum engine_counts table, uint32_t row, uint64_t *out,
	unsigned words);
int xdp_clear(struct engine *en, enum engine_counts table, uint32_t row, unsigned words);
int xdp_add(struct engine *en, enum engine_counts table, uint32_t row, const uint64_t *more,
	unsigned words);
int xdp_trace(const struct engine *en, uint32_t ifindex, const uint8_t *frame, size_t len,
	uint8_t *out, size_t *out_len, struct l4_way *way, struct err *e);
bool xdp_line(const struct engine *en, uint32_t line, void *out);
int xdp_capture_begin(
	struct engine_capture *c, struct event_base *base, const struct l4_capture_filter *filter);
void xdp_capture_end(struct engine_capture *c);
uint64_t xdp_capture_lost(const struct engine_capture *c);
