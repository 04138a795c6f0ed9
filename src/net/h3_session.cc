// See h3_session.h.
#include "net/h3_session.h"

#include <charconv>

namespace honeylink::telemetry::net {
namespace {

constexpr std::size_t kHeadersBytesMax = 64 * 1024;

H3Session& session_of(void* self) noexcept { return *static_cast<H3Session*>(self); }

std::string_view text_of(const nghttp3_vec& bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.base), bytes.len};
}

nghttp3_nv field_of(std::string_view name, std::string_view value) noexcept {
  // nghttp3 copies both; its structure has no const.
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP3_NV_FLAG_NONE};
}

nghttp3_ssize give_body(nghttp3_conn*, std::int64_t, nghttp3_vec* to, std::size_t, std::uint32_t* flags, void*,
                        void* exchange) noexcept {
  std::string& body = static_cast<H3Exchange*>(exchange)->body;
  *flags = NGHTTP3_DATA_FLAG_EOF;
  if (body.empty()) return 0;
  to[0] = {reinterpret_cast<std::uint8_t*>(body.data()), body.size()};
  return 1;
}

}  // namespace

H3Session::H3Session(const Quic& quic, H3Wire& wire, std::size_t answer_bytes_max)
    : quic_(quic), wire_(wire), answer_bytes_max_(answer_bytes_max) {}

H3Session::~H3Session() {
  if (http_ != nullptr) quic_.nghttp3_conn_del(http_);
}

nghttp3_callbacks H3Session::callbacks() const noexcept {
  nghttp3_callbacks c{};
  c.stream_close = &H3Session::take_end;
  c.recv_data = &H3Session::take_data;
  c.recv_header = c.recv_trailer = &H3Session::take_header;
  c.deferred_consume = [](nghttp3_conn*, std::int64_t stream, std::size_t bytes, void* self, void*) {
    return session_of(self).wire_.consumed(stream, bytes), 0;
  };
  c.begin_headers = [](nghttp3_conn*, std::int64_t, void*, void* exchange) {
    // What came before was an interim answer.
    if (exchange != nullptr) static_cast<H3Exchange*>(exchange)->answer.headers.clear();
    return 0;
  };
  c.end_stream = [](nghttp3_conn*, std::int64_t, void*, void* exchange) {
    if (exchange != nullptr) static_cast<H3Exchange*>(exchange)->done = true;
    return 0;
  };
  c.stop_sending = [](nghttp3_conn*, std::int64_t stream, std::uint64_t code, void* self, void*) {
    return session_of(self).wire_.stop_reading(stream, code), 0;
  };
  c.reset_stream = [](nghttp3_conn*, std::int64_t stream, std::uint64_t code, void* self, void*) {
    return session_of(self).wire_.stop_writing(stream, code), 0;
  };
  c.shutdown = [](nghttp3_conn*, std::int64_t, void* self) { return session_of(self).going_away_ = true, 0; };
  return c;
}

bool H3Session::start() {
  const nghttp3_callbacks called = callbacks();
  nghttp3_settings settings;
  quic_.nghttp3_settings_default(&settings);
  settings.max_field_section_size = kHeadersBytesMax;
  if (quic_.nghttp3_conn_client_new(&http_, &called, &settings, quic_.nghttp3_mem_default(), this) != 0) return false;
  std::int64_t control = -1, encoder = -1, decoder = -1;
  return wire_.open_uni(control) && wire_.open_uni(encoder) && wire_.open_uni(decoder) &&
         quic_.nghttp3_conn_bind_control_stream(http_, control) == 0 &&
         quic_.nghttp3_conn_bind_qpack_streams(http_, encoder, decoder) == 0;
}

std::shared_ptr<H3Exchange> H3Session::submit(std::int64_t stream, const H3Fields& fields, std::string_view body,
                                              bool has_body) {
  auto exchange = std::make_shared<H3Exchange>();
  exchange->stream = stream;
  exchange->body = body;
  std::vector<nghttp3_nv> wire_fields;
  for (const auto& [name, value] : fields) wire_fields.push_back(field_of(name, value));
  const nghttp3_data_reader reader{&give_body};
  if (quic_.nghttp3_conn_submit_request(http_, stream, wire_fields.data(), wire_fields.size(),
                                        has_body ? &reader : nullptr, exchange.get()) != 0)
    return nullptr;
  exchanges_.emplace(stream, exchange);
  return exchange;
}

std::uint64_t H3Session::read(std::int64_t stream, std::span<const std::uint8_t> bytes, bool fin) {
  const nghttp3_ssize taken = quic_.nghttp3_conn_read_stream(http_, stream, bytes.data(), bytes.size(), fin ? 1 : 0);
  if (taken < 0) return quic_.nghttp3_err_infer_quic_app_error_code(static_cast<int>(taken));
  wire_.consumed(stream, static_cast<std::size_t>(taken));
  return 0;
}

std::uint64_t H3Session::acked(std::int64_t stream, std::uint64_t bytes) {
  const int failed = quic_.nghttp3_conn_add_ack_offset(http_, stream, bytes);
  return failed == 0 ? 0 : quic_.nghttp3_err_infer_quic_app_error_code(failed);
}

void H3Session::closed(std::int64_t stream, std::uint64_t code) {
  (void)quic_.nghttp3_conn_close_stream(http_, stream, code);
}
void H3Session::reset_by_peer(std::int64_t stream) { (void)quic_.nghttp3_conn_shutdown_stream_read(http_, stream); }
// The write side only: what the peer answers is still to be read (RFC 9114, 4.1).
void H3Session::stopped_by_peer(std::int64_t stream) { quic_.nghttp3_conn_shutdown_stream_write(http_, stream); }
void H3Session::unblocked(std::int64_t stream) { (void)quic_.nghttp3_conn_unblock_stream(http_, stream); }
void H3Session::blocked(std::int64_t stream) { quic_.nghttp3_conn_block_stream(http_, stream); }

bool H3Session::next(Outgoing& to) {
  int fin = 0;
  const nghttp3_ssize count =
      quic_.nghttp3_conn_writev_stream(http_, &to.stream, &fin, to.parts.data(), to.parts.size());
  if (count < 0) return false;
  to.fin = fin != 0;
  to.count = static_cast<std::size_t>(count);
  return true;
}

void H3Session::wrote(const Outgoing& what, std::size_t bytes) {
  (void)quic_.nghttp3_conn_add_write_offset(http_, what.stream, bytes);
  std::size_t whole = 0;
  for (std::size_t i = 0; i < what.count; ++i) whole += what.parts[i].len;
  const auto at = exchanges_.find(what.stream);
  if (at != exchanges_.end() && what.fin && bytes == whole) at->second->sent = true;
}

void H3Session::leave(const H3Exchange& exchange) {
  if (exchange.sent || exchange.ended) return;
  quic_.nghttp3_conn_shutdown_stream_write(http_, exchange.stream);
  wire_.stop_writing(exchange.stream, NGHTTP3_H3_NO_ERROR);
}

bool H3Session::too_much(H3Exchange& exchange) const noexcept {
  exchange.too_much = exchange.header_bytes > kHeadersBytesMax || exchange.answer.body.size() > answer_bytes_max_;
  return exchange.too_much;
}

int H3Session::take_header(nghttp3_conn*, std::int64_t, std::int32_t token, nghttp3_rcbuf* name, nghttp3_rcbuf* value,
                           std::uint8_t, void* self, void* of) noexcept try {
  if (of == nullptr) return 0;
  const H3Session& session = session_of(self);
  H3Exchange& exchange = *static_cast<H3Exchange*>(of);
  const nghttp3_vec its_name = session.quic_.nghttp3_rcbuf_get_buf(name);
  const nghttp3_vec its_value = session.quic_.nghttp3_rcbuf_get_buf(value);
  exchange.header_bytes += its_name.len + its_value.len;
  if (session.too_much(exchange)) return NGHTTP3_ERR_CALLBACK_FAILURE;
  if (token == NGHTTP3_QPACK_TOKEN__STATUS) {
    const std::string_view digits = text_of(its_value);
    std::from_chars(digits.data(), digits.data() + digits.size(), exchange.answer.status);
  } else {
    exchange.answer.headers.emplace_back(text_of(its_name), text_of(its_value));
  }
  return 0;
} catch (...) { return NGHTTP3_ERR_CALLBACK_FAILURE; }

int H3Session::take_data(nghttp3_conn*, std::int64_t stream, const std::uint8_t* data, std::size_t size, void* self,
                         void* of) noexcept try {
  const H3Session& session = session_of(self);
  session.wire_.consumed(stream, size);
  if (of == nullptr) return 0;
  H3Exchange& exchange = *static_cast<H3Exchange*>(of);
  exchange.answer.body.append(reinterpret_cast<const char*>(data), size);
  return session.too_much(exchange) ? NGHTTP3_ERR_CALLBACK_FAILURE : 0;
} catch (...) { return NGHTTP3_ERR_CALLBACK_FAILURE; }

int H3Session::take_end(nghttp3_conn*, std::int64_t stream, std::uint64_t code, void* self, void* of) noexcept {
  if (of != nullptr) {
    H3Exchange& exchange = *static_cast<H3Exchange*>(of);
    exchange.ended = true;
    exchange.code = code;
  }
  session_of(self).exchanges_.erase(stream);
  return 0;
}

}  // namespace honeylink::telemetry::net
