/* What the programs need of ctnetlink: socket, group numbers, message types. Sources: linux/netfilter/nfnetlink{,_conntrack,_compat}.h */
#ifndef CTNETLINK_H
#define CTNETLINK_H

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_NEW ((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_NEW)
#define MESSAGE_DESTROY ((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE)

/* linux/sock_diag.h: index of the drop counter in SO_MEMINFO */
enum { MEMINFO_DROPS = 8, MEMINFO_VARS = 9 };

__attribute__((noreturn, format(printf, 1, 2))) static inline void fail(const char *format, ...)
{
	int error = errno;
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, error ? ": %s\n" : "\n", strerror(error));
	exit(1);
}

static inline double monotonic_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline int open_netfilter_socket(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail("opening a netlink socket");
	return fd;
}

static inline void set_option(int fd, int level, int option, int value, const char *name)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		fail("setting %s to %d", name, value);
}

/* A whole number from min to max, or the end of the program: argument names the option in the message. */
static inline long number_argument(const char *option, const char *text, long min, long max)
{
	char *end;

	errno = 0;
	long value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max) {
		fprintf(stderr, "%s: '%s' is not a whole number from %ld to %ld\n", option, text, min, max);
		exit(2);
	}
	return value;
}

#endif
