// ncurses: see terminal_screen.h.
#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1
#include "view/terminal_screen.h"

#include <curses.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <cwchar>

#include "view/terminal_signals.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::size_t kClipboardBytesMax = 4'096;

bool locale_says_utf8() { return std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0; }

/// Terminal ends up with a locale whose characters it can show: that of the environment, or, where that is not
/// installed, C.UTF-8.
void take_locale(bool utf8) {
  std::setlocale(LC_ALL, "");
  if (utf8 && !locale_says_utf8()) std::setlocale(LC_CTYPE, "C.UTF-8");
  std::setlocale(LC_NUMERIC, "C");
}

struct Hues {
  std::array<int, 4> of_256{74, 227, 178, 166};  // nearest to 56B4E9, F0E442, E69F00, D55E00
  std::array<int, 4> of_16{14, 11, 3, 9};
  std::array<int, 4> of_8{6, 3, 3, 1};
  std::array<int, 4> exact{0x56b4e9, 0xf0e442, 0xe69f00, 0xd55e00};
};

/// Pairs 1 to 4 are the hues.
bool take_colours() {
  if (::has_colors() == FALSE || ::start_color() != OK) return false;
  ::use_default_colors();
  const Hues hues;
  const bool direct = COLORS > 256 && ::tigetflag("RGB") > 0;
  const auto& colours = direct ? hues.exact : COLORS >= 256 ? hues.of_256 : COLORS >= 16 ? hues.of_16 : hues.of_8;
  for (int i = 0; i < 4; ++i) ::init_extended_pair(i + 1, colours[static_cast<std::size_t>(i)], -1);
  return true;
}

std::string capability(const char* name) {
  const char* text = ::tigetstr(name);
  if (text == nullptr || text == reinterpret_cast<const char*>(-1)) return {};
  // Padding, as in "$<5>", is for terminals that no longer exist.
  std::string plain;
  for (std::string_view left = text; !left.empty(); left.remove_prefix(1)) {
    if (left.starts_with("$<")) {
      const std::size_t end = left.find('>');
      if (end == std::string_view::npos) break;
      left.remove_prefix(end);
      continue;
    }
    plain += left.front();
  }
  return plain;
}

KeyName name_of(wint_t code) noexcept {
  switch (code) {
    case KEY_UP:
      return KeyName::up;
    case KEY_DOWN:
      return KeyName::down;
    case KEY_LEFT:
      return KeyName::left;
    case KEY_RIGHT:
      return KeyName::right;
    case KEY_ENTER:
      return KeyName::enter;
    case KEY_PPAGE:
      return KeyName::page_up;
    case KEY_NPAGE:
      return KeyName::page_down;
    case KEY_HOME:
      return KeyName::home;
    case KEY_END:
      return KeyName::end;
    case KEY_BACKSPACE:
    case KEY_DC:
      return KeyName::erase;
    default:
      return KeyName::none;
  }
}

attr_t attributes_of(const Ink& ink) noexcept {
  return (ink.bold ? WA_BOLD : WA_NORMAL) | (ink.dim ? WA_DIM : WA_NORMAL) | (ink.reverse ? WA_REVERSE : WA_NORMAL);
}

std::string base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    const std::size_t n = std::min<std::size_t>(3, text.size() - i);
    for (std::size_t j = 0; j < 3; ++j) bits = (bits << 8) | (j < n ? static_cast<unsigned char>(text[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) out += j <= n ? kDigits[(bits >> (18 - 6 * j)) & 63U] : '=';
  }
  return out;
}

/// Terminals of these kinds take OSC 52 or leave it unprinted.
bool knows_clipboard(std::string_view term) noexcept {
  constexpr std::array<std::string_view, 11> kKinds{"xterm", "screen",  "tmux",    "rxvt",    "alacritty", "foot",
                                                    "kitty", "wezterm", "contour", "konsole", "st"};
  return std::any_of(kKinds.begin(), kKinds.end(), [term](std::string_view kind) {
    return term == kind || (term.starts_with(kind) && (term[kind.size()] == '-' || term[kind.size()] == '.'));
  });
}

bool coloured = false;  // one screen at a time

}  // namespace

query::Answer<std::unique_ptr<Screen>> Screen::open(bool colour, Look look) {
  const char* term = std::getenv("TERM");
  const std::string form = term == nullptr ? "" : term;
  take_locale(look.utf8);
  remember_modes(STDOUT_FILENO);
  if (::newterm(nullptr, stdout, stdin) == nullptr) {
    return query::Problem{query::ProblemKind::environment, "this terminal cannot be drawn on",
                          form.empty() ? "TERM is not set" : "no description of TERM=" + form + " is installed",
                          "try TERM=xterm-256color honeytel top, or honeytel status"};
  }
  std::unique_ptr<Screen> screen(new Screen);
  screen->form_ = form;
  coloured = colour && take_colours();
  screen->resume();
  return screen;
}

Screen::~Screen() { leave(); }

void Screen::leave() {
  if (away_) return;
  away_ = true;
  ::endwin();
  remember_restoring({});
}

void Screen::resume() {
  away_ = false;
  remember_restoring(capability("sgr0") + capability("cnorm") + capability("rmkx") + capability("rmcup"));
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::set_escdelay(25);
  ::curs_set(0);
  ::leaveok(stdscr, TRUE);
  ::refresh();
  resize();
}

void Screen::resize() {
  winsize now{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) == 0 && now.ws_row > 0 && now.ws_col > 0)
    ::resizeterm(now.ws_row, now.ws_col);
  size_ = {static_cast<std::size_t>(std::max(1, getmaxy(stdscr))),
           static_cast<std::size_t>(std::max(1, getmaxx(stdscr)))};
  shown_.reset();
  ::erase();
  ::clearok(curscr, TRUE);
}

void Screen::put_row(const Grid& grid, std::size_t row) {
  for (std::size_t column = 0; column < grid.size().columns; ++column) {
    const Cell& cell = grid.at(row, column);
    if (cell.width == 0) continue;
    std::array<wchar_t, 4> text{static_cast<wchar_t>(cell.glyph)};
    // What the C library gives another width, the terminal would too: it would push the rest of the row.
    const bool sound = ::wcwidth(text[0]) == cell.width;
    if (!sound) text[0] = L'?';
    for (std::size_t i = 0; sound && i < cell.marks.size() && cell.marks[i] != 0; ++i) {
      if (::wcwidth(static_cast<wchar_t>(cell.marks[i])) == 0)
        text[std::wcslen(text.data())] = static_cast<wchar_t>(cell.marks[i]);
    }
    cchar_t shown{};
    int pair = coloured ? static_cast<int>(cell.ink.hue) : 0;
    ::setcchar(&shown, text.data(), attributes_of(cell.ink), 0, &pair);
    ::mvadd_wch(static_cast<int>(row), static_cast<int>(column), &shown);
    if (!sound && cell.width == 2) ::mvaddch(static_cast<int>(row), static_cast<int>(column) + 1, ' ');
  }
}

void Screen::show(const Grid& grid) {
  if (grid.size() != size_) return;  // of before a resize
  bool changed = false;
  for (std::size_t row = 0; row < size_.rows; ++row) {
    const bool same = shown_ && [&] {
      for (std::size_t column = 0; column < size_.columns; ++column) {
        if (!(shown_->at(row, column) == grid.at(row, column))) return false;
      }
      return true;
    }();
    if (same) continue;
    put_row(grid, row);
    changed = true;
  }
  shown_ = std::make_unique<Grid>(grid);
  if (changed) ::refresh();
}

std::optional<Key> Screen::read_key() {
  wint_t code = 0;
  const int kind = ::get_wch(&code);
  if (kind == ERR) return std::nullopt;
  if (kind == KEY_CODE_YES) return Key{name_of(code), 0};
  if (code == 27) return Key{KeyName::escape, 0};
  if (code == '\r' || code == '\n') return Key{KeyName::enter, 0};
  if (code == 127 || code == 8) return Key{KeyName::erase, 0};
  if (code == 12) {  // Ctrl-L
    shown_.reset();
    ::clearok(curscr, TRUE);
    return Key{};
  }
  return Key{KeyName::none, static_cast<char32_t>(code)};
}

void Screen::copy(std::string_view text) {
  if (!knows_clipboard(form_) || text.size() > kClipboardBytesMax) return;
  const std::string bytes = "\x1b]52;c;" + base64(text) + "\x07";
  std::fflush(stdout);
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  std::fflush(stdout);
}

}  // namespace honeylink::telemetry::view
