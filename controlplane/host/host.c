/* SPDX-License-Identifier: BSD-2-Clause */
/* The mirror's shell: feeds messages into a store and tells its user. What cannot be followed
 * message by message is read anew aside and then put in the old store's place. */
#include "controlplane/host/host.h"
#include <errno.h>
#include <event2/event.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/base/log.h"
#include "controlplane/host/netlink.h"
#include "controlplane/host/stack.h"

enum {
	HOST_DATAGRAMS = 64,   /* read per turn of the loop, so that others get theirs */
	HOST_DUMPS = 8,	       /* tries to get a consistent dump before one is taken as it is */
	HOST_REFRESH_MS = 100, /* at least this long between two readings of everything */
};

struct host {
	struct host_netlink events, requests;
	struct host_store store;
	struct event *readable, *hold;
	struct host_callbacks cb;
	void *arg;
	bool stale;   /* everything is to be read anew */
	bool lost;    /* because messages were lost, so that the user is to be told */
	bool failing; /* the last reading failed, and the log says so */
};

static void tell(void *arg, const struct host_change *c)
{
	const struct host *h = arg;

	if (c->kind == HOST_KIND_LINK && h->cb.link)
		h->cb.link(h->arg, &c->link, c->gone);
	else if (c->kind == HOST_KIND_ADDRESS && h->cb.address)
		h->cb.address(h->arg, &c->address, c->gone);
	else if (c->kind == HOST_KIND_ROUTE && h->cb.route)
		h->cb.route(h->arg, &c->route, c->gone);
	else if (c->kind == HOST_KIND_NEIGHBOUR && h->cb.neighbour)
		h->cb.neighbour(h->arg, &c->neighbour, c->gone);
}

/* As host_message_read(); messages that cannot be read are passed over. */
static bool read_message(const struct nlmsghdr *nlh, struct host_message *m)
{
	int n = host_message_read(nlh, m);

	if (n < 0)
		log_warn("passed over a damaged rtnetlink message of type %u", nlh->nlmsg_type);
	return n > 0;
}

static int load_message(void *arg, const struct nlmsghdr *nlh)
{
	struct host_message m;

	return read_message(nlh, &m) ? host_store_load(arg, &m) : 0;
}

/* Reads everything into a new store, once. Returns as host_netlink_dump(). */
static int load_once(struct host *h, struct host_store *s)
{
	/* Nexthop objects before the routes that name them. */
	static const uint16_t kinds[] = { RTM_GETLINK, RTM_GETADDR, RTM_GETNEXTHOP, RTM_GETROUTE,
		RTM_GETNEIGH };
	int result = 0;

	host_store_init(s);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		int err = host_netlink_dump(&h->requests, kinds[i], load_message, s);

		if (err == -EINTR)
			result = err;
		else if (err && (err != -EOPNOTSUPP || kinds[i] != RTM_GETNEXTHOP))
			return err;
	}
	host_store_loaded(s);
	return result;
}

/* Returns 0 and a new store; 1 and one that may not be consistent, since things changed each
 * time while they were read; or a negative errno and an empty one. */
static int load(struct host *h, struct host_store *s)
{
	int err;

	/* What is waiting to be heard came before the dump, which says it all. */
	do
		err = host_netlink_hear(&h->events, NULL, NULL);
	while (err > 0 || err == -ENOBUFS);
	if (err)
		return err;
	for (unsigned i = 0; i < HOST_DUMPS; i++) {
		err = load_once(h, s);
		if (err != -EINTR)
			break;
		if (i + 1 < HOST_DUMPS)
			host_store_fini(s);
	}
	if (err && err != -EINTR)
		host_store_fini(s);
	return err == -EINTR ? 1 : err;
}

/* Puts what the kernel says now in the place of the store and tells the differences. */
static void refresh(struct host *h)
{
	struct host_store old = h->store, fresh;
	bool lost = h->lost;
	int err = load(h, &fresh);

	if (err < 0) {
		if (!h->failing)
			log_error("cannot read links, addresses, routes and neighbours: %s; going "
				  "on with what "
				  "was known and trying again",
				strerror(-err));
		h->failing = true;
		return;
	}
	h->stale = err > 0;
	h->lost = h->failing = false;
	h->store = fresh;
	host_store_diff(&old, &h->store, tell, h);
	host_store_fini(&old);
	if (lost && h->cb.resync)
		h->cb.resync(h->arg);
}

static void refresh_if_due(struct host *h)
{
	const struct timeval hold = { .tv_usec = 1000 * HOST_REFRESH_MS };

	if (!h->stale || event_pending(h->hold, EV_TIMEOUT, NULL))
		return;
	refresh(h);
	event_add(h->hold, &hold);
}

static void on_hold_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	refresh_if_due(arg);
}

static int follow_message(void *arg, const struct nlmsghdr *nlh)
{
	struct host *h = arg;
	struct host_change change;
	struct host_message m;

	if (!read_message(nlh, &m))
		return 0;
	if (host_store_follow(&h->store, &m, &change))
		h->stale = true; /* also when memory ran out: a later reading makes it good */
	if (change.kind != HOST_KIND_COUNT)
		tell(h, &change);
	return 0;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct host *h = arg;
	int result = 1;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < HOST_DATAGRAMS && result > 0; i++) {
		result = host_netlink_hear(&h->events, follow_message, h);
		if (result == -ENOBUFS) {
			h->stale = h->lost = true;
			result = 1;
		}
	}
	if (result < 0)
		log_error("cannot read rtnetlink messages: %s", strerror(-result));
	refresh_if_due(h);
}

int host_new(struct host **out, struct event_base *base, const struct host_callbacks *cb, void *arg,
	struct err *e)
{
	struct host *h = calloc(1, sizeof *h);
	int err;

	if (!h)
		return err_set(e, -ENOMEM, "out of memory");
	h->cb = *cb;
	h->arg = arg;
	host_store_init(&h->store);
	/* Listen first: what changes while everything is read is heard afterwards. */
	err = host_netlink_listen(&h->events, e);
	if (!err)
		err = host_netlink_open(&h->requests, e);
	if (err)
		goto fail;
	err = load(h, &h->store);
	if (err < 0) {
		err_set(e, err, "cannot read links, addresses, routes and neighbours: %s",
			strerror(-err));
		goto fail;
	}
	h->stale = err > 0;
	h->readable =
		event_new(base, host_netlink_fd(&h->events), EV_READ | EV_PERSIST, on_readable, h);
	h->hold = evtimer_new(base, on_hold_over, h);
	if (!h->readable || !h->hold || event_add(h->readable, NULL)) {
		err = err_set(e, -ENOMEM, "out of memory");
		goto fail;
	}
	*out = h;
	return 0;
fail:
	host_free(h);
	return err;
}

void host_free(struct host *h)
{
	if (!h)
		return;
	if (h->readable)
		event_free(h->readable);
	if (h->hold)
		event_free(h->hold);
	host_netlink_close(&h->events);
	host_netlink_close(&h->requests);
	host_store_fini(&h->store);
	free(h);
}

int host_neighbour_ask(struct host *h, uint32_t ifindex, const struct addr *addr)
{
	return host_netlink_use_neighbour(&h->requests, ifindex, addr);
}

const struct host_link *host_link_by_index(const struct host *h, uint32_t ifindex)
{
	return host_store_link(&h->store, ifindex);
}

const struct host_link *host_link_by_name(const struct host *h, const char *name)
{
	for (size_t i = 0; i < h->store.links.n; i++) {
		const struct host_link_row *row = host_table_row(&h->store.links, i);

		if (!strcmp(row->link.name, name))
			return &row->link;
	}
	return NULL;
}

int host_stack(
	const struct host *h, const struct host_link *link, struct host_stack *out, struct err *e)
{
	return host_store_stack(&h->store, link, out, e);
}

const struct host_route *host_route_lookup(const struct host *h, const struct addr *dst)
{
	return host_routes_lookup(&h->store.routes, dst);
}

const struct host_neighbour *host_neighbour_find(
	const struct host *h, uint32_t ifindex, const struct addr *addr)
{
	return host_store_neighbour(&h->store, ifindex, addr);
}

uint32_t host_owns(const struct host *h, const struct addr *addr)
{
	return host_store_owner(&h->store, addr);
}

void host_each_link(
	const struct host *h, bool (*fn)(void *arg, const struct host_link *), void *arg)
{
	for (size_t i = 0; i < h->store.links.n; i++) {
		const struct host_link_row *row = host_table_row(&h->store.links, i);

		if (!fn(arg, &row->link))
			break;
	}
}

void host_each_address(
	const struct host *h, bool (*fn)(void *arg, const struct host_address *), void *arg)
{
	for (size_t i = 0; i < h->store.addresses.n; i++)
		if (!fn(arg, host_table_row(&h->store.addresses, i)))
			break;
}

void host_each_route(
	const struct host *h, bool (*fn)(void *arg, const struct host_route *), void *arg)
{
	const struct host_route *route;
	size_t at = 0;

	while ((route = host_routes_next(&h->store.routes, &at)))
		if (!fn(arg, route))
			break;
}

void host_each_neighbour(
	const struct host *h, bool (*fn)(void *arg, const struct host_neighbour *), void *arg)
{
	for (size_t i = 0; i < h->store.neighbours.n; i++)
		if (!fn(arg, host_table_row(&h->store.neighbours, i)))
			break;
}
