/*
 * The independent witness of bench/truth: joins ctnetlink's NEW and DESTROY groups in the network namespace it is started in and writes one line
 * for each event, in the order of the kernel's queue. It shares no code with the service.
 *
 * A line has 21 fields with tabs between them: N or D; time of the event, of the flow's start and stop, ns since the Unix epoch (0 = not stated);
 * status; port id of the requester; packets and bytes of the original and of the reply direction ("-" = not stated); then what identifies the flow:
 * id, zone, protocol, source, source port, destination, destination port, and the same four of the reply. ICMP has its id as source port, and
 * type * 256 + code as destination port.
 *
 * Lines go to DIRECTORY/events.000001 and so on, a new file each --segment bytes. It ends at SIGTERM or SIGINT once its queue is empty, with one line
 * of JSON on stdout. What it lost itself is in there, as the kernel counts it: with that above 0 it is no witness, and the exit code is 2.
 */
#define _GNU_SOURCE
#define DATAGRAMS 256
#include "listener.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>

enum {
	TIMESTAMP_EVENT = 27, /* CTA_TIMESTAMP_EVENT, Linux 6.14; not in the headers of older ones */
};

struct tuple {
	int family;
	unsigned char source[16], destination[16];
	unsigned int protocol, source_port, destination_port;
};

struct event {
	struct tuple original, reply;
	uint64_t time, start, stop, counters[4];
	uint32_t id, status;
	unsigned int zone;
	bool has_counters[2];
};

struct counts {
	unsigned long created, destroyed, other, malformed, untimed;
};

static const char *directory;
static FILE *segment;
static long segment_bytes = 64 << 20;
static unsigned int segments;

static void next_segment(void)
{
	char path[4096];

	if (segment && fclose(segment) != 0)
		fail("writing a segment");
	snprintf(path, sizeof(path), "%s/events.%06u", directory, ++segments);
	segment = fopen(path, "we");
	if (!segment || setvbuf(segment, NULL, _IOFBF, 1 << 20) != 0)
		fail("opening %s", path);
}

static uint64_t big_endian(const struct nlattr *attribute)
{
	const unsigned char *bytes = (const unsigned char *)attribute + NLA_HDRLEN;
	uint64_t value = 0;

	for (int i = 0; i < attribute->nla_len - NLA_HDRLEN && i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* The next attribute of a stretch, or NULL at its end. */
static const struct nlattr *next(const unsigned char **at, const unsigned char *end)
{
	const struct nlattr *attribute = (const void *)*at;

	if (end - *at < NLA_HDRLEN || attribute->nla_len < NLA_HDRLEN || attribute->nla_len > end - *at)
		return NULL;
	*at += NLA_ALIGN(attribute->nla_len) > end - *at ? end - *at : NLA_ALIGN(attribute->nla_len);
	return attribute;
}

#define FOR_EACH(attribute, from, to) \
	for (const unsigned char *at_ = (from), *end_ = (to); (attribute = next(&at_, end_));)
#define FOR_EACH_NESTED(attribute, parent) \
	FOR_EACH(attribute, (const unsigned char *)(parent) + NLA_HDRLEN, (const unsigned char *)(parent) + (parent)->nla_len)
#define TYPE(attribute) ((attribute)->nla_type & NLA_TYPE_MASK)

static void read_address(const struct nlattr *attribute, int family, unsigned char *address, struct tuple *tuple)
{
	size_t length = family == AF_INET ? 4 : 16;

	if ((size_t)attribute->nla_len < NLA_HDRLEN + length)
		return;
	tuple->family = family;
	memcpy(address, (const unsigned char *)attribute + NLA_HDRLEN, length);
}

static void read_tuple(const struct nlattr *parent, struct tuple *tuple)
{
	const struct nlattr *part, *field;

	FOR_EACH_NESTED(part, parent) {
		FOR_EACH_NESTED(field, part) {
			if (TYPE(part) == CTA_TUPLE_IP) {
				switch (TYPE(field)) {
				case CTA_IP_V4_SRC: read_address(field, AF_INET, tuple->source, tuple); break;
				case CTA_IP_V4_DST: read_address(field, AF_INET, tuple->destination, tuple); break;
				case CTA_IP_V6_SRC: read_address(field, AF_INET6, tuple->source, tuple); break;
				case CTA_IP_V6_DST: read_address(field, AF_INET6, tuple->destination, tuple); break;
				}
			} else if (TYPE(part) == CTA_TUPLE_PROTO) {
				unsigned int value = (unsigned int)big_endian(field);

				switch (TYPE(field)) {
				case CTA_PROTO_NUM: tuple->protocol = value; break;
				case CTA_PROTO_SRC_PORT: case CTA_PROTO_ICMP_ID: case CTA_PROTO_ICMPV6_ID: tuple->source_port = value; break;
				case CTA_PROTO_DST_PORT: tuple->destination_port = value; break;
				case CTA_PROTO_ICMP_TYPE: case CTA_PROTO_ICMPV6_TYPE: tuple->destination_port |= value << 8; break;
				case CTA_PROTO_ICMP_CODE: case CTA_PROTO_ICMPV6_CODE: tuple->destination_port |= value; break;
				}
			}
		}
	}
}

static void read_counters(const struct nlattr *parent, struct event *event, int direction)
{
	const struct nlattr *field;

	event->has_counters[direction] = true;
	FOR_EACH_NESTED(field, parent) {
		if (TYPE(field) == CTA_COUNTERS_PACKETS)
			event->counters[2 * direction] = big_endian(field);
		else if (TYPE(field) == CTA_COUNTERS_BYTES)
			event->counters[2 * direction + 1] = big_endian(field);
	}
}

static void read_times(const struct nlattr *parent, struct event *event)
{
	const struct nlattr *field;

	FOR_EACH_NESTED(field, parent) {
		if (TYPE(field) == CTA_TIMESTAMP_START)
			event->start = big_endian(field);
		else if (TYPE(field) == CTA_TIMESTAMP_STOP)
			event->stop = big_endian(field);
	}
}

static bool read_event(const struct nlmsghdr *message, struct event *event)
{
	const unsigned char *begin = (const unsigned char *)message + NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	const struct nlattr *attribute;

	*event = (struct event){ 0 };
	if (message->nlmsg_len < NLMSG_HDRLEN + sizeof(struct nfgenmsg))
		return false;
	FOR_EACH(attribute, begin, (const unsigned char *)message + message->nlmsg_len) {
		switch (TYPE(attribute)) {
		case CTA_TUPLE_ORIG: read_tuple(attribute, &event->original); break;
		case CTA_TUPLE_REPLY: read_tuple(attribute, &event->reply); break;
		case CTA_STATUS: event->status = (uint32_t)big_endian(attribute); break;
		case CTA_COUNTERS_ORIG: read_counters(attribute, event, 0); break;
		case CTA_COUNTERS_REPLY: read_counters(attribute, event, 1); break;
		case CTA_ID: event->id = (uint32_t)big_endian(attribute); break;
		case CTA_ZONE: event->zone = (unsigned int)big_endian(attribute); break;
		case CTA_TIMESTAMP: read_times(attribute, event); break;
		case TIMESTAMP_EVENT: event->time = big_endian(attribute); break;
		}
	}
	return event->original.family && event->reply.family;
}

static void write_tuple(const struct tuple *tuple)
{
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];

	inet_ntop(tuple->family, tuple->source, source, sizeof(source));
	inet_ntop(tuple->family, tuple->destination, destination, sizeof(destination));
	fprintf(segment, "\t%s\t%u\t%s\t%u", source, tuple->source_port, destination, tuple->destination_port);
}

static void write_event(char kind, uint32_t port_id, const struct event *event)
{
	fprintf(segment, "%c\t%llu\t%llu\t%llu\t%u\t%u", kind, (unsigned long long)event->time, (unsigned long long)event->start,
		(unsigned long long)event->stop, event->status, port_id);
	for (int i = 0; i < 4; i++) {
		if (event->has_counters[i / 2])
			fprintf(segment, "\t%llu", (unsigned long long)event->counters[i]);
		else
			fputs("\t-", segment);
	}
	fprintf(segment, "\t%u\t%u\t%u", event->id, event->zone, event->original.protocol);
	write_tuple(&event->original);
	write_tuple(&event->reply);
	fputc('\n', segment);
}

static void record_datagram(const void *data, unsigned int length, struct counts *counts)
{
	const struct nlmsghdr *message = data;
	struct event event;

	for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
		bool created = message->nlmsg_type == MESSAGE_NEW && message->nlmsg_flags & NLM_F_CREATE;

		if (!created && message->nlmsg_type != MESSAGE_DESTROY) {
			counts->other++;
			continue;
		}
		if (!read_event(message, &event)) {
			counts->malformed++;
			continue;
		}
		if (created)
			counts->created++;
		else
			counts->destroyed++;
		if (!event.time)
			counts->untimed++;
		write_event(created ? 'N' : 'D', message->nlmsg_pid, &event);
	}
}

/* Until asked to stop and, after that, until the queue is empty. */
static void record_all(int fd, struct counts *counts)
{
	for (;;) {
		int received = recvmmsg(fd, datagrams, DATAGRAMS, stopping ? MSG_DONTWAIT : MSG_WAITFORONE, NULL);

		if (received < 0) {
			if (errno == EAGAIN)
				return;
			if (errno == EINTR)
				continue;
			fail("receiving events");
		}
		for (int i = 0; i < received; i++)
			record_datagram(buffers[i], datagrams[i].msg_len, counts);
		if (fflush(segment) != 0)
			fail("writing a segment");
		if (ftell(segment) >= segment_bytes)
			next_segment();
		if (received < DATAGRAMS && !stopping)
			usleep(1000); /* so that the next receive finds more: half the CPU time */
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "buffer", required_argument, NULL, 'b' }, { "segment", required_argument, NULL, 's' }, { 0 },
	};
	int receive_buffer = 0x3fffffff; /* the most it takes; the kernel doubles it */
	struct counts counts = { 0 };

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'b': receive_buffer = (int)number_argument("--buffer", optarg, 1, 0x3fffffff); break;
		case 's': segment_bytes = number_argument("--segment", optarg, 1, 1L << 40); break;
		default: optind = argc + 1;
		}
	}
	if (optind != argc - 1) {
		fprintf(stderr, "usage: recorder [--buffer BYTES] [--segment BYTES] DIRECTORY\n");
		return 2;
	}
	directory = argv[optind];
	prepare_vectors();
	catch_signals();
	next_segment();

	int events = join_events(receive_buffer);

	fprintf(stderr, "ready\n");
	record_all(events, &counts);
	if (fclose(segment) != 0)
		fail("writing a segment");
	printf("{\"new\":%lu,\"destroy\":%lu,\"other\":%lu,\"malformed\":%lu,\"untimed\":%lu,\"lost\":%u}\n",
	       counts.created, counts.destroyed, counts.other, counts.malformed, counts.untimed, drops(events));
	return drops(events) || counts.malformed || counts.untimed ? 2 : 0;
}
