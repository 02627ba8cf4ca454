/* A network that answers echo requests after a fixed time: a TUN device with this program behind it.
 *
 *     tun_reflector NAME DELAY_US SILENT_EVERY
 *
 * Answers each request DELAY_US after it was read, all in order, except those to addresses whose number
 * leaves 7 when divided by SILENT_EVERY (0: all answer). Says "ready" once the device is there.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define ROOM 65536
#define PACKET_MAX 512

static struct waiting {
    int64_t due_ns;
    int length;
    unsigned char packet[PACKET_MAX];
} ring[ROOM];

static int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

/* Turn a request into its reply; whether it is one that is answered. */
static int turn(unsigned char *packet, int length, unsigned silent_every) {
    int skip = (packet[0] & 15) * 4;
    if (packet[0] >> 4 != 4 || packet[9] != 1 || length < skip + 8 || packet[skip] != 8) return 0;
    uint32_t address;
    memcpy(&address, packet + 16, 4);
    if (silent_every && ntohl(address) % silent_every == 7) return 0;
    unsigned char source[4];
    memcpy(source, packet + 12, 4);
    memcpy(packet + 12, packet + 16, 4);
    memcpy(packet + 16, source, 4);
    packet[skip] = 0;
    uint32_t sum = (packet[skip + 2] << 8 | packet[skip + 3]) + 0x0800;
    sum = (sum & 0xffff) + (sum >> 16);
    packet[skip + 2] = sum >> 8, packet[skip + 3] = sum;
    return 1;
}

int main(int many, char **words) {
    if (many != 4) return 2;
    int64_t delay_ns = atol(words[2]) * 1000LL;
    unsigned silent_every = atoi(words[3]);
    int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    struct ifreq wanted = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    strncpy(wanted.ifr_name, words[1], IFNAMSIZ - 1);
    if (tun < 0 || ioctl(tun, TUNSETIFF, &wanted)) {
        perror("tun");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    uint32_t head = 0, tail = 0;
    for (;;) {
        int64_t left = head == tail ? -1 : ring[tail % ROOM].due_ns - now_ns();
        if (head != tail && left < 0) left = 0;
        struct timespec nap = {left / 1000000000, left % 1000000000};
        struct pollfd ready = {tun, POLLIN, 0};
        ppoll(&ready, 1, left < 0 ? NULL : &nap, NULL);
        while (head - tail < ROOM) {
            struct waiting *next = &ring[head % ROOM];
            next->length = read(tun, next->packet, PACKET_MAX);
            if (next->length <= 0) break;
            next->due_ns = now_ns() + delay_ns;
            if (turn(next->packet, next->length, silent_every)) head++;
        }
        for (int64_t now = now_ns(); head != tail && ring[tail % ROOM].due_ns <= now; tail++)
            while (write(tun, ring[tail % ROOM].packet, ring[tail % ROOM].length) < 0 && errno == EAGAIN)
                ;
    }
}
