#pragma once

#include <span>
#include <string>
#include <string_view>

#include "bennu/web/response.hpp"

namespace bennu {

/// What an error page says. Everything is escaped.
struct ErrorPage {
    int status = 500;
    std::string message;
    std::string request_id = {};
    /// For developers only: what happened, and lines such as await points or routes.
    std::string detail = {};
    std::vector<std::string> lines = {};
};

/// A small page, readable by day and by night, without any other file; its own policy allows its
/// one style sheet and nothing else.
Response render_error_page(const ErrorPage& page);

}  // namespace bennu
