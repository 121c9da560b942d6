#pragma once

#include <string>
#include <string_view>

#include "bennu/base/json.hpp"
#include "bennu/base/result.hpp"

namespace bennu::detail {

/// Collects the plain fields of a multipart form as a query string, so that brackets nest in one
/// way everywhere. Private to this area.
class FormFields {
  public:
    void add(std::string_view name, std::string_view value);
    /// All of them, an object.
    Result<Json> read() const;

  private:
    std::string query_;
};

/// What the multipart parser says, as an error: `too_large` for limits, else `invalid`.
Error multipart_error(std::string_view code, std::string_view message);
Error truncated_multipart();

}  // namespace bennu::detail
