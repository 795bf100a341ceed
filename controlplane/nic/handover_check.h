/* SPDX-License-Identifier: BSD-2-Clause */
/* Part of handover.h: what stands in the way of one. */
#pragma once
#include "controlplane/nic/netdev.h"
#include "controlplane/nic/record.h"

/* Whether a device may be handed over under these names. Changes nothing. Returns 0, or a negative errno and a sentence. */
int handover_check(const struct netdev *nic, const struct record_fixed *names, const char *run_dir,
	struct err *e);

/* Whether all that was read of it can be moved. The same. */
int handover_check_holdings(const struct netdev *nic, const struct holdings *h, struct err *e);
