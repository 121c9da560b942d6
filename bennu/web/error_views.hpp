#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"
#include "bennu/web/response.hpp"

namespace bennu {

/// What an error answer may say: nothing in here is a secret, unless `development` is set. Views of
/// texts that live as long as the call.
struct ErrorView {
    int status = 500;
    std::string_view code;     ///< for programs
    std::string_view message;  ///< for people
    std::span<const FieldError> fields;
    std::string_view request_id;  ///< empty when nobody could read the request
    bool development = false;
};

/// How an app shows errors (`Router::errors`): every answer of 400 and above that no action has
/// made itself, of its routes and of what the server refuses before there is a route. `html` is
/// asked where the client is a browser, `json` for all others; an empty one leaves the stock
/// answer. They run on any shard, and fast: requests are refused by them when there is too much to
/// do. One that throws is logged, and the stock answer goes out. In development browsers see
/// crashes and unknown paths with their explanations all the same.
struct ErrorViews {
    std::function<Response(const ErrorView&)> html = {};
    std::function<Response(const ErrorView&)> json = {};
};

}  // namespace bennu
