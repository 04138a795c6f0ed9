// Who may ask (docs/formats/view_api.md, "Who may ask"): Host, Origin, token, session. A page of another site that
// rebinds its name to 127.0.0.1 sends its own Host; one that posts across origins sends its own Origin; a program of
// another user has no token (F27, F28).
//
// Used by the server's threads at once: Guard locks its own state.
#pragma once
#include <mutex>
#include <optional>
#include <string>

#include "view/message.h"

namespace honeylink::telemetry::view {

/// 256 random bits as hexadecimal digits. Empty: the system has none to give.
[[nodiscard]] std::string random_secret();

/// Takes as long for any two texts of these lengths.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

class Guard {
 public:
  Guard(std::uint16_t port, std::string token) : port_(port), token_(std::move(token)) {}

  /// What refuses the request whatever it asks for; nullopt: it comes from this server's own page, or from no page. The
  /// page itself, which holds no data, may be led to from anywhere.
  [[nodiscard]] std::optional<Response> check_source(const Request& request) const;
  /// May it see data? A session's cookie, or the token as a bearer.
  [[nodiscard]] std::optional<Response> check_session(const Request& request);
  /// `POST /api/session`: the token becomes a session, once.
  [[nodiscard]] Response open_session(const Request& request);

  /// Cookies know no ports: two servers at once must not take each other's.
  [[nodiscard]] std::string cookie_name() const { return "honeytel_session_" + std::to_string(port_); }

 private:
  enum class Use : unsigned char { fresh, bearer, session };
  [[nodiscard]] bool is_ours(std::string_view authority) const noexcept;

  const std::uint16_t port_;
  std::mutex mutex_;
  const std::string token_;
  Use use_ = Use::fresh;  // one token is one session: its first use decides which
  std::string session_;
};

}  // namespace honeylink::telemetry::view
