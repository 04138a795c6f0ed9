// TLS 1.3 of one QUIC connection, by GnuTLS: what is offered (ChaCha20-Poly1305 and nothing else, no early data, no
// resumption) and whom we believe: the certificates, name and pin of the permit, as the way over TCP has them. One
// thread; lives as long as its connection.
#pragma once
#include <string>

#include "net/client.h"
#include "net/quic_library.h"

namespace honeylink::telemetry::net {

class QuicTls {
 public:
  QuicTls(const Quic& quic, const consent::Permit& permit) : quic_(quic), permit_(permit) {}
  ~QuicTls();
  QuicTls(const QuicTls&) = delete;
  QuicTls& operator=(const QuicTls&) = delete;

  /// False: failure() and said() tell why.
  bool make();
  /// The connection that this is the TLS of; before the first packet.
  void bind(ngtcp2_conn* connection) noexcept { connection_ = connection; }
  [[nodiscard]] gnutls_session_t session() const noexcept { return session_; }
  /// The peer's certificates were looked at, and are those that were granted.
  [[nodiscard]] bool verified() const noexcept { return verified_; }
  /// Why the peer was refused here, or why our own files cannot be used.
  [[nodiscard]] Failure failure() const noexcept { return failure_; }
  [[nodiscard]] const std::string& said() const noexcept { return said_; }

 private:
  bool take_certificates();
  bool set_session();
  bool refuse(Failure failure, std::string said);
  [[nodiscard]] std::string host() const;
  bool judge();
  bool has_pinned_key();
  static int verify(gnutls_session_t session) noexcept;

  const Quic& quic_;
  const consent::Permit& permit_;
  ngtcp2_crypto_conn_ref reference_{};
  ngtcp2_conn* connection_ = nullptr;
  gnutls_certificate_credentials_t credentials_ = nullptr;
  gnutls_session_t session_ = nullptr;
  bool verified_ = false;
  Failure failure_ = Failure::none;
  std::string said_;
};

/// What a peer's certificate was found wanting by gnutls_certificate_verify_peers; `status` is not 0. Pure.
[[nodiscard]] Failure failure_of_status(unsigned status) noexcept;

}  // namespace honeylink::telemetry::net
