// See quic_connection.h: how a connection begins, and what ngtcp2 calls. The callbacks do nothing but pass on: a QUIC
// stream's bytes to HTTP/3, HTTP/3's wishes back.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "net/monotonic.h"
#include "net/quic_connection.h"

namespace honeylink::telemetry::net {
namespace {

constexpr std::size_t kConnectionIdBytes = 16;
constexpr std::uint64_t kAnswerWindow = 256 * 1024, kUniWindow = 64 * 1024, kConnectionWindow = 1024 * 1024;
constexpr ngtcp2_duration kIdle = 30 * NGTCP2_SECONDS;

QuicConnection& connection_of(void* self) noexcept { return *static_cast<QuicConnection*>(self); }

void fill_random(const Quic& quic, std::uint8_t* to, std::size_t size) noexcept {
  quic.gnutls_rnd(GNUTLS_RND_RANDOM, to, size);
}

/// ngtcp2 hands these callbacks nothing of ours.
const Quic& loaded_quic() {
  std::string why;
  return *load_quic(why);
}

}  // namespace

bool QuicConnection::open(const Address& to, int handshake_timeout_ms) {
  return open_socket(to) && (tls_.make() || end(tls_.failure(), tls_.said())) && open_quic(handshake_timeout_ms);
}

bool QuicConnection::open_socket(const Address& to) {
  if (!leave_.holds() || (leave_.permit.endpoint().loopback() && !is_loopback(to.get())))
    return end(Failure::closed, "the connection was refused here: not permitted, or not this device");
  const int family = to.get()->sa_family;
  socket_ = Fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // Packets are not to be cut in pieces on their way: ngtcp2 finds out itself how large they may be.
  const int whole = family == AF_INET ? IP_PMTUDISC_PROBE : IPV6_PMTUDISC_PROBE;
  if (socket_)
    (void)::setsockopt(socket_.get(), family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
                       family == AF_INET ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &whole, sizeof whole);
  there_ = to;
  here_.size = sizeof here_.bytes;
  if (!socket_ || ::connect(socket_.get(), to.get(), to.size) != 0 ||
      ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&here_.bytes), &here_.size) != 0)
    return end_by_socket(errno);
  path_.local = {reinterpret_cast<sockaddr*>(&here_.bytes), here_.size};
  path_.remote = {reinterpret_cast<sockaddr*>(&there_.bytes), there_.size};
  return true;
}

bool QuicConnection::open_quic(int handshake_timeout_ms) {
  ngtcp2_callbacks called{};
  set_crypto(quic_, called);
  set_streams(called);
  ngtcp2_settings settings;
  quic_.ngtcp2_settings_default(&settings);
  settings.initial_ts = static_cast<ngtcp2_tstamp>(now_ns());
  settings.handshake_timeout = static_cast<ngtcp2_duration>(handshake_timeout_ms) * NGTCP2_MILLISECONDS;
  settings.max_tx_udp_payload_size = kPacketBytesMax;
  ngtcp2_transport_params parameters;
  quic_.ngtcp2_transport_params_default(&parameters);
  parameters.initial_max_streams_uni = 3;  // control and QPACK's two: HTTP/3 needs no others of a server
  parameters.initial_max_stream_data_bidi_local = kAnswerWindow;
  parameters.initial_max_stream_data_uni = kUniWindow;
  parameters.initial_max_data = kConnectionWindow;
  parameters.max_idle_timeout = kIdle;
  ngtcp2_cid theirs{}, ours{};
  theirs.datalen = ours.datalen = kConnectionIdBytes;
  fill_random(quic_, theirs.data, kConnectionIdBytes);
  fill_random(quic_, ours.data, kConnectionIdBytes);
  const int error = quic_.ngtcp2_conn_client_new(&quic_connection_, &theirs, &ours, &path_, NGTCP2_PROTO_VER_V1,
                                                 &called, &settings, &parameters, nullptr, this);
  if (error != 0) return end(Failure::closed, quic_.ngtcp2_strerror(error));
  tls_.bind(quic_connection_);
  quic_.ngtcp2_conn_set_tls_native_handle(quic_connection_, tls_.session());
  return true;
}

void QuicConnection::set_crypto(const Quic& quic, ngtcp2_callbacks& to) noexcept {
  to.client_initial = quic.ngtcp2_crypto_client_initial_cb;
  to.recv_crypto_data = quic.ngtcp2_crypto_recv_crypto_data_cb;
  to.encrypt = quic.ngtcp2_crypto_encrypt_cb;
  to.decrypt = quic.ngtcp2_crypto_decrypt_cb;
  to.hp_mask = quic.ngtcp2_crypto_hp_mask_cb;
  to.recv_retry = quic.ngtcp2_crypto_recv_retry_cb;
  to.update_key = quic.ngtcp2_crypto_update_key_cb;
  to.delete_crypto_aead_ctx = quic.ngtcp2_crypto_delete_crypto_aead_ctx_cb;
  to.delete_crypto_cipher_ctx = quic.ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
  to.get_path_challenge_data = quic.ngtcp2_crypto_get_path_challenge_data_cb;
  to.version_negotiation = quic.ngtcp2_crypto_version_negotiation_cb;
  to.rand = [](std::uint8_t* bytes, std::size_t size, const ngtcp2_rand_ctx*) {
    fill_random(loaded_quic(), bytes, size);
  };
  to.get_new_connection_id = [](ngtcp2_conn*, ngtcp2_cid* id, std::uint8_t* token, std::size_t size, void* self) {
    fill_random(connection_of(self).quic_, id->data, id->datalen = size);
    fill_random(connection_of(self).quic_, token, NGTCP2_STATELESS_RESET_TOKENLEN);
    return 0;
  };
  to.handshake_completed = [](ngtcp2_conn*, void* self) { return connection_of(self).confirmed_ = true, 0; };
  to.recv_stateless_reset = [](ngtcp2_conn*, const ngtcp2_pkt_stateless_reset*, void* self) {
    return connection_of(self).reset_ = true, 0;
  };
  to.recv_rx_key = [](ngtcp2_conn*, ngtcp2_crypto_level level, void* self) {
    return level == NGTCP2_CRYPTO_LEVEL_APPLICATION ? connection_of(self).begin_http() : 0;
  };
}

void QuicConnection::set_streams(ngtcp2_callbacks& to) noexcept {
  to.recv_stream_data = [](ngtcp2_conn*, std::uint32_t flags, std::int64_t stream, std::uint64_t,
                           const std::uint8_t* data, std::size_t size, void* self, void*) {
    QuicConnection& its = connection_of(self);
    its.heard_ns_ = now_ns();
    its.take_code(its.http_->read(stream, {data, size}, (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0));
    return its.http_error_ == 0 ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
  };
  to.acked_stream_data_offset = [](ngtcp2_conn*, std::int64_t stream, std::uint64_t, std::uint64_t size, void* self,
                                   void*) {
    QuicConnection& its = connection_of(self);
    its.heard_ns_ = now_ns();
    its.take_code(its.http_->acked(stream, size));
    return its.http_error_ == 0 ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
  };
  to.stream_close = [](ngtcp2_conn*, std::uint32_t flags, std::int64_t stream, std::uint64_t code, void* self, void*) {
    const bool has_code = (flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET) != 0;
    return connection_of(self).http_->closed(stream, has_code ? code : NGHTTP3_H3_NO_ERROR), 0;
  };
  to.stream_reset = [](ngtcp2_conn*, std::int64_t stream, std::uint64_t, std::uint64_t, void* self, void*) {
    return connection_of(self).http_->reset_by_peer(stream), 0;
  };
  to.stream_stop_sending = [](ngtcp2_conn*, std::int64_t stream, std::uint64_t, void* self, void*) {
    return connection_of(self).http_->stopped_by_peer(stream), 0;
  };
  to.extend_max_stream_data = [](ngtcp2_conn*, std::int64_t stream, std::uint64_t, void* self, void*) {
    return connection_of(self).http_->unblocked(stream), 0;
  };
}

/// As soon as the peer may speak: it opens its control stream at once.
int QuicConnection::begin_http() {
  if (http_ != nullptr) return 0;
  http_ = std::make_unique<H3Session>(quic_, *this, leave_.options.answer_bytes_max);
  return http_->start() ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

}  // namespace honeylink::telemetry::net
