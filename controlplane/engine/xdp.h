/* SPDX-License-Identifier: BSD-2-Clause */
/* The XDP engine's inside, for tests and tools that run the loaded program by hand. */
#pragma once
#include "controlplane/engine/engine.h"
#include "dataplane/l4/tables.h"

struct tandem_bpf;

/* Maps and program (bpf/tandem.skel.h); the engine's own. */
struct tandem_bpf *engine_bpf(const struct engine *en);

/* The program of a capture, with its maps; the engine's own. */
struct tandem_bpf *engine_capture_program(const struct engine_capture *c);

/* Coarse time (dataplane/l4/record.h) for the packets of a dry engine; 0 at first. Returns 0 or a
 * negative errno. */
int engine_set_time(struct engine *en, uint16_t now);

/* Runs the program of a dry engine on one frame that came in by an interface of the calling thread's network
 * namespace. out holds *out_len bytes; *out_len becomes the length of the frame after the program. Returns 0;
 * -EMSGSIZE for a frame that the kernel hands to no program (less than an Ethernet header); -EPROTO when the
 * program's action is not that of the verdict which it traced; another negative errno. */
int engine_run(const struct engine *en, uint32_t ifindex, const uint8_t *frame, size_t len,
	uint8_t *out, size_t *out_len, struct l4_trace *trace);
