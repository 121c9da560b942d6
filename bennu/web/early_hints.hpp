#pragma once

#include <initializer_list>
#include <string_view>

#include "bennu/web/conn.hpp"

namespace bennu {

/// Tells the client what the page will need while the page is still being made: 103 with these
/// `Link` values, at once.
///
///     early_hints(conn, {"</app.css>; rel=preload; as=style"});
///
/// Does nothing unless the endpoint's `early_hints` is on; nothing once the answer has begun, and
/// for clients of HTTP/1.0. A value that cannot stand in a header is a fault.
void early_hints(const Conn& conn, std::initializer_list<std::string_view> links);

}  // namespace bennu
