/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/xdp/site.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/bench/xdp/lists.h"
#include "tests/packets/setup.h"

enum { POOL_SERVERS = 8, TEN = 10, TEN_THOUSAND = 10000 };

const uint8_t site_front_mac[6] = { 2, 0, 0, 0, 0x0f, 1 };
const uint8_t site_back_mac[6] = { 2, 0, 0, 0, 0x0b, 1 };
const char site_vip4[] = "192.0.2.10", site_vip6[] = "2001:db8:f::10",
	   site_spread_vip4[] = "192.0.2.11";

/* Servers are on the links, numbered as they are written: those that answer clients themselves beside the
 * clients, so that packets leave by the interface that they came in by. */
static const struct {
	const char *prefix, *router;
	uint32_t ifindex;
} nets[] = {
	{ "10.0.0.0/9", NULL, SITE_FRONT }, { "10.128.0.0/9", NULL, SITE_BACK },
	{ "fd00::/64", NULL, SITE_FRONT }, { "fd00:0:0:1::/64", NULL, SITE_BACK },
	{ "11.0.0.0/8", "192.0.2.1", SITE_FRONT }, /* clients */
};

enum { N_NETS = sizeof nets / sizeof *nets };

struct writer {
	FILE *pools, *services;
	unsigned n_servers, n_services;
};

static void write_servers(struct writer *w, const char *pool, unsigned n, int family, bool back)
{
	fprintf(w->pools, "\t%s: { servers: {\n", pool);
	for (unsigned i = 0; i < n; i++) {
		unsigned at = ++w->n_servers;

		if (family == 6)
			fprintf(w->pools, "\t\ts%u: { address = \"fd00:0:0:%u::%x\"; };\n", i, back,
				at);
		else
			fprintf(w->pools, "\t\ts%u: { address = \"10.%u.%u.%u\"; };\n", i,
				back * 128 + (at >> 16), at >> 8 & 255, at & 255);
	}
	fputs("\t}; };\n", w->pools);
}

static void write_service(
	struct writer *w, const char *words, const char *vip, unsigned port, const char *pool)
{
	fprintf(w->services, "\ts%u: { %svip = \"%s\"; port = %u; pool = \"%s\"; };\n",
		w->n_services++, words, vip, port, pool);
}

/* A reply could come from any server of a pool; with one server it is known which. */
static unsigned case_servers(const struct bench_case *c)
{
	if (c->traffic == TRAFFIC_REPLY)
		return 1;
	if (c->site == SITE_10K_POOL)
		return TEN_THOUSAND;
	return c->site <= SITE_FULL ? POOL_SERVERS : TEN;
}

static void write_case(struct writer *w, const struct bench_case *c)
{
	unsigned at = (unsigned)(c - bench_cases);
	char pool[16];

	snprintf(pool, sizeof pool, "case%u", at);
	write_servers(w, pool, case_servers(c), c->family, strstr(c->service, "nat") != NULL);
	write_service(w, c->service, c->family == 6 ? "web6" : "web", SITE_CASE_PORT + at, pool);
}

/* The services beside the cases' own; those without a pool of their own use the last case's. */
static const struct others {
	unsigned services, pools, servers; /* pools: their own; servers: of each */
} others[SITE_COUNT] = {
	[SITE_GUARD4] = { SITE_SPREAD_SERVICES, SITE_SPREAD_SERVICES, POOL_SERVERS },
	[SITE_GUARD6] = { SITE_SPREAD_SERVICES, SITE_SPREAD_SERVICES, POOL_SERVERS },
	[SITE_FULL] = { SITE_SPREAD_SERVICES, SITE_SPREAD_SERVICES, POOL_SERVERS },
	[SITE_TEN] = { TEN - 1, 0, 0 },
	[SITE_10K_SERVICES] = { TEN_THOUSAND - 1, 0, 0 },
	[SITE_10K_SERVERS] = { TEN_THOUSAND / TEN - 1, TEN_THOUSAND / TEN - 1, TEN },
	[SITE_10K_POOL] = { TEN - 1, 0, 0 },
};

static void write_others(struct writer *w, enum bench_site site)
{
	const struct others *o = &others[site];
	char pool[16] = "";

	for (unsigned i = 0; i < bench_n_cases; i++)
		if (bench_cases[i].site == site && bench_cases[i].service)
			snprintf(pool, sizeof pool, "case%u", i);
	for (unsigned i = 0; i < o->services; i++) {
		if (i < o->pools) {
			snprintf(pool, sizeof pool, "other%u", i);
			write_servers(w, pool, o->servers, 4, false);
		}
		write_service(w, "forward = \"dsr\"; ", "spread", SITE_FIRST_PORT + i, pool);
	}
}

static const char *guard_words(enum bench_site site)
{
	return site == SITE_GUARD4   ? "deny_file = \"" LISTS_FILE4 "\";"
	       : site == SITE_GUARD6 ? "deny_file = \"" LISTS_FILE6 "\";"
				     : "";
}

static char *site_text(enum bench_site site)
{
	char *pools = NULL, *services = NULL, *text = NULL;
	size_t pools_size, services_size;
	struct writer w = { .pools = open_memstream(&pools, &pools_size),
		.services = open_memstream(&services, &services_size) };

	if (!w.pools || !w.services)
		abort(); /* out of memory at the start of a benchmark */
	for (unsigned i = 0; i < bench_n_cases; i++)
		if (bench_cases[i].site == site && bench_cases[i].service)
			write_case(&w, &bench_cases[i]);
	write_others(&w, site);
	fclose(w.pools);
	fclose(w.services);
	if (asprintf(&text,
		    "node = \"bench\";\nguard: { %s };\n"
		    "limits: { guard_prefixes = %u; services = 16384; servers = 16384; neighbours = 32768; ring_slots = "
		    "2097152; };\n"
		    "tunnel: { source4 = \"10.255.0.0/16\"; source6 = \"fd00:ffff::/64\"; };\n"
		    "interfaces: { front: {}; back: {}; };\n"
		    "vips: {\n"
		    "\tweb: { address = \"%s\"; interface = \"front\"; };\n"
		    "\tweb6: { address = \"%s\"; interface = \"front\"; };\n"
		    "\tspread: { address = \"%s\"; interface = \"front\"; };\n"
		    "};\n"
		    "pools: {\n%s};\nservices: {\n%s};\n",
		    guard_words(site), *guard_words(site) ? LISTS_PREFIXES : 0, site_vip4,
		    site_vip6, site_spread_vip4, pools, services) < 0)
		abort();
	free(pools);
	free(services);
	return text;
}

static int parse(struct site_world *w, enum bench_site site, struct err *e)
{
	char *text = site_text(site);
	struct diags d = { 0 };
	int rc = conf_parse_with(text, "bench", &lists_files, &w->conf, &d);

	for (size_t i = 0; rc && i < d.n; i++)
		if (d.list[i].level == DIAG_ERROR)
			err_set(e, rc, "the benchmark's configuration, line %d: %s", d.list[i].line,
				d.list[i].message);
	diags_free(&d);
	free(text);
	return rc;
}

static void set_link(struct host_link *l, const char *name, uint32_t ifindex, const uint8_t mac[6])
{
	snprintf(l->name, sizeof l->name, "%s", name);
	memcpy(l->mac, mac, sizeof l->mac);
	l->ifindex = ifindex;
	l->mtu = 1500;
	l->up = true;
}

static void add_neighbour(struct site_world *w, uint32_t ifindex, const struct addr *addr)
{
	unsigned at = w->world.n_neighbours++;

	w->neighbours[at] = (struct host_neighbour){
		.ifindex = ifindex,
		.addr = *addr,
		.mac = { 2, 1, 0, 0, (uint8_t)(at >> 8), (uint8_t)at },
		.state = HOST_NEIGHBOUR_USABLE,
	};
}

static void set_hosts(struct site_world *w)
{
	struct world *world = &w->world;

	for (unsigned i = 0; i < N_NETS; i++) {
		struct host_route *r = &w->routes[world->n_routes++];

		addr_parse_prefix(nets[i].prefix, &r->dst, &r->plen);
		r->ifindex = nets[i].ifindex;
		if (nets[i].router && !addr_parse(nets[i].router, &r->gateway))
			add_neighbour(w, r->ifindex, &r->gateway);
	}
	for (unsigned i = 0; i < w->conf->n_servers; i++) {
		const struct addr *server = &w->conf->servers[i].address;

		add_neighbour(w, setup_route(world, server)->ifindex, server);
	}
}

int site_open(struct site_world **out, enum bench_site site, struct err *e)
{
	struct site_world *w = calloc(1, sizeof *w);
	int rc = w ? parse(w, site, e) : err_set(e, -ENOMEM, "out of memory");

	if (!rc) {
		w->routes = calloc(N_NETS, sizeof *w->routes);
		w->neighbours = calloc(w->conf->n_servers + N_NETS, sizeof *w->neighbours);
		if (!w->routes || !w->neighbours)
			rc = err_set(e, -ENOMEM, "out of memory");
	}
	if (rc) {
		site_close(w);
		return rc;
	}
	set_link(&w->links[0], "front", SITE_FRONT, site_front_mac);
	set_link(&w->links[1], "back", SITE_BACK, site_back_mac);
	w->world = (struct world){ .conf = w->conf,
		.links = w->links,
		.n_links = 2,
		.routes = w->routes,
		.neighbours = w->neighbours };
	set_hosts(w);
	*out = w;
	return 0;
}

void site_close(struct site_world *w)
{
	if (!w)
		return;
	conf_free(w->conf);
	free(w->routes);
	free(w->neighbours);
	free(w);
}

const struct conf_server *site_case_server(const struct site_world *w, const struct bench_case *c)
{
	char pool[16];
	int i;

	snprintf(pool, sizeof pool, "case%u", (unsigned)(c - bench_cases));
	i = conf_find_pool(w->conf, pool);
	return i < 0 ? NULL : &w->conf->servers[w->conf->pools[i].first_server];
}
