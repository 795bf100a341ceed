/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame by words: tcp 203.0.113.7:4711 192.0.2.10:80 flags S ttl 64 */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "apps/tandemctl/packet.h"
#include "controlplane/base/addr.h"
#include "controlplane/conf/words.h"

enum {
	MAX_TAGS = 2,
	ETH_BYTES = 14,
	TAG_BYTES = 4,
	IP4_BYTES = 20,
	IP6_BYTES = 40,
	TCP_BYTES = 20,
	UDP_BYTES = 8,
	ECHO_BYTES = 8,
	LONGEST = PACKET_MAX - ETH_BYTES - MAX_TAGS * TAG_BYTES,
};

enum { SYN = 2 };

struct spec {
	uint8_t protocol; /* IPPROTO_... */
	struct addr src, dst;
	uint16_t sport, dport;
	uint8_t smac[6], dmac[6];
	uint16_t tags[MAX_TAGS];
	unsigned n_tags;
	uint8_t flags, ttl;
	uint16_t id;
	unsigned len; /* of the IP packet; 0: as short as it can be */
	bool df, has_flags, has_id;
};

static int wrong(struct err *e, const char *word, const char *value, const char *wanted)
{
	char quoted[CONF_QUOTED];

	conf_quote(value ? value : "", quoted);
	return err_set(e, -EINVAL, "%s: %s is not %s", word, quoted, wanted);
}

/* A decimal number of at least 1 digit, from `least` to `most`. */
static bool read_number(
	const char *text, unsigned long least, unsigned long most, unsigned long *out)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 9 || text[digits])
		return false;
	*out = strtoul(text, NULL, 10);
	return *out >= least && *out <= most;
}

static int read_flags(struct spec *s, const char *value, struct err *e)
{
	static const char letters[] = "FSRPAU"; /* in the order of their bits */

	s->flags = 0;
	s->has_flags = true;
	for (const char *c = strcmp(value, "none") ? value : ""; *c; c++) {
		const char *at = strchr(letters, *c);

		if (!at)
			return wrong(e, "flags", value,
				"made of the letters S(yn) A(ck) F(in) R(st) P(sh) U(rg), or \"none\"");
		s->flags |= (uint8_t)(1 << (at - letters));
	}
	return 0;
}

static int read_ttl(struct spec *s, const char *value, struct err *e)
{
	unsigned long n;

	if (!read_number(value, 0, 255, &n))
		return wrong(e, "ttl", value, "a number from 0 to 255");
	s->ttl = (uint8_t)n;
	return 0;
}

static int read_len(struct spec *s, const char *value, struct err *e)
{
	unsigned long n;

	if (!read_number(value, 1, LONGEST, &n))
		return err_set(
			e, -EINVAL, "len: the IP packet has a number of bytes up to %d", LONGEST);
	s->len = (unsigned)n;
	return 0;
}

static int read_vlan(struct spec *s, const char *value, struct err *e)
{
	unsigned long n;

	if (!read_number(value, 0, 4095, &n))
		return wrong(e, "vlan", value, "a VLAN number from 0 to 4095");
	if (s->n_tags == MAX_TAGS)
		return err_set(e, -EINVAL, "vlan: there are at most two tags, the outer one first");
	s->tags[s->n_tags++] = (uint16_t)n;
	return 0;
}

static int read_id(struct spec *s, const char *value, struct err *e)
{
	unsigned long n;

	if (!read_number(value, 0, 65535, &n))
		return wrong(e, "id", value, "an identifier from 0 to 65535");
	s->id = (uint16_t)n;
	s->has_id = true;
	return 0;
}

static int read_smac(struct spec *s, const char *value, struct err *e)
{
	return packet_read_mac(value, s->smac)
		       ? wrong(e, "smac", value, "a MAC address such as 02:00:00:00:00:01")
		       : 0;
}

static int read_dmac(struct spec *s, const char *value, struct err *e)
{
	return packet_read_mac(value, s->dmac)
		       ? wrong(e, "dmac", value, "a MAC address such as 02:00:00:00:00:01")
		       : 0;
}

static int read_df(struct spec *s, const char *value, struct err *e)
{
	(void)value;
	(void)e;
	s->df = true;
	return 0;
}

static const struct word {
	const char *name;
	bool alone; /* no value follows */
	int (*read)(struct spec *s, const char *value, struct err *e);
} table[] = {
	{ "flags", false, read_flags },
	{ "ttl", false, read_ttl },
	{ "len", false, read_len },
	{ "vlan", false, read_vlan },
	{ "df", true, read_df },
	{ "id", false, read_id },
	{ "smac", false, read_smac },
	{ "dmac", false, read_dmac },
};

enum { N_WORDS = sizeof table / sizeof *table };

static const struct word *find_word(const char *name, struct err *e)
{
	char quoted[CONF_QUOTED];
	struct conf_guess guess;

	conf_guess_start(&guess, name);
	for (unsigned i = 0; i < N_WORDS; i++) {
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
		conf_guess_offer(&guess, table[i].name);
	}
	conf_quote(name, quoted);
	if (guess.best)
		err_set(e, -EINVAL, "there is no word %s; did you mean \"%s\"?", quoted,
			guess.best);
	else
		err_set(e, -EINVAL,
			"there is no word %s; there are flags, ttl, len, vlan, df, id, smac and dmac",
			quoted);
	return NULL;
}

static int read_words(struct spec *s, char **words, struct err *e)
{
	while (*words) {
		const struct word *w = find_word(*words++, e);

		if (!w)
			return -EINVAL;
		if (!w->alone && !*words)
			return err_set(e, -EINVAL, "%s: a value must follow", w->name);
		if (w->read(s, w->alone ? NULL : *words, e))
			return -EINVAL;
		words += !w->alone;
	}
	return 0;
}

static int read_protocol(struct spec *s, const char *name, struct err *e)
{
	if (strcmp(name, "tcp") == 0)
		s->protocol = IPPROTO_TCP;
	else if (strcmp(name, "udp") == 0)
		s->protocol = IPPROTO_UDP;
	else if (strcmp(name, "icmp") == 0)
		s->protocol = IPPROTO_ICMP;
	else
		return wrong(e, "protocol", name, "one of tcp, udp and icmp (an echo request)");
	return 0;
}

static bool has_ports(const struct spec *s)
{
	return s->protocol != IPPROTO_ICMP;
}

/* ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT. */
static int read_end(const struct spec *s, const char *what, const char *text, struct addr *a,
	uint16_t *port, struct err *e)
{
	const char *bracket = *text == '[' ? strchr(text, ']') : NULL;
	const char *colon = bracket ? bracket + 1 : strrchr(text, ':');
	char address[ADDR_TEXT + 2];
	unsigned long n;
	size_t len;

	if (!has_ports(s))
		return addr_parse(text, a) ? wrong(e, what, text, "an IPv4 or IPv6 address") : 0;
	len = colon ? (size_t)(colon - text) : 0;
	if (bracket) {
		text++;
		len -= 2;
	}
	if (!colon || *colon != ':' || len >= sizeof address)
		return wrong(e, what, text, "ADDRESS:PORT, or [ADDRESS]:PORT for IPv6");
	memcpy(address, text, len);
	address[len] = '\0';
	if (addr_parse(address, a) || (a->af == 6) != !!bracket)
		return wrong(e, what, text, "ADDRESS:PORT, or [ADDRESS]:PORT for IPv6");
	if (!read_number(colon + 1, 0, 65535, &n))
		return wrong(e, what, text, "an address with a port from 0 to 65535");
	*port = (uint16_t)n;
	return 0;
}

static unsigned header_bytes(const struct spec *s)
{
	unsigned transport = s->protocol == IPPROTO_TCP	  ? TCP_BYTES
			     : s->protocol == IPPROTO_UDP ? UDP_BYTES
							  : ECHO_BYTES;

	return (s->src.af == 6 ? IP6_BYTES : IP4_BYTES) + transport;
}

/* What belongs together. */
static int check(struct spec *s, struct err *e)
{
	if (s->src.af != s->dst.af)
		return err_set(e, -EINVAL, "source and destination are of two address families");
	if (s->has_flags && s->protocol != IPPROTO_TCP)
		return err_set(e, -EINVAL, "flags: only tcp has them");
	if (s->has_id && s->protocol != IPPROTO_ICMP)
		return err_set(e, -EINVAL, "id: only icmp has one");
	if (s->df && s->src.af == 6)
		return err_set(e, -EINVAL, "df: IPv6 packets are never fragmented on their way");
	if (!s->len)
		s->len = header_bytes(s);
	if (s->len < header_bytes(s))
		return err_set(e, -EINVAL, "len: the headers alone have %u bytes", header_bytes(s));
	return 0;
}

static void put16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* RFC 1071 over n bytes, added to what `sum` holds already. */
static unsigned long add_up(const uint8_t *bytes, size_t n, unsigned long sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? bytes[i] : (unsigned long)bytes[i] << 8;
	return sum;
}

static unsigned fold(unsigned long sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (unsigned)~sum & 0xffff;
}

static uint8_t *write_link(const struct spec *s, uint8_t *at)
{
	memcpy(at, s->dmac, 6);
	memcpy(at + 6, s->smac, 6);
	at += 12;
	for (unsigned i = 0; i < s->n_tags; i++, at += TAG_BYTES) {
		put16(at, i + 1 < s->n_tags ? 0x88a8 : 0x8100);
		put16(at + 2, s->tags[i]);
	}
	put16(at, s->src.af == 6 ? 0x86dd : 0x0800);
	return at + 2;
}

static uint8_t *write_ip4(const struct spec *s, uint8_t *at)
{
	at[0] = 0x45;
	put16(at + 2, s->len);
	at[6] = s->df ? 0x40 : 0;
	at[8] = s->ttl;
	at[9] = s->protocol;
	memcpy(at + 12, s->src.bytes, 4);
	memcpy(at + 16, s->dst.bytes, 4);
	put16(at + 10, fold(add_up(at, IP4_BYTES, 0)));
	return at + IP4_BYTES;
}

static uint8_t next_header(const struct spec *s)
{
	return s->protocol == IPPROTO_ICMP && s->src.af == 6 ? IPPROTO_ICMPV6 : s->protocol;
}

static uint8_t *write_ip6(const struct spec *s, uint8_t *at)
{
	at[0] = 0x60;
	put16(at + 4, s->len - IP6_BYTES);
	at[6] = next_header(s);
	at[7] = s->ttl;
	memcpy(at + 8, s->src.bytes, 16);
	memcpy(at + 24, s->dst.bytes, 16);
	return at + IP6_BYTES;
}

/* With the pseudo-header's sum; ICMP over IPv4 has none. */
static unsigned transport_checksum(const struct spec *s, const uint8_t *at, unsigned n)
{
	unsigned long sum = add_up(at, n, 0);

	if (s->protocol == IPPROTO_ICMP && s->src.af == 4)
		return fold(sum);
	sum = add_up(s->src.bytes, addr_size(&s->src), sum + next_header(s) + n);
	return fold(add_up(s->dst.bytes, addr_size(&s->dst), sum));
}

static void write_transport(const struct spec *s, uint8_t *at, unsigned n)
{
	unsigned sum, checksum_at = 16;

	put16(at, s->sport);
	put16(at + 2, s->dport);
	if (s->protocol == IPPROTO_TCP) {
		put16(at + 6, 1); /* sequence number */
		at[12] = TCP_BYTES / 4 << 4;
		at[13] = s->flags;
		put16(at + 14, 65535);
	} else if (s->protocol == IPPROTO_UDP) {
		put16(at + 4, n);
		checksum_at = 6;
	} else {
		put16(at, (s->src.af == 6 ? 128 : 8) << 8);
		put16(at + 4, s->id);
		put16(at + 6, 1);
		checksum_at = 2;
	}
	sum = transport_checksum(s, at, n);
	put16(at + checksum_at, s->protocol == IPPROTO_UDP && !sum ? 0xffff : sum);
}

static void write_frame(const struct spec *s, struct packet *p)
{
	uint8_t *l3, *l4;

	memset(p->bytes, 0, sizeof p->bytes);
	l3 = write_link(s, p->bytes);
	l4 = s->src.af == 6 ? write_ip6(s, l3) : write_ip4(s, l3);
	write_transport(s, l4, s->len - (unsigned)(l4 - l3));
	p->n = (size_t)(l3 - p->bytes) + s->len;
}

int packet_from_words(struct packet *p, char **words, const uint8_t mac[6], struct err *e)
{
	static const uint8_t somebody[6] = { 2, 0, 0, 0, 0, 1 };
	struct spec s = { .ttl = 64, .flags = SYN };

	memcpy(s.dmac, mac, 6);
	memcpy(s.smac, somebody, 6);
	if (!words[0] || !words[1] || !words[2])
		return err_set(e, -EINVAL,
			"a packet is PROTOCOL SOURCE DESTINATION, as in \"tcp 203.0.113.7:4711 "
			"192.0.2.10:80\"");
	if (read_protocol(&s, words[0], e) ||
		read_end(&s, "source", words[1], &s.src, &s.sport, e) ||
		read_end(&s, "destination", words[2], &s.dst, &s.dport, e) ||
		read_words(&s, words + 3, e) || check(&s, e))
		return -EINVAL;
	write_frame(&s, p);
	return 0;
}
