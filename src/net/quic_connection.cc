// See quic_connection.h: reading, writing, timers and the end. How it begins, and ngtcp2's callbacks, stand in
// quic_begin.cc.
#include "net/quic_connection.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cstring>

#include "net/failure.h"
#include "net/monotonic.h"

namespace honeylink::telemetry::net {
namespace {

constexpr int kPacketsATurn = 64;

std::string hex_of(std::uint64_t code) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  do text.insert(text.begin(), kDigits[code & 15]);
  while ((code >>= 4) != 0);
  return "0x" + text;
}

/// Of a peer, for a log: no more than a line, and nothing but what can be printed.
std::string reason_of(const ngtcp2_connection_close_error& why) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(why.reasonlen, 200); ++i)
    if (why.reason[i] >= ' ' && why.reason[i] < 0x7f) text += static_cast<char>(why.reason[i]);
  return text.empty() ? text : " (" + text + ")";
}

}  // namespace

QuicConnection::~QuicConnection() {
  if (quic_connection_ != nullptr && !over_) {
    ngtcp2_connection_close_error bye;
    quic_.ngtcp2_connection_close_error_default(&bye);
    quic_.ngtcp2_connection_close_error_set_application_error(&bye, NGHTTP3_H3_NO_ERROR, nullptr, 0);
    tell(bye);
  }
  http_.reset();  // before the streams that it speaks of
  if (quic_connection_ != nullptr) quic_.ngtcp2_conn_del(quic_connection_);
}

std::int64_t QuicConnection::expiry_ns() const {
  const ngtcp2_tstamp at = quic_.ngtcp2_conn_get_expiry(quic_connection_);
  return at > static_cast<ngtcp2_tstamp>(INT64_MAX) ? INT64_MAX : static_cast<std::int64_t>(at);
}

bool QuicConnection::turn() {
  if (over_ || !read_packets()) return false;
  if (now_ns() >= expiry_ns()) {
    const int error = quic_.ngtcp2_conn_handle_expiry(quic_connection_, static_cast<ngtcp2_tstamp>(now_ns()));
    if (error != 0) return end_by(error);
  }
  return write_packets();
}

bool QuicConnection::read_packets() {
  for (int i = 0; i < kPacketsATurn; ++i) {
    const ssize_t n = ::recv(socket_.get(), datagram_.data(), datagram_.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN || end_by_socket(errno);
    const ngtcp2_pkt_info info{};
    const int error = quic_.ngtcp2_conn_read_pkt(quic_connection_, &path_, &info, datagram_.data(),
                                                 static_cast<std::size_t>(n), static_cast<ngtcp2_tstamp>(now_ns()));
    if (error != 0) return end_by(error);
  }
  return true;
}

std::shared_ptr<H3Exchange> QuicConnection::send(const H3Fields& fields, std::string_view body, bool has_body) {
  std::int64_t stream = -1;
  if (!ready() || quic_.ngtcp2_conn_open_bidi_stream(quic_connection_, &stream, nullptr) != 0) return nullptr;
  auto exchange = http_->submit(stream, fields, body, has_body);
  if (exchange == nullptr) (void)end_by_http(NGHTTP3_H3_INTERNAL_ERROR);
  return exchange;
}

bool QuicConnection::write_packets() {
  if (held_bytes_ != 0 && !put_out(held_bytes_)) return false;
  const auto now = static_cast<ngtcp2_tstamp>(now_ns());
  std::size_t burst = 0;
  while (held_bytes_ == 0) {
    H3Session::Outgoing out;
    if (http_ != nullptr && quic_.ngtcp2_conn_get_max_data_left(quic_connection_) != 0 && !http_->next(out))
      return end_by_http(NGHTTP3_H3_INTERNAL_ERROR);
    ngtcp2_ssize taken = -1;
    ngtcp2_pkt_info info;
    const std::uint32_t flags =
        NGTCP2_WRITE_STREAM_FLAG_MORE | (out.fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : NGTCP2_WRITE_STREAM_FLAG_NONE);
    const std::size_t room = std::min(packet_.size(), quic_.ngtcp2_conn_get_max_tx_udp_payload_size(quic_connection_));
    // Both libraries call it by their own name; it is a pointer and a length.
    const ngtcp2_ssize n = quic_.ngtcp2_conn_writev_stream(
        quic_connection_, nullptr, &info, packet_.data(), room, &taken, flags, out.stream,
        reinterpret_cast<const ngtcp2_vec*>(out.parts.data()), out.count, now);
    if (n < 0) {
      if (!go_on(n, out, taken)) return false;
      continue;
    }
    if (taken >= 0 && out.stream >= 0) http_->wrote(out, static_cast<std::size_t>(taken));
    if (n > 0 && !put_out(static_cast<std::size_t>(n))) return false;
    burst += static_cast<std::size_t>(n);
    if (n == 0 || burst >= quic_.ngtcp2_conn_get_send_quantum(quic_connection_)) break;
  }
  // Without a sample of the round trip ngtcp2 assumes 333 ms, and would hold back the handshake's last packets for it.
  if (confirmed_) quic_.ngtcp2_conn_update_pkt_tx_time(quic_connection_, now);
  return true;
}

bool QuicConnection::go_on(ngtcp2_ssize result, const H3Session::Outgoing& out, ngtcp2_ssize taken) {
  switch (result) {
    case NGTCP2_ERR_STREAM_DATA_BLOCKED:
      http_->blocked(out.stream);
      return true;
    case NGTCP2_ERR_STREAM_SHUT_WR:
    case NGTCP2_ERR_STREAM_NOT_FOUND:
      http_->stopped_by_peer(out.stream);
      return true;
    case NGTCP2_ERR_WRITE_MORE:
      http_->wrote(out, static_cast<std::size_t>(taken));
      return true;
    default:
      return end_by(static_cast<int>(result));
  }
}

bool QuicConnection::put_out(std::size_t bytes) {
  held_bytes_ = 0;
  while (::send(socket_.get(), packet_.data(), bytes, MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return held_bytes_ = bytes, true;
    // A probe for a larger size that does not fit, or no buffer: as if it were lost on its way.
    return errno == EMSGSIZE || errno == ENOBUFS || end_by_socket(errno);
  }
  return true;
}

void QuicConnection::tell(const ngtcp2_connection_close_error& why) {
  ngtcp2_pkt_info info;
  const ngtcp2_ssize n = quic_.ngtcp2_conn_write_connection_close(
      quic_connection_, nullptr, &info, packet_.data(), packet_.size(), &why, static_cast<ngtcp2_tstamp>(now_ns()));
  if (n > 0) (void)!::send(socket_.get(), packet_.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL);
}

bool QuicConnection::end(Failure failure, std::string said) {
  if (!over_) failure_ = failure, said_ = std::move(said);
  over_ = true;
  return false;
}

std::string QuicConnection::words_of_alert(std::uint8_t alert) const {
  constexpr std::uint8_t kHandshakeFailure = 40, kNoApplicationProtocol = 120;
  if (alert == kHandshakeFailure) return "TLS 1.3 with ChaCha20-Poly1305 could not be agreed on";
  if (alert == kNoApplicationProtocol) return "HTTP/3 is not offered (ALPN)";
  const char* const name = quic_.gnutls_alert_get_name(static_cast<gnutls_alert_description_t>(alert));
  return name != nullptr ? name : "TLS alert " + std::to_string(alert);
}

bool QuicConnection::end_by(int error) {
  if (error == NGTCP2_ERR_DRAINING || error == NGTCP2_ERR_CLOSING) return end_by_peer();
  if (error == NGTCP2_ERR_IDLE_CLOSE || error == NGTCP2_ERR_HANDSHAKE_TIMEOUT)
    return end(confirmed_ ? Failure::closed : Failure::timed_out,
               confirmed_ ? "the peer was silent for too long" : "the peer does not answer (QUIC, UDP)");
  if (http_error_ != 0) return end_by_http(http_error_);
  ngtcp2_connection_close_error why;
  quic_.ngtcp2_connection_close_error_default(&why);
  const std::uint8_t alert = quic_.ngtcp2_conn_get_tls_alert(quic_connection_);
  if (error == NGTCP2_ERR_CRYPTO)
    quic_.ngtcp2_connection_close_error_set_transport_error_tls_alert(&why, alert, nullptr, 0);
  else quic_.ngtcp2_connection_close_error_set_transport_error_liberr(&why, error, nullptr, 0);
  tell(why);
  if (tls_.failure() != Failure::none) return end(tls_.failure(), tls_.said());
  if (error == NGTCP2_ERR_CRYPTO) return end(failure_of_alert(alert, false), words_of_alert(alert));
  if (error == NGTCP2_ERR_RECV_VERSION_NEGOTIATION || error == NGTCP2_ERR_VERSION_NEGOTIATION_FAILURE)
    return end(Failure::tls_no_http3, "the peer does not speak QUIC's version 1");
  return end(Failure::bad_answer, std::string("what came is no QUIC: ") + quic_.ngtcp2_strerror(error));
}

bool QuicConnection::end_by_peer() {
  if (reset_) return end(Failure::closed, "the peer does not know this connection any more");
  ngtcp2_connection_close_error why;
  quic_.ngtcp2_conn_get_connection_close_error(quic_connection_, &why);
  const bool of_tls = why.type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_TRANSPORT &&
                      why.error_code >= NGTCP2_CRYPTO_ERROR && why.error_code <= NGTCP2_CRYPTO_ERROR + 0xff;
  if (of_tls) {
    const auto alert = static_cast<std::uint8_t>(why.error_code & 0xff);
    return end(failure_of_alert(alert, true), "the peer said: " + words_of_alert(alert));
  }
  return end(Failure::closed, "the peer closed the connection with code " + hex_of(why.error_code) + reason_of(why));
}

bool QuicConnection::end_by_http(std::uint64_t code) {
  ngtcp2_connection_close_error why;
  quic_.ngtcp2_connection_close_error_default(&why);
  quic_.ngtcp2_connection_close_error_set_application_error(&why, code, nullptr, 0);
  tell(why);
  return end(Failure::bad_answer, "what came is no HTTP/3 (code " + hex_of(code) + ")");
}

bool QuicConnection::end_by_socket(int error) {
  return end(confirmed_ ? Failure::closed : Failure::unreachable, std::string("UDP: ") + std::strerror(error));
}

// ---- H3Wire

bool QuicConnection::open_uni(std::int64_t& stream) {
  return quic_.ngtcp2_conn_open_uni_stream(quic_connection_, &stream, nullptr) == 0;
}

void QuicConnection::consumed(std::int64_t stream, std::size_t bytes) {
  (void)quic_.ngtcp2_conn_extend_max_stream_offset(quic_connection_, stream, bytes);
  quic_.ngtcp2_conn_extend_max_offset(quic_connection_, bytes);
}

void QuicConnection::stop_reading(std::int64_t stream, std::uint64_t code) {
  (void)quic_.ngtcp2_conn_shutdown_stream_read(quic_connection_, stream, code);
}

void QuicConnection::stop_writing(std::int64_t stream, std::uint64_t code) {
  (void)quic_.ngtcp2_conn_shutdown_stream_write(quic_connection_, stream, code);
}

}  // namespace honeylink::telemetry::net
