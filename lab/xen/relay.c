/* relay PORT DIR - hand each new line of the guests' console logs in DIR (guest-NAME.log, as xenconsoled writes
   them) to the lab outside, as "NAME LINE" on the virtio port PORT. A guest that comes in by migration is logged as
   NAME--incoming; outside it is NAME. One process and no forks: it runs all the time on an emulated processor. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOGS = 64, ROOM = 4096 };
static struct {
    char file[256], guest[256], part[ROOM];
    size_t have;
    int fd;
} logs[LOGS];
static int n;

static void find(const char *dir) {
    DIR *d = opendir(dir);
    struct dirent *e;
    while (d && (e = readdir(d))) {
        size_t l = strlen(e->d_name);
        if (l < 11 || l > 200 || strncmp(e->d_name, "guest-", 6) || strcmp(e->d_name + l - 4, ".log")) continue;
        int i = 0;
        while (i < n && strcmp(logs[i].file, e->d_name)) i++;
        if (i < n || n == LOGS) continue;
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if ((logs[n].fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) continue;
        strcpy(logs[n].file, e->d_name);
        snprintf(logs[n].guest, sizeof logs[n].guest, "%.*s", (int)(l - 10), e->d_name + 6);
        char *in = strstr(logs[n].guest, "--incoming");
        if (in) *in = 0;
        n++;
    }
    if (d) closedir(d);
}

/* what came since the last look; a line is passed on once it is whole */
static int follow(int i, FILE *out) {
    size_t have = logs[i].have;
    ssize_t got = read(logs[i].fd, logs[i].part + have, ROOM - have);
    if (got <= 0) return 0;
    have += got;
    char *p = logs[i].part, *end = p + have, *nl;
    while ((nl = memchr(p, '\n', end - p))) {
        fprintf(out, "%s %.*s\n", logs[i].guest, (int)(nl - p), p);
        p = nl + 1;
    }
    if (p == logs[i].part && have == ROOM) p = end; /* no line is that long: drop it */
    memmove(logs[i].part, p, end - p);
    logs[i].have = end - p;
    return 1;
}

int main(int argc, char **argv) {
    FILE *out = argc == 3 ? fopen(argv[1], "w") : NULL;
    if (!out) return 1;
    /* what earlier boots logged was passed on then */
    find(argv[2]);
    for (int i = 0; i < n; i++) lseek(logs[i].fd, 0, SEEK_END);
    for (int round = 0;; round++) {
        if (round % 10 == 0) find(argv[2]);
        for (int i = 0; i < n; i++)
            while (follow(i, out)) { }
        if (fflush(out)) return 1;
        usleep(100000); /* a finer look would cost the emulated processor too much */
    }
}
