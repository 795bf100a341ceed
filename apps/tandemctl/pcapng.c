/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/pcapng.h"
#include <stdlib.h>
#include <string.h>
#include "apps/tandemctl/text.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6, /* enhanced */
};

enum {
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	LINK_ETHERNET = 1,
	NANOSECONDS = 9,
};

enum {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_FLAGS = 2,	/* of a packet */
	OPTION_IF_NAME = 2,	/* of an interface */
	OPTION_APPLICATION = 4, /* of a section */
	OPTION_RESOLUTION = 9,	/* of an interface */
};

struct pcapng {
	FILE *to;
	char **interfaces; /* in the order of their blocks */
	uint32_t n;
};

/* A block's body, until its length is known. */
struct block {
	char *bytes;
	size_t size;
	FILE *stream;
};

static void block_begin(struct block *b)
{
	b->stream = text_stream(&b->bytes, &b->size);
}

static void put16(FILE *f, uint16_t v)
{
	fwrite(&v, sizeof v, 1, f);
}

static void put32(FILE *f, uint32_t v)
{
	fwrite(&v, sizeof v, 1, f);
}

/* Bytes, and zeros up to a multiple of four. */
static void put_padded(FILE *f, const void *bytes, size_t n)
{
	static const uint8_t zeros[3];

	fwrite(bytes, 1, n, f);
	fwrite(zeros, 1, (4 - n % 4) % 4, f);
}

static void put_option(FILE *f, uint16_t code, const void *bytes, size_t n)
{
	if (n > UINT16_MAX)
		n = UINT16_MAX;
	put16(f, code);
	put16(f, (uint16_t)n);
	put_padded(f, bytes, n);
}

/* The length stands before the body and behind it. */
static void block_end(struct pcapng *p, struct block *b, uint32_t type)
{
	uint32_t length;

	put32(b->stream, OPTION_END);
	fclose(b->stream);
	length = (uint32_t)b->size + 12;
	put32(p->to, type);
	put32(p->to, length);
	fwrite(b->bytes, 1, b->size, p->to);
	put32(p->to, length);
	free(b->bytes);
}

struct pcapng *pcapng_new(FILE *to)
{
	static const char application[] = "tandemctl " TANDEM_VERSION;
	struct pcapng *p = text_zalloc(1, sizeof *p);
	struct block b;

	p->to = to;
	block_begin(&b);
	put32(b.stream, BYTE_ORDER_MAGIC);
	put16(b.stream, 1); /* version 1.0 */
	put16(b.stream, 0);
	put32(b.stream, UINT32_MAX); /* the section's length: not known */
	put32(b.stream, UINT32_MAX);
	put_option(b.stream, OPTION_APPLICATION, application, sizeof application - 1);
	block_end(p, &b, BLOCK_SECTION);
	return p;
}

void pcapng_free(struct pcapng *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->n; i++)
		free(p->interfaces[i]);
	free((void *)p->interfaces);
	free(p);
}

static void write_interface(struct pcapng *p, const char *name)
{
	static const uint8_t resolution = NANOSECONDS;
	struct block b;

	block_begin(&b);
	put16(b.stream, LINK_ETHERNET);
	put16(b.stream, 0);
	put32(b.stream, 0); /* no limit of what is captured of a frame */
	put_option(b.stream, OPTION_IF_NAME, name, strlen(name));
	put_option(b.stream, OPTION_RESOLUTION, &resolution, sizeof resolution);
	block_end(p, &b, BLOCK_INTERFACE);
}

/* The interface's number; its block is written when it comes up first. */
static uint32_t interface_number(struct pcapng *p, const char *name)
{
	char **more;

	for (uint32_t i = 0; i < p->n; i++)
		if (strcmp(p->interfaces[i], name) == 0)
			return i;
	more = text_zalloc(p->n + 1, sizeof *more);
	if (p->n)
		memcpy((void *)more, (const void *)p->interfaces, p->n * sizeof *more);
	more[p->n] = text_printf("%s", name);
	free((void *)p->interfaces);
	p->interfaces = more;
	write_interface(p, name);
	return p->n++;
}

void pcapng_write(struct pcapng *p, const struct pcapng_frame *f)
{
	uint32_t interface = interface_number(p, f->interface), flags = f->direction;
	struct block b;

	block_begin(&b);
	put32(b.stream, interface);
	put32(b.stream, (uint32_t)(f->time_ns >> 32));
	put32(b.stream, (uint32_t)f->time_ns);
	put32(b.stream, (uint32_t)f->captured);
	put32(b.stream, (uint32_t)f->length);
	put_padded(b.stream, f->bytes, f->captured);
	put_option(b.stream, OPTION_COMMENT, f->comment, strlen(f->comment));
	put_option(b.stream, OPTION_FLAGS, &flags, sizeof flags);
	block_end(p, &b, BLOCK_PACKET);
}
