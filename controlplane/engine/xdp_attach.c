/* SPDX-License-Identifier: BSD-2-Clause */
/* The XDP engine's program on the interfaces, and in which mode it runs there. */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include "controlplane/base/log.h"
#include "controlplane/engine/xdp_body.h"

/* The devices that run the program, each once. */
static unsigned devices(const struct engine *en, uint32_t ifindexes[ENGINE_MAX_PORTS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < en->n_ports; i++) {
		unsigned k = 0;

		while (k < n && ifindexes[k] != en->ports[i].real_ifindex)
			k++;
		if (k == n)
			ifindexes[n++] = en->ports[i].real_ifindex;
	}
	return n;
}

static const struct engine_port *port_on(const struct engine *en, uint32_t ifindex)
{
	unsigned i = 0;

	while (i + 1 < en->n_ports && en->ports[i].real_ifindex != ifindex)
		i++;
	return &en->ports[i];
}

static const char *device_name(const struct engine *en, uint32_t ifindex)
{
	return port_on(en, ifindex)->real;
}

unsigned engine_native_mtu(void)
{
	return LINKS_NATIVE_MTU;
}

static int attach_error(const struct engine *en, int rc, const struct links_report *report,
	const uint32_t *ifindexes, unsigned n, struct err *e)
{
	const struct xdp *x = en->own;
	char present[IF_NAMESIZE];
	const char *device;

	if (report->failed >= n)
		return err_set(e, rc, "cannot pin the engine's links and maps: %s", strerror(-rc));
	/* While another engine has the interface, a tap goes by its name. */
	device = if_indextoname(ifindexes[report->failed], present);
	if (!device)
		device = device_name(en, ifindexes[report->failed]);
	if (rc == -EBUSY || rc == -EEXIST)
		return err_set(e, -EBUSY,
			"interface %s runs another XDP program; detach it first (ip link set dev "
			"%s xdp off)",
			device, device);
	if (x->mode == LINKS_NATIVE &&
		port_on(en, ifindexes[report->failed])->real_mtu > LINKS_NATIVE_MTU)
		return err_set(e, rc,
			"interface %s has an MTU of %u, but native XDP takes at most %u (some drivers "
			"less): lower its MTU, or set engine.mode to \"generic\"",
			device, port_on(en, ifindexes[report->failed])->real_mtu, LINKS_NATIVE_MTU);
	return err_set(e, rc, "cannot attach the XDP program to interface %s in %s mode: %s",
		device,
		x->mode == LINKS_NATIVE	   ? "native"
		: x->mode == LINKS_GENERIC ? "generic"
					   : "native or generic",
		strerror(-rc));
}

static void tell_modes(
	struct engine *en, const struct links_report *report, const uint32_t *ifindexes, unsigned n)
{
	for (unsigned i = 0; i < en->n_ports; i++)
		en->ports[i].mode = links_port_mode(en->ports[i].real_ifindex);
	for (unsigned i = 0; i < n; i++)
		log_info("interface %s runs XDP in %s mode", device_name(en, ifindexes[i]),
			links_port_mode(ifindexes[i]));
	if (report->not_native < n &&
		port_on(en, ifindexes[report->not_native])->real_mtu > LINKS_NATIVE_MTU)
		log_warn(
			"interface %s has an MTU of %u, but native XDP takes at most %u: all interfaces "
			"run in generic mode, which is much slower (once its MTU is lower: tandemctl "
			"engine detach, then start tandemd again)",
			device_name(en, ifindexes[report->not_native]),
			port_on(en, ifindexes[report->not_native])->real_mtu, LINKS_NATIVE_MTU);
	else if (report->not_native < n)
		log_warn("interface %s does not take XDP in native mode: all interfaces run in "
			 "generic mode, which is much slower (should it take native mode now: "
			 "tandemctl engine detach, then start tandemd again)",
			device_name(en, ifindexes[report->not_native]));
}

/* A dry engine only learns where packets may leave. */
int xdp_attach(struct engine *en, struct err *e)
{
	struct links_report report = { ENGINE_MAX_PORTS, ENGINE_MAX_PORTS };
	uint32_t ifindexes[ENGINE_MAX_PORTS];
	unsigned n = devices(en, ifindexes);
	struct xdp *x = en->own;
	int rc;

	rc = en->dry ? loader_set_ports(x->loader, ifindexes, n)
		     : loader_attach(x->loader, ifindexes, n, x->mode, &report);
	if (rc)
		return attach_error(en, rc, &report, ifindexes, n, e);
	if (!en->dry)
		tell_modes(en, &report, ifindexes, n);
	return 0;
}
