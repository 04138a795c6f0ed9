// See quic_tls.h.
#include "net/quic_tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <array>
#include <cstring>

namespace honeylink::telemetry::net {
namespace {

constexpr const char* kOffered =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:"
    "%DISABLE_TLS13_COMPAT_MODE";
constexpr std::size_t kSha256Bytes = 32;

gnutls_datum_t datum_of(const std::string& bytes) noexcept {
  // GnuTLS reads it; its structure has no const.
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data())), static_cast<unsigned>(bytes.size())};
}

/// The address in network order, where the host is one.
std::string address_of(const std::string& host) {
  std::array<char, sizeof(in6_addr)> bytes{};
  if (::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) return {bytes.data(), sizeof(in_addr)};
  if (::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1) return {bytes.data(), sizeof(in6_addr)};
  return {};
}

}  // namespace

Failure failure_of_status(unsigned status) noexcept {
  constexpr unsigned kNotVouchedFor = GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA |
                                      GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_REVOKED |
                                      GNUTLS_CERT_INSECURE_ALGORITHM | GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE;
  if ((status & kNotVouchedFor) != 0) return Failure::tls_unknown_authority;
  if ((status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0) return Failure::tls_expired;
  if ((status & GNUTLS_CERT_UNEXPECTED_OWNER) != 0) return Failure::tls_wrong_name;
  return Failure::tls_unknown_authority;
}

QuicTls::~QuicTls() {
  if (session_ != nullptr) quic_.gnutls_deinit(session_);
  if (credentials_ != nullptr) quic_.gnutls_certificate_free_credentials(credentials_);
}

bool QuicTls::refuse(Failure failure, std::string said) {
  failure_ = failure;
  said_ = std::move(said);
  return false;
}

bool QuicTls::make() { return take_certificates() && set_session(); }

bool QuicTls::take_certificates() {
  if (quic_.gnutls_certificate_allocate_credentials(&credentials_) != GNUTLS_E_SUCCESS)
    return refuse(Failure::closed, "GnuTLS has no memory");
  const gnutls_datum_t granted = datum_of(permit_.ca_pem());
  const int trusted = permit_.ca_pem().empty()
                          ? quic_.gnutls_certificate_set_x509_system_trust(credentials_)
                          : quic_.gnutls_certificate_set_x509_trust_mem(credentials_, &granted, GNUTLS_X509_FMT_PEM);
  if (trusted <= 0)
    return refuse(Failure::tls_unknown_authority, "no certificate is there that could vouch for the peer");
  if (permit_.cert_file().empty()) return true;
  const int ours = quic_.gnutls_certificate_set_x509_key_file(credentials_, permit_.cert_file().c_str(),
                                                              permit_.key_file().c_str(), GNUTLS_X509_FMT_PEM);
  return ours >= 0 || refuse(Failure::own_key, "cannot use " + permit_.cert_file() + " with " + permit_.key_file() +
                                                   ": " + quic_.gnutls_strerror(ours));
}

bool QuicTls::set_session() {
  reference_.get_conn = [](ngtcp2_crypto_conn_ref* reference) {
    return static_cast<QuicTls*>(reference->user_data)->connection_;
  };
  reference_.user_data = this;
  const gnutls_datum_t h3{const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>("h3")), 2};
  const bool made = quic_.gnutls_init(&session_, GNUTLS_CLIENT | GNUTLS_NO_END_OF_EARLY_DATA | GNUTLS_NO_TICKETS) ==
                        GNUTLS_E_SUCCESS &&
                    quic_.ngtcp2_crypto_gnutls_configure_client_session(session_) == 0 &&
                    quic_.gnutls_priority_set_direct(session_, kOffered, nullptr) == GNUTLS_E_SUCCESS &&
                    quic_.gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_) == GNUTLS_E_SUCCESS &&
                    quic_.gnutls_alpn_set_protocols(session_, &h3, 1, GNUTLS_ALPN_MANDATORY) == GNUTLS_E_SUCCESS;
  if (!made) return refuse(Failure::tls_other, "GnuTLS does not offer what is needed: TLS 1.3 with ChaCha20-Poly1305");
  quic_.gnutls_session_set_ptr(session_, &reference_);
  quic_.gnutls_session_set_verify_function(session_, &QuicTls::verify);
  const std::string name = host();
  if (address_of(name).empty()) quic_.gnutls_server_name_set(session_, GNUTLS_NAME_DNS, name.data(), name.size());
  return true;
}

std::string QuicTls::host() const {
  const std::string& host = permit_.endpoint().host;
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

/// The chain and the name, as libcurl checks them on TCP: an address is looked for among the certificate's addresses
/// only.
bool QuicTls::judge() {
  const std::string name = host(), address = address_of(name);
  std::string purpose = GNUTLS_KP_TLS_WWW_SERVER, owner = address.empty() ? name : address;
  std::array<gnutls_typed_vdata_st, 2> wanted{};
  wanted[0].type = address.empty() ? GNUTLS_DT_DNS_HOSTNAME : GNUTLS_DT_IP_ADDRESS;
  wanted[0].data = reinterpret_cast<unsigned char*>(owner.data()), wanted[0].size = static_cast<unsigned>(owner.size());
  wanted[1].type = GNUTLS_DT_KEY_PURPOSE_OID;
  wanted[1].data = reinterpret_cast<unsigned char*>(purpose.data());
  unsigned status = 0;
  const int done =
      quic_.gnutls_certificate_verify_peers(session_, wanted.data(), static_cast<unsigned>(wanted.size()), &status);
  if (done < 0) return refuse(Failure::tls_unknown_authority, quic_.gnutls_strerror(done));
  if (status != 0) {
    gnutls_datum_t words{};
    std::string said = "the certificate is not one to be believed";
    if (quic_.gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &words, 0) == GNUTLS_E_SUCCESS)
      said.assign(reinterpret_cast<const char*>(words.data), words.size);
    ::free(words.data);  // GnuTLS allocates by malloc
    return refuse(failure_of_status(status), std::move(said));
  }
  if (!permit_.pin().empty() && !has_pinned_key())
    return refuse(Failure::tls_wrong_pin, "its public key is not the one that was pinned");
  return verified_ = true;
}

bool QuicTls::has_pinned_key() {
  unsigned chain = 0;
  const gnutls_datum_t* const peers = quic_.gnutls_certificate_get_peers(session_, &chain);
  if (peers == nullptr || chain == 0) return false;
  gnutls_x509_crt_t certificate = nullptr;
  gnutls_pubkey_t key = nullptr;
  gnutls_datum_t der{}, base64{};
  std::array<unsigned char, kSha256Bytes> hash{};
  bool fits = false;
  if (quic_.gnutls_x509_crt_init(&certificate) == 0 && quic_.gnutls_pubkey_init(&key) == 0 &&
      quic_.gnutls_x509_crt_import(certificate, &peers[0], GNUTLS_X509_FMT_DER) == 0 &&
      quic_.gnutls_pubkey_import_x509(key, certificate, 0) == 0 &&
      quic_.gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der) == 0 &&
      quic_.gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, hash.data()) == 0) {
    const gnutls_datum_t raw{hash.data(), static_cast<unsigned>(hash.size())};
    fits = quic_.gnutls_base64_encode2(&raw, &base64) == 0 &&
           permit_.pin() == "sha256//" + std::string(reinterpret_cast<const char*>(base64.data), base64.size);
  }
  ::free(der.data), ::free(base64.data);
  if (key != nullptr) quic_.gnutls_pubkey_deinit(key);
  if (certificate != nullptr) quic_.gnutls_x509_crt_deinit(certificate);
  return fits;
}

int QuicTls::verify(gnutls_session_t session) noexcept try {
  std::string why;
  const Quic* const quic = load_quic(why);  // GnuTLS gives the session and nothing else
  auto* const reference = static_cast<ngtcp2_crypto_conn_ref*>(quic->gnutls_session_get_ptr(session));
  return static_cast<QuicTls*>(reference->user_data)->judge() ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
} catch (...) { return GNUTLS_E_CERTIFICATE_ERROR; }

}  // namespace honeylink::telemetry::net
