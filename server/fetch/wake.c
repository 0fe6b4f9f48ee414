#include "server/fetch/wake.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int wake_open(void)
{
	sigset_t hang_up;

	sigemptyset(&hang_up);
	sigaddset(&hang_up, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &hang_up, NULL);
	return signalfd(-1, &hang_up, SFD_CLOEXEC | SFD_NONBLOCK);
}

void wake_wait(int wake, int other, guint seconds)
{
	gint64 deadline = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
	struct signalfd_siginfo info;
	int ready = -1;

	while (ready < 0) {
		struct pollfd both[] = { { .fd = wake, .events = POLLIN },
			{ .fd = other, .events = POLLIN } };
		gint64 left = MAX(0, (deadline - g_get_monotonic_time()) / 1000);

		ready = poll(both, G_N_ELEMENTS(both), (int)MIN(left, G_MAXINT));
		if (ready < 0 && errno != EINTR)
			return;
	}
	while (read(wake, &info, sizeof info) > 0)
		;
}
