#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/json.hpp"

namespace bennu {

class Conn;

/// `password`, `token`, `secret` and the like.
std::vector<std::string> default_filtered_parameters();

/// Says which parameters logs and error pages must not show. Immutable.
class ParameterFilter {
  public:
    /// A name is hidden when it holds one of the words, in any case.
    explicit ParameterFilter(std::vector<std::string> words = default_filtered_parameters());

    bool hides(std::string_view name) const;
    /// The same value, with `***` for whatever stands under a hidden name, at any depth. Long texts
    /// are cut.
    Json masked(const Json& value) const;

  private:
    std::vector<std::string> words_;
};

/// The path of a request as logs may show it: with `***` for hidden parameters of its route. A view
/// into the request, or into `room`.
std::string_view shown_path(const Conn& conn, std::string&& room = {});
/// The parameters of path, query and body as JSON text, masked, at most a few thousand bytes; empty
/// when there are none. Of the body only what was read already.
std::string shown_parameters(const Conn& conn);

}  // namespace bennu
