// ngtcp2 (QUIC), nghttp3 (HTTP/3) and GnuTLS, opened when the first permitted client of an h3:// endpoint is made and
// never before (decisions 0014, 0022). Only net includes this.
//
// A table of the functions under their own names, so that the libraries' macros work on it:
// quic.ngtcp2_settings_default(&s) becomes quic.ngtcp2_settings_default_versioned(…). load_quic() may be called from
// any thread; the libraries are never closed.
#pragma once
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <nghttp3/nghttp3.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <string>

namespace honeylink::telemetry::net {

// The structures of these headers belong to libngtcp2.so.9 and libnghttp3.so.3, which quic_library.cc opens by name.
static_assert(NGTCP2_VERSION_NUM >= 0x000c01 && NGTCP2_VERSION_NUM < 0x000d00,
              "ngtcp2 0.12 is what this was written for");
static_assert(NGHTTP3_VERSION_NUM >= 0x000800 && NGHTTP3_VERSION_NUM < 0x000900,
              "nghttp3 0.8 is what this was written for");

// clang-format off
#define HONEYLINK_QUIC_FUNCTIONS(F) \
  F(ngtcp2_settings_default_versioned) F(ngtcp2_transport_params_default_versioned) F(ngtcp2_conn_client_new_versioned) \
  F(ngtcp2_conn_del) F(ngtcp2_conn_set_tls_native_handle) F(ngtcp2_conn_read_pkt_versioned) \
  F(ngtcp2_conn_writev_stream_versioned) F(ngtcp2_conn_write_connection_close_versioned) F(ngtcp2_conn_get_expiry) \
  F(ngtcp2_conn_handle_expiry) F(ngtcp2_conn_update_pkt_tx_time) F(ngtcp2_conn_get_send_quantum) \
  F(ngtcp2_conn_get_max_tx_udp_payload_size) F(ngtcp2_conn_get_max_data_left) F(ngtcp2_conn_open_bidi_stream) \
  F(ngtcp2_conn_open_uni_stream) F(ngtcp2_conn_get_max_local_streams_uni) F(ngtcp2_conn_extend_max_stream_offset) \
  F(ngtcp2_conn_extend_max_offset) F(ngtcp2_conn_shutdown_stream_read) F(ngtcp2_conn_shutdown_stream_write) \
  F(ngtcp2_conn_get_tls_alert) F(ngtcp2_conn_get_connection_close_error) F(ngtcp2_connection_close_error_default) \
  F(ngtcp2_connection_close_error_set_transport_error_liberr) \
  F(ngtcp2_connection_close_error_set_transport_error_tls_alert) \
  F(ngtcp2_connection_close_error_set_application_error) F(ngtcp2_strerror) \
  F(ngtcp2_crypto_client_initial_cb) F(ngtcp2_crypto_recv_crypto_data_cb) F(ngtcp2_crypto_encrypt_cb) \
  F(ngtcp2_crypto_decrypt_cb) F(ngtcp2_crypto_hp_mask_cb) F(ngtcp2_crypto_recv_retry_cb) F(ngtcp2_crypto_update_key_cb) \
  F(ngtcp2_crypto_delete_crypto_aead_ctx_cb) F(ngtcp2_crypto_delete_crypto_cipher_ctx_cb) \
  F(ngtcp2_crypto_get_path_challenge_data_cb) F(ngtcp2_crypto_version_negotiation_cb) \
  F(ngtcp2_crypto_gnutls_configure_client_session) \
  F(nghttp3_settings_default_versioned) F(nghttp3_conn_client_new_versioned) F(nghttp3_conn_del) F(nghttp3_mem_default) \
  F(nghttp3_conn_bind_control_stream) F(nghttp3_conn_bind_qpack_streams) F(nghttp3_conn_submit_request) \
  F(nghttp3_conn_read_stream) F(nghttp3_conn_writev_stream) F(nghttp3_conn_add_write_offset) \
  F(nghttp3_conn_add_ack_offset) F(nghttp3_conn_block_stream) F(nghttp3_conn_unblock_stream) \
  F(nghttp3_conn_shutdown_stream_read) F(nghttp3_conn_shutdown_stream_write) F(nghttp3_conn_close_stream) \
  F(nghttp3_rcbuf_get_buf) F(nghttp3_err_infer_quic_app_error_code) F(nghttp3_strerror) \
  F(gnutls_init) F(gnutls_deinit) F(gnutls_priority_set_direct) F(gnutls_session_set_ptr) F(gnutls_session_get_ptr) \
  F(gnutls_credentials_set) F(gnutls_alpn_set_protocols) F(gnutls_server_name_set) \
  F(gnutls_session_set_verify_function) F(gnutls_certificate_allocate_credentials) \
  F(gnutls_certificate_free_credentials) F(gnutls_certificate_set_x509_trust_mem) \
  F(gnutls_certificate_set_x509_system_trust) F(gnutls_certificate_set_x509_key_file) F(gnutls_certificate_verify_peers) \
  F(gnutls_certificate_verification_status_print) F(gnutls_certificate_type_get) F(gnutls_certificate_get_peers) \
  F(gnutls_x509_crt_init) F(gnutls_x509_crt_deinit) F(gnutls_x509_crt_import) F(gnutls_pubkey_init) \
  F(gnutls_pubkey_deinit) F(gnutls_pubkey_import_x509) F(gnutls_pubkey_export2) F(gnutls_hash_fast) \
  F(gnutls_base64_encode2) F(gnutls_rnd) F(gnutls_strerror) F(gnutls_alert_get_name)
// clang-format on

struct Quic {
#define HONEYLINK_DECLARE(name) decltype(&::name) name = nullptr;
  HONEYLINK_QUIC_FUNCTIONS(HONEYLINK_DECLARE)
#undef HONEYLINK_DECLARE
};

/// nullptr and `why` where a library is missing or too old.
[[nodiscard]] const Quic* load_quic(std::string& why);

}  // namespace honeylink::telemetry::net
