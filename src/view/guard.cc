// See guard.h.
#include "view/guard.h"

#include <strings.h>
#include <sys/random.h>

#include <array>
#include <cerrno>

#include "base/text.h"
#include "query/json.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::string_view kBearer = "Bearer ";

Response refused(std::string error, std::string why, std::string to_do) {
  return error_response(403, std::move(error), std::move(why), std::move(to_do));
}

Response no_session() {
  return refused("this needs a session", "the address that honeytel view printed opens one, once",
                 "open that address; for another browser start honeytel view again");
}

/// The value of one cookie among "a=1; b=2"; empty: it is not there.
std::string_view cookie_value(std::string_view cookies, std::string_view name) noexcept {
  while (!cookies.empty()) {
    const std::size_t end = cookies.find(';');
    std::string_view one = cookies.substr(0, end);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    if (one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=')
      return one.substr(name.size() + 1);
    cookies = end == std::string_view::npos ? std::string_view() : cookies.substr(end + 1);
  }
  return {};
}

}  // namespace

std::string random_secret() {
  std::array<std::uint8_t, kSecretBytes> bytes{};
  ssize_t got = 0;
  do got = ::getrandom(bytes.data(), bytes.size(), 0);
  while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(bytes.size()) ? hex(bytes) : std::string();
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  unsigned difference = a.size() == b.size() ? 0U : 1U;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char other = i < b.size() ? b[i] : '\0';
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(other));
  }
  return difference == 0 && !a.empty();
}

bool Guard::is_ours(std::string_view authority) const noexcept {
  const std::string port = ":" + std::to_string(port_);
  for (const std::string_view name : {"localhost", "127.0.0.1", "[::1]"}) {
    if (authority.size() < name.size() || ::strncasecmp(authority.data(), name.data(), name.size()) != 0) continue;
    const std::string_view rest = authority.substr(name.size());
    if (rest == port || (rest.empty() && port_ == 80)) return true;
  }
  return false;
}

std::optional<Response> Guard::check_source(const Request& request) const {
  if (request.hosts.size() != 1 || !is_ours(request.hosts.front()))
    return refused("this server answers to its own name only", "the Host of this request is another",
                   "open the address that honeytel view printed");
  constexpr std::string_view kScheme = "http://";
  for (const std::string& origin : request.origins) {
    if (!origin.starts_with(kScheme) || !is_ours(std::string_view(origin).substr(kScheme.size())))
      return refused("this is asked by another site's page", "its Origin is not this server", "");
  }
  // Cookies and SameSite know no ports: a page of another server on this device is told from ours by this header alone.
  const bool is_api = request.path().starts_with("/api");
  if (is_api && !request.fetch_site.empty() && request.fetch_site != "same-origin" && request.fetch_site != "none")
    return refused("this is asked by another site's page", "its Sec-Fetch-Site is " + request.fetch_site, "");
  return std::nullopt;
}

std::optional<Response> Guard::check_session(const Request& request) {
  const std::lock_guard lock(mutex_);
  if (request.authorization.starts_with(kBearer)) {
    const std::string_view given = std::string_view(request.authorization).substr(kBearer.size());
    if (use_ == Use::session || !equal_in_constant_time(given, token_)) return no_session();
    use_ = Use::bearer;
    return std::nullopt;
  }
  if (use_ == Use::session && equal_in_constant_time(cookie_value(request.cookie, cookie_name()), session_))
    return std::nullopt;
  return no_session();
}

Response Guard::open_session(const Request& request) {
  std::vector<query::JsonMember> members;
  std::string given;
  if (!query::read_json_object(request.body, members)) return error_response(400, "the body is no JSON object");
  for (const auto& [name, value] : members) {
    if (name == "token") given = query::json_text_of(value);
  }
  const std::lock_guard lock(mutex_);
  if (use_ != Use::fresh || !equal_in_constant_time(given, token_))
    return refused("this token opens nothing", "it is not the one that was printed, or was used before",
                   "start honeytel view again for a new one");
  session_ = random_secret();
  if (session_.empty()) return error_response(503, "the system gives no random numbers");
  use_ = Use::session;
  Response response = json_response("{\"schema\":1}");
  response.headers.emplace_back("Set-Cookie", cookie_name() + "=" + session_ + "; Path=/; HttpOnly; SameSite=Strict");
  return response;
}

}  // namespace honeylink::telemetry::view
