/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/live.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/pools/source.h"

int live_new(struct live **out, const char *path, const struct site_caller *as, struct diags *d,
	struct err *e)
{
	struct source_reader reader = { as->uid, as->gid };
	const struct conf_files files = { source_read_list, &reader };
	struct live *l = calloc(1, sizeof *l);
	int err = -ENOMEM;

	if (!l)
		return err_set(e, err, "out of memory");
	l->path = strdup(path);
	if (!l->path) {
		err_set(e, err, "out of memory");
		goto fail;
	}
	err = source_read(path, as->uid, as->gid, &l->text, e);
	if (err)
		goto fail;
	err = conf_parse_with(l->text, path, &files, &l->conf, d);
	if (err == -EINVAL)
		err_set(e, err, "%s has %zu error%s", path, d->n_errors,
			d->n_errors == 1 ? "" : "s");
	else if (err)
		err_set(e, err, "cannot read %s: %s", path, strerror(-err));
	if (err)
		goto fail;
	*out = l;
	return 0;
fail:
	live_free(l);
	return err;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	binding_free(&l->ids);
	if (l->conf)
		conf_free(l->conf);
	free(l->text);
	free(l->path);
	free(l);
}

static const struct conf_interface *find_interface(const struct conf *c, const char *name)
{
	for (unsigned i = 0; i < c->n_interfaces; i++)
		if (!strcmp(c->interfaces[i].name, name))
			return &c->interfaces[i];
	return NULL;
}

/* Whether both are none, or the same. */
static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* The order of interfaces may change, their names, devices and ports may not. */
static bool same_interfaces(const struct conf *a, const struct conf *b)
{
	if (a->n_interfaces != b->n_interfaces)
		return false;
	for (unsigned i = 0; i < a->n_interfaces; i++) {
		const struct conf_interface *other = find_interface(b, a->interfaces[i].name);

		if (!other || strcmp(a->interfaces[i].device, other->device) ||
			!same_text(a->interfaces[i].port, other->port))
			return false;
	}
	return true;
}

static bool same_limits(const struct conf_limits *a, const struct conf_limits *b)
{
	return a->vips == b->vips && a->services == b->services && a->pools == b->pools &&
	       a->servers == b->servers && a->routes == b->routes &&
	       a->neighbours == b->neighbours && a->ring_slots == b->ring_slots &&
	       a->records == b->records && a->guard_prefixes == b->guard_prefixes &&
	       a->guard_sources == b->guard_sources && a->datagrams == b->datagrams &&
	       a->syn_proxied == b->syn_proxied;
}

static bool same_dpdk(const struct conf_dpdk *a, const struct conf_dpdk *b)
{
	return a->n_cpus == b->n_cpus && !memcmp(a->cpus, b->cpus, a->n_cpus * sizeof *a->cpus) &&
	       a->polling == b->polling && a->memory == b->memory &&
	       a->descriptors == b->descriptors && a->huge_pages == b->huge_pages &&
	       a->driver == b->driver && a->host_path == b->host_path;
}

/* What differs and is read at a start only, or NULL. An engine that is changed over to reads all of its own anew. */
static const char *find_difference(const struct conf *from, const struct conf *to)
{
	if (!same_interfaces(from, to))
		return "interfaces";
	if (!same_limits(&from->limits, &to->limits))
		return "limits";
	if (from->engine.type == CONF_ENGINE_XDP && to->engine.type == CONF_ENGINE_XDP &&
		from->engine.mode != to->engine.mode)
		return "engine.mode";
	if (from->engine.type == to->engine.type &&
		!same_dpdk(&from->engine.dpdk, &to->engine.dpdk))
		return "engine.dpdk";
	return strcmp(from->api.group, to->api.group) ? "api.group" : NULL;
}

int live_may_follow(const struct conf *from, const struct conf *to, struct err *e)
{
	const char *what = find_difference(from, to);
	bool both;

	if (!what)
		return 0;
	both = !strcmp(what, "engine.dpdk") ||
	       (to->engine.type == CONF_ENGINE_DPDK && strcmp(what, "api.group") != 0);
	return err_set(e, -EBUSY,
		"\"%s\" differs from the running configuration and takes effect only when %s "
		"restarted: nothing was changed; restart %s",
		what, both ? "tandem-dpdk and tandemd are" : "tandemd is",
		both ? "both" : "tandemd (packets keep flowing meanwhile)");
}
