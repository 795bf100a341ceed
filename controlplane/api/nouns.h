/* SPDX-License-Identifier: BSD-2-Clause */
/* The handlers, one file per noun. */
#pragma once
#include "controlplane/api/call.h"

void api_version_get(struct call *c);
void api_status_get(struct call *c);

void api_vips_list(struct call *c);
void api_vips_get(struct call *c);

void api_services_list(struct call *c);
void api_services_get(struct call *c);

void api_pools_list(struct call *c);
void api_pools_get(struct call *c);

/* The JSON of a server (an index into the configuration's); a new reference, NULL when out of memory. */
json_t *api_servers_value(const struct site *s, unsigned server);
void api_servers_get(struct call *c);
void api_servers_patch(struct call *c);

void api_health_list(struct call *c);
void api_drops_list(struct call *c);

void api_capture_post(struct call *c);
void api_trace_post(struct call *c);

void api_config_get(struct call *c);
void api_config_schema(struct call *c);
void api_config_check(struct call *c);
void api_config_apply(struct call *c);

void api_engine_detach(struct call *c);
