// One QUIC connection to one address, by ngtcp2: its own UDP socket, its timers, its TLS (quic_tls.h) and the HTTP/3
// upon it (h3_session.h). Driven by turn(), which never waits: whoever owns it polls descriptor() until expiry_ns().
// One thread.
//
// Must stay true: no request is handed over before the peer's certificates were verified; turn() writes one burst at
// the most, so that its owner can look at the permit in between.
#pragma once
#include <array>
#include <memory>
#include <string>

#include "base/file.h"
#include "net/h3_session.h"
#include "net/look_up.h"
#include "net/quic_tls.h"
#include "net/transport.h"

namespace honeylink::telemetry::net {

class QuicConnection final : public H3Wire {
 public:
  QuicConnection(const Quic& quic, const Leave& leave) : quic_(quic), leave_(leave), tls_(quic, leave.permit) {}
  /// Says goodbye where it can.
  ~QuicConnection();
  QuicConnection(const QuicConnection&) = delete;
  QuicConnection& operator=(const QuicConnection&) = delete;

  /// Opens the socket; the first packet leaves with the first turn(). False: failure() and said() tell why.
  [[nodiscard]] bool open(const Address& to, int handshake_timeout_ms);
  /// Reads what came, lets timers run, writes what may be written. False: it is over.
  [[nodiscard]] bool turn();
  /// The handshake is done and the peer is who was granted.
  [[nodiscard]] bool ready() const noexcept { return !over_ && confirmed_ && tls_.verified() && http_ != nullptr; }
  [[nodiscard]] bool takes_more() const noexcept { return ready() && !http_->going_away(); }
  /// A request on a stream of its own; nullptr while the peer allows no further stream, and once it is over.
  [[nodiscard]] std::shared_ptr<H3Exchange> send(const H3Fields& fields, std::string_view body, bool has_body);
  /// When the peer last took or said something of a request; 0: never.
  [[nodiscard]] std::int64_t heard_ns() const noexcept { return heard_ns_; }
  /// The rest of a request that was answered early is not sent.
  void leave(const H3Exchange& exchange) { http_->leave(exchange); }

  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  [[nodiscard]] bool waits_to_write() const noexcept { return held_bytes_ != 0; }
  /// CLOCK_MONOTONIC, at which turn() is to be called at the latest.
  [[nodiscard]] std::int64_t expiry_ns() const;

  /// Why it is over.
  [[nodiscard]] Failure failure() const noexcept { return failure_; }
  [[nodiscard]] const std::string& said() const noexcept { return said_; }

 private:
  [[nodiscard]] bool open_socket(const Address& to);
  [[nodiscard]] bool open_quic(int handshake_timeout_ms);
  static void set_crypto(const Quic& quic, ngtcp2_callbacks& to) noexcept;
  static void set_streams(ngtcp2_callbacks& to) noexcept;
  [[nodiscard]] int begin_http();
  [[nodiscard]] bool read_packets();
  [[nodiscard]] bool write_packets();
  /// One packet, or what cannot be sent now. False: the socket is dead.
  [[nodiscard]] bool put_out(std::size_t bytes);
  [[nodiscard]] bool go_on(ngtcp2_ssize result, const H3Session::Outgoing& out, ngtcp2_ssize taken);
  bool end(Failure failure, std::string said);
  bool end_by(int error);
  bool end_by_peer();
  bool end_by_http(std::uint64_t code);
  bool end_by_socket(int error);
  void tell(const ngtcp2_connection_close_error& why);
  [[nodiscard]] std::string words_of_alert(std::uint8_t alert) const;
  void take_code(std::uint64_t code) noexcept {
    if (code != 0 && http_error_ == 0) http_error_ = code;
  }

  bool open_uni(std::int64_t& stream) override;
  void consumed(std::int64_t stream, std::size_t bytes) override;
  void stop_reading(std::int64_t stream, std::uint64_t code) override;
  void stop_writing(std::int64_t stream, std::uint64_t code) override;

  static constexpr std::size_t kPacketBytesMax = 1452, kDatagramBytesMax = 65536;
  const Quic& quic_;
  const Leave& leave_;
  Fd socket_;
  Address here_, there_;
  ngtcp2_path path_{};
  QuicTls tls_;
  ngtcp2_conn* quic_connection_ = nullptr;
  std::unique_ptr<H3Session> http_;
  bool confirmed_ = false, over_ = false, reset_ = false;
  std::uint64_t http_error_ = 0;  // that a callback met: ngtcp2 itself only learns that it failed
  std::int64_t heard_ns_ = 0;
  std::size_t held_bytes_ = 0;  // of a packet that the socket did not take yet
  std::array<std::uint8_t, kPacketBytesMax> packet_{};
  std::array<std::uint8_t, kDatagramBytesMax> datagram_{};
  Failure failure_ = Failure::none;
  std::string said_;
};

}  // namespace honeylink::telemetry::net
