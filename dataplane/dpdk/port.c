/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/dpdk/port.h"
#include <errno.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/dpdk/frames.h"

enum {
	HEADERS = 14 + 2 * 4, /* Ethernet, and two tags */
	TAIL = 64,	      /* what stages add behind a packet */
	PAGE = 4096,
	LAST_VLAN = 4094,
	/* Of an AF_PACKET ring: what the kernel writes before a frame, at most, and frames of a ring. */
	RING_HEAD = 96,
	RING_FRAMES = 512,
	DROP_BURST = 32,
	DROP_MOST = 16384,
	/* Of net_af_xdp: what the kernel leaves free before a frame, and entries of the rings by which it gets frames and gives them back. */
	XDP_HEAD = 256,
	XDP_RING = 2048,
};

#define RSS (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP)

__attribute__((format(printf, 3, 4))) static int refuse(
	struct port *p, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why, sizeof p->why, fmt, ap);
	va_end(ap);
	return rc;
}

/* Bytes of an AF_PACKET ring for each frame, of which a whole number makes a page, or the other way round. */
static uint32_t ring_frame(uint32_t mtu)
{
	uint32_t n = mtu + HEADERS + RING_HEAD;

	if (n <= PAGE / 2)
		return PAGE / 2;
	return (n + PAGE - 1) / PAGE * PAGE;
}

void port_devargs(char out[PORT_DEVARGS], enum port_driver driver, const char *device, uint32_t mtu,
	unsigned workers)
{
	uint32_t frame = ring_frame(mtu);

	if (driver == PORT_AF_XDP)
		snprintf(out, PORT_DEVARGS, "net_af_xdp_%s,iface=%s,start_queue=0,queue_count=%u",
			device, device, workers);
	else
		snprintf(out, PORT_DEVARGS,
			"net_af_packet_%s,iface=%s,qpairs=%u,blocksz=%u,framesz=%u,framecnt=%d",
			device, device, workers, frame < PAGE ? PAGE : frame, frame, RING_FRAMES);
}

/* Devices that some interface has. Those which DPDK was started with are there before that. */
static bool taken[RTE_MAX_ETHPORTS];

/* The first port of the device. */
static int find(struct port *p, const char *name)
{
	struct rte_eth_dev_info info;
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id)
	if (!rte_eth_dev_info_get(id, &info) && !strcmp(rte_dev_name(info.device), name)) {
		p->ethdev = id;
		return 0;
	}
	return -ENODEV;
}

static int probe(struct port *p, const char *devargs)
{
	char name[RTE_DEV_NAME_MAX_LEN];
	size_t len = strcspn(devargs, ",");
	int rc;

	if (!len || len >= sizeof name)
		return refuse(p, -EINVAL,
			"\"%s\" is nothing that DPDK takes for a device: give a PCI address, "
			"0000:03:00.0, or the name of a driver and its options, net_...,KEY=VALUE",
			devargs);
	memcpy(name, devargs, len);
	name[len] = '\0';
	rc = find(p, name) ? rte_dev_probe(devargs) : taken[p->ethdev] ? -EEXIST : 0;
	if (rc == -EEXIST)
		refuse(p, rc, "the device %s is another interface's already", name);
	else if (rc)
		refuse(p, rc,
			"DPDK cannot open the device %s: %s; is it bound to a driver that DPDK can use "
			"(dpdk-devbind.py --status)?",
			devargs, strerror(-rc));
	else if (find(p, name))
		rc = refuse(p, -ENODEV,
			"DPDK has no driver for the device %s, or the driver has made no port of it",
			name);
	p->is_open = !rc;
	if (!rc)
		taken[p->ethdev] = true;
	return rc;
}

static int check_queues(
	struct port *p, const struct port_options *o, const struct rte_eth_dev_info *info)
{
	if (info->max_tx_queues < o->workers)
		return refuse(p, -ENOSPC,
			"%s has %u queues to send by, and there are %u workers, of which each needs one: "
			"give the engine fewer CPUs",
			p->driver, info->max_tx_queues, o->workers);
	p->pages = !strcmp(p->driver, "net_af_xdp");
	p->tx_queues = (uint16_t)o->workers;
	p->rx_queues = RTE_MIN(info->max_rx_queues, (uint16_t)o->workers);
	if (!p->rx_queues)
		return refuse(p, -ENOSPC, "%s has no queue to receive by", p->driver);
	return 0;
}

/* The kernel writes behind a headroom of its own, into what a page has left. */
static int check_pages(struct port *p, uint32_t mtu)
{
	uint32_t most = frames_page_room(), needed = p->room + XDP_HEAD;

	if (needed > most)
		return refuse(p, -EMSGSIZE,
			"by XDP sockets its MTU may be %u at most, and is %u: lower that, or write driver = "
			"\"af_packet\";",
			most - (needed - mtu), mtu);
	p->room = needed;
	return 0;
}

/* Frames lie in one mbuf each. */
static int check_frames(
	struct port *p, const struct port_options *o, const struct rte_eth_dev_info *info)
{
	p->mtu = o->mtu;
	p->has_mtu = o->has_mtu;
	p->room = RTE_PKTMBUF_HEADROOM + o->mtu + HEADERS + TAIL;
	if (!o->has_mtu && info->max_mtu && o->mtu > info->max_mtu)
		return refuse(p, -EMSGSIZE,
			"%s takes an MTU of %u at most, and the interface has one of %u: lower that",
			p->driver, info->max_mtu, o->mtu);
	/* The driver copies what its ring has, and looks only whether mbufs have room for all that might lie there. */
	if (!strcmp(p->driver, "net_af_packet"))
		p->room = RTE_MAX(p->room, RTE_PKTMBUF_HEADROOM + ring_frame(o->mtu));
	if (info->min_rx_bufsize != UINT32_MAX)
		p->room = RTE_MAX(p->room, RTE_PKTMBUF_HEADROOM + info->min_rx_bufsize);
	if (p->room > UINT16_MAX)
		return refuse(p, -EMSGSIZE, "the interface has an MTU of %u: lower that", o->mtu);
	return p->pages ? check_pages(p, o->mtu) : 0;
}

static struct rte_eth_conf conf_of(const struct port *p, const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf conf = { 0 };

	/* Drivers of kernel devices may not know how long their frames are; their MTU is not DPDK's to set. */
	conf.rxmode.mtu = p->has_mtu ? RTE_MIN(p->mtu, (uint32_t)RTE_ETHER_MTU) : p->mtu;
	conf.intr_conf.rxq = p->interrupts;
	conf.txmode.offloads = info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	if (p->rx_queues > 1 && info->flow_type_rss_offloads & RSS) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads & RSS;
	}
	return conf;
}

static int configure_queues(struct port *p, const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf conf = conf_of(p, info);

	return rte_eth_dev_configure(p->ethdev, p->rx_queues, p->tx_queues, &conf);
}

static int configure(
	struct port *p, const struct port_options *o, const struct rte_eth_dev_info *info)
{
	int rc = configure_queues(p, info);

	if (rc && p->interrupts) {
		p->interrupts = false;
		rc = configure_queues(p, info);
	}
	p->rx_descriptors = o->rx_descriptors ? o->rx_descriptors : PORT_DESCRIPTORS;
	p->tx_descriptors = o->tx_descriptors ? o->tx_descriptors : PORT_DESCRIPTORS;
	if (!rc)
		rc = rte_eth_dev_adjust_nb_rx_tx_desc(
			p->ethdev, &p->rx_descriptors, &p->tx_descriptors);
	if (rc)
		refuse(p, rc,
			"%s does not take %u queues to receive and %u to send, with an MTU of %u: %s",
			p->driver, p->rx_queues, p->tx_queues, p->mtu, strerror(-rc));
	return rc;
}

int port_open(struct port *p, const struct port_options *o)
{
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	int rc;

	*p = (struct port){ 0 };
	rc = probe(p, o->devargs);
	if (rc)
		return rc;
	rc = rte_eth_dev_info_get(p->ethdev, &info);
	if (!rc)
		rc = rte_eth_macaddr_get(p->ethdev, &mac);
	if (rc)
		return refuse(p, rc, "%s does not say what it is: %s", o->devargs, strerror(-rc));
	memcpy(p->mac, mac.addr_bytes, sizeof p->mac);
	snprintf(p->driver, sizeof p->driver, "%s", info.driver_name);
	p->interrupts = o->interrupts;
	p->took_all = rte_eth_promiscuous_get(p->ethdev) == 1;
	rc = check_queues(p, o, &info);
	if (!rc)
		rc = check_frames(p, o, &info);
	return rc ? rc : configure(p, o, &info);
}

unsigned port_frames(const struct port *p)
{
	unsigned rings = p->pages ? (p->rx_queues + p->tx_queues) * XDP_RING : 0;

	return rings + (unsigned)p->rx_queues * p->rx_descriptors +
	       (unsigned)p->tx_queues * p->tx_descriptors;
}

static int set_queues_up(struct port *p, struct rte_mempool *frames)
{
	int node = rte_eth_dev_socket_id(p->ethdev), rc = 0;
	unsigned socket = node < 0 ? (unsigned)SOCKET_ID_ANY : (unsigned)node;

	for (uint16_t i = 0; i < p->rx_queues && !rc; i++)
		rc = rte_eth_rx_queue_setup(p->ethdev, i, p->rx_descriptors, socket, NULL, frames);
	for (uint16_t i = 0; i < p->tx_queues && !rc; i++)
		rc = rte_eth_tx_queue_setup(p->ethdev, i, p->tx_descriptors, socket, NULL);
	return rc;
}

/* A device may have no interrupts to give, and say so now only. */
static int start(struct port *p, struct rte_mempool *frames)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_start(p->ethdev);

	if (!rc || !p->interrupts)
		return rc;
	p->interrupts = false;
	rc = rte_eth_dev_info_get(p->ethdev, &info);
	if (!rc)
		rc = configure_queues(p, &info);
	if (!rc)
		rc = set_queues_up(p, frames);
	return rc ? rc : rte_eth_dev_start(p->ethdev);
}

/* To take more than it must is no error. */
static int take_all(struct port *p, bool all)
{
	int rc;

	if (p->took_all || p->takes_all == all)
		return 0;
	rc = all ? rte_eth_promiscuous_enable(p->ethdev) : rte_eth_promiscuous_disable(p->ethdev);
	if (!rc)
		p->takes_all = all;
	return all ? rc : 0;
}

/* All of them, in the place of a list (rte_eth_dev_set_mc_addr_list()): solicitations for our own addresses come to groups that can be
 * counted, but the host joins others behind its tap at any time (mDNS, OSPF, VRRP), and its kernel tells nobody. */
static int take_groups(struct port *p)
{
	int rc = rte_eth_allmulticast_enable(p->ethdev);

	if (rc != -ENOTSUP)
		return rc;
	p->groups_by_all = !p->has_mtu;
	return p->groups_by_all ? take_all(p, true) : 0;
}

/* Of all VLANs, for the same reason: the host may make a device for one on its tap. Nobody has asked for a filter
 * (RTE_ETH_RX_OFFLOAD_VLAN_FILTER), but there are drivers that cannot do without: they get a list of all. */
static bool take_vlans(struct port *p)
{
	int on = rte_eth_dev_get_vlan_offload(p->ethdev), rc = 0;

	if (on <= 0 || !(on & RTE_ETH_VLAN_FILTER_OFFLOAD) ||
		!rte_eth_dev_set_vlan_offload(p->ethdev, on & ~RTE_ETH_VLAN_FILTER_OFFLOAD))
		return true;
	for (uint16_t id = 1; id <= LAST_VLAN && !rc; id++)
		rc = rte_eth_dev_vlan_filter(p->ethdev, id, 1);
	return !rc;
}

int port_start(struct port *p, struct rte_mempool *frames)
{
	int rc = set_queues_up(p, frames);

	if (!rc && !p->has_mtu)
		rc = rte_eth_dev_set_mtu(p->ethdev, (uint16_t)p->mtu);
	if (rc && rc != -ENOTSUP)
		return refuse(p, rc, "%s does not take its queues, or an MTU of %u: %s", p->driver,
			p->mtu, strerror(-rc));
	rc = start(p, frames);
	if (rc)
		return refuse(p, rc, "%s does not start: %s", p->driver, strerror(-rc));
	p->is_started = true;
	p->filters_vlans = !take_vlans(p);
	rc = take_groups(p);
	return rc ? refuse(p, rc, "%s does not take multicast frames: %s", p->driver, strerror(-rc))
		  : 0;
}

void port_give(const struct port *p, struct core *c, uint32_t ifindex)
{
	for (unsigned i = 0; i < c->common.n_workers; i++) {
		struct worker *w = c->workers[i];

		w->ports[w->n_ports++] = (struct worker_port){
			.ifindex = ifindex,
			.ethdev = p->ethdev,
			.queue = (uint16_t)i,
			.sends_only = i >= p->rx_queues,
		};
	}
}

static bool is_among(const uint8_t (*macs)[6], unsigned n, const uint8_t mac[6])
{
	for (unsigned i = 0; i < n; i++)
		if (!memcmp(macs[i], mac, sizeof macs[i]))
			return true;
	return false;
}

/* The last takes the place of one that goes, which may be itself. */
static void drop_macs(struct port *p, const uint8_t (*wanted)[6], unsigned n)
{
	for (unsigned i = 0; i < p->n_macs;) {
		struct rte_ether_addr a;

		memcpy(a.addr_bytes, p->macs[i], sizeof a.addr_bytes);
		if (is_among(wanted, n, p->macs[i]) || rte_eth_dev_mac_addr_remove(p->ethdev, &a))
			i++;
		else
			memmove(p->macs[i], p->macs[--p->n_macs], sizeof *p->macs);
	}
}

/* Returns whether the filter has it now. There is room for it in the list. */
static bool add_mac(struct port *p, const uint8_t mac[6])
{
	struct rte_ether_addr a;

	memcpy(a.addr_bytes, mac, sizeof a.addr_bytes);
	if (!memcmp(mac, p->mac, sizeof p->mac) ||
		is_among((const uint8_t(*)[6])p->macs, p->n_macs, mac))
		return true;
	if (rte_eth_dev_mac_addr_add(p->ethdev, &a, 0))
		return false;
	memcpy(p->macs[p->n_macs++], mac, sizeof a.addr_bytes);
	return true;
}

int port_want_macs(struct port *p, const uint8_t (*macs)[6], unsigned n, bool more)
{
	uint8_t(*list)[6] = reallocarray(p->macs, p->n_macs + n + 1, sizeof *list);
	bool lacks = p->groups_by_all || (more && p->takes_all);

	if (!list)
		return -ENOMEM;
	p->macs = list;
	if (!more)
		drop_macs(p, macs, n);
	for (unsigned i = 0; i < n; i++)
		lacks |= !add_mac(p, macs[i]);
	return take_all(p, lacks);
}

/* No more than sockets hold: others may come all the time. */
void port_drop_waiting(const struct port *p)
{
	struct rte_mbuf *frames[DROP_BURST];

	for (uint16_t i = 0; i < p->rx_queues; i++) {
		uint16_t n = 1;

		for (unsigned most = 0; n && most < DROP_MOST; most += n) {
			n = rte_eth_rx_burst(p->ethdev, i, frames, DROP_BURST);
			rte_pktmbuf_free_bulk(frames, n);
		}
	}
}

bool port_has_link(const struct port *p)
{
	struct rte_eth_link link = { 0 };

	return !rte_eth_link_get_nowait(p->ethdev, &link) && link.link_status;
}

void port_close(struct port *p)
{
	struct rte_eth_dev_info info;

	if (!p->is_open)
		return;
	p->is_open = taken[p->ethdev] = false;
	free(p->macs);
	p->macs = NULL;
	p->n_macs = 0;
	if (p->is_started)
		rte_eth_dev_stop(p->ethdev);
	if (rte_eth_dev_info_get(p->ethdev, &info))
		return;
	rte_eth_dev_close(p->ethdev);
	rte_dev_remove(info.device);
}
