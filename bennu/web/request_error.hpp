#pragma once

#include <exception>
#include <string>

#include "bennu/base/result.hpp"

namespace bennu {

/// Thrown where reading a request finds it malformed (a path parameter that is no id, a body that
/// is no JSON). The endpoint answers with the error's status; it is not logged as a fault and
/// disturbs nothing else. Code that would rather look itself uses the `try_` readers of Conn.
class RequestError : public std::exception {
  public:
    /// `status` 0: from the error's kind.
    explicit RequestError(Error error, int status = 0)
        : error_(std::move(error)), text_(error_.describe()), status_(status) {}

    const Error& error() const { return error_; }
    int status() const { return status_; }
    const char* what() const noexcept override { return text_.c_str(); }

  private:
    Error error_;
    std::string text_;
    int status_;
};

}  // namespace bennu
