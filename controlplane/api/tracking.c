/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/api/tracking.h"
#include "controlplane/pools/tracking.h"

json_t *tracking_server_value(const struct site *s, unsigned server)
{
	bool wanted = site_server_overlay(s, server)->wanted == SERVER_DRAIN;
	const struct tracking_server *t = site_server_tracking(s, server);

	if (!t)
		return json_pack(
			"{s:n, s:n, s:n, s:n}", "records", "slots", "base_slots", "drained");
	return json_pack("{s:I, s:I, s:I, s:b}", "records", (json_int_t)t->records, "slots",
		(json_int_t)t->slots, "base_slots", (json_int_t)t->base_slots, "drained",
		wanted && tracking_server_idle(t));
}

json_t *tracking_pool_value(const struct site *s, unsigned pool)
{
	const struct tracking_pool *t = site_pool_tracking(s, pool);

	if (!t)
		return json_pack("{s:n, s:n, s:n}", "records", "slots", "slots_tracked");
	return json_pack("{s:I, s:I, s:I}", "records", (json_int_t)t->records, "slots",
		(json_int_t)t->slots, "slots_tracked", (json_int_t)t->slots_tracked);
}

json_t *tracking_node_value(const struct site *s)
{
	const struct tracking_node *t = site_tracking(s);

	if (!t)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:{s:I, s:I, s:I, s:I}, s:I}", "capacity",
		(json_int_t)t->capacity, "embryonic", (json_int_t)t->embryonic, "live",
		(json_int_t)t->live, "closing", (json_int_t)t->closing, "evicted", "void",
		(json_int_t)t->evicted[TRACKING_VOID], "embryonic",
		(json_int_t)t->evicted[TRACKING_EMBRYONIC], "agreeing",
		(json_int_t)t->evicted[TRACKING_AGREEING], "live",
		(json_int_t)t->evicted[TRACKING_LIVE], "not_recorded", (json_int_t)t->not_recorded);
}
