/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include "tests/packets/rig.h"

/* The engine within a DPDK body. */
struct rig *body_dpdk_rig(struct body *b);
