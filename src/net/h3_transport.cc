// HTTP/3 to a permit's endpoint: looks its addresses up, connects to one after the other until one answers, sends one
// request at a time and keeps the connection for the next. See transport.h for who calls it and when.
//
// A request that found a kept connection dead, and of which nothing was answered, is sent once more on a new one, as
// libcurl does; every other failure is the caller's to try again.
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/file.h"
#include "base/version.h"
#include "net/monotonic.h"
#include "net/quic_connection.h"
#include "net/transport.h"

namespace honeylink::telemetry::net {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;
constexpr std::uint16_t kHttpsPort = 443;
/// A kept connection on which not even an acknowledgement comes for so long: its peer was restarted, or is gone.
constexpr std::int64_t kKeptPatienceNs = 1'000'000'000;

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

/// What HTTP/3 says by its frames (RFC 9114, 4.2).
bool is_of_connection(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 6> kNames{"connection",        "keep-alive", "proxy-connection",
                                                   "transfer-encoding", "upgrade",    "host"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

class H3Transport final : public Transport {
 public:
  H3Transport(const Quic& quic, const Leave& leave)
      : quic_(quic), leave_(leave), woken_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  bool begin(const Request& request, std::string& why) override;
  bool perform() override;
  void wait(int timeout_ms) override;
  Answer finish(const Request& request) override;
  void drop() override;
  void tend() override;
  void wake() noexcept override;

 private:
  enum class Phase : std::uint8_t { idle, looking_up, connecting, exchanging };
  [[nodiscard]] bool set_fields(const Request& request, std::string& why);
  void look_up();
  bool next_address();
  bool connect();
  bool submit();
  bool exchange();
  [[nodiscard]] bool is_stale(bool alive) const;
  bool fail(Failure failure, std::string said);

  const Quic& quic_;
  const Leave& leave_;
  const Fd woken_;
  Phase phase_ = Phase::idle;
  const Request* request_ = nullptr;
  H3Fields fields_;
  bool has_body_ = false, reused_ = false;
  std::int64_t began_ns_ = 0, deadline_ns_ = 0;
  std::optional<LookUp> look_up_;
  std::vector<Address> addresses_;
  std::size_t tried_ = 0;
  std::unique_ptr<QuicConnection> connection_;
  std::shared_ptr<H3Exchange> exchange_;
  Answer failed_;
};

bool H3Transport::set_fields(const Request& request, std::string& why) {
  const consent::Endpoint& to = leave_.permit.endpoint();
  const std::string path = to.path + (request.path.empty() && to.path.empty() ? "/" : request.path);
  fields_ = {{":method", std::string(request.method)},
             {":scheme", "https"},
             {":authority", to.host + (to.port == kHttpsPort ? "" : ":" + std::to_string(to.port))},
             {":path", path},
             {"user-agent", "honeylink-telemetry/" + std::string(kProductVersion)}};
  has_body_ = request.method != "GET";
  if (has_body_) fields_.emplace_back("content-length", std::to_string(request.body.size()));
  for (const std::string& header : request.headers) {
    const std::size_t colon = header.find(':');
    std::string name = header.substr(0, colon);
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::size_t value = header.find_first_not_of(" \t", colon + 1);
    if (!is_token(name) || is_of_connection(name)) return why = "HTTP/3 has no header '" + name + "'", false;
    fields_.emplace_back(std::move(name), value == std::string::npos ? std::string() : header.substr(value));
  }
  if (request.http2) why = "HTTP/2 is not spoken to an h3:// endpoint";
  return !request.http2;
}

bool H3Transport::begin(const Request& request, std::string& why) {
  if (!woken_) return why = "no descriptor is left", false;
  if (!set_fields(request, why)) return false;
  request_ = &request;
  failed_ = Answer{};
  exchange_.reset();
  began_ns_ = now_ns();
  deadline_ns_ = began_ns_ + request.timeout_ms * kMillisecondNs;
  tend();  // what came since the last request may have ended the connection
  if (connection_ != nullptr && !connection_->takes_more()) connection_.reset();
  reused_ = connection_ != nullptr;
  if (reused_) phase_ = Phase::exchanging;
  else look_up();
  return true;
}

void H3Transport::look_up() {
  connection_.reset();
  exchange_.reset();
  tried_ = 0;
  look_up_.emplace(leave_.permit.endpoint());
  phase_ = Phase::looking_up;
}

bool H3Transport::fail(Failure failure, std::string said) {
  failed_.failure = failure;
  failed_.said = std::move(said);
  exchange_.reset();
  connection_.reset();  // whatever went wrong on it, the next request begins anew
  phase_ = Phase::idle;
  return false;
}

bool H3Transport::perform() {
  if (phase_ != Phase::idle && now_ns() >= deadline_ns_)
    return fail(Failure::timed_out, "no answer within " + std::to_string(request_->timeout_ms) + " ms");
  switch (phase_) {
    case Phase::looking_up:
      if (!look_up_->done()) return true;
      addresses_ = look_up_->addresses();
      if (addresses_.empty()) return fail(Failure::unresolved, leave_.permit.endpoint().host + " is not known");
      return next_address();
    case Phase::connecting:
      return connect();
    case Phase::exchanging:
      return exchange();
    case Phase::idle:
      break;
  }
  return false;
}

bool H3Transport::next_address() {
  const Address& to = addresses_[tried_++];
  // One that is silent must leave time for the others.
  const int patience = leave_.options.connect_timeout_ms / (tried_ < addresses_.size() ? 2 : 1);
  connection_ = std::make_unique<QuicConnection>(quic_, leave_);
  phase_ = Phase::connecting;
  (void)connection_->open(to, patience);  // what failed stands in the connection: connect() sees it
  return connect();
}

bool H3Transport::connect() {
  if (!connection_->turn()) {
    if (is_refusal(connection_->failure()) || tried_ >= addresses_.size())
      return fail(connection_->failure(), connection_->said());
    return next_address();
  }
  if (connection_->ready()) phase_ = Phase::exchanging;
  return true;
}

bool H3Transport::submit() {
  if (leave_.holds()) exchange_ = connection_->send(fields_, request_->body, has_body_);
  return exchange_ != nullptr;
}

/// Of the request that found the connection kept: it is dead, and nothing was answered.
bool H3Transport::is_stale(bool alive) const {
  if (exchange_ != nullptr && exchange_->header_bytes != 0) return false;
  if (!alive) return connection_->failure() == Failure::closed;
  return connection_->heard_ns() < began_ns_ && now_ns() - began_ns_ > kKeptPatienceNs;
}

bool H3Transport::exchange() {
  const bool began = exchange_ != nullptr || submit();
  const bool alive = connection_->turn();
  if (began && exchange_->done) return false;
  if (began && exchange_->too_much)
    return fail(Failure::bad_answer,
                "the answer is larger than " + std::to_string(leave_.options.answer_bytes_max) + " bytes");
  if (reused_ && is_stale(alive)) {
    reused_ = false;
    look_up();
    return true;
  }
  if (!alive) return fail(connection_->failure(), connection_->said());
  if (began && exchange_->ended)
    return fail(Failure::closed, "the peer broke the request off with code " + std::to_string(exchange_->code));
  return true;
}

void H3Transport::wait(int timeout_ms) {
  std::array<pollfd, 2> waited{{{woken_.get(), POLLIN, 0}, {-1, POLLIN, 0}}};
  std::int64_t until = std::min(deadline_ns_, now_ns() + timeout_ms * kMillisecondNs);
  if (phase_ == Phase::looking_up) {
    waited[1].fd = look_up_->descriptor();
  } else if (connection_ != nullptr) {
    waited[1].fd = connection_->descriptor();
    if (connection_->waits_to_write()) waited[1].events = POLLIN | POLLOUT;
    until = std::min(until, connection_->expiry_ns());
  }
  const std::int64_t rest = std::max<std::int64_t>(until - now_ns(), 0);
  const timespec patience{rest / 1'000'000'000, rest % 1'000'000'000};
  ::ppoll(waited.data(), waited.size(), &patience, nullptr);
  std::uint64_t times = 0;
  (void)!::read(woken_.get(), &times, sizeof times);
}

Answer H3Transport::finish(const Request&) {
  phase_ = Phase::idle;
  request_ = nullptr;
  look_up_.reset();
  if (exchange_ == nullptr || !exchange_->done) return std::move(failed_);
  const auto exchange = std::move(exchange_);
  if (connection_ != nullptr && connection_->ready()) connection_->leave(*exchange);
  else connection_.reset();
  return std::move(exchange->answer);
}

void H3Transport::drop() {
  (void)fail(Failure::cancelled, "it was dropped");
  look_up_.reset();
}

void H3Transport::tend() {
  if (connection_ != nullptr && !connection_->turn()) connection_.reset();
}

void H3Transport::wake() noexcept {
  const std::uint64_t one = 1;
  (void)!::write(woken_.get(), &one, sizeof one);
}

}  // namespace

std::unique_ptr<Transport> make_h3_transport(const Leave& leave, std::string& why) {
  const Quic* const quic = load_quic(why);
  return quic == nullptr ? nullptr : std::make_unique<H3Transport>(*quic, leave);
}

}  // namespace honeylink::telemetry::net
