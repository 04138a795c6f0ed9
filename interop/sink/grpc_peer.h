// A collector of ours on a real socket: HTTP/2 by nghttp2, in plaintext or TLS 1.3, that hands every request to the
// test and answers as it is told, hostile answers included. Used by tests/export_grpc_test.cc and by the sink
// (main.cc).
//
// One thread serves all connections; `Answering` is called on it, once a request, when its last byte has arrived. Must
// stay true: what a request holds is what came over the wire, unpacked by code of its own.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

namespace honeylink::telemetry::interop {

struct PeerRequest {
  std::string path;
  std::map<std::string, std::string> headers;
  std::string message;          // a gRPC message without its frame, or an HTTP body; unpacked
  std::size_t wire_bytes = 0;   // of the body as it came
  std::int64_t arrived_ns = 0;  // CLOCK_MONOTONIC at its last byte
  bool sound = true;            // framed and packed as its headers say
};

/// What is sent back; the default is a success.
struct PeerAnswer {
  int grpc_status = 0;                         // -1: none at all
  std::string grpc_message, details;           // details: a google.rpc.Status, not encoded yet
  std::string message;                         // the response's bytes
  int http_status = 200;                       // of HTTP; else than 200: no trailers
  std::map<std::string, std::string> headers;  // besides
  int delay_ms = 0;
  std::size_t endless_bytes = 0;  // of zeros, after the message
  bool silent = false;            // never answers
  bool resets = false;            // RST_STREAM instead of an answer
  bool hangs_up = false;          // closes the connection instead
  std::string garbage;            // these bytes instead of HTTP/2, then closes
};

struct PeerOptions {
  std::string certificate, key;  // PEM files; empty: plaintext
  bool tls12_only = false;
  std::size_t bytes_per_second = 0;  // reads no faster; 0: as fast as it comes
};

class GrpcPeer {
 public:
  using Answering = std::function<PeerAnswer(const PeerRequest&)>;
  explicit GrpcPeer(Answering answering, PeerOptions options = {});
  ~GrpcPeer();
  GrpcPeer(const GrpcPeer&) = delete;
  GrpcPeer& operator=(const GrpcPeer&) = delete;
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// "http://127.0.0.1:PORT" or "https://localhost:PORT".
  [[nodiscard]] std::string url() const;
  [[nodiscard]] int connections() const noexcept { return connections_; }
  [[nodiscard]] std::uint64_t received_bytes() const noexcept { return received_; }

 private:
  struct Connection;
  void run();
  bool accept_one();
  Answering answering_;
  PeerOptions options_;
  void* tls_ = nullptr;  // SSL_CTX
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> ends_{false};
  std::atomic<int> connections_{0};
  std::atomic<std::uint64_t> received_{0};
  std::map<int, std::unique_ptr<Connection>> open_;
  std::thread thread_;
};

}  // namespace honeylink::telemetry::interop
