/* What it costs to append the media of many streams to files, and to sync them: the floor of recording.
 *
 * usage: appendfloor FOLDER STREAMS SECONDS GOP_SECONDS BYTES_PER_SECOND PIECES RECORD_BYTES
 *
 * Every GOP_SECONDS each stream appends one GOP to its media file, gathered from PIECES pieces as they lie in memory, and
 * RECORD_BYTES to its index, and syncs both, the media first; streams take turns over the time, as publishers do. Prints one line of JSON:
 * {"us_per_stream_s": CPU of this process, user and system}.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static double cpu_seconds(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static int open_file(const char *folder, int stream, const char *ending) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%d.%s", folder, stream, ending);
  int file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0644);
  if (file < 0) {
    perror(path);
    exit(1);
  }
  return file;
}

static void append(int file, const struct iovec *pieces, int count, size_t bytes) {
  if (writev(file, pieces, count) == (ssize_t)bytes) return;
  perror("writev");
  exit(1);
}

static void sync_file(int file) {
  if (fdatasync(file) == 0) return;
  perror("fdatasync");
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "usage: appendfloor FOLDER STREAMS SECONDS GOP_SECONDS BYTES_PER_SECOND PIECES RECORD_BYTES\n");
    return 2;
  }
  int streams = atoi(argv[2]), seconds = atoi(argv[3]), gop_seconds = atoi(argv[4]);
  int pieces = atoi(argv[6]);
  size_t piece = (size_t)atol(argv[5]) * gop_seconds / pieces, record = atol(argv[7]);
  int *media = calloc(streams, sizeof *media), *index = calloc(streams, sizeof *index);
  char **gop = calloc(streams, sizeof *gop), *records = calloc(1, record);
  struct iovec *gather = calloc(pieces, sizeof *gather);
  for (int i = 0; i < streams; i++) {
    media[i] = open_file(argv[1], i, "mp4");
    index[i] = open_file(argv[1], i, "idx");
    /* Memory of its own for each: what a publisher has sent is not in the cache of the CPU by the time it is written. */
    gop[i] = malloc(piece * pieces);
    memset(gop[i], i, piece * pieces);
  }
  struct timespec turn = {0, 1000000000L / streams * gop_seconds % 1000000000L};
  double before = cpu_seconds();
  for (int second = 0; second < seconds; second += gop_seconds) {
    for (int i = 0; i < streams; i++) {
      for (int k = 0; k < pieces; k++) gather[k] = (struct iovec){gop[i] + k * piece, piece};
      append(media[i], gather, pieces, piece * pieces);
      struct iovec one = {records, record};
      append(index[i], &one, 1, record);
      sync_file(media[i]);
      sync_file(index[i]);
      nanosleep(&turn, NULL);
    }
  }
  printf("{\"us_per_stream_s\": %.2f}\n", (cpu_seconds() - before) * 1e6 / streams / seconds);
  return 0;
}
