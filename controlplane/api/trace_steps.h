/* SPDX-License-Identifier: BSD-2-Clause */
/* What a traced packet came by, with the names of the configuration. */
#pragma once
#include <jansson.h>
#include "controlplane/pools/site.h"

/* The steps in their order, each {"stage", "text", …}: a sentence, and what it says as members. */
json_t *trace_steps(const struct site *s, const struct l4_way *way);

/* Names by stable id; a new reference each, null for 0 and for what the configuration does not have. */
json_t *trace_vip(const struct site *s, uint32_t id); /* or gateway */
json_t *trace_service(const struct site *s, uint32_t id);
json_t *trace_server(const struct site *s, uint32_t id); /* "POOL/SERVER" */
json_t *trace_interface(const struct site *s, uint32_t ifindex);
