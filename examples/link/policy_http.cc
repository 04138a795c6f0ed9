// The HTTP half of policy.h. The only file that includes cpp-httplib; its exceptions and callbacks end here.
#include <httplib.h>

#include <thread>

#include "instruments.h"
#include "policy.h"

namespace honeylink::link {
namespace {
constexpr int kBacklog = 64;  // above the 32 sessions that an option allows
std::string etag_of(const Policy& policy) { return "\"v" + std::to_string(policy.version) + "\""; }
}  // namespace

struct PolicyServer::Http {
  httplib::Server server;
  int listener = -1;  // the server's own
  std::atomic<bool> ended{false};
  std::thread thread;
};

PolicyServer::PolicyServer() : http_(std::make_unique<Http>()) {}

std::unique_ptr<PolicyServer> PolicyServer::start(const Policy& first, int threads) {
  std::unique_ptr<PolicyServer> self(new PolicyServer);
  self->policy_ = first;
  httplib::Server& server = self->http_->server;
  server.new_task_queue = [threads] { return new httplib::ThreadPool(static_cast<std::size_t>(threads)); };
  server.set_keep_alive_max_count(1);  // an idle kept connection would be polled a hundred times a second
  server.Get("/policy", [raw = self.get()](const httplib::Request& request, httplib::Response& response) {
    const tel::Context sender = tel::extract(request.headers);
    const auto span =
        kPolicyTracer.scoped_span("GET /policy", {{"http.request.method", "GET"}, {"http.route", "/policy"}},
                                  {.kind = tel::SpanKind::server, .parent = &sender});
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(raw->delay_ms_.load()));
    const Policy policy = [raw] {
      const std::lock_guard lock(raw->mutex_);
      return raw->policy_;
    }();
    response.set_header("ETag", etag_of(policy));
    const bool same = request.get_header_value("If-None-Match") == etag_of(policy);
    response.status = same ? 304 : 200;
    if (!same) response.set_content(to_text(policy), "text/plain");
    span->set_attributes({{"http.response.status_code", response.status}, {"policy.version", policy.version}});
  });
  server.set_socket_options([http = self->http_.get()](int fd) { http->listener = fd; });
  const int port = server.bind_to_any_port("127.0.0.1");
  // The library's backlog of 5 makes the sixth session of a moment wait a second for its next SYN: not what is to be
  // measured.
  if (port <= 0 || ::listen(self->http_->listener, kBacklog) != 0) return nullptr;
  self->port_ = static_cast<std::uint16_t>(port);
  self->http_->thread = std::thread([http = self->http_.get()] {
    static_cast<void>(http->server.listen_after_bind());
    http->ended.store(true);
  });
  return self;
}

PolicyServer::~PolicyServer() {
  if (!http_->thread.joinable()) return;
  // A stop() before the thread listens would be forgotten.
  while (!http_->server.is_running() && !http_->ended.load()) std::this_thread::yield();
  http_->server.stop();
  http_->thread.join();
}

void PolicyServer::publish(const Policy& policy) {
  const std::lock_guard lock(mutex_);
  policy_ = policy;
}

std::optional<Policy> PolicyClient::fetch(std::string& error) {
  const Time began = Clock::now();
  const auto span = kPolicyTracer.scoped_span("policy.fetch", {{"http.request.method", "GET"}, {"url.path", "/policy"}},
                                              {.kind = tel::SpanKind::client});
  stats_.policy_fetches.fetch_add(1);
  httplib::Headers headers;
  tel::inject(headers);
  {
    const std::lock_guard lock(mutex_);
    if (!etag_.empty()) headers.emplace("If-None-Match", etag_);
  }
  httplib::Client client("127.0.0.1", port_);
  client.set_connection_timeout(2);
  client.set_read_timeout(6);
  const httplib::Result result = client.Get("/policy", headers);
  std::optional<Policy> policy;
  if (!result) {
    error = "policy server: " + httplib::to_string(result.error());
  } else {
    span->set_attribute("http.response.status_code", result->status);
    policy = apply(result->status, result->get_header_value("ETag"), result->body, error);
  }
  if (!policy) {
    span->set_error(error);
    return std::nullopt;
  }
  span->set_attribute("policy.version", policy->version);
  meters().policy_update.record(Clock::now() - began);
  return policy;
}

}  // namespace honeylink::link
