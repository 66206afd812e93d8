/*
 * The TCP side of responder.c, in a thread of its own: answers every query truthfully, pipelined ones in their order.
 * Included by responder.c, whose functions it uses; it shares no counter with the UDP side but the two atomic ones.
 */

struct connection {
  int fd;
  uint32_t used;
  uint8_t octets[TCP_BUFFER];
};

static int is_written(int fd, const uint8_t *octets, size_t length) {
  while (length > 0) {
    ssize_t written = send(fd, octets, length, 0);
    if (written <= 0) return 0;
    octets += written;
    length -= (size_t)written;
  }
  return 1;
}

/* Answers all whole queries in the buffer. 0 when the connection is to be closed. */
static int answer_stream(struct connection *connection) {
  uint32_t at = 0;
  while (connection->used - at >= 2) {
    const uint8_t *query = connection->octets + at + 2;
    uint32_t length = (uint32_t)(query[-2] << 8 | query[-1]);
    if (length > QUERY_MAX) return 0;
    if (connection->used - at < 2 + length) break;
    struct question question;
    if (!read_question(query, length, &question)) return 0;
    uint8_t framed[2 + ANSWER_MAX];
    uint32_t size = write_answer(framed + 2, query, &question, 0);
    framed[0] = (uint8_t)(size >> 8);
    framed[1] = (uint8_t)size;
    if (!is_written(connection->fd, framed, size + 2)) return 0;
    atomic_fetch_add(&tcp_queries, 1);
    at += 2 + length;
  }
  memmove(connection->octets, connection->octets + at, connection->used - at);
  connection->used -= at;
  return 1;
}

static int read_connection(struct connection *connection) {
  ssize_t count =
    recv(connection->fd, connection->octets + connection->used, TCP_BUFFER - connection->used, MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return 0;
  connection->used += (uint32_t)count;
  return answer_stream(connection);
}

static void accept_connection(int poller, int listener, unsigned *open_count) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return;
  struct connection *connection = *open_count < TCP_CONNECTIONS_MAX ? calloc(1, sizeof *connection) : NULL;
  if (!connection) {
    close(fd);
    return;
  }
  /* A client that does not read must not hold up the others for ever. */
  struct timeval wait = {.tv_sec = 1};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  connection->fd = fd;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  atomic_fetch_add(&tcp_connections, 1);
  ++*open_count;
}

static void *serve_tcp(void *argument) {
  int listener = *(int *)argument, poller = epoll_create1(EPOLL_CLOEXEC);
  unsigned open_count = 0;
  struct epoll_event event = {.events = EPOLLIN}, events[64];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(poller, events, 64, -1);
    for (int i = 0; i < count; i++) {
      struct connection *connection = events[i].data.ptr;
      if (!connection) accept_connection(poller, listener, &open_count);
      else if (!read_connection(connection)) {
        close(connection->fd);
        free(connection);
        open_count--;
      }
    }
  }
  return NULL;
}

/* Signals stay with the main thread: its receive call must be the one that they interrupt. */
static void start_tcp(int listener) {
  static int kept;
  kept = listener;
  if (listen(listener, 1024) != 0) fail("listen");
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  if (pthread_create(&thread, NULL, serve_tcp, &kept) != 0) fail("thread");
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}
