// Text that programs gave us, made fit for files and screens: valid UTF-8, one line, nothing that moves a cursor or
// turns the reading direction (F33). Used by record (cut), the ring's reader, scrub, the log files and everything that
// prints. Pure; any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace honeylink::telemetry {

/// Valid UTF-8 by RFC 3629: shortest form, no surrogates, at most U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;
/// How many bytes of `text` to keep so that at most `bytes_max` remain and no character is cut. Text that is not UTF-8
/// is cut as close.
[[nodiscard]] std::size_t utf8_cut(std::string_view text, std::size_t bytes_max) noexcept;
/// Appends `text` with U+FFFD for every maximal invalid part (Unicode 15, 3.9, "substitution of maximal subparts"); how
/// many.
std::size_t append_valid_utf8(std::string& to, std::string_view text);
[[nodiscard]] std::string replace_invalid_utf8(std::string_view text);

/// One code point, which must be one (not a surrogate).
void append_utf8(std::string& to, char32_t value);

/// C0, DEL, C1, U+2028, U+2029 and the bidirectional controls.
[[nodiscard]] bool is_control(char32_t c) noexcept;

/// Appends `text` as the inside of a JSON string (without / with the quotes). Controls of every kind as \uXXXX, invalid
/// UTF-8 as U+FFFD: the result is valid UTF-8 on one line. Text of plain ASCII costs about a nanosecond for 8 bytes.
void append_json_escaped(std::string& to, std::string_view text);
void append_json_string(std::string& to, std::string_view text);

/// For a terminal: controls become \n, \t, \x1b, \u202e as visible characters, invalid UTF-8 U+FFFD; one line, no
/// control byte.
[[nodiscard]] std::string terminal_safe(std::string_view text);

/// Lower-case hexadecimal.
[[nodiscard]] std::string hex(std::span<const std::uint8_t> bytes);
/// False unless `text` is exactly 2 digits for every byte of `to`; both cases are accepted.
bool unhex(std::string_view text, std::span<std::uint8_t> to) noexcept;

}  // namespace honeylink::telemetry
