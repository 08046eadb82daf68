/* guest-init - PID 1 of a lab guest. Mounts /dev and forks nothing, so that it is cheap when emulated. Every
   TICK_MS milliseconds it prints "tick NUMBER UPTIME". The number lives in memory only: NUMBER+1 after a save or a
   migration proves that the memory came along, 1 means a boot. It keeps rewriting DIRTY_KIB of memory per tick.
   As /sbin/poweroff and /sbin/reboot it is what the kernel runs when the host asks for a shutdown. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

static char dirty[32 << 20];

static long setting(const char *name, long otherwise) {
    const char *v = getenv(name); /* unknown words of the kernel's command line arrive as environment */
    return v && atol(v) > 0 ? atol(v) : otherwise;
}

static void say(int fd, const char *s) {
    if (write(fd, s, strlen(s)) < 0) { /* a console that is gone is nobody's business here */ }
}

int main(int argc, char **argv) {
    if (getpid() != 1) return reboot(strstr(argv[0], "poweroff") ? RB_POWER_OFF : RB_AUTOBOOT);
    if (mount("dev", "/dev", "devtmpfs", 0, 0)) return 1;
    int fd = open("/dev/console", O_WRONLY);
    long step = setting("TICK_MS", 200) * 1000000, pages = setting("DIRTY_KIB", 16) / 4;
    say(fd, "GUEST-UP\n");
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    size_t at = 0;
    for (unsigned long n = 1;; n++) {
        struct timespec now;
        char line[64];
        clock_gettime(CLOCK_MONOTONIC, &now);
        snprintf(line, sizeof line, "tick %lu %ld.%02ld\n", n, (long)now.tv_sec, now.tv_nsec / 10000000);
        say(fd, line);
        for (long i = 0; i < pages; i++, at = (at + 4096) % sizeof dirty) dirty[at] = n;
        next.tv_nsec += step;
        while (next.tv_nsec >= 1000000000) { next.tv_nsec -= 1000000000; next.tv_sec++; }
        /* after a pause no burst of late ticks */
        if (next.tv_sec < now.tv_sec || (next.tv_sec == now.tv_sec && next.tv_nsec < now.tv_nsec)) next = now;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
}
