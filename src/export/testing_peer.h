// For tests: a collector of ours on a real socket that keeps what it accepted, and answers as it is told. It reads
// OTLP/HTTP with code of its own, so that an error in the encoder's field numbers would show.
#pragma once
#include <map>
#include <mutex>
#include <protozero/pbf_reader.hpp>
#include <set>
#include <string>

#include "net/testing_server.h"

namespace honeylink::telemetry::exporting {

class TestPeer {
 public:
  TestPeer() : server_([this](const std::string& request) { return answer(request); }) {}
  /// Answer every request with this status; 200 accepts.
  void set_status(int status, std::string headers = {}) {
    const std::lock_guard lock(mutex_);
    status_ = status, headers_ = std::move(headers);
  }
  /// Answer larger requests with 413.
  void refuse_over(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    bytes_max_ = bytes;
  }
  /// Of successes: the response's bytes.
  void set_response(std::string body) {
    const std::lock_guard lock(mutex_);
    response_ = std::move(body);
  }
  /// Take so many more requests and hang up instead of answering.
  void lose_answers(int n) {
    const std::lock_guard lock(mutex_);
    lost_answers_ = n;
  }
  /// Answer nothing any more.
  void hang() {
    const std::lock_guard lock(mutex_);
    hangs_ = true;
  }
  /// A path makes it OTLP/HTTP.
  [[nodiscard]] std::string url() const { return server_.url() + "/otlp"; }
  /// Spans by their ids: how often each was accepted.
  [[nodiscard]] std::map<std::string, int> spans() const {
    const std::lock_guard lock(mutex_);
    return spans_;
  }
  [[nodiscard]] std::size_t different() const { return spans().size(); }
  [[nodiscard]] int requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  [[nodiscard]] std::size_t largest() const {
    const std::lock_guard lock(mutex_);
    return largest_;
  }
  [[nodiscard]] const net::TestServer& server() const noexcept { return server_; }

 private:
  std::string answer(const std::string& request) {
    const std::lock_guard lock(mutex_);
    if (!request.starts_with("POST ")) return "HTTP/1.1 400 x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    ++requests_;
    const std::string body = request.substr(request.find("\r\n\r\n") + 4);
    largest_ = std::max(largest_, body.size());
    if (body.size() > bytes_max_) return "HTTP/1.1 413 x\r\ncontent-length: 0\r\n\r\n";
    if (hangs_) return {};
    if (status_ == 200) take(body);
    if (lost_answers_ > 0) return --lost_answers_, "connection: close";
    const std::string response = status_ == 200 ? response_ : std::string();
    return "HTTP/1.1 " + std::to_string(status_) + " x\r\ncontent-length: " + std::to_string(response.size()) + "\r\n" +
           headers_ + "\r\n" + response;
  }
  void take(const std::string& body) {
    for (protozero::pbf_reader request(body); request.next(1);) {
      for (auto of_resource = request.get_message(); of_resource.next(2);) {
        for (auto of_scope = of_resource.get_message(); of_scope.next(2);) {
          for (auto span = of_scope.get_message(); span.next(2);) ++spans_[span.get_bytes()];
        }
      }
    }
  }
  mutable std::mutex mutex_;
  int status_ = 200, requests_ = 0, lost_answers_ = 0;
  bool hangs_ = false;
  std::size_t largest_ = 0, bytes_max_ = SIZE_MAX;
  std::string headers_, response_;
  std::map<std::string, int> spans_;
  net::TestServer server_;  // last: it calls the above
};

}  // namespace honeylink::telemetry::exporting
