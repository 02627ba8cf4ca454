/* What was on the wire, and when: every echo request and reply on a link, by the kernel's nanosecond stamps.
 *
 *     wire LINK FILE
 *
 * Writes records of 16 bytes, in this machine's byte order: stamp in ns since 1970 (8), the address of the
 * target (4, network order), type of the ICMP packet (1), 0 (1), sequence number (2). Says "ready" when it
 * listens. On SIGTERM or SIGINT it prints how many packets it took and how many the kernel had to drop.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 256
#define SO_TIMESTAMPNS_KIND 35

static volatile sig_atomic_t over;

static void stop(int number) {
    (void)number;
    over = 1;
}

static int64_t stamp_of(struct msghdr *header) {
    for (struct cmsghdr *piece = CMSG_FIRSTHDR(header); piece; piece = CMSG_NXTHDR(header, piece))
        if (piece->cmsg_level == SOL_SOCKET && piece->cmsg_type == SO_TIMESTAMPNS_KIND) {
            struct timespec at;
            memcpy(&at, CMSG_DATA(piece), sizeof at);
            return at.tv_sec * 1000000000LL + at.tv_nsec;
        }
    return 0;
}

static void keep(FILE *file, unsigned char *packet, int length, struct msghdr *header) {
    int skip = (packet[0] & 15) * 4;
    if (packet[0] >> 4 != 4 || packet[9] != 1 || length < skip + 8) return;
    unsigned char *icmp = packet + skip, record[16] = {0};
    if (icmp[0] != 8 && icmp[0] != 0) return;
    int64_t stamp = stamp_of(header);
    memcpy(record, &stamp, 8);
    memcpy(record + 8, packet + (icmp[0] == 8 ? 16 : 12), 4);
    record[12] = icmp[0];
    uint16_t sequence = icmp[6] << 8 | icmp[7];
    memcpy(record + 14, &sequence, 2);
    fwrite(record, sizeof record, 1, file);
}

int main(int many, char **words) {
    if (many != 3) return 2;
    int sock = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)), bytes = 256 << 20, on = 1;
    struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    link.sll_ifindex = if_nametoindex(words[1]);
    FILE *file = fopen(words[2], "w");
    if (sock < 0 || !link.sll_ifindex || !file || bind(sock, (struct sockaddr *)&link, sizeof link)) {
        perror("wire");
        return 1;
    }
    setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    struct timeval patience = {0, 200000};
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    struct sigaction act = {.sa_handler = stop};
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGINT, &act, NULL);
    static unsigned char packets[BATCH][96], stamps[BATCH][64];
    static struct iovec pieces[BATCH];
    static struct mmsghdr messages[BATCH];
    long taken = 0;
    puts("ready");
    fflush(stdout);
    for (int got = 0, last = 0; !last || got > 0;) {
        last = over; /* what has come in until then is still taken */
        for (int i = 0; i < BATCH; i++) {
            pieces[i] = (struct iovec){packets[i], sizeof packets[i]};
            messages[i].msg_hdr = (struct msghdr){NULL, 0, &pieces[i], 1, stamps[i], sizeof stamps[i], 0};
        }
        got = recvmmsg(sock, messages, BATCH, last ? MSG_DONTWAIT : MSG_WAITFORONE, NULL);
        for (int i = 0; i < got; i++) keep(file, packets[i], messages[i].msg_len, &messages[i].msg_hdr);
        if (got > 0) taken += got;
        if (!last) usleep(2000);
    }
    fclose(file);
    struct tpacket_stats seen = {0};
    socklen_t length = sizeof seen;
    getsockopt(sock, SOL_PACKET, PACKET_STATISTICS, &seen, &length);
    printf("{\"taken\": %ld, \"dropped\": %u}\n", taken, seen.tp_drops);
    return 0;
}
