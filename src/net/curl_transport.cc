// See curl_transport.h. Options are set in three groups: what never changes, TLS, and what belongs to one request.
#include "net/curl_transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "base/version.h"
#include "net/failure.h"
#include "net/look_up.h"

namespace honeylink::telemetry::net {
namespace {

constexpr std::size_t kHeadersBytesMax = 64 * 1024;

std::string lower(std::string_view text) {
  std::string low(text);
  for (char& c : low)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return low;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && std::string_view(" \t\r\n").find(text.front()) != std::string_view::npos)
    text.remove_prefix(1);
  while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  return text;
}

}  // namespace

CurlTransport::CurlTransport(const Curl& curl, const Leave& leave)
    : curl_(curl), leave_(leave), multi_(curl.multi_init()) {}

CurlTransport::~CurlTransport() {
  clear();
  if (easy_ != nullptr) curl_.easy_cleanup(easy_);
  if (multi_ != nullptr) curl_.multi_cleanup(multi_);
}

void CurlTransport::clear() {
  if (added_) curl_.multi_remove_handle(multi_, easy_);
  added_ = false;
  curl_.slist_free_all(headers_);
  curl_.slist_free_all(resolve_);
  headers_ = resolve_ = nullptr;
}

void CurlTransport::drop() {
  resets_ = true;
  clear();
  if (easy_ != nullptr) curl_.easy_cleanup(easy_);
  easy_ = nullptr;
  const std::lock_guard lock(multi_mutex_);
  if (multi_ != nullptr) curl_.multi_cleanup(multi_);
  multi_ = curl_.multi_init();
  resets_ = false;
}

void CurlTransport::wake() noexcept {
  const std::lock_guard lock(multi_mutex_);
  if (multi_ != nullptr) curl_.multi_wakeup(multi_);
}

bool CurlTransport::ready() {
  if (multi_ == nullptr) multi_ = curl_.multi_init();
  if (easy_ == nullptr) easy_ = curl_.easy_init();
  return multi_ != nullptr && easy_ != nullptr;
}

void CurlTransport::set_once() {
  const bool tls = leave_.permit.endpoint().tls();
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_PATH_AS_IS, 1L);
  // A look-up that hangs must not hold back a revocation; its thread ends by itself.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(leave_.options.connect_timeout_ms));
  set(CURLOPT_USERAGENT, ("honeylink-telemetry/" + std::string(kProductVersion)).c_str());
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_OPENSOCKETFUNCTION, &CurlTransport::open_socket);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(CURLOPT_CLOSESOCKETFUNCTION, &CurlTransport::close_socket);
  set(CURLOPT_CLOSESOCKETDATA, static_cast<void*>(this));
  set(CURLOPT_PREREQFUNCTION, &CurlTransport::before_request);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &CurlTransport::take_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &CurlTransport::take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  if (tls) set_tls();
}

void CurlTransport::set_tls() {
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_3));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  if (const std::string& pem = leave_.permit.ca_pem(); !pem.empty()) {
    curl_blob blob{const_cast<char*>(pem.data()), pem.size(), CURL_BLOB_NOCOPY};  // the permit outlives the handle
    set(CURLOPT_CAINFO_BLOB, &blob);
  }
  if (curl_.on_certificate_request != nullptr) {
    (void)curl_.easy_setopt(easy_, CURLOPT_SSL_CTX_FUNCTION, &CurlTransport::prepare_tls);
    (void)curl_.easy_setopt(easy_, CURLOPT_SSL_CTX_DATA, static_cast<void*>(this));
  }
  if (!leave_.permit.pin().empty()) set(CURLOPT_PINNEDPUBLICKEY, leave_.permit.pin().c_str());
  if (!leave_.permit.cert_file().empty()) {
    set(CURLOPT_SSLCERT, leave_.permit.cert_file().c_str());
    set(CURLOPT_SSLKEY, leave_.permit.key_file().c_str());
  }
}

void CurlTransport::set_request(const Request& request) {
  const consent::Endpoint& endpoint = leave_.permit.endpoint();
  set(CURLOPT_URL, (endpoint.text() + (request.path.empty() ? "/" : request.path)).c_str());
  // Without a look-up, whatever the resolver's configuration says.
  if (endpoint.host == "localhost") {
    const std::string entry = "localhost:" + std::to_string(endpoint.port) + ":127.0.0.1,[::1]";
    resolve_ = curl_.slist_append(nullptr, entry.c_str());
    set(CURLOPT_RESOLVE, resolve_);
  }
  headers_ = curl_.slist_append(nullptr, "Expect:");
  for (const std::string& header : request.headers) headers_ = curl_.slist_append(headers_, header.c_str());
  set(CURLOPT_HTTPHEADER, headers_);
  if (request.method == "GET") {
    set(CURLOPT_HTTPGET, 1L);
  } else {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDS, request.body.data() == nullptr ? "" : request.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    if (request.method != "POST") set(CURLOPT_CUSTOMREQUEST, std::string(request.method).c_str());
  }
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
  const bool prior = request.http2 && !endpoint.tls();
  set(CURLOPT_HTTP_VERSION, static_cast<long>(!request.http2 ? CURL_HTTP_VERSION_1_1
                                              : prior        ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                                                             : CURL_HTTP_VERSION_2TLS));
  // libcurl 7.88 fails the second call on a reused connection of this kind.
  set(CURLOPT_FORBID_REUSE, prior ? 1L : 0L);
}

bool CurlTransport::begin(const Request& request, std::string& why) {
  clear();
  why = "libcurl took no such request";
  if (!ready()) return false;
  curl_.easy_reset(easy_);
  answer_ = Answer{};
  refused_option_ = too_much_ = stranger_ = no_http2_ = asked_for_ours_ = false;
  http2_ = request.http2;
  result_ = CURLE_OK, header_bytes_ = 0, error_[0] = '\0';
  set_once();
  set_request(request);
  added_ = !refused_option_ && curl_.multi_add_handle(multi_, easy_) == CURLM_OK;
  return added_;
}

bool CurlTransport::perform() {
  int running = 0;
  if (curl_.multi_perform(multi_, &running) != CURLM_OK) return result_ = CURLE_FAILED_INIT, false;
  if (running > 0) return true;
  int left = 0;
  while (const CURLMsg* message = curl_.multi_info_read(multi_, &left))
    if (message->msg == CURLMSG_DONE) result_ = message->data.result;
  return false;
}

void CurlTransport::wait(int timeout_ms) { curl_.multi_poll(multi_, nullptr, 0, timeout_ms, nullptr); }

Answer CurlTransport::finish(const Request& request) {
  long status = 0, version = 0, verify = 0;
  curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  curl_.easy_getinfo(easy_, CURLINFO_HTTP_VERSION, &version);
  curl_.easy_getinfo(easy_, CURLINFO_SSL_VERIFYRESULT, &verify);
  const std::string_view text = error_[0] != '\0' ? error_.data() : curl_.easy_strerror(result_);
  clear();
  answer_.failure = failure_of(result_, verify, text, leave_.permit.endpoint().tls());
  answer_.status = static_cast<int>(status);
  if (answer_.failure != Failure::none) answer_.said = text;
  if (too_much_)
    answer_.said = "the answer is larger than " + std::to_string(leave_.options.answer_bytes_max) + " bytes";
  if (stranger_) answer_.said = "the connection was refused here: not permitted, or not this device";
  if (refused_our_certificate()) {
    answer_.failure = Failure::tls_own_certificate;
    answer_.said = "the peer asked for a certificate and ended the connection: " + std::string(text);
  }
  if (no_http2_) answer_.failure = Failure::tls_no_http2, answer_.said = "the peer does not offer HTTP/2 (ALPN)";
  if (answer_.ok() && request.http2 && version != CURL_HTTP_VERSION_2_0)
    answer_.failure = Failure::bad_answer, answer_.said = "the peer does not speak HTTP/2";
  return std::move(answer_);
}

/// In TLS 1.3 a peer refuses our certificate after its handshake is done; when it closes at once, its alert may be
/// lost, and what is left is a connection that was asked for one and never answered.
bool CurlTransport::refused_our_certificate() const noexcept {
  return asked_for_ours_ && header_bytes_ == 0 && !stranger_ && !no_http2_ &&
         (answer_.failure == Failure::closed || answer_.failure == Failure::bad_answer);
}

CURLcode CurlTransport::prepare_tls(CURL*, void* ssl_ctx, void* self) noexcept {
  const auto asked = [](void*, void* state) {
    static_cast<CurlTransport*>(state)->asked_for_ours_ = true;
    return 1;  // go on with what is set
  };
  static_cast<CurlTransport*>(self)->curl_.on_certificate_request(ssl_ctx, asked, self);
  return CURLE_OK;
}

curl_socket_t CurlTransport::open_socket(void* self, curlsocktype, struct curl_sockaddr* address) noexcept {
  CurlTransport& state = *static_cast<CurlTransport*>(self);
  const bool allowed =
      state.leave_.holds() && (!state.leave_.permit.endpoint().loopback() || is_loopback(&address->addr));
  if (!allowed) return state.stranger_ = true, CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool CurlTransport::lacks_http2() const {
  const curl_tlssessioninfo* session = nullptr;
  if (curl_.alpn_selected == nullptr || curl_.easy_getinfo(easy_, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK ||
      session == nullptr || session->backend != CURLSSLBACKEND_OPENSSL || session->internals == nullptr)
    return false;  // not to be told here: finish() looks at the answer's version
  const unsigned char* name = nullptr;
  unsigned bytes = 0;
  curl_.alpn_selected(session->internals, &name, &bytes);
  return name == nullptr || std::string_view(reinterpret_cast<const char*>(name), bytes) != "h2";
}

/// The last moment: connected and verified, nothing of the request is sent.
int CurlTransport::before_request(void* self, char*, char*, int, int) noexcept {
  CurlTransport& state = *static_cast<CurlTransport*>(self);
  if (!state.leave_.holds()) return state.stranger_ = true, CURL_PREREQFUNC_ABORT;
  state.no_http2_ = state.http2_ && state.leave_.permit.endpoint().tls() && state.lacks_http2();
  return state.no_http2_ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

int CurlTransport::close_socket(void* self, curl_socket_t socket) noexcept {
  const linger at_once{1, 0};
  if (static_cast<CurlTransport*>(self)->resets_) ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  return ::close(socket);
}

std::size_t CurlTransport::take_header(char* bytes, std::size_t size, std::size_t count, void* self) noexcept try {
  CurlTransport& state = *static_cast<CurlTransport*>(self);
  const std::string_view line = trimmed({bytes, size * count});
  state.header_bytes_ += size * count;
  if (state.header_bytes_ > kHeadersBytesMax) return state.too_much_ = true, 0;
  if (line.starts_with("HTTP/")) state.answer_.headers.clear();  // what came before was an interim answer
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && !line.starts_with("HTTP/"))
    state.answer_.headers.emplace_back(lower(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
  return size * count;
} catch (...) { return 0; }

std::size_t CurlTransport::take_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept try {
  CurlTransport& state = *static_cast<CurlTransport*>(self);
  if (state.answer_.body.size() + size * count > state.leave_.options.answer_bytes_max)
    return state.too_much_ = true, 0;
  state.answer_.body.append(bytes, size * count);
  return size * count;
} catch (...) { return 0; }

std::unique_ptr<Transport> make_curl_transport(const Leave& leave, std::string& why) {
  const Curl* const curl = load_curl(why);
  if (curl == nullptr) return nullptr;
  auto transport = std::make_unique<CurlTransport>(*curl, leave);
  if (transport->multi()) return transport;
  return why = "libcurl has no memory", nullptr;
}

}  // namespace honeylink::telemetry::net
