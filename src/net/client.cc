// See client.h: one request at a time, in steps that never wait for long: in between the permit is looked at, and
// another thread's cancel() ends the wait.
#include "net/client.h"

#include <algorithm>

#include "base/limits.h"
#include "consent/own_key.h"
#include "net/failure.h"
#include "net/monotonic.h"
#include "net/sigpipe.h"
#include "net/transport.h"

namespace honeylink::telemetry::net {
namespace {

constexpr std::int64_t kLookNs = std::int64_t{consent::kPermitLookMs} * 1'000'000;
constexpr int kWaitMs = consent::kPermitLookMs / 2;
constexpr std::size_t kHeaderBytesMax = 8 * 1024;

bool is_visible(std::string_view text, std::string_view but) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [but](char c) { return c >= ' ' && c != 0x7f && but.find(c) == std::string_view::npos; });
}

/// Nothing that would begin another header, another request, or leave the endpoint's path.
bool check(const Request& request, std::string& why) {
  if (!request.path.empty() &&
      (request.path.front() != '/' || !is_visible(request.path, " #") || request.path.find("/..") != std::string::npos))
    return why = "this path cannot be sent", false;
  for (const std::string& header : request.headers) {
    const std::size_t colon = header.find(':');
    if (colon == std::string::npos || colon == 0 || header.size() > kHeaderBytesMax || !is_visible(header, ""))
      return why = "this header cannot be sent", false;
  }
  const bool sound = !request.method.empty() && std::all_of(request.method.begin(), request.method.end(),
                                                            [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!sound) why = "this method cannot be sent";
  return sound && request.timeout_ms > 0;
}

Answer failed(Failure failure, std::string said) {
  Answer answer;
  answer.failure = failure;
  answer.said = std::move(said);
  return answer;
}

}  // namespace

std::string_view Answer::header(std::string_view name) const noexcept {
  const auto at = std::find_if(headers.rbegin(), headers.rend(), [&](const auto& pair) { return pair.first == name; });
  return at == headers.rend() ? std::string_view{} : std::string_view(at->second);
}

Client::Client(consent::Permit permit, const ClientOptions& options) : permit_(std::move(permit)), options_(options) {}
Client::~Client() {
  if (transport_ != nullptr && !leave_->holds()) transport_->drop();
}

std::unique_ptr<Client> Client::make(consent::Permit permit, const ClientOptions& options, std::string& why) {
  auto client = std::unique_ptr<Client>(new Client(std::move(permit), options));
  client->leave_.reset(new Leave{client->permit_, client->options_, client->cancelled_});
  const bool quic = client->permit_.endpoint().quic();
  client->transport_ = quic ? make_h3_transport(*client->leave_, why) : make_curl_transport(*client->leave_, why);
  return client->transport_ == nullptr ? nullptr : std::move(client);
}

void Client::cancel() noexcept {
  cancelled_ = true;
  transport_->wake();
}

bool Client::still_permitted() {
  if (!permit_.valid()) return transport_->drop(), false;
  transport_->tend();
  return true;
}

Answer Client::send(const Request& request) {
  std::string why;
  if (!check(request, why)) return failed(Failure::bad_request, std::move(why));
  if (cancelled_) return failed(Failure::cancelled, "it was cancelled");
  if (!still_permitted())
    return failed(Failure::not_permitted, "the consent for " + permit_.endpoint().text() + " has ended");
  if (const auto lately = permit_.refused_lately()) return failed(static_cast<Failure>(lately->code), lately->said);
  Answer answer = exchange(request);
  if (is_refusal(answer.failure))
    permit_.peer_was_refused(
        {static_cast<std::uint8_t>(answer.failure), std::string(name_of(answer.failure)), answer.said});
  else if (answer.ok()) permit_.peer_was_reached();
  return answer;
}

Answer Client::exchange(const Request& request) {
  std::string why;
  if (!permit_.key_file().empty() && !consent::own_key_is_private(permit_.key_file(), why))
    return failed(Failure::own_key, std::move(why));
  const SigpipeGuard guard;
  if (!transport_->begin(request, why)) return failed(Failure::bad_request, std::move(why));
  std::int64_t next_look_ns = now_ns() + kLookNs;
  while (transport_->perform()) {
    if (cancelled_) {
      transport_->drop();
      return failed(Failure::cancelled, "it was cancelled");
    }
    if (const std::int64_t now = now_ns(); now >= next_look_ns) {
      next_look_ns = now + kLookNs;
      if (!still_permitted()) return failed(Failure::not_permitted, "the consent was withdrawn while it was sent");
    }
    transport_->wait(kWaitMs);
  }
  return transport_->finish(request);
}

}  // namespace honeylink::telemetry::net
