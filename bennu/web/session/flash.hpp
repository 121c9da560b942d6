#pragma once

#include <string_view>

#include "bennu/web/session/session.hpp"

namespace bennu {

/// A message for the page that the client sees next, kept in the session across redirects until a
/// page shows it: `put_flash(conn, "info", "Saved."); co_return redirect(conn, "/assets");`.
void put_flash(const Conn& conn, std::string_view kind, std::string_view message);
/// The message of that kind; empty when there is none. Reading any of them forgets all when the
/// response is no redirect.
std::string_view flash(const Conn& conn, std::string_view kind);

}  // namespace bennu
