/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/summary.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include "controlplane/base/addr.h"

enum { ETH_BYTES = 14, TAG_BYTES = 4, ARP_BYTES = 28, IP4_BYTES = 20, IP6_BYTES = 40 };

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static void print_tcp_flags(FILE *out, uint8_t flags)
{
	static const char letters[] = "FSRPAU";

	putc(' ', out);
	for (int i = 0; letters[i]; i++)
		if (flags >> i & 1)
			putc(letters[i], out);
}

static void print_address(FILE *out, uint8_t af, const uint8_t *bytes, int port)
{
	struct addr a = { .af = af };
	char text[ADDR_TEXT];

	memcpy(a.bytes, bytes, addr_size(&a));
	addr_text(&a, text);
	if (port < 0)
		fprintf(out, "%s", text);
	else
		fprintf(out, af == 6 ? "[%s]:%d" : "%s:%d", text, port);
}

static void print_ip(FILE *out, uint8_t af, const uint8_t *src, const uint8_t *dst,
	uint8_t protocol, const uint8_t *l4, size_t n)
{
	bool tcp = protocol == IPPROTO_TCP, ports = (tcp || protocol == IPPROTO_UDP) && n >= 4;

	print_address(out, af, src, ports ? (int)get16(l4) : -1);
	fputs(" > ", out);
	print_address(out, af, dst, ports ? (int)get16(l4 + 2) : -1);
	if (tcp)
		fputs(" tcp", out);
	else if (protocol == IPPROTO_UDP)
		fputs(" udp", out);
	else if ((protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) && n >= 2)
		fprintf(out, " icmp type %u code %u", l4[0], l4[1]);
	else
		fprintf(out, " protocol %u", protocol);
	if (tcp && n >= 14)
		print_tcp_flags(out, l4[13]);
}

static void print_ip4(FILE *out, const uint8_t *ip, size_t n)
{
	size_t header = n ? (ip[0] & 15) * 4u : 0;

	if (n < IP4_BYTES || header < IP4_BYTES || n < header || get16(ip + 6) & 0x1fff)
		fputs(n < IP4_BYTES ? "truncated IPv4" : "part of an IPv4 packet", out);
	else
		print_ip(out, 4, ip + 12, ip + 16, ip[9], ip + header, n - header);
}

static void print_arp(FILE *out, const uint8_t *arp)
{
	fputs(get16(arp + 6) == 1 ? "arp who has " : "arp answer for ", out);
	print_address(out, 4, get16(arp + 6) == 1 ? arp + 24 : arp + 14, -1);
}

void summary_print(FILE *out, const uint8_t *frame, size_t n)
{
	size_t at = ETH_BYTES;
	unsigned type = n >= ETH_BYTES ? get16(frame + 12) : 0;

	while ((type == 0x8100 || type == 0x88a8) && n >= at + TAG_BYTES) {
		fprintf(out, "vlan %u ", get16(frame + at) & 0xfff);
		type = get16(frame + at + 2);
		at += TAG_BYTES;
	}
	if (type == 0x0800)
		print_ip4(out, frame + at, n - at);
	else if (type == 0x86dd && n >= at + IP6_BYTES)
		print_ip(out, 6, frame + at + 8, frame + at + 24, frame[at + 6],
			frame + at + IP6_BYTES, n - at - IP6_BYTES);
	else if (type == 0x0806 && n >= at + ARP_BYTES)
		print_arp(out, frame + at);
	else
		fprintf(out, "EtherType 0x%04x", type);
}
