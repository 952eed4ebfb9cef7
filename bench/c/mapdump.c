/*
 * The limit of a map audit: one dump of the connection table of the network namespace it is started in, every row thrown away, then one
 * scan of a pinned eBPF map by BPF_MAP_LOOKUP_BATCH, every entry thrown away. Nothing is compared, nothing kept.
 *
 * Reads both --times over and prints one line of JSON each time: rows, wall and CPU time (ms, user and system) of dump and scan; at the end
 * a line with the peak of its resident memory in KiB.
 */
#define _GNU_SOURCE
#include "ctnetlink.h"

#include <getopt.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <sys/syscall.h>

enum {
	ANSWER_BYTES = 32 << 10, /* the kernel fills no larger one in a dump */
	ENTRIES = 4096,
	MAX_SIZE = 64, /* of a key or a value */
};

struct cost {
	double wall, cpu; /* seconds */
};

static unsigned char answer[ANSWER_BYTES] __attribute__((aligned(8)));
static unsigned char keys[ENTRIES * MAX_SIZE], values[ENTRIES * MAX_SIZE];

static struct cost now(void)
{
	struct timespec cpu;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	return (struct cost){ monotonic_seconds(), (double)cpu.tv_sec + (double)cpu.tv_nsec * 1e-9 };
}

static struct cost since(struct cost then)
{
	struct cost cost = now();

	return (struct cost){ cost.wall - then.wall, cost.cpu - then.cpu };
}

/* False at the end of the dump. */
static bool count_rows(int length, unsigned long *rows)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)answer;

	for (; NLMSG_OK(message, (unsigned int)length); message = NLMSG_NEXT(message, length)) {
		if (message->nlmsg_type == NLMSG_DONE)
			return false;
		if (message->nlmsg_type == NLMSG_ERROR) {
			errno = -((const struct nlmsgerr *)NLMSG_DATA(message))->error;
			fail("dumping the connection table");
		}
		++*rows;
	}
	return true;
}

/* IPCTNL_MSG_CT_GET with NLM_F_DUMP: both families. */
static unsigned long dump(int fd)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
	} request = {
		.header = { sizeof(request), (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 },
		.family = { AF_UNSPEC, NFNETLINK_V0, 0 },
	};
	unsigned long rows = 0;
	ssize_t length;

	if (send(fd, &request, sizeof(request), 0) < 0)
		fail("asking for a dump");
	do {
		length = recv(fd, answer, sizeof(answer), 0);
		if (length < 0)
			fail("receiving a dump");
	} while (count_rows((int)length, &rows));
	return rows;
}

static long bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
	return syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int open_map(const char *path)
{
	union bpf_attr get = { .pathname = (uint64_t)(uintptr_t)path, .file_flags = BPF_F_RDONLY };
	int fd = (int)bpf(BPF_OBJ_GET, &get);
	struct bpf_map_info info = { 0 };

	if (fd < 0)
		fail("opening %s", path);
	union bpf_attr ask = { .info = { .bpf_fd = (uint32_t)fd, .info_len = sizeof(info), .info = (uint64_t)(uintptr_t)&info } };

	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &ask) < 0 || info.key_size > MAX_SIZE || info.value_size > MAX_SIZE)
		fail("%s is no map, or one with keys or values of more than %d bytes", path, MAX_SIZE);
	return fd;
}

static unsigned long scan(int fd)
{
	uint32_t bucket = 0;
	unsigned long entries = 0;

	for (bool first = true;; first = false) {
		union bpf_attr batch = { .batch = {
			.in_batch = first ? 0 : (uint64_t)(uintptr_t)&bucket, .out_batch = (uint64_t)(uintptr_t)&bucket,
			.keys = (uint64_t)(uintptr_t)keys, .values = (uint64_t)(uintptr_t)values, .count = ENTRIES, .map_fd = (uint32_t)fd,
		} };
		long result = bpf(BPF_MAP_LOOKUP_BATCH, &batch);

		if (result < 0 && errno != ENOENT) /* ENOENT: these are the last */
			fail("reading the map");
		entries += batch.batch.count;
		if (result < 0)
			return entries;
	}
}

/* VmHWM in KiB; ru_maxrss would be that of the program before exec(2), if that was larger. */
static long peak_memory(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	long peak = -1;

	while (status && peak < 0 && fgets(line, sizeof(line), status))
		sscanf(line, "VmHWM: %ld", &peak);
	if (peak < 0)
		fail("reading /proc/self/status");
	fclose(status);
	return peak;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "pin", required_argument, NULL, 'p' }, { "times", required_argument, NULL, 't' }, { 0 } };
	const char *pin = NULL;
	long times = 1;

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'p': pin = optarg; break;
		case 't': times = number_argument("--times", optarg, 1, 1000000); break;
		default: pin = NULL; optind = argc + 1;
		}
	}
	if (!pin || optind != argc) {
		fprintf(stderr, "usage: mapdump --pin PATH [--times N]\n");
		return 2;
	}

	int map = open_map(pin);

	for (long i = 0; i < times; i++) {
		struct cost began = now();
		int table = open_netfilter_socket();
		unsigned long rows = dump(table);

		close(table);
		struct cost dumping = since(began);

		began = now();
		unsigned long entries = scan(map);
		struct cost scanning = since(began);

		printf("{\"rows\":%lu,\"entries\":%lu,\"dump_wall_ms\":%.3f,\"dump_cpu_ms\":%.3f,\"scan_wall_ms\":%.3f,\"scan_cpu_ms\":%.3f}\n", rows,
		       entries, dumping.wall * 1e3, dumping.cpu * 1e3, scanning.wall * 1e3, scanning.cpu * 1e3);
	}

	printf("{\"peak_kib\":%ld}\n", peak_memory());
	return 0;
}
