/*
 * httpload - viewers of segments over HTTP, many and cheap.
 *
 *   httpload ll     -p 8080 -u /live/cam/tracks-v1a1/mono.ll.m3u8 -n 1000 -d 10 -P <server pid>
 *   httpload dash   -p 8080 -u /live/cam/index.mpd    -n 1000 -d 10 -P <server pid>
 *   httpload lldash -p 8080 -u /live/cam/index.ll.mpd -n 1000 -d 10 -P <server pid>
 *   httpload seek   -p 8080 -u /vod/film.mp4/tracks-v1a1/mono.m3u8 -n 200 -d 20 -P <server pid>
 *
 * One process, one thread, one epoll loop. Each viewer has kept connections of its own, one for lists and one for each
 * kind of media, and asks as players do:
 *
 * ll      a blocking reload after the other, and each new part beside them;
 * dash    the MPD once in -i seconds, and each new segment of the first two adaptation sets;
 * lldash  the same, of segments that still grow and come in chunks;
 * seek    a segment from anywhere in the film, a pause of -i seconds, and again.
 *
 * Viewers ask for compressed lists, as browsers do, and drop all bodies in the kernel (MSG_TRUNC). What stands in the
 * lists is read by one more viewer, the scout, who asks for plain text: all of them watch one stream, so what it has
 * read is what they have got. A viewer whose list came sooner than the scout's waits for that.
 *
 * Prints one JSON line. media: bodies that came; made: how many there were for each viewer; lat_ms: from the media
 * clock at the end of a part or segment to its last byte here, where that clock is the time since 1970.
 *
 * Build: gcc -O2 -Wall -o httpload httpload.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PIDS 32
#define MAX_KINDS 2        /* kinds of media: connections of a viewer beside that for lists */
#define RING 8192          /* parts or segments remembered: a film of hours has some thousands */
#define URI 200
#define HEAD_MAX 4096
#define LIST_MAX (1 << 20)
#define LAT_BUCKETS 10000  /* 1 ms each */
#define SCOUT_PERIOD 0.1

enum mode { M_LL, M_DASH, M_LLDASH, M_SEEK };
enum body { B_HEAD, B_LENGTH, B_CHUNK_SIZE, B_CHUNK, B_CHUNK_END, B_TRAILER };

struct viewer;
struct conn {
  int fd, busy, kind;      /* kind: -1 lists, else the kind of media */
  struct viewer *v;        /* NULL: the scout */
  enum body at;
  char head[HEAD_MAX]; int head_n;
  int status; uint64_t left;
};
struct viewer {
  struct conn list, media[MAX_KINDS];
  uint64_t list_k, media_k[MAX_KINDS], due_ns;
  int started, playing;
};
/* One part or segment: where it is, when it ends, and what to ask for to be told of it. */
struct piece { char uri[MAX_KINDS][URI]; char query[64]; double end_ms; };

static struct {
  enum mode mode; const char *url, *host; char folder[URI]; int port, n, ramp, pids[MAX_PIDS], npids;
  double settle, window, interval, timeout;
} opt = {.host = "127.0.0.1", .port = 8080, .n = 100, .ramp = 500, .settle = 3, .window = 10, .interval = 1,
         .timeout = 20};

static int ep, kinds = 1, measuring;
static struct viewer *viewers;
static struct piece ring[RING];
static uint64_t count;                 /* pieces seen by the scout; ring[count].query asks for the next */
static struct conn scout;
static char list[LIST_MAX + 1]; static size_t list_n;
static uint64_t scout_due;
static struct { uint64_t bytes, lists, media, errors, lat_n; } st;
static uint32_t lat[LAT_BUCKETS + 1];
static char sink[65536];
static char first_error[200];

static uint64_t now_ns(void) {
  struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}
static double wall_ms(void) {
  struct timespec t; clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}
static void die(const char *m) { perror(m); exit(1); }
static void fail(const char *what, const char *of) {
  st.errors++;
  if (!first_error[0]) snprintf(first_error, sizeof first_error, "%s %.120s", what, of);
}

/* -------------------------------------------------------------- connections */
static void open_conn(struct conn *c, struct viewer *v, int kind) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(opt.port)};
  int one = 1;
  memset(c, 0, sizeof *c);
  c->v = v; c->kind = kind;
  inet_pton(AF_INET, opt.host, &a.sin_addr);
  if ((c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0) die("socket");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(c->fd, (struct sockaddr *)&a, sizeof a)) die("connect");   /* loopback: at once */
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e)) die("epoll_ctl");
}
static void ask(struct conn *c, const char *path, const char *query) {
  char line[900];
  const char *coding = c->v && c->kind < 0 ? "Accept-Encoding: gzip, deflate\r\n" : "";
  int n = snprintf(line, sizeof line, "GET %s%s HTTP/1.1\r\nHost: %s:%d\r\nAccept: */*\r\n%s\r\n", path, query,
                   opt.host, opt.port, coding);
  if (c->fd < 0) return;
  c->busy = 1; c->at = B_HEAD; c->head_n = 0;
  /* A request is far smaller than the buffer of a socket on which nothing else is under way. */
  if (n >= (int)sizeof line || send(c->fd, line, n, MSG_NOSIGNAL) != n) { fail("not sent:", path); c->busy = 0; }
}
static void drop(struct conn *c, const char *why) {
  fail(why, c->kind < 0 ? "(a list)" : "(media)");
  close(c->fd); c->fd = -1; c->busy = 0;
}

/* ---------------------------------------------------------------- the scout */
static void absolute(char *out, const char *uri, size_t n) {
  size_t at = uri[0] == '/' ? 0 : strlen(opt.folder);
  if (at + n >= URI) { fprintf(stderr, "too long an address: %.*s\n", (int)n, uri); exit(1); }
  memcpy(out, opt.folder, at); memcpy(out + at, uri, n); out[at + n] = 0;
}
static const char *newest_uri(void) { return count ? ring[(count - 1) % RING].uri[0] : ""; }

/* RFC 8216bis: the parts of a media playlist that come behind the newest known, and what to ask for after them. */
static void read_parts(void) {
  char uri[URI];
  uint64_t msn = 0; int part = 0, is_new = 0; double end = 0;
  char *known = count ? strstr(list, strrchr(newest_uri(), '/') + 1) : NULL;
  for (char *l = list, *nl; (nl = strchr(l, '\n')); l = nl + 1) {
    if (!strncmp(l, "#EXT-X-MEDIA-SEQUENCE:", 22)) msn = strtoull(l + 22, NULL, 10);
    else if (!strncmp(l, "#EXT-X-PROGRAM-DATE-TIME:", 25)) {
      struct tm t = {0}; char *rest = strptime(l + 25, "%Y-%m-%dT%H:%M:%S", &t);
      end = timegm(&t) * 1e3 + (rest && *rest == '.' ? strtod(rest, NULL) * 1e3 : 0);
    } else if (!strncmp(l, "#EXT-X-PART:", 12)) {
      char *d = strstr(l, "DURATION="), *u = strstr(l, "URI=\"");
      if (!d || !u || d > nl || u > nl) continue;
      end += strtod(d + 9, NULL) * 1e3; part++;
      absolute(uri, u + 5, strcspn(u + 5, "\""));
      if (known && u < known) continue;
      /* At the start only the last part is news. */
      struct piece *p = &ring[count % RING];
      memcpy(p->uri[0], uri, URI); p->end_ms = end;
      is_new = 1;
      if (known || !strstr(nl, "\n#EXT-X-PART:")) count++;
    } else if (*l != '#' && *l != '\n') { msn++; part = 0; }
    if (is_new) snprintf(ring[count % RING].query, 64, "?_HLS_msn=%llu&_HLS_part=%d", (unsigned long long)msn, part);
  }
}
static double attribute(const char *from, const char *to, const char *name, double otherwise) {
  const char *at = strstr(from, name);
  return at && at < to ? strtod(at + strlen(name), NULL) : otherwise;
}
/* ISO/IEC 23009-1 section 5.3.9: the segments of the last Period that are later than the newest known. */
static void read_mpd(void) {
  static double newest = -1;
  char *period = NULL, *media[MAX_KINDS] = {0};
  for (char *p = list; (p = strstr(p, "<Period")); p++) period = p;
  if (!period) return;
  for (char *p = period; (p = strstr(p, "media=\"")); p++) {
    int k = 0; while (k < MAX_KINDS && media[k]) k++;
    if (k < MAX_KINDS) media[k] = p + 7;
  }
  char *timeline = strstr(period, "<SegmentTimeline>"), *end = timeline ? strstr(timeline, "</SegmentTimeline>") : NULL;
  if (!end || !media[0]) return;
  kinds = media[1] ? 2 : 1;
  double scale = attribute(period, end, " timescale=\"", 1), t = 0;
  int is_first = newest < 0;
  for (char *s = timeline; (s = strstr(s, "<S ")) && s < end; s++) {
    char *close = strchr(s, '>');
    double d = attribute(s, close, " d=\"", 0);
    t = attribute(s, close, " t=\"", t);
    for (int r = attribute(s, close, " r=\"", 0); r >= 0; r--, t += d) {
      if (t <= newest) continue;
      newest = t;
      struct piece *p = &ring[count % RING];
      p->end_ms = (t + d) * 1e3 / scale;
      for (int k = 0; k < kinds; k++) {
        char uri[URI]; size_t n = strcspn(media[k], "\""); char *hole = strstr(media[k], "$Time$");
        if (!hole || hole > media[k] + n || n > 120) return;
        snprintf(uri, URI, "%.*s%.0f%.*s", (int)(hole - media[k]), media[k], t, (int)(n - (hole - media[k]) - 6), hole + 6);
        absolute(p->uri[k], uri, strlen(uri));
      }
      count++;
    }
  }
  /* Who joins does not want the past. */
  if (is_first) for (struct viewer *v = viewers; v < viewers + opt.n; v++) v->list_k = count;
}
static void read_film(void) {
  for (char *l = list, *nl; (nl = strchr(l, '\n')); l = nl + 1)
    if (*l != '#' && *l != '\n' && count < RING) absolute(ring[count++].uri[0], l, nl - l);
}
static void scout_asks(void) {
  list_n = 0;
  ask(&scout, opt.url, opt.mode == M_LL && count ? ring[count % RING].query : "");
}
static void scout_has(void) {
  list[list_n] = 0;
  if (opt.mode == M_LL) read_parts(); else if (opt.mode == M_SEEK) read_film(); else read_mpd();
  if (opt.mode == M_LL && count) scout_asks();
  else if (opt.mode != M_SEEK) scout_due = now_ns() + SCOUT_PERIOD * 1e9;
}

/* ------------------------------------------------------------------ viewers */
static uint64_t random_piece(void) { return ((uint64_t)random() << 16 ^ random()) % count; }

/* Asks for whatever may be asked for now. */
static void advance(struct viewer *v, uint64_t now) {
  if (!v->started || !count) return;
  if (opt.mode == M_SEEK) {
    if (v->media[0].busy || now < v->due_ns) return;
    ask(&v->media[0], ring[random_piece() % RING].uri[0], "");
    return;
  }
  if (v->list_k + RING / 2 < count) { fail("a viewer is far behind", ""); v->list_k = v->media_k[0] = v->media_k[1] = count; }
  if (opt.mode == M_LL) {
    if (!v->list.busy && v->list_k <= count) ask(&v->list, opt.url, ring[v->list_k % RING].query);
  } else if (!v->list.busy && now >= v->due_ns) {
    ask(&v->list, opt.url, "");
    v->due_ns = now + opt.interval * 1e9;
  }
  for (int k = 0; k < kinds; k++) {
    uint64_t next = v->media_k[k];
    if (!v->media[k].busy && next < v->list_k && next < count) ask(&v->media[k], ring[next % RING].uri[k], "");
  }
}
static void start_viewer(struct viewer *v, uint64_t now) {
  /* Who seeks asks for no list again, and a connection on which nothing is asked is closed with an error after a while. */
  if (opt.mode != M_SEEK) open_conn(&v->list, v, -1);
  for (int k = 0; k < kinds; k++) open_conn(&v->media[k], v, k);
  for (int k = 0; k < MAX_KINDS; k++) v->media_k[k] = count;
  v->list_k = count; v->started = 1;
  v->due_ns = opt.mode == M_LL ? 0 : now + random() % (uint64_t)(opt.interval * 1e9 + 1);
}

static void answered(struct conn *c) {
  uint64_t now = now_ns();
  c->busy = 0; c->at = B_HEAD; c->head_n = 0;
  if (c->status != 200) { char s[16]; snprintf(s, sizeof s, "%d", c->status); fail("an answer was", s); }
  if (!c->v) {
    if (c->status == 200) scout_has(); else scout_due = now + SCOUT_PERIOD * 1e9;
    for (int i = 0; i < opt.n; i++) advance(&viewers[i], now);
    return;
  }
  struct viewer *v = c->v;
  if (c->kind < 0) {
    st.lists += measuring;
    if (opt.mode == M_LL) v->list_k++; else v->list_k = count;
  } else {
    v->playing = 1; st.media += measuring;
    double late = wall_ms() - ring[v->media_k[c->kind] % RING].end_ms;
    if (opt.mode == M_SEEK) v->due_ns = now + opt.interval * 1e9;
    else if (measuring) {
      lat[late < 0 ? 0 : late >= LAT_BUCKETS ? LAT_BUCKETS : (int)late]++; st.lat_n++;
    }
    v->media_k[c->kind]++;
  }
  advance(v, now);
}

/* ----------------------------------------------------------------- answers */
static void read_head(struct conn *c) {
  c->head[c->head_n] = 0;
  c->status = atoi(c->head + 9);
  char *length = strcasestr(c->head, "\ncontent-length:");
  if (length) { c->at = B_LENGTH; c->left = strtoull(length + 16, NULL, 10); if (!c->left) answered(c); }
  else if (strcasestr(c->head, "\ntransfer-encoding: chunked")) { c->at = B_CHUNK_SIZE; c->head_n = 0; }
  else drop(c, "an answer without a length");
}
/* One line of the head, or of the chunked coding: byte by byte, they are short. */
static void take_byte(struct conn *c, char b) {
  if (c->head_n >= HEAD_MAX - 1) { drop(c, "too long a head"); return; }
  c->head[c->head_n++] = b;
  if (b != '\n') return;
  if (c->at == B_HEAD) {
    if (c->head_n >= 4 && !memcmp(c->head + c->head_n - 4, "\r\n\r\n", 4)) read_head(c);
    return;
  }
  int empty = c->head_n <= 2;
  if (c->at == B_CHUNK_SIZE) {
    c->left = strtoull(c->head, NULL, 16);
    c->at = c->left ? B_CHUNK : B_TRAILER;
  } else if (c->at == B_CHUNK_END) c->at = B_CHUNK_SIZE;
  else if (c->at == B_TRAILER && empty) { answered(c); return; }
  c->head_n = 0;
}
static void take_body(struct conn *c, const char *b, size_t n) {
  if (!c->v && b) {
    if (list_n + n > LIST_MAX) { fprintf(stderr, "the list is too long\n"); exit(1); }
    memcpy(list + list_n, b, n); list_n += n;
  }
  c->left -= n;
  if (c->left) return;
  if (c->at == B_CHUNK) { c->at = B_CHUNK_END; c->head_n = 0; } else answered(c);
}
static void readable(struct conn *c) {
  while (c->fd >= 0) {
    int body = c->at == B_LENGTH || c->at == B_CHUNK;
    /* A body is dropped in the kernel; a head is read with little behind it. */
    int trunc = body && c->v;
    size_t want = trunc ? c->left : c->v ? 1024 : sizeof sink;
    ssize_t n = trunc ? recv(c->fd, NULL, want, MSG_TRUNC) : recv(c->fd, sink, want, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) { drop(c, n ? strerror(errno) : "the server closed"); return; }
    if (c->v && measuring) st.bytes += n;
    if (trunc) { take_body(c, NULL, n); continue; }
    for (ssize_t i = 0; i < n && c->fd >= 0;) {
      if (c->at == B_LENGTH || c->at == B_CHUNK) {
        size_t some = (uint64_t)(n - i) < c->left ? (size_t)(n - i) : c->left;
        take_body(c, sink + i, some); i += some;
      } else take_byte(c, sink[i++]);
    }
  }
}

/* ----------------------------------------------------------- the measurement */
static void run_until(uint64_t end, int (*done)(void)) {
  struct epoll_event events[256];
  static uint64_t scanned; static int started; static uint64_t begun;
  for (uint64_t now = now_ns(); now < end && !(done && done()); now = now_ns()) {
    int n = epoll_wait(ep, events, 256, 5);
    for (int i = 0; i < n; i++) readable(events[i].data.ptr);
    now = now_ns();
    if (scout_due && now >= scout_due) { scout_due = 0; scout_asks(); }
    if (count && !begun) begun = now;
    while (begun && started < opt.n && started < 1 + (now - begun) / 1e9 * opt.ramp) start_viewer(&viewers[started++], now);
    if (now - scanned < 10000000) continue;
    scanned = now;
    for (int i = 0; i < started; i++) advance(&viewers[i], now);
  }
}
static int playing(void) { int p = 0; for (int i = 0; i < opt.n; i++) p += viewers[i].playing; return p; }
static int all_play(void) { return playing() == opt.n; }
static double server_cpu(void) {
  double s = 0;
  for (int i = 0; i < opt.npids; i++) {
    char path[64], text[1024]; unsigned long u, k;
    snprintf(path, sizeof path, "/proc/%d/stat", opt.pids[i]);
    FILE *f = fopen(path, "r"); if (!f) die(path);
    text[fread(text, 1, sizeof text - 1, f)] = 0; fclose(f);
    char *p = strrchr(text, ')');
    if (p && sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &u, &k) == 2)
      s += (double)(u + k) / sysconf(_SC_CLK_TCK);
  }
  return s;
}
static double own_cpu(void) {
  struct rusage r; getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}
static int percentile(double part) {
  uint64_t sum = 0;
  for (int i = 0; i <= LAT_BUCKETS; i++) if ((sum += lat[i]) > st.lat_n * part) return i;
  return 0;
}
static void options(int argc, char **argv) {
  const char *names[] = {"ll", "dash", "lldash", "seek"};
  int i, o; for (i = 0; i < 4 && argc > 1; i++) if (!strcmp(argv[1], names[i])) break;
  if (argc < 2 || i == 4) { fprintf(stderr, "httpload ll|dash|lldash|seek -p PORT -u PATH -n VIEWERS -d SECONDS\n"); exit(2); }
  opt.mode = i; optind = 2;
  while ((o = getopt(argc, argv, "p:u:n:d:w:r:i:P:t:")) != -1) switch (o) {
    case 'p': opt.port = atoi(optarg); break;
    case 'u': opt.url = optarg; break;
    case 'n': opt.n = atoi(optarg); break;
    case 'd': opt.window = atof(optarg); break;
    case 'w': opt.settle = atof(optarg); break;
    case 'r': opt.ramp = atoi(optarg); break;
    case 'i': opt.interval = atof(optarg); break;
    case 't': opt.timeout = atof(optarg); break;
    case 'P': for (char *p = strtok(optarg, ","); p && opt.npids < MAX_PIDS; p = strtok(NULL, ",")) opt.pids[opt.npids++] = atoi(p); break;
    default: exit(2);
  }
  if (!opt.url || opt.url[0] != '/' || strlen(opt.url) > 150 || opt.n < 1 || opt.ramp < 1) { fprintf(stderr, "bad -u, -n or -r\n"); exit(2); }
  snprintf(opt.folder, URI, "%.*s", (int)(strrchr(opt.url, '/') - opt.url) + 1, opt.url);
}
int main(int argc, char **argv) {
  options(argc, argv);
  if (!(viewers = calloc(opt.n, sizeof *viewers))) die("calloc");
  if ((ep = epoll_create1(EPOLL_CLOEXEC)) < 0) die("epoll_create1");
  open_conn(&scout, NULL, -1);
  scout_asks();
  run_until(now_ns() + (opt.timeout + (double)opt.n / opt.ramp) * 1e9, all_play);
  int began = playing();
  run_until(now_ns() + opt.settle * 1e9, NULL);
  memset(&st, 0, sizeof st); memset(lat, 0, sizeof lat); first_error[0] = 0;
  uint64_t t = now_ns(), before = count; double cpu = server_cpu(), own = own_cpu();
  measuring = 1;
  run_until(t + opt.window * 1e9, NULL);
  double sec = (now_ns() - t) / 1e9;
  cpu = server_cpu() - cpu; own = own_cpu() - own;
  for (char *p = first_error; *p; p++) if (*p == '"' || *p == '\\' || *p < 32) *p = ' ';
  printf("{\"n\":%d,\"playing\":%d,\"sec\":%.3f,\"bytes\":%llu,\"lists\":%llu,\"media\":%llu,\"made\":%llu,\"errors\":%llu,"
         "\"first_error\":\"%s\",\"lat_ms\":{\"p50\":%d,\"p99\":%d,\"n\":%llu},\"srv_cpu_s\":%.2f,"
         "\"srv_cpu_us_per_viewer_s\":%.2f,\"srv_cpu_s_per_GB\":%.4f,\"load_cpu_pct\":%.1f}\n",
         opt.n, began, sec, (unsigned long long)st.bytes, (unsigned long long)st.lists, (unsigned long long)st.media,
         (unsigned long long)(count - before) * kinds, (unsigned long long)st.errors, first_error, percentile(0.5), percentile(0.99),
         (unsigned long long)st.lat_n, cpu, cpu * 1e6 / opt.n / sec, st.bytes ? cpu / (st.bytes / 1e9) : 0, own / sec * 100);
  return 0;
}
