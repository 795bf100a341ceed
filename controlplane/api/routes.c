/* SPDX-License-Identifier: BSD-2-Clause */
/* Which request goes where: the whole API at a glance. */
#include "controlplane/api/routes.h"
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/api/nouns.h"

/* A star stands for a name. */
static const struct route {
	enum evhttp_cmd_type method;
	const char *path;
	void (*handler)(struct call *c);
} routes[] = {
	{ EVHTTP_REQ_GET, "/v1/version", api_version_get },
	{ EVHTTP_REQ_GET, "/v1/status", api_status_get },
	{ EVHTTP_REQ_GET, "/v1/vips", api_vips_list },
	{ EVHTTP_REQ_GET, "/v1/vips/*", api_vips_get },
	{ EVHTTP_REQ_GET, "/v1/services", api_services_list },
	{ EVHTTP_REQ_GET, "/v1/services/*", api_services_get },
	{ EVHTTP_REQ_GET, "/v1/pools", api_pools_list },
	{ EVHTTP_REQ_GET, "/v1/pools/*", api_pools_get },
	{ EVHTTP_REQ_GET, "/v1/pools/*/servers/*", api_servers_get },
	{ EVHTTP_REQ_PATCH, "/v1/pools/*/servers/*", api_servers_patch },
	{ EVHTTP_REQ_GET, "/v1/health", api_health_list },
	{ EVHTTP_REQ_GET, "/v1/drops", api_drops_list },
	{ EVHTTP_REQ_POST, "/v1/trace", api_trace_post },
	{ EVHTTP_REQ_POST, "/v1/capture", api_capture_post },
	{ EVHTTP_REQ_GET, "/v1/config", api_config_get },
	{ EVHTTP_REQ_GET, "/v1/config/schema", api_config_schema },
	{ EVHTTP_REQ_POST, "/v1/config/check", api_config_check },
	{ EVHTTP_REQ_POST, "/v1/config/apply", api_config_apply },
	{ EVHTTP_REQ_POST, "/v1/engine/detach", api_engine_detach },
};

enum { N_ROUTES = sizeof routes / sizeof *routes };

/* Decodes a percent-encoded segment. Names are at most 63 bytes and hold no NUL, so that what does not fit
 * is the name of nothing. */
static bool decode_name(const char *segment, size_t len, char out[CALL_NAME_BYTES])
{
	char raw[3 * CALL_NAME_BYTES];
	size_t decoded_len;
	char *decoded;
	bool fits;

	if (!len || len >= sizeof raw)
		return false;
	memcpy(raw, segment, len);
	raw[len] = '\0';
	decoded = evhttp_uridecode(raw, 0, &decoded_len);
	fits = decoded && decoded_len < CALL_NAME_BYTES && strlen(decoded) == decoded_len;
	if (fits)
		memcpy(out, decoded, decoded_len + 1);
	free(decoded);
	return fits;
}

static bool route_matches(const char *pattern, const char *path, struct call *c)
{
	unsigned stars = 0;

	while (*pattern == '/' && *path == '/') {
		size_t want = strcspn(++pattern, "/"), have = strcspn(++path, "/");

		if (*pattern == '*' && stars < CALL_NAMES) {
			if (!decode_name(path, have, c->names[stars++]))
				return false;
		} else if (want != have || strncmp(pattern, path, want) != 0) {
			return false;
		}
		pattern += want;
		path += have;
	}
	return !*pattern && !*path;
}

static const char *method_name(enum evhttp_cmd_type method)
{
	return method == EVHTTP_REQ_GET ? "GET" : method == EVHTTP_REQ_POST ? "POST" : "PATCH";
}

static void answer_not_allowed(struct call *c, const char *path)
{
	char allow[32] = "";

	for (int i = 0; i < N_ROUTES; i++)
		if (route_matches(routes[i].path, path, c))
			snprintf(allow + strlen(allow), sizeof allow - strlen(allow), "%s%s",
				*allow ? ", " : "", method_name(routes[i].method));
	evhttp_add_header(evhttp_request_get_output_headers(c->req), "Allow", allow);
	call_problem(c, 405, "only %s is possible here", allow);
}

void routes_dispatch(struct site *site, struct evhttp_request *req)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	struct call c = { .site = site, .req = req };
	bool known = false;

	if (!path)
		path = "";
	for (int i = 0; i < N_ROUTES; i++) {
		if (!route_matches(routes[i].path, path, &c))
			continue;
		known = true;
		if (routes[i].method == evhttp_request_get_command(req)) {
			routes[i].handler(&c);
			return;
		}
	}
	if (known)
		answer_not_allowed(&c, path);
	else
		call_problem(&c, 404, "there is nothing at this path");
}
