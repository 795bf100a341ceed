/* SPDX-License-Identifier: BSD-2-Clause */
/* The XDP engine's inside, for tests and tools that run the loaded program by hand. */
#pragma once
#include "controlplane/engine/engine.h"

struct tandem_bpf;

/* Maps and program (bpf/tandem.skel.h); the engine's own. */
struct tandem_bpf *engine_bpf(const struct engine *en);
