// Which SQLite the extension calls: that of the program that loaded it. See host_sqlite.cc.
#pragma once
#include <sqlite3ext.h>

namespace honeylink::telemetry::extension {

/// Before any other call. False: another SQLite of this process has loaded the extension already.
[[nodiscard]] bool use_host(const sqlite3_api_routines* api) noexcept;

}  // namespace honeylink::telemetry::extension
