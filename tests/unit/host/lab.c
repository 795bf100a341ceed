/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/host/lab.h"
#include <event2/event.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/test.h"

enum { LAB_PATIENCE_S = 10, LAB_QUIET_MS = 150 /* longer than the mirror holds a reading back */ };

static struct event *patience;
static bool out_of_patience;

static void on_link(void *arg, const struct host_link *link, bool gone)
{
	struct lab *l = arg;

	/* The mirror is up to date before it reports. */
	assert_int_equal(host_link_by_index(l->host, link->ifindex) == NULL, gone);
	l->link = *link;
	l->link_gone = gone;
	l->links++;
}

static void on_address(void *arg, const struct host_address *address, bool gone)
{
	struct lab *l = arg;

	l->address = *address;
	l->address_gone = gone;
	l->addresses++;
}

static void on_route(void *arg, const struct host_route *route, bool gone)
{
	struct lab *l = arg;

	l->route = *route;
	l->route_gone = gone;
	if (route->plen == l->watched_plen && addr_equal(&route->dst, &l->watched)) {
		l->watched_route = *route;
		l->watched_gone = gone;
	}
	l->routes++;
}

static void on_neighbour(void *arg, const struct host_neighbour *n, bool gone)
{
	struct lab *l = arg;

	assert_int_equal(host_neighbour_find(l->host, n->ifindex, &n->addr) == NULL, gone);
	assert_true(!gone || n->state == HOST_NEIGHBOUR_NONE);
	l->neighbour = *n;
	l->neighbour_gone = gone;
	l->neighbours++;
}

static void on_resync(void *arg)
{
	struct lab *l = arg;

	l->resyncs++;
}

int lab_setup(void **state)
{
	static const struct host_callbacks callbacks = { on_link, on_address, on_route,
		on_neighbour, on_resync };
	struct lab *l = calloc(1, sizeof *l);
	struct err e;

	if (unshare(CLONE_NEWNET)) {
		perror("a network namespace is needed, and root to make one");
		free(l);
		return -1;
	}
	lab_run("ip link set lo up");
	l->base = event_base_new();
	if (host_new(&l->host, l->base, &callbacks, l, &e))
		fail_msg("%s", e.text);
	*state = l;
	return 0;
}

static void wait_end(void)
{
	if (patience)
		event_free(patience);
	patience = NULL;
}

int lab_teardown(void **state)
{
	struct lab *l = *state;

	wait_end();
	host_free(l->host);
	event_base_free(l->base);
	free(l);
	return 0;
}

void lab_run(const char *fmt, ...)
{
	char command[1024] = "set -e\n";
	size_t n = strlen(command);
	va_list ap;

	va_start(ap, fmt);
	assert_true(
		(size_t)vsnprintf(command + n, sizeof command - n, fmt, ap) < sizeof command - n);
	va_end(ap);
	if (system(command))
		fail_msg("failed: %s", command + n);
}

/* Without link-local addresses of the kernel's own, which come some time after the links are up. */
void lab_veth(const char *a, const char *b)
{
	lab_run("ip link add %s type veth peer name %s\nip link set %s addrgenmode none\n"
		"ip link set %s addrgenmode none\nip link set %s up\nip link set %s up",
		a, b, a, b, a, b);
}

static void on_patience_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	out_of_patience = true;
}

static void wait_begin(struct lab *l, const struct timeval *wait)
{
	wait_end();
	out_of_patience = false;
	patience = evtimer_new(l->base, on_patience_over, NULL);
	event_add(patience, wait);
}

void lab_wait_begin(struct lab *l)
{
	wait_begin(l, &(struct timeval){ .tv_sec = LAB_PATIENCE_S });
}

void lab_wait(struct lab *l, const char *condition, const char *file, int line)
{
	event_base_loop(l->base, EVLOOP_ONCE);
	if (out_of_patience) {
		print_error("%s:%d: waited in vain for %s\n", file, line, condition);
		fail();
	}
}

void lab_settle(struct lab *l)
{
	wait_begin(l, &(struct timeval){ .tv_usec = 1000 * LAB_QUIET_MS });
	while (!out_of_patience)
		event_base_loop(l->base, EVLOOP_ONCE);
}

struct addr lab_addr(const char *text)
{
	struct addr a;

	if (addr_parse(text, &a))
		fail_msg("not an address: %s", text);
	return a;
}

uint32_t lab_ifindex(const struct lab *l, const char *name)
{
	const struct host_link *link = host_link_by_name(l->host, name);

	return link ? link->ifindex : 0;
}

static const char *way_text(const struct lab *l, const struct host_route *r)
{
	static char text[IF_NAMESIZE + 5 + ADDR_TEXT];
	const struct host_link *link;
	char gateway[ADDR_TEXT];

	if (!r)
		return "none";
	if (r->kind != HOST_ROUTE_UNICAST)
		return r->kind == HOST_ROUTE_LOCAL ? "local" : "discard";
	link = host_link_by_index(l->host, r->ifindex);
	snprintf(text, sizeof text, "%s%s%s", link ? link->name : "?", r->gateway.af ? " via " : "",
		r->gateway.af ? addr_text(&r->gateway, gateway) : "");
	return text;
}

const char *lab_way(const struct lab *l, const char *dst)
{
	struct addr a = lab_addr(dst);

	return way_text(l, host_route_lookup(l->host, &a));
}

struct search {
	struct addr dst;
	uint8_t plen;
	const struct host_route *found;
};

static bool search_route(void *arg, const struct host_route *r)
{
	struct search *s = arg;

	if (r->plen != s->plen || !addr_equal(&r->dst, &s->dst))
		return true;
	s->found = r;
	return false;
}

const char *lab_route(const struct lab *l, const char *prefix)
{
	struct search s = { 0 };

	assert_int_equal(addr_parse_prefix(prefix, &s.dst, &s.plen), 0);
	host_each_route(l->host, search_route, &s);
	return way_text(l, s.found);
}
