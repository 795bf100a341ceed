/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/packet.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include "controlplane/conf/words.h"

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)((at - digits) % 16) : -1;
}

int packet_read_mac(const char *text, uint8_t mac[6])
{
	for (int i = 0; i < 6; i++, text += 3) {
		int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

int packet_from_hex(struct packet *p, const char *text, struct err *e)
{
	const char *at = text;

	p->n = 0;
	for (at += strspn(at, " :\t\r\n"); *at; at += strspn(at, " :\t\r\n")) {
		int high = digit(at[0]), low = high < 0 ? -1 : digit(at[1]);

		if (low < 0)
			return err_set(e, -EINVAL,
				"--hex: byte %zu is no pair of hexadecimal digits, at \"%.16s\"",
				p->n + 1, at);
		if (p->n == PACKET_MAX)
			return err_set(
				e, -EINVAL, "--hex: the frame is longer than %d bytes", PACKET_MAX);
		p->bytes[p->n++] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	return p->n ? 0 : err_set(e, -EINVAL, "--hex: the frame is empty");
}

/* Takes over the frame that was read. */
static int take_frame(struct packet *p, const char *path, unsigned long number,
	const struct pcap_pkthdr *h, const u_char *bytes, struct err *e)
{
	if (h->caplen < h->len)
		return err_set(e, -EINVAL,
			"%s: frame %lu was captured in part, %u of %u bytes; capture whole frames "
			"(tcpdump -s 0)",
			path, number, h->caplen, h->len);
	if (h->len > PACKET_MAX)
		return err_set(e, -EINVAL, "%s: frame %lu has %u bytes, at most %d can be traced",
			path, number, h->len, PACKET_MAX);
	memcpy(p->bytes, bytes, h->len);
	p->n = h->len;
	return 0;
}

static int find_frame(
	struct packet *p, pcap_t *file, const char *path, unsigned long number, struct err *e)
{
	struct pcap_pkthdr *h;
	const u_char *bytes;

	if (pcap_datalink(file) != DLT_EN10MB)
		return err_set(e, -EINVAL,
			"%s holds no Ethernet frames; capture on one interface (tcpdump -i NAME)",
			path);
	for (unsigned long i = 1;; i++) {
		int rc = pcap_next_ex(file, &h, &bytes);

		if (rc == PCAP_ERROR_BREAK)
			return err_set(e, -ENOENT, "%s has %lu frame%s, there is no frame %lu",
				path, i - 1, i == 2 ? "" : "s", number);
		if (rc < 0)
			return err_set(e, -EINVAL, "%s: %s", path, pcap_geterr(file));
		if (i == number)
			return take_frame(p, path, number, h, bytes, e);
	}
}

int packet_from_file(struct packet *p, const char *path, unsigned long number, struct err *e)
{
	char why[PCAP_ERRBUF_SIZE];
	FILE *f = fopen(path, "rb");
	pcap_t *file;
	int rc;

	if (!f)
		return err_set(e, -ENOENT, "cannot read %s: %s", path, strerror(errno));
	file = pcap_fopen_offline(f, why);
	if (!file) {
		fclose(f);
		return err_set(e, -EINVAL, "%s is no capture file: %s", path, why);
	}
	rc = find_frame(p, file, path, number, e);
	pcap_close(file);
	return rc;
}
