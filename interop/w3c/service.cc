// See service.h. A server span per request with the sender's context as its parent, a client span per call: what any
// instrumented program does, with nothing made easier for the suite. Bad input is answered with 400, an unreachable URL
// with 502.
#include "service.h"

#include <honeylink/telemetry.h>
#include <httplib.h>

#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>

namespace honeylink::telemetry::interop {
namespace {

constinit Scope scope{"honeylink.interop.w3c"};
constinit Tracer tracer{scope};
constexpr int kTimeoutSeconds = 5;

// "http://host:port" and "/path".
std::pair<std::string, std::string> split_url(const std::string& url) {
  const std::size_t host = url.find("://");
  const std::size_t path = url.find('/', host == std::string::npos ? 0 : host + 3);
  if (path == std::string::npos) return {url, "/"};
  return {url.substr(0, path), url.substr(path)};
}

int call(const std::string& url, const std::string& arguments) {
  const auto span = tracer.scoped_span("POST", {{"http.request.method", "POST"}}, {.kind = SpanKind::client});
  httplib::Headers headers;
  inject(headers);
  const auto [host, path] = split_url(url);
  httplib::Client client(host);
  client.set_read_timeout(kTimeoutSeconds);
  const auto answer = client.Post(path, headers, arguments, "application/json");
  if (!answer) span->set_error(httplib::to_string(answer.error()));
  return answer ? answer->status : 502;
}

void serve(const httplib::Request& request, httplib::Response& response) {
  const Context from = extract(request.headers);
  const auto span =
      tracer.scoped_span("POST /test", {{"http.request.method", "POST"}}, {.kind = SpanKind::server, .parent = &from});
  const auto calls = nlohmann::json::parse(request.body, nullptr, false);
  response.status = calls.is_array() ? 200 : 400;
  for (const auto& element : calls.is_array() ? calls : nlohmann::json::array()) {
    const auto url = element.is_object() ? element.find("url") : element.end();
    if (url == element.end() || !url->is_string()) {
      response.status = 400;
      continue;
    }
    const int status = call(url->get<std::string>(), element.value("arguments", nlohmann::json::array()).dump());
    if (status != 200) response.status = 502;
  }
  response.set_content("null", "application/json");
}

}  // namespace

struct Service::Server {
  httplib::Server http;
  std::thread thread;
};

Service::Service() : server_(std::make_unique<Server>()) {}

Service::~Service() {
  server_->http.stop();
  if (server_->thread.joinable()) server_->thread.join();
}

int Service::start(int port) {
  httplib::Server& http = server_->http;
  http.Post("/test", serve);
  // The library's own options let two servers share a port and each get half of the calls.
  http.set_socket_options([](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  if (port == 0) port = http.bind_to_any_port("127.0.0.1");
  else if (!http.bind_to_port("127.0.0.1", port)) port = 0;
  if (port <= 0) return 0;
  server_->thread = std::thread([&http] { http.listen_after_bind(); });
  // stop() before the thread has begun to listen would be lost.
  while (!http.is_running()) std::this_thread::yield();
  return port;
}

}  // namespace honeylink::telemetry::interop
