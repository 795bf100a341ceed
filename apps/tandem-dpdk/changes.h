/* SPDX-License-Identifier: BSD-2-Clause */
/* What was changed about devices, where interfaces go from one engine to the other: it stays as it is, and whoever has them puts it
 * back one day. */
#pragma once
#include "apps/tandem-dpdk/front.h"

/* Makes what the XDP engine's control plane, whose list is in `from`, has changed about devices of the kernel's ours, or ours its: of the
 * interfaces' own devices, and of those that they stand on. Return 0, or a negative errno and a sentence. */
int changes_adopt(
	const struct front *fronts, unsigned n, const char *from, const char *dir, struct err *e);
int changes_leave(
	const struct front *fronts, unsigned n, const char *dir, const char *to, struct err *e);
