//===- Rendezvous.cpp - Ranks that meet over TCP --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rank 0 takes the first free port of a few that all ranks know, and greets
// whoever connects, so that a rank that meets another program at one port goes
// on to the next. Who has not proved in time that it is of this run (Handshake)
// is let go.
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Rendezvous.h"
#include "runtime/comm/Handshake.h"
#include "runtime/comm/Peers.h"
#include "runtime/core/Error.h"
#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tessera::runtime {
namespace {

constexpr int portsTried = 16;
constexpr int acceptedAtOnce = 16;
constexpr int glance = 50; ///< ms between two looks at the peers

/// Beside the ranks: those beyond take the place of who has had longest to
/// prove himself, and at least the time that a rank of this run needs for it.
constexpr size_t mostArrivals = 64;
constexpr double provingSeconds = 0.1;
/// Seconds in which a peer is to prove itself.
constexpr double arrivalSeconds = 5;

double now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

/// Small messages at once, and an end for a peer whose node is gone.
void prepare(int socket) {
  int yes = 1, idle = 20, interval = 10, count = 3;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
}

/// Somebody who has connected, and what has come of it so far.
struct Arrival {
  int socket;
  Hello own;
  double begin;
  Answer answer = {};
  size_t bytes = 0;

  enum State { Waiting, Complete, Closed, Unproven };

  /// It counts on its place from then on.
  bool isProven() const { return bytes >= provenBytes; }
  double age() const { return now() - begin; }

  State read(const Handshake &handshake) {
    // One byte follows the proof, once the peer has this side's.
    size_t part = isProven() ? answerBytes : provenBytes;
    ssize_t got = recv(socket, reinterpret_cast<char *>(&answer) + bytes,
                       part - bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
      return isProven() || age() < arrivalSeconds ? Waiting : Closed;
    if (got <= 0)
      return Closed;
    bytes += got;
    if (bytes == answerBytes)
      return Complete;
    if (bytes < part)
      return Waiting;
    if (!handshake.fits(answer.hello, /*isRoot=*/false))
      return Closed;
    if (!handshake.isProven(answer.proof, /*byRoot=*/false, own, answer.hello))
      return Unproven;
    Proof proof = handshake.prove(/*byRoot=*/true, own, answer.hello);
    return ::send(socket, &proof, sizeof proof, MSG_NOSIGNAL) == sizeof proof
               ? Waiting
               : Closed;
  }
};

/// A socket that listens at one of the run's ports.
int openDoor(const Launch &launch) {
  for (int port = launch.port; port < launch.port + portsTried; ++port) {
    int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1;
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr =
        htonl(launch.isOneNode() ? INADDR_LOOPBACK : INADDR_ANY);
    if (door >= 0 &&
        bind(door, reinterpret_cast<sockaddr *>(&address), sizeof address) ==
            0 &&
        listen(door, SOMAXCONN) == 0)
      return door;
    close(door);
  }
  fatal("rank 0 cannot listen at any port from %d to %d (%s): set MASTER_PORT "
        "to a free one",
        launch.port, launch.port + portsTried - 1, strerror(errno));
}

sockaddr_in resolve(const Launch &launch) {
  addrinfo hints = {}, *found = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  int error = getaddrinfo(launch.address.c_str(), nullptr, &hints, &found);
  if (error)
    fatal("the host of rank 0, '%s', has no address (%s): set MASTER_ADDR to "
          "one that all nodes reach",
          launch.address.c_str(), gai_strerror(error));
  sockaddr_in address = *reinterpret_cast<sockaddr_in *>(found->ai_addr);
  freeaddrinfo(found);
  return address;
}

/// Connects to rank 0 if it is what listens there; -1 if not. \p refused gets
/// true where something speaks as rank 0 does but knows another secret.
int tryPort(sockaddr_in address, int port, const Handshake &handshake,
            bool &refused) {
  int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_port = htons(static_cast<uint16_t>(port));
  timeval second = {1, 0};
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  auto get = [&](auto &value) {
    return recv(socket, &value, sizeof value, MSG_WAITALL) == sizeof value;
  };
  Hello root;
  Proof proof;
  Answer answer = {};
  if (connect(socket, reinterpret_cast<sockaddr *>(&address), sizeof address) ==
          0 &&
      get(root) && handshake.fits(root, /*isRoot=*/true)) {
    answer.hello = handshake.hello();
    answer.proof = handshake.prove(/*byRoot=*/false, root, answer.hello);
    bool isProven =
        ::send(socket, &answer, provenBytes, MSG_NOSIGNAL) == provenBytes &&
        get(proof) &&
        handshake.isProven(proof, /*byRoot=*/true, root, answer.hello);
    if (isProven && ::send(socket, &answer.ready, 1, MSG_NOSIGNAL) == 1)
      return socket;
    refused |= !isProven;
  }
  close(socket);
  return -1;
}

} // namespace

Rendezvous::Rendezvous(const Launch &launch)
    : rank(launch.rank), ranks(launch.size), sockets(launch.size, -1) {
  if (rank == 0)
    listen(launch);
  else
    connect(launch);
}

Rendezvous::~Rendezvous() {
  for (int socket : sockets)
    if (socket >= 0)
      close(socket);
}

void Rendezvous::listen(const Launch &launch) {
  Handshake handshake(launch);
  int door = openDoor(launch);
  std::vector<Arrival> arrivals; // the longest there first
  size_t most = mostArrivals + ranks;
  bool warned = !handshake.hasSecret();
  double begin = now();
  for (int missing = ranks - 1; missing > 0;) {
    auto longest = [&] {
      return std::ranges::find_if(
          arrivals, [](const Arrival &it) { return !it.isProven(); });
    };
    // Who comes next waits at the door while nobody's place can be taken.
    auto isOpen = [&] {
      auto place = longest();
      return arrivals.size() < most || place == arrivals.end() ||
             place->age() > provingSeconds;
    };
    std::vector<pollfd> polls = {{isOpen() ? door : -1, POLLIN, 0}};
    for (const Arrival &arrival : arrivals)
      polls.push_back({arrival.socket, POLLIN, 0});
    poll(polls.data(), polls.size(), glance);
    bool comes = polls[0].revents;
    for (int taken = 0; comes && taken < acceptedAtOnce && isOpen(); ++taken) {
      int socket = accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
      bool full = socket < 0 ? errno == EMFILE || errno == ENFILE
                             : arrivals.size() >= most;
      if (auto place = longest(); full && place != arrivals.end()) {
        close(place->socket);
        arrivals.erase(place);
      }
      if (socket < 0)
        break;
      prepare(socket);
      Hello own = handshake.hello();
      ::send(socket, &own, sizeof own, MSG_NOSIGNAL);
      arrivals.push_back({socket, own, now()});
    }
    std::erase_if(arrivals, [&](Arrival &arrival) {
      Arrival::State state = arrival.read(handshake);
      if (state == Arrival::Waiting)
        return false;
      int peer = arrival.answer.hello.rank;
      if (state != Arrival::Complete) {
        close(arrival.socket);
        if (state == Arrival::Unproven && !warned) {
          warned = true;
          warning("a process that says it is rank %d does not know this run's "
                  "TESSERA_SECRET and is let go",
                  peer);
        }
        return true;
      }
      if (sockets[peer] >= 0)
        fatal("two processes say that they are rank %d: start each rank once",
              peer);
      sockets[peer] = arrival.socket;
      --missing;
      return true;
    });
    look();
    if (double waited = now() - begin; waited > timeoutSeconds()) {
      std::vector<bool> absent(ranks);
      for (int peer = 1; peer < ranks; ++peer)
        absent[peer] = sockets[peer] < 0;
      markFailed();
      giveUpWaiting(waited, absent, start.name);
    }
  }
  for (const Arrival &arrival : arrivals)
    close(arrival.socket);
  close(door);
  // The others must not begin before they know that all are there.
  for (int peer = 1; peer < ranks; ++peer)
    send(peer, nullptr, 0, start);
}

void Rendezvous::connect(const Launch &launch) {
  Handshake handshake(launch);
  sockaddr_in address = resolve(launch);
  bool refused = false;
  double begin = now();
  for (int tries = 0; sockets[0] < 0; ++tries) {
    sockets[0] =
        tryPort(address, launch.port + tries % portsTried, handshake, refused);
    if (sockets[0] >= 0 || tries % portsTried != portsTried - 1)
      continue;
    if (double waited = now() - begin; waited > timeoutSeconds())
      fatal("waited %.0f s for rank 0 at %s, ports %d to %d: %s", waited,
            launch.address.c_str(), launch.port, launch.port + portsTried - 1,
            refused && handshake.hasSecret()
                ? "what listens there has not proved that it knows this run's "
                  "TESSERA_SECRET; set the same for all ranks"
                : "start all ranks, and let MASTER_ADDR and MASTER_PORT be "
                  "what all nodes reach");
    usleep(glance * 1000);
  }
  prepare(sockets[0]);
  receive(0, nullptr, 0, start);
}

void Rendezvous::exchange(const void *mine, void *all, size_t bytes) {
  char *places = static_cast<char *>(all);
  if (rank != 0) {
    send(0, mine, bytes, meeting);
    receive(0, all, bytes * ranks, meeting);
    return;
  }
  memcpy(places, mine, bytes);
  for (int peer = 1; peer < ranks; ++peer)
    receive(peer, places + peer * bytes, bytes, meeting);
  for (int peer = 1; peer < ranks; ++peer)
    send(peer, all, bytes * ranks, meeting);
}

std::vector<std::string> Rendezvous::collect(const std::string &mine) {
  std::vector<std::string> all(ranks);
  all[rank] = mine;
  auto sendOne = [&](int peer, const std::string &text) {
    uint64_t size = text.size();
    send(peer, &size, sizeof size, results);
    send(peer, text.data(), size, results);
  };
  auto receiveOne = [&](int peer, std::string &text) {
    uint64_t size = 0;
    receive(peer, &size, sizeof size, results);
    text.resize(size);
    receive(peer, text.data(), size, results);
  };
  if (rank != 0) {
    sendOne(0, mine);
    for (std::string &text : all)
      receiveOne(0, text);
    return all;
  }
  for (int peer = 1; peer < ranks; ++peer)
    receiveOne(peer, all[peer]);
  for (int peer = 1; peer < ranks; ++peer)
    for (const std::string &text : all)
      sendOne(peer, text);
  return all;
}

void Rendezvous::broadcast(void *data, size_t bytes) {
  if (rank != 0)
    return receive(0, data, bytes, meeting);
  for (int peer = 1; peer < ranks; ++peer)
    send(peer, data, bytes, meeting);
}

void Rendezvous::sendToRoot(const void *data, size_t bytes) {
  send(0, data, bytes, content);
}

void Rendezvous::receive(int source, void *data, size_t bytes) {
  receive(source, data, bytes, content);
}

void Rendezvous::send(int peer, const void *data, size_t bytes,
                      const Purpose &purpose) {
  Header header = {Header::Data, 0, bytes};
  iovec parts[] = {{&header, sizeof header}, {const_cast<void *>(data), bytes}};
  double begin = now();
  for (size_t done = 0; done < sizeof header + bytes;) {
    msghdr message = {};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    ssize_t sent = sendmsg(sockets[peer], &message, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
      died(peer);
    if (sent < 0) {
      waitFor(peer, POLLOUT, begin, purpose);
      continue;
    }
    done += sent;
    for (iovec &part : parts) {
      size_t taken = std::min<size_t>(part.iov_len, sent);
      part.iov_base = static_cast<char *>(part.iov_base) + taken;
      part.iov_len -= taken;
      sent -= taken;
    }
  }
}

void Rendezvous::receive(int peer, void *data, size_t bytes,
                         const Purpose &purpose) {
  Header header;
  read(peer, &header, sizeof header, purpose);
  if (header.kind == Header::Failed)
    stop(header.rank);
  if (header.bytes != bytes)
    fatal("rank %d takes part in another step than %s: start all ranks from "
          "the same executable, with the same arguments",
          peer, purpose.name);
  read(peer, data, bytes, purpose);
}

void Rendezvous::read(int peer, void *data, size_t bytes,
                      const Purpose &purpose) {
  char *place = static_cast<char *>(data);
  double begin = now();
  while (bytes) {
    ssize_t got = recv(sockets[peer], place, bytes, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
      died(peer);
    if (got < 0) {
      waitFor(peer, POLLIN, begin, purpose);
      continue;
    }
    place += got;
    bytes -= got;
  }
}

/// Waits a glance at most.
void Rendezvous::waitFor(int peer, short events, double begin,
                         const Purpose &purpose) {
  pollfd wanted = {sockets[peer], events, 0};
  if (poll(&wanted, 1, glance) != 0)
    return;
  look();
  if (!purpose.isLimited)
    return;
  // The others wait a little longer, so that rank 0, which knows who is
  // missing, is the one that reports it.
  double waited = now() - begin;
  if (waited < timeoutSeconds() + (rank == 0 ? 0 : 5))
    return;
  std::vector<bool> missing(ranks);
  for (int other = 0; other < ranks; ++other) {
    char byte;
    missing[other] =
        other == peer ||
        (purpose.ofAll && events == POLLIN && other > peer &&
         sockets[other] >= 0 && recv(sockets[other], &byte, 1, MSG_PEEK) < 0);
  }
  giveUpWaiting(waited, missing, purpose.name);
}

void Rendezvous::look() {
  for (int peer = 0; peer < ranks; ++peer)
    if (sockets[peer] >= 0)
      lookAt(peer);
}

/// Of what has not been read yet the beginning is enough: a peer that fails
/// later is noticed once that has been read.
void Rendezvous::lookAt(int peer) {
  Header header;
  ssize_t got =
      recv(sockets[peer], &header, sizeof header, MSG_PEEK | MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
    died(peer);
  if (got == sizeof header && header.kind == Header::Failed)
    stop(header.rank);
}

void Rendezvous::died(int peer) {
  // Without rank 0 there is nobody who sees to it that one rank prints.
  if (peer == 0 && rank != 1)
    stop(0);
  markFailed();
  fatal("rank %d has died: the run stops; start it again, training with "
        "--resume to go on from the last checkpoint",
        peer);
}

int Rendezvous::decideFirst(int peer) {
  int none = -1;
  if (!firstFailed.compare_exchange_strong(none, peer))
    return firstFailed;
  Header header = {Header::Failed, peer, 0};
  for (int other = 1; other < ranks; ++other)
    if (sockets[other] >= 0)
      ::send(sockets[other], &header, sizeof header, MSG_NOSIGNAL);
  return peer;
}

void Rendezvous::stop(int first) {
  stopAfter(rank, rank == 0 ? decideFirst(first) : first);
}

bool Rendezvous::markFailed() {
  Header header;
  if (rank == 0) {
    int first = 0;
    for (int peer = 1; peer < ranks && first == 0; ++peer)
      if (sockets[peer] >= 0 &&
          recv(sockets[peer], &header, sizeof header,
               MSG_PEEK | MSG_DONTWAIT) == sizeof header &&
          header.kind == Header::Failed)
        first = peer;
    return decideFirst(first) == 0;
  }
  if (sockets[0] < 0)
    return true;
  header = {Header::Failed, rank, 0};
  ::send(sockets[0], &header, sizeof header, MSG_NOSIGNAL);
  // Rank 0 answers who was first, unless it computes and looks too late.
  double begin = now();
  char rest[4096];
  for (uint64_t skip = 0; now() - begin < 1;) {
    pollfd root = {sockets[0], POLLIN, 0};
    poll(&root, 1, glance);
    ssize_t got =
        skip ? recv(sockets[0], rest, std::min<uint64_t>(skip, sizeof rest), 0)
             : recv(sockets[0], &header, sizeof header, 0);
    if (got == 0)
      return true;
    if (skip && got > 0)
      skip -= got;
    else if (got == sizeof header && header.kind == Header::Failed)
      return header.rank == rank;
    else if (got == sizeof header)
      skip = header.bytes;
  }
  return true;
}

} // namespace tessera::runtime
