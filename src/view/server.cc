// See server.h. Reception gathers requests, workers answer them here.
#include "view/server.h"

#include <malloc.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>

#include "view/api.h"
#include "view/assets.h"
#include "view/guard.h"
#include "view/listener.h"
#include "view/live_hub.h"
#include "view/workers.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::size_t kWorkers = 4;

std::optional<Response> check_body(const Request& request) {
  if (request.method != "POST") return std::nullopt;
  const std::string_view type = request.content_type;
  if (type.substr(0, type.find(';')) == "application/json") return std::nullopt;
  return error_response(415, "the body must be application/json");
}

/// Before the first thread. malloc_trim() leaves alone what is free at the end of another thread's arena, and freeing
/// one large block raises the size up to which blocks are kept: a worker that has shown one large trace held 40 MB.
void keep_memory_in_one_place() {
  constexpr int kLargeBytes = 1 << 20;
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, kLargeBytes);
  ::mallopt(M_TRIM_THRESHOLD, 2 * kLargeBytes);
}

/// A trace of a hundred thousand spans takes what an idle page must not hold on to.
void give_back_memory() {
  constexpr std::size_t kIdleBytes = 8 << 20;
  if (::mallinfo2().fordblks > kIdleBytes) ::malloc_trim(0);
}

}  // namespace

struct Server::Parts {
  Parts(const ServerOptions& options, Listener listener, std::string its_token)
      : port(listener.port),
        token(its_token),
        guard(listener.port, std::move(its_token)),
        api{options.home, options.is_file},
        hub(options.home, options.is_file),
        workers(std::in_place, kWorkers, [this](Arrival arrival) { serve(std::move(arrival)); }),
        reception(std::move(listener.socket), [this](Arrival arrival) { workers->take(std::move(arrival)); }) {}
  ~Parts() {
    reception.stop();  // nothing arrives any more
    workers.reset();   // and what was being answered still gives its connection back
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  Response answer(const Request& request);
  Response open_stream();
  void serve(Arrival arrival);

  const std::uint16_t port;
  const std::string token;
  Guard guard;
  const Api api;
  LiveHub hub;
  std::atomic<std::int64_t> asked_at_unix_ns{now_unix_ns()};
  std::optional<Workers> workers;
  Reception reception;
};

Response Server::Parts::answer(const Request& request) {
  if (auto refused = guard.check_source(request)) return *refused;
  if (request.method != "GET" && request.method != "HEAD" && request.method != "POST")
    return error_response(405, "this server answers GET and POST");
  if (request.segments.front() != "api") return asset_response(request);
  if (auto refused = check_body(request)) return *refused;
  if (request.path() == "/api/session") {
    if (request.method == "POST") return guard.open_session(request);
    return error_response(405, "a session is opened by POST");
  }
  if (auto refused = guard.check_session(request)) return *refused;
  if (request.path() == "/api/live" && request.method == "GET") return open_stream();
  return api.answer(request);
}

Response Server::Parts::open_stream() {
  if (!hub.reserve())
    return error_response(503, std::to_string(kStreamsMax) + " pages watch already", "more would be served late",
                          "close one of them");
  Response response;
  response.type = "text/event-stream";
  response.is_stream = true;
  return response;
}

void Server::Parts::serve(Arrival arrival) {
  Request request;
  HttpHead head;
  Response response;
  const std::string_view bytes = arrival.bytes;
  try {
    if (arrival.error) {
      response = error_response(arrival.error->status, "this request is not answered", arrival.error->why);
    } else if (parse_head(bytes.substr(0, arrival.head_bytes), head) ||
               !make_request(head, bytes.substr(arrival.head_bytes, head.body_bytes), request)) {
      response = error_response(400, "this path cannot be read");
    } else {
      response = answer(request);
    }
  } catch (const std::exception& error) {
    response = error_response(503, "this did not work", error.what(), "honeytel doctor looks for the cause");
  }
  asked_at_unix_ns = now_unix_ns();
  const int fd = arrival.socket.get();
  if (response.is_stream) {
    if (send_all(fd, answer_head(response, std::nullopt, false))) hub.add(std::move(arrival.socket));
    else hub.give_up();
    return;
  }
  const bool goes_on = !arrival.error && head.keep_alive;
  const std::string said = answer_head(response, response.body.size(), goes_on);
  const bool sent = send_all(fd, said) && (request.method == "HEAD" || send_all(fd, response.body));
  response.body = {};
  give_back_memory();
  if (!sent) return;
  if (goes_on) reception.give_back(std::move(arrival.socket), arrival.bytes.substr(arrival.request_bytes));
  else reception.let_go(std::move(arrival.socket));
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

query::Answer<std::unique_ptr<Server>> Server::start(const ServerOptions& options) {
  auto listener = listen_on_loopback(options.port);
  if (!listener.ok()) return listener.problem();
  std::string token = random_secret();
  if (token.empty())
    return query::Problem{query::ProblemKind::environment, "the system gives no random numbers", "", ""};
  keep_memory_in_one_place();
  // Signals are the caller's: a thread that is made here inherits what is blocked here.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  auto parts = std::make_unique<Parts>(options, std::move(listener.value()), std::move(token));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

std::int64_t Server::idle_ns() const noexcept {
  return parts_->hub.watched() ? 0 : std::max<std::int64_t>(0, now_unix_ns() - parts_->asked_at_unix_ns.load());
}

std::uint16_t Server::port() const noexcept { return parts_->port; }

std::string Server::address() const {
  return "http://127.0.0.1:" + std::to_string(parts_->port) + "/#token=" + parts_->token;
}

}  // namespace honeylink::telemetry::view
