/* SPDX-License-Identifier: BSD-2-Clause */
/* What slot tracking adds to the objects of the API. All of it is null while nothing is known, which is not
 * the same as 0. */
#pragma once
#include <jansson.h>
#include "controlplane/pools/site.h"

/* Members of a server: "records", "slots", "base_slots", "drained". */
json_t *tracking_server_value(const struct site *s, unsigned server);

/* Members of a pool: "records", "slots", "slots_tracked". */
json_t *tracking_pool_value(const struct site *s, unsigned pool);

/* The status' "records". */
json_t *tracking_node_value(const struct site *s);
