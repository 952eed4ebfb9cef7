/*
 * The crude limit: the duties of the flow log in one thread of plain C. It joins ctnetlink's NEW and DESTROY groups, decodes each event,
 * keeps a table of the live flows and writes the JSON record that conntrack-stream writes for the same event. It knows what the storms
 * make, TCP and UDP over IPv4 and IPv6, and nothing of dumps, losses, repeated events or reloads. What costs the service more than this
 * program is the price of being exact, or waste.
 *
 * Once it has caught up, it writes what it has formatted and rests for --pause microseconds, so that the next receive finds more.
 *
 * "ready" on stderr says that it has joined. It ends at SIGTERM or SIGINT with one line of JSON on stdout.
 */
#define _GNU_SOURCE
#define DATAGRAMS 64
#include "listener.h"

#include <arpa/inet.h>
#include <endian.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/mman.h>

enum {
	MAX_FLOWS = 1 << 23,
	SLOTS = MAX_FLOWS * 2,    /* of the index */
	LOG_BYTES = 64 << 10,
	RECORD_BYTES = 2048,      /* more than the longest */
	TIMESTAMP_EVENT = 27,     /* CTA_TIMESTAMP_EVENT, linux 6.14 */
	NANOSECONDS = 1000000000,
};

struct tuple {
	uint8_t source[16], destination[16];       /* an IPv4 address in the first four bytes */
	uint16_t source_port, destination_port;    /* network order, as is zone */
	uint16_t zone;
	uint8_t protocol;
	uint8_t family;
};

struct counters {
	uint64_t packets, bytes;
};

struct event {
	struct tuple original, reply;
	struct counters sent, received;
	uint64_t start, stop, time;                /* ns since the epoch; 0 = not in the message */
	uint32_t ct_id, mark, status, timeout;
	uint8_t tcp_state;
	bool destroy, has_sent, has_received, has_state;
};

/* What a view of the table answers questions with. */
struct flow {
	struct tuple original, reply;
	uint64_t sequence, start;
	uint32_t ct_id, mark, status;
	uint32_t next_free;
};

static struct flow *flows;   /* [0] stands for none */
static uint32_t *slots;      /* number of a flow, 0 = empty; open addressing, the next slot is tried */
static uint32_t used_flows = 1, first_free;
static uint64_t sequence, instance;
static unsigned long created, destroyed, unknown;

static char *log_text;
static size_t log_used;
static int log_file = -1;
static bool logging;
static char host[65];
static size_t host_length;

/* ---- decoding ---- */

static uint32_t read_be32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return ntohl(value);
}

static uint64_t read_be64(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return be64toh(value);
}

/* One netlink attribute after the other: type, payload and its length, until the bytes end. */
struct attributes {
	const uint8_t *next, *end;
	const uint8_t *payload;
	int length;
	int type;
};

static bool next_attribute(struct attributes *in)
{
	struct nlattr header;

	if (in->end - in->next < NLA_HDRLEN)
		return false;
	memcpy(&header, in->next, sizeof(header));
	if (header.nla_len < NLA_HDRLEN || header.nla_len > in->end - in->next)
		return false;
	in->type = header.nla_type & NLA_TYPE_MASK;
	in->payload = in->next + NLA_HDRLEN;
	in->length = header.nla_len - NLA_HDRLEN;
	in->next += NLA_ALIGN(header.nla_len);
	return true;
}

static struct attributes inside(const struct attributes *nest)
{
	return (struct attributes){ .next = nest->payload, .end = nest->payload + nest->length };
}

static void read_addresses(struct attributes in, struct tuple *tuple)
{
	while (next_attribute(&in)) {
		switch (in.type) {
		case CTA_IP_V4_SRC: memcpy(tuple->source, in.payload, 4); tuple->family = AF_INET; break;
		case CTA_IP_V4_DST: memcpy(tuple->destination, in.payload, 4); break;
		case CTA_IP_V6_SRC: memcpy(tuple->source, in.payload, 16); tuple->family = AF_INET6; break;
		case CTA_IP_V6_DST: memcpy(tuple->destination, in.payload, 16); break;
		}
	}
}

static void read_ports(struct attributes in, struct tuple *tuple)
{
	while (next_attribute(&in)) {
		switch (in.type) {
		case CTA_PROTO_NUM: tuple->protocol = in.payload[0]; break;
		case CTA_PROTO_SRC_PORT: memcpy(&tuple->source_port, in.payload, 2); break;
		case CTA_PROTO_DST_PORT: memcpy(&tuple->destination_port, in.payload, 2); break;
		}
	}
}

static void read_tuple(struct attributes in, struct tuple *tuple)
{
	memset(tuple, 0, sizeof(*tuple));
	while (next_attribute(&in)) {
		switch (in.type) {
		case CTA_TUPLE_IP: read_addresses(inside(&in), tuple); break;
		case CTA_TUPLE_PROTO: read_ports(inside(&in), tuple); break;
		case CTA_TUPLE_ZONE: memcpy(&tuple->zone, in.payload, 2); break;
		}
	}
}

static void read_counters(struct attributes in, struct counters *counters)
{
	while (next_attribute(&in)) {
		if (in.type == CTA_COUNTERS_PACKETS)
			counters->packets = read_be64(in.payload);
		else if (in.type == CTA_COUNTERS_BYTES)
			counters->bytes = read_be64(in.payload);
	}
}

static void read_times(struct attributes in, struct event *event)
{
	while (next_attribute(&in)) {
		if (in.type == CTA_TIMESTAMP_START)
			event->start = read_be64(in.payload);
		else if (in.type == CTA_TIMESTAMP_STOP)
			event->stop = read_be64(in.payload);
	}
}

static void read_tcp_state(struct attributes in, struct event *event)
{
	while (next_attribute(&in)) {
		if (in.type != CTA_PROTOINFO_TCP)
			continue;
		for (struct attributes tcp = inside(&in); next_attribute(&tcp);) {
			if (tcp.type == CTA_PROTOINFO_TCP_STATE) {
				event->tcp_state = tcp.payload[0];
				event->has_state = true;
			}
		}
	}
}

static bool decode(const struct nlmsghdr *message, struct event *event)
{
	if (message->nlmsg_type != MESSAGE_NEW && message->nlmsg_type != MESSAGE_DESTROY)
		return false;
	const uint8_t *bytes = (const uint8_t *)message;
	struct attributes in = { .next = bytes + NLMSG_SPACE(sizeof(struct nfgenmsg)), .end = bytes + message->nlmsg_len };

	event->destroy = message->nlmsg_type == MESSAGE_DESTROY;
	event->has_sent = event->has_received = event->has_state = false;
	event->start = event->stop = event->time = 0;
	event->ct_id = event->mark = event->status = event->timeout = 0;
	while (next_attribute(&in)) {
		switch (in.type) {
		case CTA_TUPLE_ORIG: read_tuple(inside(&in), &event->original); break;
		case CTA_TUPLE_REPLY: read_tuple(inside(&in), &event->reply); break;
		case CTA_ID: event->ct_id = read_be32(in.payload); break;
		case CTA_STATUS: event->status = read_be32(in.payload); break;
		case CTA_MARK: event->mark = read_be32(in.payload); break;
		case CTA_TIMEOUT: event->timeout = read_be32(in.payload); break;
		case CTA_COUNTERS_ORIG: read_counters(inside(&in), &event->sent); event->has_sent = true; break;
		case CTA_COUNTERS_REPLY: read_counters(inside(&in), &event->received); event->has_received = true; break;
		case CTA_TIMESTAMP: read_times(inside(&in), event); break;
		case CTA_PROTOINFO: read_tcp_state(inside(&in), event); break;
		case TIMESTAMP_EVENT: event->time = read_be64(in.payload); break;
		}
	}
	return true;
}

/* ---- formatting ---- */

#define TEXT(at, literal) (memcpy(at, literal, sizeof(literal) - 1), (at) + sizeof(literal) - 1)

static char two_digits[100][2];
static char octets[256][4]; /* "255." */
static uint8_t octet_lengths[256];

static void prepare_digits(void)
{
	for (int i = 0; i < 100; i++) {
		two_digits[i][0] = (char)('0' + i / 10);
		two_digits[i][1] = (char)('0' + i % 10);
	}
	for (int i = 0; i < 256; i++) {
		char text[8];

		octet_lengths[i] = (uint8_t)snprintf(text, sizeof(text), "%d.", i);
		memcpy(octets[i], text, sizeof(octets[i]));
	}
}

static char *put_number(char *at, uint64_t value)
{
	char digits[20];
	int first = sizeof(digits);

	for (; value >= 100; value /= 100)
		memcpy(digits + (first -= 2), two_digits[value % 100], 2);
	if (value >= 10)
		memcpy(digits + (first -= 2), two_digits[value], 2);
	else
		digits[--first] = (char)('0' + value);
	memcpy(at, digits + first, sizeof(digits) - (size_t)first);
	return at + sizeof(digits) - first;
}

static char *put_hex(char *at, uint64_t value, int digits)
{
	for (int i = digits; i-- > 0; value >>= 4)
		at[i] = "0123456789abcdef"[value & 15];
	return at + digits;
}

static char *put_address(char *at, const uint8_t *address, uint8_t family)
{
	if (family == AF_INET6) {
		inet_ntop(AF_INET6, address, at, INET6_ADDRSTRLEN);
		return at + strlen(at);
	}
	for (int i = 0; i < 4; i++) {
		memcpy(at, octets[address[i]], sizeof(octets[0]));
		at += octet_lengths[address[i]];
	}
	return at - 1;
}

/* RFC 3339 in UTC with microseconds; the text of the second is kept, since most records of a batch share it. */
static char *put_time(char *at, uint64_t nanoseconds)
{
	static uint64_t second;
	static char text[sizeof("2026-01-01T00:00:00.")];

	if (second != nanoseconds / NANOSECONDS) {
		time_t seconds = (time_t)(second = nanoseconds / NANOSECONDS);
		struct tm parts;

		gmtime_r(&seconds, &parts);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.", &parts);
	}
	unsigned int microseconds = (unsigned int)(nanoseconds / 1000 % 1000000);

	memcpy(at, text, sizeof(text) - 1);
	at += sizeof(text) - 1;
	memcpy(at, two_digits[microseconds / 10000], 2);
	memcpy(at + 2, two_digits[microseconds / 100 % 100], 2);
	memcpy(at + 4, two_digits[microseconds % 100], 2);
	at[6] = 'Z';
	return at + 7;
}

static char *put_flow_id(char *at, uint64_t number)
{
	at = put_hex(at, instance >> 28, 8);
	*at++ = '-';
	at = put_hex(at, instance >> 12, 4);
	at = TEXT(at, "-8");
	at = put_hex(at, instance, 3);
	*at++ = '-';
	at = put_hex(at, 0x8000 | number >> 48, 4);
	*at++ = '-';
	return put_hex(at, number, 12);
}

static char *put_tuples(char *at, const struct tuple *original, const struct tuple *reply)
{
	at = put_address(TEXT(at, ",\"src\":\""), original->source, original->family);
	at = put_number(TEXT(at, "\",\"sport\":"), ntohs(original->source_port));
	at = put_address(TEXT(at, ",\"dst\":\""), original->destination, original->family);
	at = put_number(TEXT(at, "\",\"dport\":"), ntohs(original->destination_port));
	at = put_address(TEXT(at, ",\"reply_src\":\""), reply->source, reply->family);
	at = put_number(TEXT(at, "\",\"reply_sport\":"), ntohs(reply->source_port));
	at = put_address(TEXT(at, ",\"reply_dst\":\""), reply->destination, reply->family);
	at = put_number(TEXT(at, "\",\"reply_dport\":"), ntohs(reply->destination_port));

	bool snat = reply->destination_port != original->source_port || memcmp(reply->destination, original->source, 16);
	bool dnat = reply->source_port != original->destination_port || memcmp(reply->source, original->destination, 16);

	if (snat && dnat)
		return TEXT(at, ",\"nat\":\"both\"");
	if (snat)
		return TEXT(at, ",\"nat\":\"snat\"");
	return dnat ? TEXT(at, ",\"nat\":\"dnat\"") : TEXT(at, ",\"nat\":\"none\"");
}

static char *put_status(char *at, uint32_t status)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ IPS_EXPECTED, "\"EXPECTED\"," }, { IPS_SEEN_REPLY, "\"SEEN_REPLY\"," }, { IPS_ASSURED, "\"ASSURED\"," },
		{ IPS_CONFIRMED, "\"CONFIRMED\"," }, { IPS_SRC_NAT, "\"SRC_NAT\"," }, { IPS_DST_NAT, "\"DST_NAT\"," },
		{ IPS_SRC_NAT_DONE, "\"SRC_NAT_DONE\"," }, { IPS_DST_NAT_DONE, "\"DST_NAT_DONE\"," }, { IPS_DYING, "\"DYING\"," },
	};

	at = TEXT(at, ",\"status\":[");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (status & names[i].bit)
			at = stpcpy(at, names[i].name);
	}
	if (at[-1] == ',')
		at--;
	*at++ = ']';
	return at;
}

static char *put_tcp_state(char *at, uint8_t state)
{
	static const char *const names[] = {
		"NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2",
	};

	at = stpcpy(TEXT(at, ",\"tcp_state\":\""), names[state < sizeof(names) / sizeof(names[0]) ? state : 0]);
	*at++ = '"';
	return at;
}

static char *put_counters(char *at, const struct event *event)
{
	if (event->has_sent) {
		at = put_number(TEXT(at, ",\"tx_packets\":"), event->sent.packets);
		at = put_number(TEXT(at, ",\"tx_bytes\":"), event->sent.bytes);
	}
	if (event->has_received) {
		at = put_number(TEXT(at, ",\"rx_packets\":"), event->received.packets);
		at = put_number(TEXT(at, ",\"rx_bytes\":"), event->received.bytes);
	}
	return at;
}

static void write_log(void)
{
	for (size_t written = 0; written < log_used;) {
		ssize_t result = write(log_file, log_text + written, log_used - written);

		if (result < 0 && errno != EINTR)
			fail("writing the log");
		written += result > 0 ? (size_t)result : 0;
	}
	log_used = 0;
}

static void record(const struct event *event, const struct flow *flow, uint64_t now)
{
	uint64_t start = event->start ? event->start : flow->start, end = event->stop ? event->stop : now;
	char *at = log_text + log_used;

	at = put_time(TEXT(at, "{\"v\":1,\"time\":\""), event->time ? event->time : now);
	at = mempcpy(TEXT(at, "\",\"host\":\""), host, host_length);
	at = event->destroy ? TEXT(at, "\",\"event\":\"end\",\"flow_id\":\"") : TEXT(at, "\",\"event\":\"start\",\"flow_id\":\"");
	at = put_flow_id(at, flow->sequence);
	at = put_number(TEXT(at, "\",\"ct_id\":"), event->ct_id);
	at = put_number(TEXT(at, ",\"zone\":"), ntohs(event->original.zone));
	at = event->original.family == AF_INET6 ? TEXT(at, ",\"family\":\"ipv6\"") : TEXT(at, ",\"family\":\"ipv4\"");
	at = event->original.protocol == IPPROTO_TCP ? TEXT(at, ",\"proto\":\"tcp\",\"proto_num\":6")
						     : TEXT(at, ",\"proto\":\"udp\",\"proto_num\":17");
	at = put_tuples(at, &event->original, &event->reply);
	at = TEXT(at, ",\"direction\":\"unknown\"");
	if (event->mark)
		at = put_number(TEXT(at, ",\"mark\":"), event->mark);
	at = put_status(at, event->status);
	if (event->has_state)
		at = put_tcp_state(at, event->tcp_state);
	at = put_time(TEXT(at, ",\"start\":\""), start);
	*at++ = '"';
	if (event->destroy) {
		at = put_time(TEXT(at, ",\"end\":\""), end);
		at = put_number(TEXT(at, "\",\"duration_ms\":"), (end - start) / 1000000);
	}
	at = TEXT(put_counters(at, event), ",\"origin\":\"event\"}\n");
	log_used = (size_t)(at - log_text);
	if (log_used > LOG_BYTES)
		write_log();
}

/* ---- the table ---- */

static uint64_t hash(const struct tuple *tuple)
{
	uint64_t words[sizeof(*tuple) / sizeof(uint64_t)];
	uint64_t result = instance;

	memcpy(words, tuple, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		unsigned __int128 product = (unsigned __int128)(words[i] ^ result) * 0x9e3779b97f4a7c15u;

		result = (uint64_t)product ^ (uint64_t)(product >> 64);
	}
	return result;
}

static uint64_t home(const struct tuple *tuple)
{
	return hash(tuple) % SLOTS;
}

/* Empties a slot, and moves back what had to go on because of it. */
static void vacate(uint64_t slot)
{
	for (uint64_t next = (slot + 1) % SLOTS; slots[next]; next = (next + 1) % SLOTS) {
		uint64_t wanted = home(&flows[slots[next]].original);

		if ((next - wanted) % SLOTS >= (next - slot) % SLOTS) {
			slots[slot] = slots[next];
			slot = next;
		}
	}
	slots[slot] = 0;
}

static void apply_new(const struct event *event, uint64_t slot, uint64_t now)
{
	struct flow *flow = &flows[slots[slot]];

	if (!slots[slot]) {
		if (first_free) {
			flow = &flows[first_free];
			first_free = flow->next_free;
		} else if (used_flows < MAX_FLOWS) {
			flow = &flows[used_flows++];
		} else {
			errno = 0;
			fail("more than %d flows are alive", MAX_FLOWS - 1);
		}
		slots[slot] = (uint32_t)(flow - flows);
	}
	*flow = (struct flow){
		.original = event->original, .reply = event->reply, .sequence = ++sequence, .start = event->time ? event->time : now,
		.ct_id = event->ct_id, .mark = event->mark, .status = event->status,
	};
	if (logging)
		record(event, flow, now);
}

static void apply_destroy(const struct event *event, uint64_t slot, uint64_t now)
{
	struct flow *flow = &flows[slots[slot]];

	if (!slots[slot]) {
		unknown++;
		return;
	}
	if (logging)
		record(event, flow, now);
	vacate(slot);
	flow->next_free = first_free;
	first_free = (uint32_t)(flow - flows);
}

static void apply(const struct event *event, uint64_t slot, uint64_t now)
{
	while (slots[slot] && memcmp(&flows[slots[slot]].original, &event->original, sizeof(event->original)))
		slot = (slot + 1) % SLOTS;
	if (event->destroy) {
		destroyed++;
		apply_destroy(event, slot, now);
	} else {
		created++;
		apply_new(event, slot, now);
	}
}

/* ---- reading ---- */

static void apply_all(int received)
{
	static struct event events[DATAGRAMS];
	static uint64_t homes[DATAGRAMS];
	struct timespec time;
	int count = 0;

	clock_gettime(CLOCK_REALTIME, &time);
	for (int i = 0; i < received; i++) {
		const struct nlmsghdr *message = (struct nlmsghdr *)buffers[i];

		if (!NLMSG_OK(message, datagrams[i].msg_len) || !decode(message, &events[count]))
			continue;
		homes[count] = home(&events[count].original);
		__builtin_prefetch(&slots[homes[count++]]);
	}
	for (int i = 0; i < count; i++)
		__builtin_prefetch(&flows[slots[homes[i]]]);
	for (int i = 0; i < count; i++)
		apply(&events[i], homes[i], (uint64_t)time.tv_sec * NANOSECONDS + (uint64_t)time.tv_nsec);
}

static void read_all(int fd, long pause_us)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };

	while (!stopping) {
		int received = recvmmsg(fd, datagrams, DATAGRAMS, MSG_DONTWAIT, NULL);

		if (received < 0 && errno != EAGAIN && errno != EINTR)
			fail("receiving events");
		if (received > 0)
			apply_all(received);
		if (received == DATAGRAMS)
			continue;
		write_log();
		if (received > 0 && pause_us)
			nanosleep(&(struct timespec){ 0, pause_us * 1000 }, NULL);
		else
			poll(&readable, 1, 1000);
	}
}

static void *reserve(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		fail("reserving %zu bytes", bytes);
	return memory;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "buffer", required_argument, NULL, 'b' },
		{ "pause", required_argument, NULL, 'p' },
		{ "log", required_argument, NULL, 'l' },
		{ 0 },
	};
	int receive_buffer = 512 << 20;
	long pause_us = 1000;
	const char *path = NULL;

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'b': receive_buffer = (int)number_argument("--buffer", optarg, 1, 0x3fffffff); break;
		case 'p': pause_us = number_argument("--pause", optarg, 0, 999999); break;
		case 'l': path = optarg; break;
		default:
			fprintf(stderr, "usage: flowlog [--log FILE] [--buffer BYTES] [--pause MICROSECONDS]\n"
				"  without --log it keeps the table only\n");
			return 2;
		}
	}
	logging = path != NULL;
	if (logging && (log_file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640)) < 0)
		fail("opening %s", path);
	log_text = reserve(LOG_BYTES + RECORD_BYTES);
	flows = reserve(sizeof(*flows) * MAX_FLOWS);
	slots = reserve(sizeof(*slots) * SLOTS);
	instance = (uint64_t)(monotonic_seconds() * 1e9) * 0x9e3779b97f4a7c15u;
	gethostname(host, sizeof(host) - 1);
	host_length = strlen(host);
	prepare_digits();
	prepare_vectors();

	int events = join_events(receive_buffer);

	catch_signals();
	fprintf(stderr, "ready\n");
	read_all(events, pause_us);
	write_log();
	printf("{\"new\":%lu,\"destroy\":%lu,\"unknown\":%lu,\"lost\":%u}\n", created, destroyed, unknown, drops(events));
	return 0;
}
