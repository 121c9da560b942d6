#pragma once

#include "bennu/web/plug.hpp"

namespace bennu {

/// Lets HTML forms, which can only GET and POST, say what they mean: a POST whose form has the
/// field
/// `_method` with `put`, `patch` or `delete` is routed as that. A plug of the router, since routes
/// go by the method. Other values, methods and body types change nothing. The limit of the body is
/// that of the POST.
struct MethodOverride {
    void before(const Conn& conn) const;
    bool needs_body(const Conn& conn) const;
};

}  // namespace bennu
