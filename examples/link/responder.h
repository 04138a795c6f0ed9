// The responder's socket side, for responder.cc and the tests: one thread calls serve() again and again.
#pragma once
#include "session_table.h"

namespace honeylink::link {

/// Sends from `socket`, which must outlive the table.
[[nodiscard]] SessionTable::Send sender_from(int socket);
/// Waits for datagrams until something is due, at the latest until `until`; handles all that arrived.
void serve(SessionTable& table, int socket, Time until);

}  // namespace honeylink::link
