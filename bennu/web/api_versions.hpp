#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bennu/web/plug.hpp"

namespace bennu {

struct ApiVersionOptions {
    /// All that are answered, the oldest first: `{"1", "2"}`, `{"2025-01-01", "2026-03-01"}`.
    std::vector<std::string> versions;
    /// For requests that name none; empty: they are refused (400).
    std::string fallback = {};
    // Where the version is looked for, in this order. What is empty is not asked.
    /// The parameter of the path: `version` with the scope `/api/:version`. A `v` before it is
    /// left out.
    std::string path_parameter = {};
    /// The header.
    std::string header = "api-version";
    /// The parameter of a type in Accept: `application/json; version=2`.
    std::string accept_parameter = "version";
};

/// The version that a request asks for. Left behind by the plug.
struct ApiVersion {
    std::string name;
    std::size_t index = 0;  ///< among the versions of the plug
};

/// Finds out which version of an API a request wants, for `api_version(conn)` and `by_version`; the
/// answer says so in `api-version`, and in Vary where a header decided. A version that is none: 404
/// in the path, 400 in the header, 406 in Accept, with code `unknown_version` and the list of those
/// that there are.
class ApiVersions {
  public:
    /// Options without versions, or with a fallback that is none of them, are a fault.
    explicit ApiVersions(ApiVersionOptions options);
    detail::PlugResult before(const Conn& conn) const;
    static bool needs_body(const Conn&) { return false; }
    void after(const Conn& conn, Response& response) const;

  private:
    std::shared_ptr<const ApiVersionOptions> options_;
    std::string vary_;
};

/// A fault unless an `ApiVersions` plug comes before.
const ApiVersion& api_version(const Conn& conn);

struct ActionSince {
    std::string version;
    Action action;
};
/// The action of the newest version that is not newer than the one that was asked for:
///
///     api.get("/assets/:id", by_version(versions, {{"1", show}, {"3", show_with_owner}}));
///
/// None is as old: 404. `versions` are those of the plug; another version among the actions is a
/// fault.
Action by_version(std::vector<std::string> versions, std::vector<ActionSince> actions);

}  // namespace bennu
