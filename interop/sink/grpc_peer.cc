// See grpc_peer.h.
#include "grpc_peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <vector>

namespace honeylink::telemetry::interop {
namespace {

constexpr std::size_t kFrameHead = 5, kUnpackedBytesMax = std::size_t{128} << 20, kReadBytes = 256 * 1024;
constexpr std::uint32_t kWindow = 16 << 20;

std::int64_t now_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

std::string base64(std::string_view bytes) {
  constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (have += 8; have >= 6; have -= 6) out += kLetters[bits >> (have - 6) & 63];
  }
  if (have > 0) out += kLetters[bits << (6 - have) & 63];
  return out;
}

bool unpack(std::string_view packed, std::string& to) {
  z_stream stream{};
  if (::inflateInit2(&stream, 15 + 16) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  int code = Z_OK;
  while (code == Z_OK && to.size() < kUnpackedBytesMax) {
    const std::size_t before = to.size();
    to.resize(before + 256 * 1024);
    stream.next_out = reinterpret_cast<Bytef*>(to.data() + before);
    stream.avail_out = 256 * 1024;
    code = ::inflate(&stream, Z_NO_FLUSH);
    to.resize(to.size() - stream.avail_out);
  }
  ::inflateEnd(&stream);
  return code == Z_STREAM_END;
}

struct Stream {
  std::map<std::string, std::string> headers;
  std::string body;
  PeerAnswer answer;
  std::string out;
  std::size_t sent = 0;
};

PeerRequest request_of(Stream& stream) {
  PeerRequest request;
  request.arrived_ns = now_ns();
  request.headers = std::move(stream.headers);
  const auto said = [&](const char* name) {
    const auto at = request.headers.find(name);
    return at == request.headers.end() ? std::string() : at->second;
  };
  request.path = said(":path");
  request.wire_bytes = stream.body.size();
  std::string_view body = stream.body;
  const bool grpc = said("content-type").starts_with("application/grpc");
  bool packed = said("content-encoding") == "gzip";
  if (grpc) {
    std::uint32_t size = 0;
    for (std::size_t i = 1; i < kFrameHead && i < body.size(); ++i)
      size = size << 8 | static_cast<unsigned char>(body[i]);
    packed = !body.empty() && body[0] == 1;
    request.sound =
        body.size() >= kFrameHead && size == body.size() - kFrameHead && packed == (said("grpc-encoding") == "gzip");
    body.remove_prefix(std::min(kFrameHead, body.size()));
  }
  if (packed) request.sound = unpack(body, request.message) && request.sound;
  else request.message = body;
  return request;
}

nghttp2_nv pair_of(const std::string& name, const std::string& value) {
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

using Headers = std::vector<std::pair<std::string, std::string>>;
std::vector<nghttp2_nv> pairs_of(const Headers& headers) {
  std::vector<nghttp2_nv> pairs;
  for (const auto& [name, value] : headers) pairs.push_back(pair_of(name, value));
  return pairs;
}

Headers trailers_of(const PeerAnswer& answer) {
  Headers trailers;
  if (answer.grpc_status >= 0) trailers.emplace_back("grpc-status", std::to_string(answer.grpc_status));
  if (!answer.grpc_message.empty()) trailers.emplace_back("grpc-message", answer.grpc_message);
  if (!answer.details.empty()) trailers.emplace_back("grpc-status-details-bin", base64(answer.details));
  return trailers;
}

}  // namespace

struct GrpcPeer::Connection {
  GrpcPeer& peer;
  int fd;
  SSL* tls = nullptr;
  nghttp2_session* session = nullptr;
  std::map<std::int32_t, Stream> streams;
  std::multimap<std::int64_t, std::int32_t> due;  // answers that wait
  std::string unsent;
  bool over = false, ready = false;

  Connection(GrpcPeer& of, int socket) : peer(of), fd(socket) {
    nghttp2_session_callbacks* calls = nullptr;
    nghttp2_session_callbacks_new(&calls);
    nghttp2_session_callbacks_set_on_header_callback(calls, &on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, &on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, &on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, &on_close);
    nghttp2_session_server_new(&session, calls, this);
    nghttp2_session_callbacks_del(calls);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindow},
                                               {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 1 << 20}};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, 2);
    nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, static_cast<std::int32_t>(kWindow));
    if (of.tls_ == nullptr) {
      ready = true;
      return;
    }
    tls = SSL_new(static_cast<SSL_CTX*>(of.tls_));
    SSL_set_fd(tls, fd);
    SSL_set_accept_state(tls);
  }
  ~Connection() {
    nghttp2_session_del(session);
    if (tls != nullptr) SSL_free(tls);
    ::close(fd);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void read() {
    thread_local std::vector<std::uint8_t> buffer(kReadBytes);
    const std::size_t most =
        peer.options_.bytes_per_second == 0 ? buffer.size() : peer.options_.bytes_per_second / 50 + 1;
    if (!ready) {
      const int code = SSL_do_handshake(tls);
      if (code == 1) ready = true;
      else over = SSL_get_error(tls, code) != SSL_ERROR_WANT_READ;
      if (!ready) return;
    }
    for (;;) {
      const auto n = tls != nullptr ? static_cast<ssize_t>(SSL_read(tls, buffer.data(), static_cast<int>(most)))
                                    : ::read(fd, buffer.data(), most);
      if (n <= 0) {
        over = over || (tls != nullptr ? SSL_get_error(tls, static_cast<int>(n)) != SSL_ERROR_WANT_READ
                                       : n == 0 || errno != EAGAIN);
        return;
      }
      peer.received_ += static_cast<std::uint64_t>(n);
      if (nghttp2_session_mem_recv(session, buffer.data(), static_cast<std::size_t>(n)) < 0) over = true;
      if (peer.options_.bytes_per_second != 0) {
        ::poll(nullptr, 0, 20);
        return;
      }
    }
  }
  void write() {
    while (!over) {
      if (unsent.empty()) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t n = nghttp2_session_mem_send(session, &bytes);
        if (n <= 0) return;
        unsent.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n));
      }
      const auto n = tls != nullptr
                         ? static_cast<ssize_t>(SSL_write(tls, unsent.data(), static_cast<int>(unsent.size())))
                         : ::send(fd, unsent.data(), unsent.size(), MSG_NOSIGNAL);
      if (n <= 0) {
        over = over ||
               (tls != nullptr ? SSL_get_error(tls, static_cast<int>(n)) != SSL_ERROR_WANT_WRITE : errno != EAGAIN);
        return;
      }
      unsent.erase(0, static_cast<std::size_t>(n));
    }
  }
  void answer_due() {
    while (!due.empty() && due.begin()->first <= now_ns()) {
      const std::int32_t id = due.begin()->second;
      due.erase(due.begin());
      if (const auto at = streams.find(id); at != streams.end()) submit(id, at->second);
    }
  }
  [[nodiscard]] int wait_ms() const {
    return due.empty() ? 20
                       : static_cast<int>(std::clamp<std::int64_t>((due.begin()->first - now_ns()) / 1'000'000, 0, 20));
  }
  void submit(std::int32_t id, Stream& stream) {
    const PeerAnswer& answer = stream.answer;
    if (answer.resets) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
      return;
    }
    if (answer.hangs_up || !answer.garbage.empty()) {
      if (!answer.garbage.empty() && tls == nullptr)
        (void)!::send(fd, answer.garbage.data(), answer.garbage.size(), MSG_NOSIGNAL);
      over = true;
      return;
    }
    Headers headers{{":status", std::to_string(answer.http_status)}};
    if (answer.http_status == 200) headers.emplace_back("content-type", "application/grpc");
    for (const auto& pair : answer.headers) headers.push_back(pair);
    const auto pairs = pairs_of(headers);
    if (answer.http_status != 200) {
      nghttp2_submit_response(session, id, pairs.data(), pairs.size(), nullptr);
      return;
    }
    const auto size = static_cast<std::uint32_t>(answer.message.size());
    stream.out.assign(kFrameHead, '\0');
    for (std::size_t i = 0; i < 4; ++i) stream.out[1 + i] = static_cast<char>(size >> (24 - 8 * i) & 0xff);
    stream.out += answer.message;
    nghttp2_data_provider body{{.ptr = &stream}, &read_body};
    nghttp2_submit_response(session, id, pairs.data(), pairs.size(), &body);
  }
  static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* to, std::size_t size,
                           std::uint32_t* flags, nghttp2_data_source* source, void*) {
    Stream& stream = *static_cast<Stream*>(source->ptr);
    const std::size_t all = stream.out.size() + stream.answer.endless_bytes;
    const std::size_t n = std::min(size, all - stream.sent);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t at = stream.sent + i;
      to[i] = at < stream.out.size() ? static_cast<std::uint8_t>(stream.out[at]) : 0;
    }
    stream.sent += n;
    if (stream.sent < all) return static_cast<ssize_t>(n);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    const Headers trailers = trailers_of(stream.answer);
    if (trailers.empty()) return static_cast<ssize_t>(n);
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const auto pairs = pairs_of(trailers);
    nghttp2_submit_trailer(session, id, pairs.data(), pairs.size());
    return static_cast<ssize_t>(n);
  }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
    static_cast<Connection*>(self)
        ->streams[frame->hd.stream_id]
        .headers[{reinterpret_cast<const char*>(name), name_size}] =
        std::string(reinterpret_cast<const char*>(value), value_size);
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size,
                     void* self) {
    static_cast<Connection*>(self)->streams[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    Connection& its = *static_cast<Connection*>(self);
    const bool whole = (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
                       (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (!whole) return 0;
    Stream& stream = its.streams[frame->hd.stream_id];
    stream.answer = its.peer.answering_(request_of(stream));
    stream.body = {};
    if (!stream.answer.silent) its.due.emplace(now_ns() + stream.answer.delay_ms * 1'000'000LL, frame->hd.stream_id);
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* self) {
    static_cast<Connection*>(self)->streams.erase(id);
    return 0;
  }
};

namespace {

int choose_h2(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
              void*) {
  return nghttp2_select_next_protocol(const_cast<unsigned char**>(out), out_size, in, in_size) == 1
             ? SSL_TLSEXT_ERR_OK
             : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void* make_tls(const PeerOptions& options) {
  if (options.certificate.empty()) return nullptr;
  SSL_CTX* tls = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_min_proto_version(tls, options.tls12_only ? TLS1_2_VERSION : TLS1_3_VERSION);
  if (options.tls12_only) SSL_CTX_set_max_proto_version(tls, TLS1_2_VERSION);
  SSL_CTX_use_certificate_chain_file(tls, options.certificate.c_str());
  SSL_CTX_use_PrivateKey_file(tls, options.key.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_set_mode(tls, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(tls, &choose_h2, nullptr);
  return tls;
}

}  // namespace

GrpcPeer::GrpcPeer(Answering answering, PeerOptions options)
    : answering_(std::move(answering)), options_(std::move(options)), tls_(make_tls(options_)) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET, here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof here;
  const bool listens = ::bind(listener_, reinterpret_cast<sockaddr*>(&here), sizeof here) == 0 &&
                       ::listen(listener_, 16) == 0 &&
                       ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size) == 0;
  port_ = listens ? ntohs(here.sin_port) : 0;
  thread_ = std::thread([this] { run(); });
}

GrpcPeer::~GrpcPeer() {
  ends_ = true;
  thread_.join();
  open_.clear();
  ::close(listener_);
  if (tls_ != nullptr) SSL_CTX_free(static_cast<SSL_CTX*>(tls_));
}

std::string GrpcPeer::url() const {
  return (tls_ != nullptr ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(port_);
}

bool GrpcPeer::accept_one() {
  const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return false;
  const int on = 1, small = 64 * 1024;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (options_.bytes_per_second != 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  open_.emplace(fd, std::make_unique<Connection>(*this, fd));
  ++connections_;
  return true;
}

void GrpcPeer::run() {
  while (!ends_) {
    std::vector<pollfd> polls{{listener_, POLLIN, 0}};
    int wait = 20;
    for (const auto& [fd, its] : open_) {
      polls.push_back({fd, static_cast<short>(POLLIN | (its->unsent.empty() ? 0 : POLLOUT)), 0});
      wait = std::min(wait, its->wait_ms());
    }
    ::poll(polls.data(), polls.size(), wait);
    if ((polls[0].revents & POLLIN) != 0)
      while (accept_one()) continue;
    for (auto& [fd, its] : open_) {
      const auto said = std::find_if(polls.begin(), polls.end(), [fd = fd](const pollfd& one) { return one.fd == fd; });
      if (said != polls.end() && (said->revents & (POLLIN | POLLHUP | POLLERR)) != 0) its->read();
      its->answer_due();
      if (its->ready) its->write();
    }
    std::erase_if(open_, [](const auto& one) { return one.second->over; });
  }
}

}  // namespace honeylink::telemetry::interop
