/* SPDX-License-Identifier: BSD-2-Clause */
/* What a link stands on, found out from the mirror. Pure. */
#pragma once
#include "controlplane/host/store.h"

/* As host_stack(). */
int host_store_stack(const struct host_store *s, const struct host_link *link,
	struct host_stack *out, struct err *e);
