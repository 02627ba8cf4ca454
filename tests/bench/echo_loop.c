/* The limit: what a ping costs when nothing but a C loop stands between the program and the kernel.
 *
 *     echo_loop [-r packets a second] [-n rounds] [-w ms] [-b batch] [-B bytes] [-q] ADDRESSES
 *
 * One raw socket, sendmmsg and recvmmsg, a filter in the kernel that passes our replies only, kernel
 * stamps, a random nonce of 16 bytes in each packet; a reply counts with the right source, identifier,
 * sequence number, nonce and window, once. No retries, no schedule, no judgement.
 * Without -r as fast as it can, reading between the batches. Prints one line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH_MAX 1024
#define NONCE 16
#define PAYLOAD 56
#define PACKET (8 + PAYLOAD)

struct target {
    struct sockaddr_in to;
    unsigned char nonce[NONCE];
    int64_t sent_ns, rtt_ns;
    int answered;
};

static struct target *targets;
static long count;
static uint16_t base;
static long answered;
static int64_t window_ns = 1000000000;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now_ns(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static uint16_t checksum(const unsigned char *data, int length) {
    uint32_t sum = 0;
    for (int place = 0; place < length; place += 2) sum += data[place] << 8 | data[place + 1];
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return htons(~sum & 0xffff);
}

static void read_targets(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    char line[64];
    long room = 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (count == room) targets = realloc(targets, (room = room ? 2 * room : 1024) * sizeof *targets);
        struct target *one = &targets[count];
        memset(one, 0, sizeof *one);
        one->to.sin_family = AF_INET;
        if (inet_pton(AF_INET, line, &one->to.sin_addr) == 1) count++;
    }
    fclose(file);
}

/* Echo replies whose identifier is one of ours: a target's place is (identifier - base) << 16 | sequence. */
static void filter(int sock) {
    uint16_t last = base + (count >> 16);
    struct sock_filter code[] = {
        {BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0},
        {BPF_LD | BPF_B | BPF_IND, 0, 0, 0},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 4, ICMP_ECHOREPLY},
        {BPF_LD | BPF_H | BPF_IND, 0, 0, 4},
        {BPF_JMP | BPF_JGE | BPF_K, 0, 2, base},
        {BPF_JMP | BPF_JGT | BPF_K, 1, 0, last},
        {BPF_RET | BPF_K, 0, 0, 0xffffffff},
        {BPF_RET | BPF_K, 0, 0, 0},
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)) fail("filter");
}

static void take(unsigned char *packet, int length, struct sockaddr_in *from, struct msghdr *header) {
    int skip = (packet[0] & 15) * 4;
    if (length < skip + 8 + NONCE) return;
    unsigned char *icmp = packet + skip;
    long place = (long)((icmp[4] << 8 | icmp[5]) - base) << 16 | icmp[6] << 8 | icmp[7];
    if (icmp[0] != ICMP_ECHOREPLY || place < 0 || place >= count) return;
    struct target *one = &targets[place];
    if (one->answered || !one->sent_ns || from->sin_addr.s_addr != one->to.sin_addr.s_addr) return;
    if (memcmp(icmp + 8, one->nonce, NONCE)) return;
    for (struct cmsghdr *piece = CMSG_FIRSTHDR(header); piece; piece = CMSG_NXTHDR(header, piece))
        if (piece->cmsg_level == SOL_SOCKET && piece->cmsg_type == SO_TIMESTAMPNS) {
            struct timespec came;
            memcpy(&came, CMSG_DATA(piece), sizeof came);
            one->rtt_ns = came.tv_sec * 1000000000LL + came.tv_nsec - one->sent_ns;
        }
    if (one->rtt_ns > window_ns) return;
    one->answered = 1;
    answered++;
}

static void drain(int sock, int batch) {
    static unsigned char packets[BATCH_MAX][256], stamps[BATCH_MAX][64];
    static struct sockaddr_in from[BATCH_MAX];
    static struct iovec pieces[BATCH_MAX];
    static struct mmsghdr messages[BATCH_MAX];
    int got;
    do {
        for (int i = 0; i < batch; i++) {
            pieces[i] = (struct iovec){packets[i], sizeof packets[i]};
            messages[i].msg_hdr = (struct msghdr){&from[i], sizeof from[i], &pieces[i], 1, stamps[i], 64, 0};
        }
        got = recvmmsg(sock, messages, batch, MSG_DONTWAIT, NULL);
        for (int i = 0; i < got; i++) take(packets[i], messages[i].msg_len, &from[i], &messages[i].msg_hdr);
    } while (got == batch);
}

static void send_some(int sock, long first, int many) {
    static unsigned char packets[BATCH_MAX][PACKET];
    static struct iovec pieces[BATCH_MAX];
    static struct mmsghdr messages[BATCH_MAX];
    for (int i = 0; i < many; i++) {
        struct target *one = &targets[first + i];
        uint16_t id = base + ((first + i) >> 16), seq = (first + i) & 0xffff;
        unsigned char *packet = packets[i];
        memset(packet, 0, PACKET);
        packet[0] = ICMP_ECHO;
        packet[4] = id >> 8, packet[5] = id, packet[6] = seq >> 8, packet[7] = seq;
        memcpy(packet + 8, one->nonce, NONCE);
        uint16_t sum = checksum(packet, PACKET);
        memcpy(packet + 2, &sum, 2);
        pieces[i] = (struct iovec){packet, PACKET};
        messages[i].msg_hdr = (struct msghdr){&one->to, sizeof one->to, &pieces[i], 1, NULL, 0, 0};
        one->sent_ns = now_ns(CLOCK_REALTIME);
        one->answered = 0;
    }
    for (int done = 0; done < many;) {
        int sent = sendmmsg(sock, messages + done, many - done, 0);
        if (sent < 0) fail("sendmmsg");
        done += sent;
    }
}

static void round_of_pings(int sock, int batch, double rate) {
    int64_t began = now_ns(CLOCK_MONOTONIC);
    for (long next = 0; next < count;) {
        int many = batch;
        if (rate > 0) {
            long due = (now_ns(CLOCK_MONOTONIC) - began) / 1e9 * rate + 1;
            many = due - next > batch ? batch : due - next;
            if (many <= 0) {
                struct timespec tick = {0, 10000000};
                nanosleep(&tick, NULL);
                drain(sock, batch);
                continue;
            }
        }
        if (many > count - next) many = count - next;
        send_some(sock, next, many);
        next += many;
        drain(sock, batch);
    }
}

static double seconds(struct timeval at) { return at.tv_sec + at.tv_usec / 1e6; }

int main(int many, char **words) {
    int option, batch = 64, bytes = 8 << 20, quiet = 0;
    long rounds = 1;
    double rate = 0;
    while ((option = getopt(many, words, "r:n:w:b:B:q")) != -1) switch (option) {
        case 'r': rate = atof(optarg); break;
        case 'n': rounds = atol(optarg); break;
        case 'w': window_ns = atol(optarg) * 1000000LL; break;
        case 'b': batch = atoi(optarg); break;
        case 'B': bytes = atoi(optarg); break;
        case 'q': quiet = 1; break;
        default: return 2;
    }
    if (optind >= many || batch < 1 || batch > BATCH_MAX) return 2;
    read_targets(words[optind]);
    base = 0x4000 | (getpid() & 0x1fff);
    int sock = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), on = 1;
    if (sock < 0) fail("socket");
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    filter(sock);
    int64_t began = now_ns(CLOCK_MONOTONIC);
    long sent = 0, found = 0;
    for (long turn = 0; turn < rounds; turn++) {
        answered = 0;
        for (long i = 0; i < count; i++)
            if (getrandom(targets[i].nonce, NONCE, 0) != NONCE) fail("getrandom");
        round_of_pings(sock, batch, rate);
        int64_t over = now_ns(CLOCK_MONOTONIC) + window_ns;
        while ((!rate || turn == rounds - 1) && answered < count && now_ns(CLOCK_MONOTONIC) < over) {
            struct pollfd ready = {sock, POLLIN, 0};
            poll(&ready, 1, 50);
            drain(sock, batch);
        }
        sent += count;
        found += answered;
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double wall = (now_ns(CLOCK_MONOTONIC) - began) / 1e9;
    if (!quiet)
        printf("{\"sent\": %ld, \"answered\": %ld, \"user_s\": %.6f, \"sys_s\": %.6f, \"wall_s\": %.6f}\n",
               sent, found, seconds(used.ru_utime), seconds(used.ru_stime), wall);
    return 0;
}
