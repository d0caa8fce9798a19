/*
 * rtmpload - a low-overhead load generator for live media servers.
 *
 *   rtmpload play -p 1935 -a live -s cam -n 100,500 -d 10 -P <server pid>
 *   rtmpload flv  -p 8080 -u /live/cam.flv -n 100 -d 10 -P <server pid>
 *   rtmpload pub  -p 1935 -a live -s cam -n 1 -f src.flv -d 3600 [-S]
 *   rtmpload churn -p 1935 -a live -s cam -n 100000 [-C 200] [-P <server pid>]
 *
 * One process, one thread, one epoll loop, any number of connections.
 *
 * play/flv open connections in steps (-n takes a list), wait until all of them
 * receive media, let the server settle (-w), then measure a window (-d) and
 * print one JSON line a step: bytes and messages received, stalls, delivery
 * latency, and, for the processes in -P, CPU seconds and resident memory over
 * the same window.
 *
 * Only the first K connections (-k) are parsed message by message; all others
 * are drained with recv(MSG_TRUNC), which drops the bytes in the kernel without
 * copying them, so that the generator stays cheap beside the server under test.
 *
 * pub publishes a FLV file in real time, looped, as -n streams (name0..nameN-1
 * when N > 1). With -S the last 12 bytes of each video message are overwritten
 * by a magic and the monotonic send time, from which players on the same
 * machine compute the delivery latency. (This damages the pictures: only for
 * servers that relay and do not decode.) It prints {"publishing":N} once all
 * of them publish, and its result when the time is over or at SIGTERM.
 *
 * play -Z makes players that stop reading as soon as media has begun: nothing
 * is measured of them but how many the server has kept at the end of -d.
 *
 * churn makes -n connections, at most -C at a time, and drops each: one third
 * once TCP is connected, one third in the commands, one third when media has
 * come. Every other one ends with a reset. They come from 16 addresses
 * (127.0.0.1 to 127.0.0.16), so that ports in TIME_WAIT suffice.
 *
 * Build: gcc -O2 -Wall -o rtmpload rtmpload.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_PIDS 32
#define MAX_STEPS 32
#define MAX_CS 64          /* RTMP chunk streams tracked a connection */
#define CMD_MAX 4096       /* command messages longer than this are cut */
#define TAIL 12            /* stamp: 4 bytes magic + 8 bytes ns */
#define RBUF (512 * 1024)
#define LAT_BUCKETS 4000   /* 1 ms each */

static const uint8_t MAGIC[4] = {0xfe, 0xed, 0xbe, 0xa7};

enum mode { M_PLAY, M_FLV, M_PUB, M_CHURN };
enum state { S_CONNECTING, S_HANDSHAKE, S_COMMANDS, S_MEDIA, S_DEAD };

/* ------------------------------------------------------------------ options */
static struct {
  enum mode mode;
  const char *host, *app, *stream, *url, *file;
  int port, steps[MAX_STEPS], nsteps, ramp, parse_k, stamp, stall_ms, frozen, at_once;
  double settle, window, timeout;
  int pids[MAX_PIDS], npids;
  const char *label;
} opt = {.host = "127.0.0.1", .app = "live", .stream = "cam", .port = 1935, .ramp = 500, .parse_k = 8,
         .stall_ms = 1000, .settle = 3, .window = 10, .timeout = 20, .at_once = 200, .label = ""};

/* -------------------------------------------------------------- connections */
struct cs { uint32_t len, got, ts; uint8_t type, ext; };

struct conn {
  int fd, id;
  enum state state;
  int parse;               /* parse every message, or drain in the kernel */
  int playing;             /* has received media */
  uint64_t bytes, acked, last_ns;      /* last_ns: when the last byte came */
  uint64_t clock_ns;                   /* publisher: when its media time was 0 */
  uint32_t ack_window, chunk_in, stream_id;
  /* incremental RTMP parser */
  uint8_t hdr[24]; int hdr_n;          /* partial chunk header, or handshake count */
  uint32_t hs_n; uint8_t *hs;
  struct cs *cs; int cur; uint32_t chunk_left;
  uint8_t cmd[CMD_MAX]; uint32_t cmd_n;
  uint8_t tail[TAIL]; uint32_t tail_n;
  /* incremental HTTP / FLV parser */
  int http_state; uint32_t http_match; int chunked; uint64_t http_left;
  char line[256]; int line_n;
  int flv_state; uint32_t flv_n, flv_len; uint8_t flv_hdr[16]; uint8_t flv_type;
  /* publisher */
  uint8_t *out; size_t out_n, out_off; size_t pos; uint64_t loop;
};

static int ep;
static struct conn **conns; static int nconns;
static uint8_t *rbuf;
static struct { uint64_t bytes, av, video, audio, stalls, errors, lat_n; } st;
static uint32_t lat[LAT_BUCKETS + 1];
static int measuring;
static volatile sig_atomic_t stopped;  /* SIGTERM, SIGINT: end the window now */

static uint64_t now_ns(void) {
  struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}
static void die(const char *m) { perror(m); exit(1); }

/* ------------------------------------------------------------------- output */
static int flush_out(struct conn *c) {
  while (c->out_off < c->out_n) {
    ssize_t r = send(c->fd, c->out + c->out_off, c->out_n - c->out_off, MSG_NOSIGNAL);
    if (r < 0) { if (errno == EAGAIN) break; return -1; }
    c->out_off += r;
  }
  if (c->out_off == c->out_n) { c->out_off = c->out_n = 0; }
  return 0;
}
static void put(struct conn *c, const void *p, size_t n) {
  c->out = realloc(c->out, c->out_n + n);
  memcpy(c->out + c->out_n, p, n); c->out_n += n;
}
static uint8_t *be24(uint8_t *p, uint32_t v) { p[0] = v >> 16; p[1] = v >> 8; p[2] = v; return p + 3; }
static uint8_t *be32(uint8_t *p, uint32_t v) { p[0] = v >> 24; p[1] = v >> 16; p[2] = v >> 8; p[3] = v; return p + 4; }
static uint32_t rd24(const uint8_t *p) { return p[0] << 16 | p[1] << 8 | p[2]; }
static uint32_t rd32(const uint8_t *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }

#define OUT_CHUNK 60000
static void put_msg(struct conn *c, int csid, uint32_t ts, int type, uint32_t sid, const uint8_t *p, uint32_t n,
                    uint32_t chunk) {
  uint8_t h[16], *q = h;
  uint32_t t = ts >= 0xffffff ? 0xffffff : ts;
  *q++ = csid; q = be24(q, t); q = be24(q, n); *q++ = type;
  *q++ = sid; *q++ = sid >> 8; *q++ = sid >> 16; *q++ = sid >> 24;
  if (t == 0xffffff) q = be32(q, ts);
  put(c, h, q - h);
  for (uint32_t o = 0; o < n;) {
    uint32_t k = n - o < chunk ? n - o : chunk;
    put(c, p + o, k); o += k;
    if (o < n) { uint8_t x[5]; x[0] = 0xc0 | csid; int m = 1; if (t == 0xffffff) { be32(x + 1, ts); m = 5; } put(c, x, m); }
  }
}
static uint8_t *amf_str(uint8_t *p, const char *s) { size_t n = strlen(s); *p++ = 2; *p++ = n >> 8; *p++ = n; memcpy(p, s, n); return p + n; }
static uint8_t *amf_key(uint8_t *p, const char *s) { size_t n = strlen(s); *p++ = n >> 8; *p++ = n; memcpy(p, s, n); return p + n; }
static uint8_t *amf_num(uint8_t *p, double d) { union { double d; uint64_t u; } x = {d}; *p++ = 0; for (int i = 56; i >= 0; i -= 8) *p++ = x.u >> i; return p; }

static void send_connect(struct conn *c) {
  uint8_t b[1024], *p = b; char tc[256];
  snprintf(tc, sizeof tc, "rtmp://%s:%d/%s", opt.host, opt.port, opt.app);
  p = amf_str(p, "connect"); p = amf_num(p, 1); *p++ = 3;
  p = amf_key(p, "app"); p = amf_str(p, opt.app);
  p = amf_key(p, "flashVer"); p = amf_str(p, opt.mode == M_PUB ? "FMLE/3.0" : "LNX 9,0,124,2");
  p = amf_key(p, "tcUrl"); p = amf_str(p, tc);
  p = amf_key(p, "objectEncoding"); p = amf_num(p, 0);
  *p++ = 0; *p++ = 0; *p++ = 9;
  put_msg(c, 3, 0, 20, 0, b, p - b, 128);
}
static void send_create(struct conn *c) {
  uint8_t b[64], *p = b;
  p = amf_str(p, "createStream"); p = amf_num(p, 2); *p++ = 5;
  put_msg(c, 3, 0, 20, 0, b, p - b, 128);
}
static void stream_name(struct conn *c, char *s, size_t n) {
  if (opt.mode == M_PUB && opt.steps[0] > 1) snprintf(s, n, "%s%d", opt.stream, c->id);
  else snprintf(s, n, "%s", opt.stream);
}
static void send_play(struct conn *c) {
  uint8_t b[512], *p = b; char s[128]; stream_name(c, s, sizeof s);
  p = amf_str(p, "play"); p = amf_num(p, 3); *p++ = 5; p = amf_str(p, s);
  put_msg(c, 8, 0, 20, c->stream_id, b, p - b, 128);
}
static void send_publish(struct conn *c) {
  uint8_t b[512], *p = b; char s[128]; stream_name(c, s, sizeof s);
  uint8_t k[4]; be32(k, OUT_CHUNK); put_msg(c, 2, 0, 1, 0, k, 4, 128);
  p = amf_str(p, "publish"); p = amf_num(p, 3); *p++ = 5; p = amf_str(p, s); p = amf_str(p, "live");
  put_msg(c, 3, 0, 20, c->stream_id, b, p - b, OUT_CHUNK);
}

/* ------------------------------------------------------------------- events */
static void kill_conn(struct conn *c) {
  if (c->state == S_DEAD) return;
  st.errors++; close(c->fd); c->state = S_DEAD;
}
static void media(struct conn *c, int type) {
  c->playing = 1;
  if (measuring) { st.av++; if (type == 9) st.video++; else st.audio++; }
  if (type == 9 && c->tail_n == TAIL && !memcmp(c->tail, MAGIC, 4) && measuring) {
    uint64_t t = (uint64_t)rd32(c->tail + 4) << 32 | rd32(c->tail + 8);
    uint64_t ms = (now_ns() - t) / 1000000;
    lat[ms > LAT_BUCKETS ? LAT_BUCKETS : ms]++; st.lat_n++;
  }
}
/* keep the last TAIL bytes of a message that arrives in pieces */
static void tail_add(struct conn *c, const uint8_t *p, uint32_t n) {
  if (n >= TAIL) { memcpy(c->tail, p + n - TAIL, TAIL); c->tail_n = TAIL; return; }
  uint32_t keep = c->tail_n + n > TAIL ? TAIL - n : c->tail_n;
  memmove(c->tail, c->tail + c->tail_n - keep, keep);
  memcpy(c->tail + keep, p, n); c->tail_n = keep + n;
}

/* --------------------------------------------------------------------- RTMP */
static void rtmp_command(struct conn *c) {
  uint8_t *p = c->cmd; uint32_t n = c->cmd_n;
  if (n < 3 || p[0] != 2) return;
  uint32_t k = p[1] << 8 | p[2];
  if (n < 3 + k + 9) return;
  uint8_t *q = p + 3 + k + 1; union { double d; uint64_t u; } x; x.u = 0;
  for (int i = 0; i < 8; i++) x.u = x.u << 8 | q[i];
  q += 8;
  if (k == 7 && !memcmp(p + 3, "_result", 7)) {
    if (x.d == 1) send_create(c);
    else if (x.d == 2 && q + 10 <= p + n) {
      union { double d; uint64_t u; } y; y.u = 0;
      for (int i = 0; i < 8; i++) y.u = y.u << 8 | q[2 + i];
      c->stream_id = y.d;
      if (opt.mode == M_PUB) send_publish(c); else send_play(c);
    }
  } else if (k == 6 && !memcmp(p + 3, "_error", 6)) kill_conn(c);
  else if (k == 8 && !memcmp(p + 3, "onStatus", 8)) {
    if (memmem(p, n, "NetStream.Publish.Start", 23)) { c->state = S_MEDIA; c->clock_ns = now_ns(); }
    if (memmem(p, n, "NetStream.Publish.Bad", 21) || memmem(p, n, ".Failed", 7)) kill_conn(c);
  }
}
static void rtmp_message(struct conn *c, struct cs *s) {
  switch (s->type) {
    case 1: if (c->cmd_n >= 4) c->chunk_in = rd32(c->cmd) & 0x7fffffff; break;
    case 5: if (c->cmd_n >= 4) c->ack_window = rd32(c->cmd); break;
    case 20: rtmp_command(c); break;
    case 8: case 9: media(c, s->type); break;
  }
}
static void rtmp_feed(struct conn *c, const uint8_t *p, size_t n) {
  const uint8_t *e = p + n;
  while (p < e && c->state != S_DEAD) {
    if (c->chunk_left) {
      struct cs *s = &c->cs[c->cur];
      uint32_t k = (size_t)(e - p) < c->chunk_left ? (uint32_t)(e - p) : c->chunk_left;
      if (s->type == 8 || s->type == 9) tail_add(c, p, k);
      else { uint32_t m = c->cmd_n + k > CMD_MAX ? CMD_MAX - c->cmd_n : k; memcpy(c->cmd + c->cmd_n, p, m); c->cmd_n += m; }
      p += k; c->chunk_left -= k; s->got += k;
      if (s->got == s->len) { rtmp_message(c, s); s->got = 0; c->cmd_n = 0; c->tail_n = 0; }
      continue;
    }
    /* chunk header: gather until complete */
    c->hdr[c->hdr_n++] = *p++;
    static const int HL[4] = {11, 7, 3, 0};
    int fmt = c->hdr[0] >> 6, id = c->hdr[0] & 63;
    int basic = id == 0 ? 2 : id == 1 ? 3 : 1;
    int need = basic + HL[fmt];
    if (c->hdr_n < need) continue;
    if (basic == 2) id = 64 + c->hdr[1]; else if (basic == 3) id = 64 + c->hdr[1] + c->hdr[2] * 256;
    struct cs *s = &c->cs[id % MAX_CS];
    uint8_t *h = c->hdr + basic;
    if (c->hdr_n == need) {
      if (fmt < 3) s->ext = rd24(h) == 0xffffff;
      if (s->ext) continue;
    } else if (c->hdr_n < need + 4) continue;
    if (fmt < 2) { s->len = rd24(h + 3); s->type = h[6]; }
    c->cur = id % MAX_CS; c->hdr_n = 0;
    uint32_t left = s->len - s->got;
    c->chunk_left = left < c->chunk_in ? left : c->chunk_in;
    if (!c->chunk_left) { rtmp_message(c, s); s->got = 0; }
  }
}
static void rtmp_input(struct conn *c, const uint8_t *p, size_t n) {
  if (c->state == S_HANDSHAKE) {
    uint32_t k = 3073 - c->hs_n < n ? 3073 - c->hs_n : n;
    memcpy(c->hs + c->hs_n, p, k); c->hs_n += k; p += k; n -= k;
    if (c->hs_n < 3073) return;
    put(c, c->hs + 1, 1536); free(c->hs); c->hs = NULL;
    send_connect(c); c->state = S_COMMANDS;
  }
  if (n) rtmp_feed(c, p, n);
}

/* ----------------------------------------------------------------- HTTP-FLV */
static void flv_feed(struct conn *c, const uint8_t *p, size_t n) {
  while (n) {
    uint32_t need = c->flv_state == 0 ? 13 : c->flv_state == 1 ? 11 : c->flv_len;
    uint32_t k = need - c->flv_n < n ? need - c->flv_n : n;
    if (c->flv_state < 2) memcpy(c->flv_hdr + c->flv_n, p, k);
    else { /* data + 4 bytes of previous tag size: leave those out of the tail */
      uint32_t data = c->flv_len - 4, d = c->flv_n < data ? (data - c->flv_n < k ? data - c->flv_n : k) : 0;
      if (d) tail_add(c, p, d);
    }
    c->flv_n += k; p += k; n -= k;
    if (c->flv_n < need) return;
    c->flv_n = 0;
    if (c->flv_state == 0) c->flv_state = 1;
    else if (c->flv_state == 1) { c->flv_type = c->flv_hdr[0] & 31; c->flv_len = rd24(c->flv_hdr + 1) + 4; c->flv_state = 2; c->tail_n = 0; }
    else { if (c->flv_type == 8 || c->flv_type == 9) media(c, c->flv_type); c->flv_state = 1; }
  }
}
static void http_input(struct conn *c, const uint8_t *p, size_t n) {
  while (n) {
    switch (c->http_state) {
      case 0: /* header lines */
        if (*p == '\n') {
          c->line[c->line_n] = 0;
          if (!strncasecmp(c->line, "HTTP/1.", 7) && !strstr(c->line, " 200")) { kill_conn(c); return; }
          if (!strncasecmp(c->line, "transfer-encoding:", 18) && strcasestr(c->line, "chunked")) c->chunked = 1;
          if (c->line_n == 0) c->http_state = c->chunked ? 1 : 9;
          c->line_n = 0;
        } else if (*p != '\r' && c->line_n < 255) c->line[c->line_n++] = *p;
        p++; n--; break;
      case 1: /* chunk size line */
        if (*p == '\n') { c->line[c->line_n] = 0; c->http_left = strtoull(c->line, 0, 16); c->line_n = 0; c->http_state = 2; }
        else if (*p != '\r' && c->line_n < 255) c->line[c->line_n++] = *p;
        p++; n--; break;
      case 2: { /* chunk data */
        size_t k = n < c->http_left ? n : c->http_left;
        flv_feed(c, p, k); p += k; n -= k; c->http_left -= k;
        if (!c->http_left) { c->http_state = 3; c->http_left = 2; }
        break; }
      case 3: p++; n--; if (!--c->http_left) c->http_state = 1; break;
      default: flv_feed(c, p, n); return;
    }
  }
}

/* ---------------------------------------------------------------- event loop */
static void on_connected(struct conn *c) {
  int e = 0; socklen_t l = sizeof e; getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &l);
  if (e) { kill_conn(c); return; }
  if (opt.mode == M_FLV) {
    char q[512]; int n = snprintf(q, sizeof q, "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUser-Agent: rtmpload\r\n\r\n", opt.url, opt.host, opt.port);
    put(c, q, n); c->state = S_MEDIA;
  } else {
    static uint8_t c01[1537]; c01[0] = 3; put(c, c01, sizeof c01);
    c->hs = malloc(3073); c->state = S_HANDSHAKE;
  }
}
static int is_gone(struct conn *c) {
  struct tcp_info i; socklen_t l = sizeof i;
  return getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &i, &l) < 0 || i.tcpi_state != TCP_ESTABLISHED;
}
static void on_input(struct conn *c) {
  uint64_t t = now_ns();
  if (opt.frozen && c->playing) { if (is_gone(c)) kill_conn(c); return; }
  for (;;) {
    /* drain unparsed connections in the kernel once they have begun to play */
    int drop = !c->parse && c->playing && opt.mode != M_PUB;
    ssize_t r = recv(c->fd, drop ? NULL : rbuf, RBUF, drop ? MSG_TRUNC : 0);
    if (r < 0 && errno == EAGAIN) break;
    if (r <= 0) { kill_conn(c); return; }
    c->bytes += r;
    if (measuring) st.bytes += r;
    if (c->playing && measuring && t - c->last_ns > (uint64_t)opt.stall_ms * 1000000ull) st.stalls++;
    c->last_ns = t;
    if (!drop) { if (opt.mode == M_FLV) http_input(c, rbuf, r); else rtmp_input(c, rbuf, r); }
    if (c->state == S_DEAD || (opt.frozen && c->playing)) return;
    if (r < RBUF) break;
  }
  if (c->ack_window && c->bytes - c->acked >= c->ack_window) {
    uint8_t b[4]; be32(b, (uint32_t)c->bytes); c->acked = c->bytes; put_msg(c, 2, 0, 3, 0, b, 4, 128);
  }
  if (c->out_n && flush_out(c) < 0) kill_conn(c);
}
static struct conn *open_conn(int id) {
  struct conn *c = calloc(1, sizeof *c);
  c->id = id; c->chunk_in = 128; c->parse = id < opt.parse_k || opt.mode == M_PUB;
  c->cs = calloc(MAX_CS, sizeof *c->cs);
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); if (c->fd < 0) die("socket");
  int one = 1; setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (opt.frozen) { int small = 64 << 10; setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small); }
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(opt.port)};
  if (opt.mode == M_CHURN) {
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + id % 16)};
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(c->fd, (void *)&from, sizeof from) < 0) die("bind");
  }
  inet_pton(AF_INET, opt.host, &a.sin_addr);
  if (connect(c->fd, (void *)&a, sizeof a) < 0 && errno != EINPROGRESS) die("connect");
  struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
  if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) < 0) die("epoll_ctl");
  return c;
}
static void poll_once(int ms) {
  struct epoll_event ev[256];
  int n = epoll_wait(ep, ev, 256, ms);
  for (int i = 0; i < n; i++) {
    struct conn *c = ev[i].data.ptr;
    if (c->state == S_DEAD) continue;
    if (c->state == S_CONNECTING && ev[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) on_connected(c);
    if (c->state == S_DEAD) continue;
    if (c->out_n && flush_out(c) < 0) { kill_conn(c); continue; }
    if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) on_input(c);
  }
}
static void run_until(uint64_t t) { for (;;) { uint64_t n = now_ns(); if (n >= t || stopped) return; uint64_t d = (t - n + 999999) / 1000000; poll_once(d > 50 ? 50 : d); } }

/* --------------------------------------------------------- server accounting */
static void proc_usage(double *cpu, double *rss) {
  *cpu = *rss = 0;
  for (int i = 0; i < opt.npids; i++) {
    char f[64], b[1024]; snprintf(f, sizeof f, "/proc/%d/stat", opt.pids[i]);
    FILE *h = fopen(f, "r"); if (!h) continue;
    size_t n = fread(b, 1, sizeof b - 1, h); b[n] = 0; fclose(h);
    char *p = strrchr(b, ')'); unsigned long u, s; long r;
    if (p && sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %ld", &u, &s, &r) == 3) {
      *cpu += (double)(u + s) / sysconf(_SC_CLK_TCK);
      *rss += r * (double)sysconf(_SC_PAGESIZE) / 1048576;
    }
  }
}
static double self_cpu(void) {
  struct rusage r; getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}
static double lat_pct(double q) {
  uint64_t want = st.lat_n * q, sum = 0;
  for (int i = 0; i <= LAT_BUCKETS; i++) { sum += lat[i]; if (sum > want) return i; }
  return 0;
}

static void play_steps(void) {
  double base_cpu, base_rss; proc_usage(&base_cpu, &base_rss);
  for (int s = 0; s < opt.nsteps; s++) {
    int want = opt.steps[s]; uint64_t t0 = now_ns();
    conns = realloc(conns, want * sizeof *conns);
    while (nconns < want) {
      conns[nconns] = open_conn(nconns); nconns++;
      
      poll_once(0);
      if (nconns % 10 == 0) run_until(now_ns() + 10ull * 1000000000ull / opt.ramp);
    }
    int playing = 0;
    while (!stopped && now_ns() - t0 < opt.timeout * 1e9) {
      run_until(now_ns() + 100000000ull);
      playing = 0; for (int i = 0; i < nconns; i++) playing += conns[i]->playing && conns[i]->state != S_DEAD;
      if (playing == nconns) break;
    }
    run_until(now_ns() + (uint64_t)(opt.settle * 1e9));
    double c0, r0, c1, r1, s0 = self_cpu(); proc_usage(&c0, &r0);
    memset(&st, 0, sizeof st); memset(lat, 0, sizeof lat);
    uint64_t a = now_ns(); measuring = 1; run_until(a + (uint64_t)(opt.window * 1e9)); measuring = 0;
    uint64_t b = now_ns(); proc_usage(&c1, &r1);
    double sec = (b - a) / 1e9, gb = st.bytes / 1e9;
    playing = 0; for (int i = 0; i < nconns; i++) playing += conns[i]->playing && conns[i]->state != S_DEAD;
    printf("{\"label\":\"%s\",\"n\":%d,\"playing\":%d,\"sec\":%.2f,\"GB\":%.3f,\"mbps_per_conn\":%.3f,\"parsed_msgs\":%lu,\"stalls\":%lu,"
           "\"errors\":%lu,\"lat_ms\":{\"p50\":%.0f,\"p90\":%.0f,\"p99\":%.0f,\"n\":%lu},\"srv_cpu_pct\":%.1f,\"srv_cpu_s_per_GB\":%.3f,"
           "\"srv_cpu_us_per_player_s\":%.1f,\"rss_mb\":%.1f,\"rss_kb_per_conn\":%.1f,\"load_cpu_pct\":%.1f}\n",
           opt.label, want, playing, sec, gb, playing ? gb * 8000 / sec / playing : 0, st.av, st.stalls, st.errors,
           lat_pct(.5), lat_pct(.9), lat_pct(.99), st.lat_n, 100 * (c1 - c0) / sec, gb > 0 ? (c1 - c0) / gb : 0,
           playing ? 1e6 * (c1 - c0) / sec / playing : 0, r1, playing ? (r1 - base_rss) * 1024 / playing : 0,
           100 * (self_cpu() - s0) / sec);
    fflush(stdout);
  }
}

/* -------------------------------------------------------------------- churn */
static void drop_conn(struct conn *c) {
  struct linger reset = {1, 0};
  if (c->id / 16 % 2) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (c->state != S_DEAD) close(c->fd);
  free(c->hs); free(c->cs); free(c->out); free(c);
}
static int is_due(struct conn *c, uint64_t now) {
  enum state until = c->id % 3 == 0 ? S_HANDSHAKE : c->id % 3 == 1 ? S_COMMANDS : S_MEDIA;
  if (c->state == S_DEAD || now > c->clock_ns + (uint64_t)(opt.timeout * 1e9)) { st.errors++; return 1; }
  return until == S_MEDIA ? c->playing : c->state >= until;
}
static void churn(void) {
  int want = opt.steps[0], made = 0, played = 0; double c0, r0, c1, r1;
  proc_usage(&c0, &r0);
  conns = calloc(opt.at_once, sizeof *conns); uint64_t t0 = now_ns();
  while ((made < want && !stopped) || nconns) {
    for (; nconns < opt.at_once && made < want && !stopped; made++) {
      struct conn *c = open_conn(made); c->clock_ns = now_ns(); c->parse = 1; conns[nconns++] = c;
    }
    poll_once(5);
    uint64_t now = now_ns();
    for (int i = nconns - 1; i >= 0; i--) if (is_due(conns[i], now) || stopped) {
      played += conns[i]->playing; drop_conn(conns[i]); conns[i] = conns[--nconns];
    }
  }
  double sec = (now_ns() - t0) / 1e9; proc_usage(&c1, &r1);
  printf("{\"made\":%d,\"played\":%d,\"errors\":%lu,\"sec\":%.2f,\"srv_cpu_us_per_conn\":%.1f,\"rss_mb_before\":%.1f,\"rss_mb_after\":%.1f}\n",
         made, played, st.errors, sec, made ? 1e6 * (c1 - c0) / made : 0, r0, r1);
}

/* ---------------------------------------------------------------- publisher */
static void pub(void) {
  int fd = open(opt.file, O_RDONLY); struct stat sb; if (fd < 0 || fstat(fd, &sb) < 0) die(opt.file);
  uint8_t *f = malloc(sb.st_size); if (read(fd, f, sb.st_size) != sb.st_size) die("read");
  size_t end = sb.st_size; uint32_t dur = 0;
  for (size_t p = 13; p + 15 <= end; p += 15 + rd24(f + p + 1)) { uint32_t ts = rd24(f + p + 4) | (uint32_t)f[p + 7] << 24; if (ts > dur) dur = ts; }
  dur += 40;
  int n = opt.steps[0]; conns = calloc(n, sizeof *conns);
  uint64_t t0 = now_ns(), sent = 0; int told = 0;
  for (; nconns < n; nconns++) { conns[nconns] = open_conn(nconns); run_until(now_ns() + 1000000000ull / opt.ramp); }
  uint8_t *tmp = malloc(4 << 20);
  while (!stopped && now_ns() - t0 < opt.window * 1e9) {
    uint64_t t = now_ns(); int live = 0;
    for (int i = 0; i < n; i++) {
      struct conn *c = conns[i];
      if (c->state != S_MEDIA) continue;
      live++;
      if (!c->pos) c->pos = 13;
      while (c->out_n < (8u << 20)) {
        if (c->pos + 15 > end) { c->pos = 13; c->loop++; }
        uint8_t *h = f + c->pos; uint32_t len = rd24(h + 1), ts = rd24(h + 4) | (uint32_t)h[7] << 24;
        uint64_t at = c->loop * dur + ts;
        if (c->clock_ns + at * 1000000ull > t) break;
        uint8_t *d = h + 11; int seq = len > 1 && ((h[0] == 9 && d[1] == 0) || (h[0] == 8 && d[1] == 0));
        if (!(c->loop && (seq || h[0] == 18))) {
          if (opt.stamp && h[0] == 9 && !seq && len > 64) {
            memcpy(tmp, d, len); uint8_t *q = tmp + len - TAIL; memcpy(q, MAGIC, 4);
            uint64_t s = now_ns(); be32(q + 4, s >> 32); be32(q + 8, (uint32_t)s); d = tmp;
          }
          if (h[0] == 18) { /* @setDataFrame */
            uint8_t *q = amf_str(tmp, "@setDataFrame"); memcpy(q, d, len);
            put_msg(c, 5, at, 18, c->stream_id, tmp, (q - tmp) + len, OUT_CHUNK);
          } else put_msg(c, h[0] == 9 ? 6 : 4, at, h[0], c->stream_id, d, len, OUT_CHUNK);
          sent += len;
        }
        c->pos += 15 + len;
      }
      if (c->out_n && flush_out(c) < 0) kill_conn(c);
    }
    if (live == n && !told) { told = 1; printf("{\"publishing\":%d}\n", n); fflush(stdout); }
    run_until(now_ns() + 4000000ull);
  }
  double conn_s = 0; uint64_t unsent = 0, end_ns = now_ns();
  for (int i = 0; i < n; i++) if (conns[i]->clock_ns) { conn_s += (end_ns - conns[i]->clock_ns) / 1e9; unsent += conns[i]->out_n - conns[i]->out_off; }
  int live = 0; for (int i = 0; i < n; i++) live += conns[i]->state == S_MEDIA;
  printf("{\"published\":%d,\"live_at_end\":%d,\"GB\":%.3f,\"sec\":%.2f,\"mbps_per_conn\":%.3f,\"cpu_s\":%.2f}\n", n, live, sent / 1e9, (end_ns - t0) / 1e9,
         conn_s > 0 && sent > unsent ? (sent - unsent) * 8e-6 / conn_s : 0, self_cpu());
}

static void usage(void) {
  fputs("usage: rtmpload play|flv|pub|churn [-H host] [-p port] [-a app] [-s stream] [-u /path.flv] [-f file.flv]\n"
        "  [-n N,N2,..] [-d window_s] [-w settle_s] [-r ramp/s] [-k parsed conns] [-t timeout_s] [-P pid,..] [-L label] [-S] [-Z] [-C at once]\n", stderr);
  exit(2);
}
static void on_stop(int number) { (void)number; stopped = 1; }
int main(int argc, char **argv) {
  if (argc < 2) usage();
  if (!strcmp(argv[1], "play")) opt.mode = M_PLAY; else if (!strcmp(argv[1], "flv")) opt.mode = M_FLV;
  else if (!strcmp(argv[1], "pub")) opt.mode = M_PUB;
  else if (!strcmp(argv[1], "churn")) opt.mode = M_CHURN; else usage();
  int o; optind = 2; opt.steps[0] = 1; opt.nsteps = 1;
  while ((o = getopt(argc, argv, "H:p:a:s:u:f:n:d:w:r:k:t:P:L:C:SZ")) != -1) switch (o) {
    case 'H': opt.host = optarg; break; case 'p': opt.port = atoi(optarg); break;
    case 'a': opt.app = optarg; break; case 's': opt.stream = optarg; break;
    case 'u': opt.url = optarg; break; case 'f': opt.file = optarg; break;
    case 'n': opt.nsteps = 0; for (char *t = strtok(optarg, ","); t && opt.nsteps < MAX_STEPS; t = strtok(0, ",")) opt.steps[opt.nsteps++] = atoi(t); break;
    case 'd': opt.window = atof(optarg); break; case 'w': opt.settle = atof(optarg); break;
    case 'r': opt.ramp = atoi(optarg); break; case 'k': opt.parse_k = atoi(optarg); break;
    case 't': opt.timeout = atof(optarg); break; case 'L': opt.label = optarg; break; case 'S': opt.stamp = 1; break;
    case 'Z': opt.frozen = 1; break; case 'C': opt.at_once = atoi(optarg); break;
    case 'P': for (char *t = strtok(optarg, ","); t && opt.npids < MAX_PIDS; t = strtok(0, ",")) opt.pids[opt.npids++] = atoi(t); break;
    default: usage();
  }
  if ((opt.mode == M_FLV && !opt.url) || (opt.mode == M_PUB && !opt.file)) usage();
  signal(SIGPIPE, SIG_IGN); signal(SIGTERM, on_stop); signal(SIGINT, on_stop);
  struct rlimit rl = {65536, 65536}; if (setrlimit(RLIMIT_NOFILE, &rl) < 0) { getrlimit(RLIMIT_NOFILE, &rl); rl.rlim_cur = rl.rlim_max; setrlimit(RLIMIT_NOFILE, &rl); }
  ep = epoll_create1(0); rbuf = malloc(RBUF);
  if (opt.mode == M_PUB) pub(); else if (opt.mode == M_CHURN) churn(); else play_steps();
  return 0;
}
